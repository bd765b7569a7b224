"""All tests, one after the other, and what they come to."""

from __future__ import annotations

import time
from collections.abc import Callable

from mlxc.console.record_table import Tell
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.diagnosis.checks.basis_set import examine_basis_set
from mlxc.tasks.diagnosis.checks.exact_conditions import examine_exact_conditions
from mlxc.tasks.diagnosis.checks.extrapolation import examine_extrapolation
from mlxc.tasks.diagnosis.checks.ingredients import examine_ingredients
from mlxc.tasks.diagnosis.checks.kpoints import examine_kpoints
from mlxc.tasks.diagnosis.checks.profile import examine_profile
from mlxc.tasks.diagnosis.checks.self_consistency import examine_self_consistency
from mlxc.tasks.diagnosis.checks.superposition import examine_superposition
from mlxc.tasks.diagnosis.checks.vacuum import examine_vacuum
from mlxc.tasks.diagnosis.finding import TESTS, Finding
from mlxc.tasks.diagnosis.mends import mends_of
from mlxc.tasks.diagnosis.result import Diagnosis
from mlxc.tasks.diagnosis.task import DiagnosisTask
from mlxc.tasks.diagnosis.under_test import CalculationUnderTest
from mlxc.tasks.diagnosis.verdict import judge

EXAMINERS: dict[str, Callable[[CalculationUnderTest], Finding]] = {
    "exact conditions": examine_exact_conditions,
    "self-consistency": examine_self_consistency,
    "extrapolation": examine_extrapolation,
    "ingredients": examine_ingredients,
    "profile": examine_profile,
    "vacuum": examine_vacuum,
    "basis": examine_basis_set,
    "superposition": examine_superposition,
    "k points": examine_kpoints,
}


def run_diagnosis(task: DiagnosisTask, monitor: Monitor | None, tell: Tell) -> Diagnosis:
    """Do all tests; see :meth:`DiagnosisTask.run`."""
    task.calculation.check()
    started = time.perf_counter()
    tested = CalculationUnderTest(task.calculation, monitor)
    findings = []
    for test in TESTS:
        findings.append(EXAMINERS[test](tested))
        tell({"kind": "finding", **findings[-1].to_dict()})
    verdict = judge(findings)
    return Diagnosis(
        findings=tuple(findings),
        verdict=verdict,
        mends=mends_of(verdict.culprit, tested),
        converged=tested.given.converged,
        seconds=time.perf_counter() - started,
        calculation=task.calculation.model_dump(mode="json"),
        state=tested.given.state,
    )
