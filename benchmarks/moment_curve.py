"""The energy of iron and nickel against the moment beside that of Quantum ESPRESSO, at the same discretisation.

    python benchmarks/pseudodojo_files.py      # once: the pseudopotentials
    python benchmarks/moment_curve.py [--cores 2] [--pseudo FOLDER] [--ecut 25] [--mesh 4] [--points 5] [case ...]

Iron with an fcc lattice at two volumes, between which it changes from low to high spin, iron with a bcc lattice, and
nickel, whose file is shipped: ``--pseudo pseudodojo ni``. Both codes take the same pseudopotential, cutoff, FFT grid, k
mesh and smearing, and hold the same moments. The mesh and the cutoff are modest: what is compared is the same sum in
both. mlxc does what ``mlxc moments`` does, each moment from the state at the one before; Quantum ESPRESSO starts each
from free atoms. Energies are per cell, which is one atom.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import torch
from pseudodojo_files import DEFAULT_FOLDER
from quantum_espresso import run_quantum_espresso
from tables import cell, print_header, print_row

from mlxc import Crystal, MomentsTask
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.grid.shape import choose_shape, grid_radius
from mlxc.units import BOHR_ANG

# The element, primitive vectors in units of the cube's edge, the volume of an atom, cubic angstrom, and the moments.
FCC, BCC = (1 - np.eye(3)) / 2, (1 - 2 * np.eye(3)) / 2
CASES = {
    "fcc-small": ("Fe", FCC, 12.247, 3.0),
    "fcc-large": ("Fe", FCC, 13.414, 3.0),
    "bcc": ("Fe", BCC, 11.775, 3.0),
    "ni": ("Ni", FCC, 10.94, 1.0),
}
# Estimated error at which Quantum ESPRESSO stops, hartree.
ERROR_HA = 1e-9


def task_of(case: str, pseudo: str, ecut: float, mesh: int, points: int) -> MomentsTask:
    """The curve of a case."""
    element, vectors, volume, highest = CASES[case]
    edge = (volume / abs(np.linalg.det(vectors))) ** (1 / 3) / BOHR_ANG
    crystal = Crystal(vectors * edge, [element], [[0, 0, 0]], [highest / 2], name=case)
    calculation: dict[str, Any] = {
        "structure": crystal.to_dict(),
        "pseudo": pseudo,
        "ecut_ha": ecut,
        "kmesh": (mesh, mesh, mesh),
        "smearing": "fermi-dirac",
        "width_ha": 0.01,
        "fft_grid": choose_shape(crystal.lattice, grid_radius(ecut), SpaceGroup.of(crystal)),
    }
    return MomentsTask.from_dict({"calculation": calculation, "highest_moment": highest, "points": points})


def print_case(case: str, task: MomentsTask, cores: int) -> None:
    """One row for each moment, and where the curve has its minimum."""
    result = task.run()
    for point in result.curve.points:
        theirs = run_quantum_espresso(task.at(point.moment), cores, ERROR_HA)
        energy = theirs.energy_ha if theirs is not None and theirs.converged else None
        print_row(
            [
                case,
                f"{point.moment:.2f}",
                f"{point.free_energy_ha:.6f}" + ("" if point.converged else " (not converged)"),
                cell(energy, ".6f"),
                cell(None if energy is None else point.free_energy_ha - energy, "+.1e"),
                cell(point.slope_ha, "+.5f"),
                point.iterations,
                cell(theirs and theirs.iterations, "d"),
            ]
        )
    minima = ", ".join(f"{minimum.moment:.2f}" for minimum in result.curve.minima) or "none in the range"
    print_row([case, f"minima: {minima}", *[""] * 6])


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help=f"default: {' '.join(CASES)}")
    parser.add_argument("--cores", type=int, default=2, help="threads of mlxc, processes of Quantum ESPRESSO")
    parser.add_argument(
        "--pseudo", default=str(DEFAULT_FOLDER), help="folder of UPF files, or gth; default: %(default)s"
    )
    parser.add_argument("--ecut", type=float, default=25.0, help="cutoff, hartree")
    parser.add_argument("--mesh", type=int, default=4, help="k points along each direction")
    parser.add_argument("--points", type=int, default=5, help="moments of each case, from 0 on")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; choose from {', '.join(CASES)}")
    torch.set_num_threads(arguments.cores)
    print_header(
        "crystal", "moment (μB)", "F mlxc (Ha)", "F Quantum ESPRESSO (Ha)", "difference", "dF/dM (Ha/μB)", "steps", "QE"
    )
    for case in arguments.cases or CASES:
        task = task_of(case, arguments.pseudo, arguments.ecut, arguments.mesh, arguments.points)
        print_case(case, task, arguments.cores)


if __name__ == "__main__":
    main()
