"""Functionals side by side: errors for 28 solids and graphene, exact conditions, how fast an SCF converges, cost.

    python benchmarks/functionals.py [pbe r2scan pcnn ...]

Errors of lattice constants, bulk moduli and cohesive energies are those at frozen densities of PBE, against measured
ones. The SCFs have the shipped settings of the shipped crystals. The cost is the processor's time per SCF step after
the first, over that of PBE in the same run.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping

from tables import cell, geometric_mean, print_header, print_row

import mlxc
from mlxc import Calculation, InputError
from mlxc.calculation.run import run_calculation
from mlxc.frozen.screening import screen
from mlxc.ground_state import warm_up
from mlxc.references.tables import measured_solids
from mlxc.solids.error_statistics import counted, statistics
from mlxc.xc.analysis.constraints import check_constraints

BASELINE = "pbe"
# Shipped, published and fitted ones, and the non-empirical ones that they are measured by.
FUNCTIONALS = (
    BASELINE, "pbesol", "r2scan", "mcml", "mbeef", "ktbm", "lak", "task", "pcnn", "xcdiff",
    "hm-gga", "hm-mgga", "solids-mgga",
)  # fmt: skip
SHEET = "graphene"
CRYSTALS = ("al", "si", "ni", "nacl", SHEET)


def steps_and_cost(name: str, xc: str) -> tuple[str, float | None]:
    """The number of SCF steps, or why there is none, and the processor's seconds for each of them after the first."""
    calculation = Calculation.from_dict({"structure": name, "xc": xc, "spin": name == "ni"})
    ends: list[float] = []
    try:
        state = run_calculation(calculation, monitor=lambda _: ends.append(time.process_time()))
    except InputError as error:
        return str(error), None
    count = len(state.history)
    return (str(count) if state.converged else f"not in {count}"), (ends[-1] - ends[0]) / (count - 1)


def mean_of(found: Mapping[str, float | None], form: str) -> str:
    """The mean absolute error, with the number of solids that have one where others have none."""
    number = cell(found["mean_absolute"], form)
    return number if found["count"] == found["of"] else f"{number} ({counted(found)})"


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("functionals", nargs="*", default=list(FUNCTIONALS))
    functionals = parser.parse_args().functionals
    warm_up()
    print_header(
        "functional", "lattice constants: mean absolute error (%)", "largest (%)",
        "graphene (%)", "bulk moduli: mean absolute error (%)", "cohesive energies: mean absolute error (%)",
        "exact conditions kept", *(f"steps {name}" for name in CRYSTALS),
        "time per step / PBE's",
    )  # fmt: skip
    own = {name: steps_and_cost(name, BASELINE)[1] for name in CRYSTALS}
    for xc in functionals:
        try:
            screening = screen([xc])
        except InputError as error:
            print_row([xc, str(error), *["-"] * (6 + len(CRYSTALS))])
            continue
        edges, summary = screening.errors("lattice_constant")[xc], screening.summary[xc]
        of_graphene = edges.pop(SHEET, None)
        measured = measured_solids()
        found = statistics({name: error for name, error in edges.items() if name in measured}, len(measured))
        conditions = [result.satisfied for result in check_constraints(mlxc.functional(xc))]
        known = [one for one in conditions if one is not None]
        runs = {name: steps_and_cost(name, xc) for name in CRYSTALS}
        ratios = [cost / base for name, (_, cost) in runs.items() if cost and (base := own[name])]
        print_row(
            [
                xc,
                mean_of(found, ".2f"),
                cell(found["largest"], ".2f"),
                cell(of_graphene, "+.2f"),
                mean_of(summary["bulk_modulus"], ".1f"),
                mean_of(summary["cohesive_energy"], ".1f"),
                f"{sum(known)} of {len(known)}",
                *(steps for steps, _ in runs.values()),
                f"{geometric_mean(ratios):.2f}" if ratios else "-",
            ]
        )


if __name__ == "__main__":
    main()
