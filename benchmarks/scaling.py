"""How time and memory of an SCF, and of forces and stress after it, grow with the number of atoms.

    python benchmarks/scaling.py [--cores 2] [Si Al]

Silicon, 8 to 64 atoms at the k point Gamma, where orbitals are real; aluminium, 4 to 32 atoms at two k points. The
conventional cells are repeated and their atoms moved a little, so that no symmetry is left, and computed with the
recommended cutoff. Each case has a process of its own, which is warm. Memory is what that process has taken at most
beyond what it had before, and beside it what a person is told before the run; exponents are those of the last doubling
and of the straight line through all points in logarithms.
"""

from __future__ import annotations

import argparse
import resource
import time
from dataclasses import dataclass, fields
from math import log
from typing import Any

import numpy as np
from mlxc_process import warm_processes
from numpy.typing import NDArray
from tables import print_header, print_row

from mlxc import Calculation, Crystal
from mlxc.units import BOHR_ANG

REPEATS = ((1, 1, 1), (1, 1, 2), (1, 2, 2), (2, 2, 2))
# The positions in a conventional cell, its edge (angstrom), and what else is computed how.
FACE_CENTRED = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
DIAMOND = np.concatenate([FACE_CENTRED, FACE_CENTRED + 0.25])
MATERIALS: dict[str, tuple[NDArray[np.float64], float, dict[str, Any]]] = {
    "Si": (DIAMOND, 5.431, {"kmesh": (1, 1, 1), "smearing": "none"}),
    "Al": (FACE_CENTRED, 4.05, {"kmesh": (2, 1, 1), "width_ha": 0.005}),
}
# Atoms are moved by about this much, bohr.
RATTLE = 0.05


@dataclass(frozen=True)
class Cost:
    """What a calculation costs: seconds, and MB beyond what the process had before."""

    steps: int
    scf_seconds: float
    forces_seconds: float
    scf_mb: float
    forces_mb: float
    estimated_mb: float


def calculation_of(symbol: str, repeats: tuple[int, int, int]) -> Calculation:
    """The calculation of a material in a cell."""
    positions, edge, settings = MATERIALS[symbol]
    cube = Crystal(edge / BOHR_ANG * np.eye(3), (symbol,) * len(positions), positions)
    cell = cube.supercell(*repeats)
    moves = np.random.default_rng(0).normal(scale=RATTLE, size=cell.positions.shape) @ np.linalg.inv(cell.lattice)
    crystal = Crystal(cell.lattice, cell.species, cell.positions + moves)
    return Calculation.from_dict({"structure": crystal.to_dict(), "pseudo": "pseudodojo", **settings})


def measure(calculation: Calculation) -> Cost:
    """Compute it here, in a process that has computed nothing of this size before."""
    from mlxc.calculation.feasibility import check_calculation
    from mlxc.calculation.run import run_calculation
    from mlxc.properties.forces import with_forces

    estimated, before = check_calculation(calculation).memory_gb * 1e3, largest_mb()
    ground = run_calculation(calculation)
    scf_mb, began = largest_mb() - before, time.perf_counter()
    with_forces(ground, held=False)
    seconds = time.perf_counter() - began
    steps = len(ground.history) if ground.converged else -1
    return Cost(steps, ground.seconds["total"], seconds, scf_mb, largest_mb() - before, estimated)


def largest_mb() -> float:
    """The largest memory that this process has taken so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def exponents(atoms: list[int], values: list[float]) -> str:
    """The exponents of the last doubling and of all points."""
    slope = np.polyfit(np.log(atoms), np.log(values), 1)[0]
    return f"{log(values[-1] / values[-2]) / log(atoms[-1] / atoms[-2]):.2f}, {slope:.2f}"


def main() -> None:
    """Print a Markdown table with the exponents below each material."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("materials", nargs="*", metavar="material", help=f"default: {' '.join(MATERIALS)}")
    parser.add_argument("--cores", type=int, default=2, help="threads")
    arguments = parser.parse_args()
    if unknown := set(arguments.materials) - set(MATERIALS):
        parser.error(f"no such material: {', '.join(sorted(unknown))}; choose from {', '.join(MATERIALS)}")
    print_header("cell", "SCF steps", "SCF s", "forces and stress s", "SCF MB", "with forces MB", "estimate MB")
    for symbol in arguments.materials or MATERIALS:
        atoms, costs = [], []
        for repeats in REPEATS:
            calculation = calculation_of(symbol, repeats)
            with warm_processes(1, arguments.cores) as pool:
                cost = pool.submit(measure, calculation).result()
            atoms.append(len(calculation.crystal.species))
            costs.append(cost)
            seconds = f"{cost.scf_seconds:.1f}", f"{cost.forces_seconds:.1f}"
            sizes = (f"{size:.0f}" for size in (cost.scf_mb, cost.forces_mb, cost.estimated_mb))
            print_row([f"{symbol}{atoms[-1]}", cost.steps if cost.steps > 0 else "not converged", *seconds, *sizes])
        columns = [[getattr(cost, field.name) for cost in costs] for field in fields(Cost)[1:]]
        print_row([f"{symbol}, exponents", "-", *(exponents(atoms, column) for column in columns)])


if __name__ == "__main__":
    main()
