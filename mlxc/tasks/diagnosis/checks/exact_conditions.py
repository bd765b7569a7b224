"""Which exact conditions does the functional violate?"""

from __future__ import annotations

from mlxc.tasks.diagnosis.finding import Finding, Table
from mlxc.tasks.diagnosis.under_test import CalculationUnderTest
from mlxc.xc.analysis.constraints import ConstraintResult, check_constraints

VARIABLES = (
    "rs is the radius of a sphere that holds one electron, in bohr, and small where the density is high. s tells how "
    "fast the density changes, zeta how polarised the spins are, from 0 to 1; alpha is 1 in a uniform gas and 0 where "
    "a single orbital is. F is the energy in units of that of the exchange of a uniform gas."
)
TITLE = "Which exact conditions does the functional violate?"


def examine_exact_conditions(tested: CalculationUnderTest) -> Finding:
    """Ask the functional about every condition, see :mod:`mlxc.xc.analysis.constraints`."""
    results = check_constraints(tested.functional)
    violated = [result for result in results if result.satisfied is False]
    names = ", ".join(result.name for result in violated)
    asked = sum(result.satisfied is not None for result in results)
    sentence = (
        f"{tested.calculation.xc} violates {len(violated)} of {asked} conditions: {names}."
        if violated
        else f"{tested.calculation.xc} keeps all {asked} conditions."
    )
    numbers = {
        "conditions": {
            result.name: {"satisfied": result.satisfied, "deviation": result.deviation} for result in results
        }
    }
    return Finding("exact conditions", TITLE, sentence, numbers=numbers, table=_table(violated))


def _table(violated: list[ConstraintResult]) -> Table | None:
    """What ought to hold, and where it does not most."""
    if not violated:
        return None
    rows = [[result.name, *_statement_and_place(result)] for result in violated]
    return Table(
        "What ought to hold, and where it does not",
        ["condition", "what ought to hold", "where it does so least"],
        rows,
        VARIABLES,
    )


def _statement_and_place(result: ConstraintResult) -> tuple[str, str]:
    statement, _, worst = result.detail.rstrip(".").partition("; ")
    return statement, worst
