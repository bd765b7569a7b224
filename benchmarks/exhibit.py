"""Two networks that know the bulk of three metals, there and in graphene: self-consistent, and at PBE's densities.

    python benchmarks/exhibit.py [--xc bulk-unconstrained bulk-constrained] [al ca ni graphene]

Settings are those of ``equations_of_state.py``. At PBE's densities Hartree, ion and kinetic terms stay and E_xc is
another one, as in training; there every functional has energies, whether its own SCF converges or not.
"""

from __future__ import annotations

import argparse

import torch
from equations_of_state import CASES, RATIOS, Curve, calculation_of, constant_of
from tables import cell, print_header, print_row

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.run import run_calculation
from mlxc.frozen.snapshot import Snapshot
from mlxc.ground_state import warm_up
from mlxc.kohn_sham.state import GroundState
from mlxc.xc.catalogue import functional

BASELINE = "pbe"


def states_of(calculation: Calculation) -> list[GroundState]:
    """One for each ratio, from those before that converged."""
    states: list[GroundState] = []
    for case in calculation.at_volumes(RATIOS.tolist()):
        converged = [state for state in states if state.converged]
        states.append(run_calculation(case, start=converged))
    return states


def curve_of(energies: list[float]) -> Curve:
    """Of energies alone."""
    return Curve(energies, 0.0, 0)


def compare(name: str, functionals: list[str]) -> None:
    """Print the rows of one crystal."""
    calculation = calculation_of(name, None)
    states = states_of(calculation)
    snapshots = [Snapshot.of(state) for state in states]
    for xc in [BASELINE, *functionals]:
        own = states if xc == BASELINE else states_of(calculation.model_copy(update={"xc": xc}))
        energies = [float(state.energy.detach()) for state in own]
        with torch.no_grad():
            fixed = [float(snapshot.energy(functional(xc))) for snapshot in snapshots]
        settled = all(state.converged for state in own)
        middle = len(RATIOS) // 2
        print_row(
            [
                name,
                xc,
                cell(constant_of(calculation, curve_of(energies)) if settled else None, ".4f"),
                sum(state.converged for state in own),
                f"{own[middle].history[-1].density_residual:.1e}",
                f"{1000 * (energies[middle] - float(states[middle].energy)):+.2f}",
                cell(constant_of(calculation, curve_of(fixed)), ".4f"),
                f"{1000 * (fixed[middle] - float(states[middle].energy)):+.2f}",
            ]
        )


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help="default: al ca ni graphene")
    parser.add_argument("--xc", nargs="+", default=["bulk-unconstrained", "bulk-constrained"], help="beside PBE")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    cases = arguments.cases or ["al", "ca", "ni", "graphene"]
    if unknown := set(cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; choose from {', '.join(CASES)}")
    torch.set_num_threads(arguments.threads)
    warm_up()
    print_header(
        "crystal", "functional", "a0 (ang)", f"converged of {len(RATIOS)}", "density residual in the middle",
        "energy above PBE's (mHa)", "a0 at PBE's densities", "energy above PBE's there (mHa)",
    )  # fmt: skip
    for name in cases:
        compare(name, arguments.xc)


if __name__ == "__main__":
    main()
