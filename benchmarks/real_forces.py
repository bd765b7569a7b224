"""Energies and forces of crystals of a normal day in mlxc and in Quantum ESPRESSO, as a Markdown table.

    python benchmarks/pseudodojo_files.py      # once: the pseudopotentials
    python benchmarks/real_forces.py [--seed 1] [--cores 2] [case ...]

The crystals are those of ``real_crystals.py``. Each Cartesian coordinate of each atom is displaced by up to 0.05
angstrom, so that no force vanishes by symmetry, and the k mesh has at most two points along each direction, which is
the same discretisation in both codes and cheap without symmetry. Both converge far beyond what a person needs.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import torch
from meta_gga import displaced
from quantum_espresso import run_quantum_espresso
from real_crystals import calculation_of, cases
from tables import print_header, print_row

MOST_KPOINTS = 2
# Of the density per electron in mlxc; the estimated error of pw.x, hartree.
TOLERANCE, ERROR_HA = 1e-8, 1e-10


def row_of(name: str, seed: int, cores: int) -> list[str]:
    """The row of the table for one crystal."""
    given = calculation_of(name, cases()[name], "pbe")
    crystal = displaced(given.crystal, seed)
    kmesh = tuple(min(points, MOST_KPOINTS) for points in given.kmesh)
    calculation = given.with_crystal(crystal).model_copy(update={"kmesh": kmesh, "tolerance": TOLERANCE})
    ours = calculation.run(differentiate=None)
    try:
        theirs = run_quantum_espresso(calculation, cores, ERROR_HA, forces=True)
    except RuntimeError as error:  # how pw.x ends without convergence
        print(error, file=sys.stderr)
        return [name, str(len(crystal.species)), "pw.x does not converge", "-", "-"]
    assert theirs is not None, "pw.x is not installed"
    assert theirs.forces is not None
    assert ours.forces is not None
    assert ours.converged, name
    assert theirs.converged, name
    natom = len(crystal.species)
    largest, difference = np.abs(theirs.forces).max(), np.abs(np.asarray(ours.forces) - theirs.forces).max()
    energy = (float(ours.energy) - theirs.energy_ha) / natom
    return [name, str(natom), f"{energy:+.1e}", f"{largest:.4f}", f"{difference:.1e}"]


def main() -> None:
    """Print one row for each crystal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help="default: all")
    parser.add_argument("--seed", type=int, default=1, help="of the displacements; default: %(default)s")
    parser.add_argument("--cores", type=int, default=2, help="threads of mlxc, processes of Quantum ESPRESSO")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(cases()):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; choose from {', '.join(cases())}")
    torch.set_num_threads(arguments.cores)
    print_header("case", "atoms", "F - F of QE (Ha/atom)", "largest force (Ha/bohr)", "largest difference (Ha/bohr)")
    for name in arguments.cases or cases():
        print_row(row_of(name, arguments.seed, arguments.cores))


if __name__ == "__main__":
    main()
