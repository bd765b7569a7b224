"""What is to be diagnosed, as plain data. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from mlxc.calculation.calculation import CURVE_DEFAULTS
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.diagnosis.finding import Finding
from mlxc.tasks.task import CrystalTask, handing

if TYPE_CHECKING:
    from mlxc.tasks.diagnosis.result import Diagnosis


class DiagnosisTask(CrystalTask):
    """The calculation whose answer is in doubt."""

    @classmethod
    def defaults(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """The defaults of an equation of state, since energies at several volumes are compared."""
        return CURVE_DEFAULTS

    def run(self, monitor: Monitor | None = None, on_finding: Callable[[Finding], None] | None = None) -> Diagnosis:
        """Do all tests.

        Args:
            monitor: A function that is called with one record per SCF step of every calculation; it may stop the run.
            on_finding: A function that is called after each test with what it found.

        Raises:
            InputError: the calculation cannot be done.
        """

        def hand(finding: dict[str, Any]) -> None:
            if on_finding is not None:
                on_finding(Finding.from_dict(finding))

        diagnosis: Diagnosis = self._compute(monitor, handing(finding=hand))
        return diagnosis
