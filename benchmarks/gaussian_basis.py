"""Free energies in Gaussian orbitals beside those of PySCF, and how long both take.

    python benchmarks/gaussian_basis.py [al si ca graphene mgo ni]

Both codes have the same functions, GTH pseudopotentials, grid, k mesh and Fermi-Dirac smearing of 0.01 Ha, with PBE;
PySCF is run as KRKS (nickel: KUKS) with FFTDF and without symmetry, which it does not use by default; mlxc computes
the irreducible k points. In either code a run stops when its energy is known to about 1e-8 Ha.

The grids are the coarsest on which the codes still agree. FFTDF sums nonlocal pseudopotentials over the wave vectors of
the grid, where mlxc takes integrals; on coarser grids this is the difference between them.

Times are those of the processor, which a busy machine does not change, with one thread each: mlxc, set-up and SCF in a
process that is warm; PySCF, the SCF with what it sets up in a process that has loaded its libraries.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch
from tables import cell, print_header, print_row

import mlxc
from mlxc import Calculation
from mlxc.calculation.run import run_calculation
from mlxc.ground_state import warm_up
from mlxc.pseudo.library import find_pseudopotentials

HERE = Path(__file__).resolve().parent
WIDTH_HA = 0.01
LARGE = "gth-dzvp-molopt-sr"
# Smallest sets: calcium and nickel are in no other.
SMALL = {"ca": "gth-szv-molopt-sr", "ni": "gth-szv-molopt-sr"}
CASES: dict[str, dict[str, Any]] = {
    "al": {"kmesh": (4, 4, 4), "fft_grid": (20, 20, 20)},
    "si": {"kmesh": (3, 3, 3), "fft_grid": (20, 20, 20)},
    "ca": {"kmesh": (2, 2, 2), "fft_grid": (36, 36, 36)},
    "graphene": {"kmesh": (3, 3, 1), "fft_grid": (20, 20, 80)},
    "mgo": {"kmesh": (2, 2, 2), "fft_grid": (56, 56, 56)},
    "ni": {"kmesh": (2, 2, 2), "fft_grid": (36, 36, 36), "spin": True},
}


def calculation_of(name: str, basis_set: str) -> Calculation:
    """What both codes compute."""
    settings = {"structure": name, "basis": "gaussian", "gaussian_basis": basis_set, "tolerance": 1e-7}
    return Calculation.from_dict(settings | {"smearing": "fermi-dirac", "width_ha": WIDTH_HA} | CASES[name])


def pyscf(calculation: Calculation) -> dict[str, Any]:
    """What PySCF found.

    Raises:
        RuntimeError: it failed.
    """
    crystal = calculation.crystal
    entries = find_pseudopotentials(crystal.species, calculation.pseudo, "pbe", calculation.pseudo_names)
    case = {
        "lattice_bohr": crystal.lattice.tolist(),
        "species": list(crystal.species),
        "positions_bohr": (crystal.positions @ crystal.lattice).tolist(),
        "sets": dict.fromkeys(crystal.species, calculation.gaussian_basis),
        "pseudo_names": {symbol: entry.name for symbol, entry in entries.items()},
        "mesh": calculation.fft_grid,
        "kmesh": calculation.kmesh,
        "width_ha": calculation.width_ha,
        "spin": calculation.spin,
        "moment": float(crystal.moments.sum()) or len(crystal.species),  # where mlxc starts too
    }
    done = subprocess.run(
        [sys.executable, str(HERE / "inside_pyscf_fftdf.py")],
        input=json.dumps(case),
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"PySCF failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def compare(name: str, basis_set: str) -> str:
    """Print a row; the version of PySCF."""
    calculation = calculation_of(name, basis_set)
    started = time.process_time()
    ours = run_calculation(calculation)
    seconds = time.process_time() - started
    assert ours.converged, ours.message
    theirs = pyscf(calculation)
    energy = float(ours.energy.detach())
    print_row(
        [
            name,
            basis_set,
            " x ".join(map(str, calculation.kmesh)),
            " x ".join(map(str, calculation.fft_grid or ())),
            f"{energy:.7f}",
            f"{theirs['energy_ha']:.7f}",
            f"{(energy - theirs['energy_ha']) / len(calculation.crystal.species):.1e}",
            f"{cell(ours.magnetisation, '.4f')} / {cell(theirs['moment'], '.4f')}",
            f"{seconds:.2f}",
            f"{theirs['seconds']:.1f}",
            f"{theirs['seconds'] / seconds:.1f}",
        ]
    )
    return str(theirs["version"])


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help=f"default: {' '.join(CASES)}")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; choose from {', '.join(CASES)}")
    torch.set_num_threads(1)
    warm_up()
    run_calculation(calculation_of("al", "gth-szv"))
    print_header(
        "crystal", "basis set", "k mesh", "grid", "mlxc (Ha)", "PySCF (Ha)", "difference per atom (Ha)",
        "moment mlxc / PySCF", "mlxc (CPU s)", "PySCF (CPU s)", "PySCF / mlxc",
    )  # fmt: skip
    version = ""
    for name in arguments.cases or CASES:
        for basis_set in (SMALL.get(name, "gth-szv"), LARGE):
            version = compare(name, basis_set)
    print(f"\nmlxc {mlxc.__version__}, PyTorch {torch.__version__}, PySCF {version}, one thread each.")


if __name__ == "__main__":
    main()
