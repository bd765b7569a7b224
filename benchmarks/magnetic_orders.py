"""Energies of the magnetic orders of nickel and manganese oxide against Quantum ESPRESSO, as a Markdown table.

    python benchmarks/pseudodojo_files.py      # once: the pseudopotentials
    python benchmarks/magnetic_orders.py [--ecut 40] [--mesh 4] [--folder FOLDER] [NiO MnO]

The ferromagnet is compared with the antiferromagnet whose layers follow each other along the diagonals of the cube,
which both oxides are. Both codes have the same PseudoDojo files, cutoff, k points and smearing, and the lattice
constants measured at room temperature. Differences from the ferromagnet are per formula unit. The last column is the
energy of the ferromagnet in the supercell of the order minus that in the small cell, per atom: what the choice of the
supercell does.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import numpy as np
from pseudodojo_files import DEFAULT_FOLDER, require
from quantum_espresso import run_quantum_espresso
from tables import cell, print_header, print_row

from mlxc import Calculation, Crystal, MagneticOrdersTask
from mlxc.properties.atomic_moments import atomic_moments
from mlxc.tasks.orders.result import HARTREE_MEV
from mlxc.units import BOHR_ANG

# Edge of the cube, angstrom, and the moment of the metal to start from, Bohr magneton.
OXIDES = {"NiO": (4.177, 2.0), "MnO": (4.446, 5.0)}
ATOMS_PER_FORMULA = 2
LAYERS = "layers along 111"


def rock_salt(name: str) -> Crystal:
    """An oxide in its primitive cell."""
    edge, moment = OXIDES[name]
    lattice = edge / BOHR_ANG * (np.ones((3, 3)) - np.eye(3)) / 2
    return Crystal(lattice, [name[:2], "O"], [[0, 0, 0], [0.5, 0.5, 0.5]], [moment, 0], name)


def energy_here(calculation: Calculation) -> tuple[float, float]:
    """The free energy per atom, hartree, and the largest moment of an atom, Bohr magneton."""
    state = calculation.run(forces=False, differentiate=None)
    if not state.converged:
        print(f"{calculation.crystal.name}: {state.message}", file=sys.stderr)
    moments = atomic_moments(state)
    assert moments is not None
    return float(state.energy) / len(state.crystal.species), float(moments.abs().max())


def energy_there(calculation: Calculation) -> float | None:
    """The same energy in Quantum ESPRESSO; None where it is not installed."""
    found = run_quantum_espresso(calculation, processes=1)
    if found is not None and not found.converged:
        print(f"{calculation.crystal.name}: Quantum ESPRESSO did not converge", file=sys.stderr)
    return None if found is None else found.energy_ha / len(calculation.crystal.species)


def parallel(calculation: Calculation) -> Calculation:
    """The ferromagnet in the supercell of another order."""
    crystal = calculation.crystal
    moments = np.abs(crystal.moments)
    return calculation.with_crystal(Crystal(crystal.lattice, crystal.species, crystal.positions, moments, crystal.name))


def main() -> None:
    """Print one row for each order."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("oxides", nargs="*", default=list(OXIDES), metavar="oxide")
    parser.add_argument("--ecut", type=float, default=40.0, help="hartree; default: %(default)s")
    parser.add_argument("--mesh", type=int, default=4, help="k points along each direction; default: %(default)s")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="default: %(default)s")
    arguments = parser.parse_args()
    if unknown := set(arguments.oxides) - set(OXIDES):
        parser.error(f"no such oxide: {', '.join(sorted(unknown))}; choose from {', '.join(OXIDES)}")
    os.environ["MLXC_PSEUDO_DIR"] = str(require(arguments.folder))
    print_header(
        "oxide",
        "order",
        "moment (μB)",
        "mlxc (Ha/atom)",
        "Quantum ESPRESSO (Ha/atom)",
        "difference (Ha/atom)",
        "from the ferromagnet, mlxc (meV)",
        "Quantum ESPRESSO (meV)",
        "ferromagnet in the supercell (Ha/atom)",
    )
    for name in arguments.oxides:
        print_orders(name, arguments.ecut, arguments.mesh)


def print_orders(name: str, ecut: float, mesh: int) -> None:
    """Print the ferromagnet and the antiferromagnet of an oxide."""
    settings = {"structure": rock_salt(name), "ecut_ha": ecut, "kmesh": (mesh,) * 3, "width_ha": 0.005}
    task = MagneticOrdersTask.from_dict({"calculation": settings})
    zero: tuple[float, float | None] | None = None
    for order in task.orders[1:]:
        if order.kind == "antiferromagnetic" and order.layers != LAYERS:
            continue
        calculation = task.calculation_of(order)
        (here, moment), there = energy_here(calculation), energy_there(calculation)
        zero = zero or (here, there)
        moved = energy_here(parallel(calculation))[0] - zero[0] if order.cells > 1 else 0.0
        per_formula = HARTREE_MEV * ATOMS_PER_FORMULA
        print_row(
            [
                name,
                order.name,
                f"{moment:.3f}",
                f"{here:.7f}",
                cell(there, ".7f"),
                cell(None if there is None else here - there, "+.1e"),
                f"{(here - zero[0]) * per_formula:.2f}",
                cell(None if there is None or zero[1] is None else (there - zero[1]) * per_formula, ".2f"),
                f"{moved:+.1e}",
            ]
        )


if __name__ == "__main__":
    main()
