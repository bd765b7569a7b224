"""Which exact conditions does the functional violate?"""

from __future__ import annotations

from mlxc.tasks.diagnosis.finding import Finding
from mlxc.tasks.diagnosis.under_test import CalculationUnderTest
from mlxc.xc.analysis.constraints import check_constraints

TITLE = "Which exact conditions does the functional violate?"


def examine_exact_conditions(tested: CalculationUnderTest) -> Finding:
    """Ask the functional about every condition, see :mod:`mlxc.xc.analysis.constraints`."""
    results = check_constraints(tested.functional)
    violated = [result for result in results if result.satisfied is False]
    names = "; ".join(f"{result.name} ({result.detail.rstrip('.')})" for result in violated)
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
    return Finding("exact conditions", TITLE, sentence, numbers=numbers)
