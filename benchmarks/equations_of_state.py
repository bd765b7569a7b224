"""Lattice constants of Al, Ca, ferromagnetic Ni, graphene and Si beside those of Quantum ESPRESSO.

    python benchmarks/equations_of_state.py [--cores 2] [--cutoff-smoothing 0.5] [al ca ni graphene si]

Both codes take the same PseudoDojo files at the recommended cutoff, the same k mesh, the same smearing (for the metals
cold smearing of 0.02 Ry: with it Quantum ESPRESSO gives the figure expected for aluminium), and seven volumes from 94
to 106 %, or areas of graphene at fixed height; both codes' energies go through the same fit. mlxc does what
``mlxc eos`` does: the kinetic energy rises over the last 0.5 Ha below the cutoff, and each point starts from those
before. Quantum ESPRESSO starts each point from free atoms, at a plain cutoff.

Times are of all points together, for mlxc also in units of one SCF from free atoms in the given cell.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from quantum_espresso import run_quantum_espresso
from tables import cell, median, print_header, print_row

from mlxc import Calculation, EquationOfStateTask
from mlxc.calculation.run import run_calculation
from mlxc.crystal.resizing import lattice_constant, natural_variation
from mlxc.ground_state import warm_up
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.birch_murnaghan import FitError, fit_birch_murnaghan
from mlxc.units import BOHR_ANG

_COLD = {"smearing": "marzari-vanderbilt", "width_ha": 0.01}
# What differs from the shipped settings.
CASES: dict[str, dict[str, Any]] = {
    "al": {"kmesh": (12, 12, 12), **_COLD},
    "ca": {"kmesh": (8, 8, 8), **_COLD},
    "ni": {"kmesh": (8, 8, 8), "spin": True, **_COLD},
    "graphene": {},
    "si": {},
}
# Quantum ESPRESSO's lattice constants that mlxc is to meet, angstrom.
EXPECTED_ANG = {"al": 4.0387, "ca": 5.5264, "ni": 3.522}
RATIOS = np.linspace(0.94, 1.06, 7)


@dataclass(frozen=True)
class Curve:
    """Energies of one code at ``RATIOS``.

    Attributes:
        energies_ha: free energies per cell.
        seconds: of all points together.
        unconverged: number of points that did not converge.
        first_seconds: one SCF from free atoms in the given cell; None where it is not measured.
    """

    energies_ha: list[float]
    seconds: float
    unconverged: int
    first_seconds: float | None = None


def calculation_of(name: str, cutoff_smoothing: float | None) -> Calculation:
    """What ``mlxc eos`` would compute."""
    settings = {"structure": name, **CASES[name]}
    if cutoff_smoothing is not None:
        settings["cutoff_smoothing_ha"] = cutoff_smoothing
    return EquationOfStateTask.from_dict({"calculation": settings}).calculation


def mlxc_curve(calculation: Calculation) -> Curve:
    """All points, each from those before, and one SCF from free atoms, the median of three."""
    single = median(run_calculation(calculation).seconds["total"] for _ in range(3))
    states: list[GroundState] = []
    for case in calculation.at_volumes(RATIOS.tolist()):
        states.append(run_calculation(case, start=states))
    return Curve(
        [float(state.energy.detach()) for state in states],
        sum(state.seconds["total"] for state in states),
        sum(not state.converged for state in states),
        single,
    )


def quantum_espresso_curve(calculation: Calculation, cores: int) -> Curve | None:
    """All points, each from free atoms; None where pw.x is not installed."""
    runs = [run_quantum_espresso(case, cores) for case in calculation.at_volumes(RATIOS.tolist())]
    found = [run for run in runs if run is not None]
    if not found:
        return None
    return Curve(
        [run.energy_ha for run in found],
        sum(run.seconds for run in found),
        sum(not run.converged for run in found),
    )


def constant_of(calculation: Calculation, curve: Curve) -> float | None:
    """Where the fit has its minimum, angstrom; None where it has none."""
    crystal = calculation.crystal
    volume = crystal.volume * BOHR_ANG**3
    try:
        volume0 = fit_birch_murnaghan(volume * RATIOS, curve.energies_ha).volume0
    except FitError:
        return None
    return lattice_constant(crystal, volume0, natural_variation(crystal))


def print_case(name: str, calculation: Calculation, curves: dict[str, Curve]) -> None:
    """One row per code."""
    expected = EXPECTED_ANG.get(name)
    for code, curve in curves.items():
        found = constant_of(calculation, curve)
        off = None if found is None or expected is None else 100 * (found / expected - 1)
        first = curve.first_seconds
        print_row(
            [
                name,
                code,
                "x".join(map(str, calculation.kmesh)),
                cell(found, ".4f"),
                cell(expected, ".4f"),
                cell(off, "+.2f"),
                curve.unconverged,
                f"{curve.seconds:.1f}",
                cell(first and curve.seconds / first, ".2f"),
            ]
        )


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help=f"default: {' '.join(CASES)}")
    parser.add_argument("--cores", type=int, default=2, help="threads of mlxc, processes of Quantum ESPRESSO")
    parser.add_argument("--cutoff-smoothing", type=float, help="of mlxc, hartree; 0 for the other code's plain cutoff")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; choose from {', '.join(CASES)}")
    torch.set_num_threads(arguments.cores)
    warm_up()
    print_header(
        "crystal", "code", "k mesh", "a0 (ang)", "expected", "off by %", "unconverged", "seconds", "time / first SCF"
    )
    for name in arguments.cases or CASES:
        calculation = calculation_of(name, arguments.cutoff_smoothing)
        curves = {"mlxc": mlxc_curve(calculation)}
        theirs = quantum_espresso_curve(calculation, arguments.cores)
        print_case(name, calculation, curves if theirs is None else curves | {"Quantum ESPRESSO": theirs})


if __name__ == "__main__":
    main()
