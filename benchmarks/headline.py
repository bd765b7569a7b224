"""Lattice constants of Al, Ni, Ca and graphene: three functionals here, PBE elsewhere, and experiment.

    python benchmarks/headline.py [--networks pbe-proxy solids-mgga] [--codes gpaw pyscf elk] [al ni ca graphene]

Here: PseudoDojo at the recommended cutoff, the k meshes of ``equations_of_state.py``. Other codes run the same crystals
and volumes if they are installed: GPAW with its own PAW data in plane waves, PySCF with GTH pseudopotentials in
Gaussians (gth-dzvp-molopt-sr, the size of basis of published work). All-electron values are those that ASE quotes
from WIEN2k (K. Lejaeghere et al., Science 351, aad3000 (2016)), nickel with its magnetisation; graphene, which is not
among them, is computed with Elk. Experiment is free of zero-point motion (J. Wellendorff et al., J. Chem. Phys. 140,
144107 (2014)), but for graphene, where it is graphite.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import torch
from ase.collections import dcdft
from equations_of_state import RATIOS, Curve, calculation_of, constant_of
from numpy.typing import NDArray
from tables import cell, print_header, print_row

from mlxc import Calculation
from mlxc.calculation.run import run_calculation
from mlxc.ground_state import warm_up
from mlxc.kohn_sham.state import GroundState
from mlxc.references.tables import reference_lines
from mlxc.units import BOHR_ANG, HARTREE_EV

HERE = Path(__file__).resolve().parent
CRYSTALS = ("al", "ni", "ca", "graphene")
CODES = ("gpaw", "pyscf", "elk")
# Atoms per cubic cell of the crystals that WIEN2k's volumes are of.
PER_CUBE = 4
# Gaussians at coarser meshes, which is what this costs little in.
PYSCF_MESH = {"al": (4, 4, 4), "ni": (4, 4, 4), "ca": (4, 4, 4), "graphene": (6, 6, 1)}
# Elk's gradients of the density are noise in a vacuum, and its energies then jump by more than neighbouring areas
# differ, so it computes graphene in a low cell: in mlxc a differs by 0.00004 angstrom between 6 and 8 angstrom.
ELK_HEIGHT_ANG, ELK_MESH = 6.0, (9, 9, 2)


def here(calculation: Calculation, xc: str) -> float | None:
    """Of mlxc with one functional."""
    states: list[GroundState] = []
    settings = calculation.model_copy(update={"xc": xc})
    for case in settings.at_volumes(RATIOS.tolist()):
        states.append(run_calculation(case, start=states))
    energies = [float(state.energy.detach()) for state in states]
    return constant_of(calculation, Curve(energies, 0.0, sum(not state.converged for state in states)))


def elsewhere(
    calculation: Calculation,
    program: list[str],
    kmesh: tuple[int, int, int],
    unit_ha: float,
    height_ang: float | None = None,
) -> float | None:
    """Of another code, run on the same crystals; None where it is not installed.

    Args:
        calculation: gives crystal and volumes.
        program: takes crystals and prints energies.
        kmesh: of the other code.
        unit_ha: of its energies.
        height_ang: of the cell of a flat sheet, where the other code is to have another one.
    """
    if shutil.which(program[0]) is None:
        return None
    cases = calculation.at_volumes(RATIOS.tolist())
    described = [
        {
            "species": list(case.crystal.species),
            "lattice_ang": lattice_ang(case, height_ang).tolist(),
            "positions": case.crystal.positions.tolist(),
            "moments": list(case.crystal.moments),
            "spin": case.spin,
            "kmesh": list(kmesh),
        }
        for case in cases
    ]
    done = subprocess.run(program, input=json.dumps(described), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        print(done.stderr[-1000:], file=sys.stderr)
        return None
    energies = [energy * unit_ha for energy in json.loads(done.stdout)]
    return constant_of(calculation, Curve(energies, 0.0, 0))


def lattice_ang(case: Calculation, height_ang: float | None) -> NDArray[np.float64]:
    """Lattice vectors as rows, angstrom; the third one of another length if a height is given."""
    lattice = case.crystal.lattice * BOHR_ANG
    if height_ang is not None:
        lattice[2] *= height_ang / np.linalg.norm(lattice[2])
    return lattice


def all_electron(name: str, calculation: Calculation, codes: list[str]) -> float | None:
    """WIEN2k's, or computed with Elk; angstrom."""
    element = name.capitalize()
    if element in dcdft.data:
        return float((PER_CUBE * dcdft.data[element]["wien2k_volume"]) ** (1 / 3))
    if "elk" not in codes or shutil.which("elk-lapw") is None:
        return None
    return elsewhere(calculation, [sys.executable, str(HERE / "inside_elk.py")], ELK_MESH, 1.0, ELK_HEIGHT_ANG)


def experiment(name: str) -> float | None:
    """Measured, angstrom; of graphene that of graphite."""
    found = [line.lattice_constant_ang for line in reference_lines(name) if "experiment" in line.label]
    return found[0] if found else None


def lattice_constants(name: str, networks: list[str], codes: list[str]) -> dict[str, float | None]:
    """By column of the table, angstrom."""
    calculation = calculation_of(name, None)
    found = {f"{xc} here": here(calculation, xc) for xc in ("pbe", *networks)}
    found["all-electron PBE"] = all_electron(name, calculation, codes)
    if "gpaw" in codes:
        program = ["/usr/bin/python3", str(HERE / "inside_gpaw.py")]
        found["GPAW PBE"] = elsewhere(calculation, program, calculation.kmesh, 1 / HARTREE_EV)
    if "pyscf" in codes:
        program = [sys.executable, str(HERE / "inside_pyscf.py")]
        found["PySCF PBE"] = elsewhere(calculation, program, PYSCF_MESH[name], 1.0)
    return found


def main() -> None:
    """Print a Markdown table: lattice constants in angstrom, errors with respect to experiment in percent."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help=f"default: {' '.join(CRYSTALS)}")
    parser.add_argument("--networks", nargs="*", default=["pbe-proxy", "solids-mgga"], metavar="NAME")
    parser.add_argument("--codes", nargs="*", default=list(CODES), choices=CODES)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    cases = arguments.cases or CRYSTALS
    if unknown := set(cases) - set(CRYSTALS):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; choose from {', '.join(CRYSTALS)}")
    torch.set_num_threads(arguments.threads)
    warm_up()
    for index, name in enumerate(cases):
        measured = experiment(name)
        found = lattice_constants(name, arguments.networks, arguments.codes)
        if index == 0:
            print_header("crystal", "experiment", *found)
        errors = [
            None if value is None or measured is None else 100 * (value / measured - 1) for value in found.values()
        ]
        shown = [f"{cell(v, '.4f')} ({cell(e, '+.2f')} %)" for v, e in zip(found.values(), errors, strict=True)]
        print_row([name, cell(measured, ".4f"), *shown])


if __name__ == "__main__":
    main()
