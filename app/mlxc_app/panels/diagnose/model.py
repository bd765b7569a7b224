"""The diagnosis of a set-up: which tests are done, and what they come to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from traitlets import HasTraits, Instance

from mlxc.calculation.calculation import Calculation
from mlxc.tasks.diagnosis.finding import TESTS
from mlxc.tasks.diagnosis.kind import DIAGNOSIS
from mlxc.tasks.diagnosis.task import DiagnosisTask
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.kind import ELAPSED
from mlxc_app.choose.model import ChooseModel
from mlxc_app.run.model import RunModel

# Beyond the fields of a diagnosis's own defaults, see mlxc.calculation.calculation.CURVE_DEFAULTS.
REPLACED = {"cutoff_smoothing_ha", "fft_grid", "tolerance"}


@dataclass(frozen=True)
class DiagnosisPicture:
    """What the panel shows.

    Attributes:
        title: The title of the run; empty as long as there is none.
        findings: The findings of the tests so far, see :class:`mlxc.tasks.diagnosis.finding.Finding`.
        summary: The result, once all tests are done.
        next_test: The test that is being done; empty when none is.
    """

    title: str = ""
    findings: tuple[Mapping[str, Any], ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    next_test: str = ""


class DiagnoseModel(HasTraits):
    """Starts a diagnosis of what is chosen, and follows it; a finished one stays until the next, whatever is run."""

    picture = Instance(DiagnosisPicture, args=())

    def __init__(self, run: RunModel, choose: ChooseModel) -> None:
        super().__init__()
        self._run, self._choose = run, choose
        run.observe(self._redraw, ["result", "state"])
        run.observe_records(self._redraw, "finding")

    def start(self) -> None:
        """Diagnose what is chosen.

        Raises:
            InputError: it cannot be computed.
        """
        self._run.start(task_for(self._choose.calculation()), self._choose.run_title())

    @property
    def mends(self) -> tuple[Mapping[str, Any], ...]:
        """What to try, see :class:`mlxc.tasks.diagnosis.mends.Mend`; empty as long as nothing is known."""
        return tuple(self.picture.summary.get("mends", ()))

    def try_mend(self, *indices: int) -> None:
        """Choose what mends say, one after the other, and compute the equation of state with each.

        Args:
            indices: The places of the mends in the list.

        Raises:
            InputError: it cannot be computed.
        """
        settings = self.picture.summary["calculation"]
        kept = {name: value for name, value in settings.items() if name not in REPLACED}
        for mend in [self.mends[index] for index in indices]:
            self._choose.take_calculation(Calculation.from_dict({**kept, **mend["changes"]}))
            calculation = self._choose.calculation().told_with_bars().model_dump(exclude=REPLACED - {"tolerance"})
            self._run.start(EquationOfStateTask.from_dict({"calculation": calculation}), self._choose.run_title())

    def _redraw(self, change: Any = None) -> None:
        run = self._run
        if run.folder is None:
            return
        # The folder changes first, what is read of it one thing after the other.
        if run.folder.kind != DIAGNOSIS.name:
            if not self.picture.summary:
                self.picture = DiagnosisPicture()
            return
        findings = tuple(
            {key: value for key, value in record.items() if key not in ("kind", ELAPSED)}
            for record in run.of_kind("finding")
        )
        waiting = run.active and len(findings) < len(TESTS)
        self.picture = DiagnosisPicture(
            title=run.title,
            findings=findings,
            summary=run.result,
            next_test=TESTS[len(findings)] if waiting else "",
        )


def task_for(calculation: Calculation) -> DiagnosisTask:
    """The diagnosis of a calculation, with the accuracy that comparisons of energies need."""
    return DiagnosisTask.from_dict({"calculation": calculation.model_dump(exclude=REPLACED)})
