"""How a self-consistent calculation converges, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from traitlets import HasTraits, Instance

from mlxc.calculation import Calculation, EquationOfStateTask
from mlxc_app.run_model import RunModel

DEFAULT_TARGET: float = Calculation.model_fields["tolerance"].default


@dataclass(frozen=True)
class ConvergencePicture:
    """What the convergence plot and the table of energies show.

    Attributes:
        caption: what is being converged.
        steps: numbers of the SCF steps.
        residuals: density residual of each step, electrons per electron.
        energy_changes: change of the free energy from the step before, Ha; one shorter than ``steps``.
        target: residual at which the run counts as converged.
        energies: terms of the free energy at the last step, Ha.
        free_energy: their sum at the last step, Ha; None before the first step.
    """

    caption: str = ""
    steps: tuple[int, ...] = ()
    residuals: tuple[float, ...] = ()
    energy_changes: tuple[float, ...] = ()
    target: float = DEFAULT_TARGET
    energies: Mapping[str, float] = field(default_factory=dict)
    free_energy: float | None = None


class ConvergenceModel(HasTraits):
    """Follows the iterations of a run; of an equation of state, those of the latest volume or area."""

    picture = Instance(ConvergencePicture, args=())

    def __init__(self, run: RunModel) -> None:
        super().__init__()
        self._run = run
        self._redraw()
        run.observe(self._redraw, "iterations")

    def _redraw(self, change: Any = None) -> None:
        records = list(self._run.iterations)
        if not records:
            self.picture = ConvergencePicture()
            return
        last = records[-1]
        records = [record for record in records if record.get("point") == last.get("point")]
        energies = [record["free_energy_ha"] for record in records]
        calculation = self._run.calculation
        self.picture = ConvergencePicture(
            caption=self._caption(last.get("point")),
            steps=tuple(record["iteration"] for record in records),
            residuals=tuple(record["density_residual"] for record in records),
            energy_changes=tuple(abs(after - before) for before, after in pairwise(energies)),
            target=calculation.tolerance if calculation else DEFAULT_TARGET,
            energies=last["energies_ha"],
            free_energy=last["free_energy_ha"],
        )

    def _caption(self, point: int | None) -> str:
        task = self._run.task
        if point is None or not isinstance(task, EquationOfStateTask):
            return self._run.title
        return f"{self._run.title}, {task.vary} {point + 1} of {task.points}"
