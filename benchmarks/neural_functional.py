"""A functional beside PBE: energies, lattice constants and the cost of an SCF.

    python benchmarks/neural_functional.py [--xc pbe-proxy] [--repeats 3] [al si ca ni graphene]

Settings of an equation of state are those of ``equations_of_state.py``; single SCFs have the shipped settings, both
functionals in turn, and their times are medians of set-up and SCF.
"""

from __future__ import annotations

import argparse

import torch
from equations_of_state import CASES, calculation_of, constant_of, mlxc_curve
from tables import median, print_header, print_row

from mlxc import Calculation
from mlxc.calculation.run import run_calculation
from mlxc.ground_state import warm_up

BASELINE = "pbe"


def compare(name: str, xc: str, repeats: int) -> None:
    """Print the row of one crystal."""
    spin = bool(CASES[name].get("spin"))
    runs: dict[str, list[tuple[float, float]]] = {BASELINE: [], xc: []}
    for _ in range(repeats):
        for functional, timings in runs.items():
            state = run_calculation(Calculation.from_dict({"structure": name, "xc": functional, "spin": spin}))
            assert state.converged
            timings.append((float(state.energy.detach()), state.seconds["total"]))
    natoms = len(Calculation.from_dict({"structure": name}).crystal.species)
    constants = []
    for functional in runs:
        calculation = calculation_of(name, None).model_copy(update={"xc": functional})
        found = constant_of(calculation, mlxc_curve(calculation))
        assert found is not None
        constants.append(found)
    seconds = [median(time for _, time in timings) for timings in runs.values()]
    print_row(
        [
            name,
            f"{1000 * (runs[xc][0][0] - runs[BASELINE][0][0]) / natoms:+.3f}",
            f"{constants[0]:.4f}",
            f"{constants[1]:.4f}",
            f"{100 * (constants[1] / constants[0] - 1):+.4f}",
            f"{seconds[1] / seconds[0]:.2f}",
        ]
    )


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help=f"default: {' '.join(CASES)}")
    parser.add_argument("--xc", default="pbe-proxy", help="the functional beside PBE")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; choose from {', '.join(CASES)}")
    torch.set_num_threads(arguments.threads)
    warm_up()
    print_header(
        "crystal", "energy above PBE's (mHa/atom)", "a0 PBE (ang)", f"a0 {arguments.xc}", "off by %", "time / time PBE"
    )
    for name in arguments.cases or CASES:
        compare(name, arguments.xc, arguments.repeats)


if __name__ == "__main__":
    main()
