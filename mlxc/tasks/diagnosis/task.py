"""What is to be diagnosed, as plain data. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from mlxc.calculation.calculation import CURVE_DEFAULTS, Calculation
from mlxc.calculation.validation import build_model

if TYPE_CHECKING:
    from mlxc.kohn_sham.monitor import Monitor
    from mlxc.tasks.diagnosis.finding import Finding
    from mlxc.tasks.diagnosis.run import Diagnosis


class DiagnosisTask(BaseModel):
    """The calculation whose answer is in doubt."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calculation: Calculation

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> DiagnosisTask:
        """Make the task from plain data; the key ``calculation`` is filled as for an equation of state."""
        calculation = Calculation.from_dict(CURVE_DEFAULTS | data.get("calculation", {}))
        return build_model(cls, {**data, "calculation": calculation})

    def run(self, monitor: Monitor | None = None, on_finding: Callable[[Finding], None] | None = None) -> Diagnosis:
        """Do all tests.

        Args:
            monitor: called with one record per SCF step of every calculation; may stop the run.
            on_finding: called after each test with what it found.
        """
        from mlxc.tasks.diagnosis.run import run_diagnosis

        self.calculation.check()
        return run_diagnosis(self, monitor=monitor, on_finding=on_finding)
