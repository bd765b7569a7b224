"""The steps of one round: parameters are moved, and the best functional so far is remembered."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

from torch import nn

from mlxc.training.config import Optimiser, TrainingConfig
from mlxc.training.lesson import Lesson
from mlxc.training.loss import Assessment
from mlxc.training.optimisers import LBFGS, Adam
from mlxc.training.portrait import portrait
from mlxc.training.progress import Progress
from mlxc.training.regularisers import Penalty
from mlxc.utils.parallel import single_thread


@dataclass(frozen=True)
class StepReport:
    """One step: all of it is about the functional where the step began.

    Attributes:
        loss: The loss on the solids to learn from, with the penalties.
        judged: The assessment that decides about the best: on the solids that validate, else on those to learn from.
        assessments: The assessments by the name of the list of solids.
        gradient_norms: The norms of the gradients of the loss, by parameter.
        rate: The step size.
        portrait: What the functional looks like, see :func:`~mlxc.training.portrait.portrait`.
    """

    loss: float
    judged: Assessment
    assessments: dict[str, Assessment]
    gradient_norms: dict[str, float]
    rate: float
    portrait: dict[str, Any]


class Optimisation:
    """Moves the parameters of a functional.

    Args:
        config: The settings of the training.
        functional: The functional that learns.
        penalty: What is added to the loss.
        progress: Where the training is, which the steps advance.
    """

    def __init__(self, config: TrainingConfig, functional: nn.Module, penalty: Penalty, progress: Progress) -> None:
        self.config, self.functional, self.progress = config, functional, progress
        self._penalty = penalty
        self.optimiser = make_optimiser(config.optimiser, functional)

    @property
    def is_over(self) -> bool:
        """Whether the round has come to its end."""
        progress, wanted = self.progress, self.config.optimiser
        patience = wanted.patience or wanted.steps + 1
        return bool(progress.diverged) or progress.step >= wanted.steps or progress.since_best >= patience

    def step(self, lesson: Lesson) -> StepReport:
        """Make one step, unless the loss is lost, which ends the training."""
        reports: list[StepReport] = []

        def closure() -> float:
            self.optimiser.zero_grad()
            training = lesson.training.assess(self.functional, self.config)
            loss = training.loss + self._penalty(self.functional)
            if loss.requires_grad:
                loss.backward()
            if not reports:
                reports.append(self._report(float(loss.detach()), training, lesson))
                self.remember(reports[0].judged)
                if trouble := self._trouble(reports[0].loss, training, lesson):
                    raise _DivergedError(trouble)
            return float(loss.detach())

        try:
            with single_thread() if lesson.is_short else nullcontext():
                self.optimiser.step(closure)
        except _DivergedError as trouble:
            self.progress.diverged = self._diverged(str(trouble))
        self.progress.skipped += len(reports[0].assessments["training"].skipped)
        return reports[0]

    def judge(self, lesson: Lesson) -> None:
        """Look at the functional as it is, after the last step."""
        if not self.progress.diverged:
            solids = lesson.validation if lesson.validation.subjects else lesson.training
            self.remember(solids.judge(self.functional, self.config))

    def remember(self, judged: Assessment) -> None:
        """Keep the functional if it is the best of the round."""
        progress = self.progress
        loss, missing = float(judged.loss.detach()), len(judged.skipped)
        progress.since_best += 1
        # A functional that leaves a solid without a minimum is no better for not being judged on it.
        if (missing, loss) < (progress.best_missing, progress.best_loss) or not progress.best:
            state = {name: value.detach().clone() for name, value in self.functional.state_dict().items()}
            progress.best_loss, progress.best, progress.best_step, progress.since_best = loss, state, progress.step, 0
            progress.best_missing = missing

    def _report(self, loss: float, training: Assessment, lesson: Lesson) -> StepReport:
        assessments = {"training": training}
        for name, solids in lesson.classes.items():
            # What needs SCFs is not asked for at each step only to be told.
            if name == "validation" or (name == "test" and solids.all_fixed):
                assessments[name] = solids.judge(self.functional, self.config)
        named = self.functional.named_parameters()
        norms = {name: float(value.grad.norm()) for name, value in named if value.grad is not None}
        judged = assessments.get("validation", training)
        return StepReport(loss, judged, assessments, norms, self.optimiser.rate, portrait(self.functional))

    def _trouble(self, loss: float, training: Assessment, lesson: Lesson) -> str:
        """Why the loss leads nowhere any more; empty if it does."""
        if not math.isfinite(loss):
            return "the loss is no finite number"
        if len(set(training.skipped)) < len({subject.solid.name for subject in lesson.training.subjects}):
            self.progress.has_predicted = True
        elif self.progress.has_predicted or not training.loss.requires_grad:
            return "no solid has its lowest energy at one of its volumes"
        return ""

    def _diverged(self, trouble: str) -> str:
        progress = self.progress
        if progress.step == 0:
            return f"With the functional that the training begins with {trouble}: begin with another one."
        return (
            f"The training diverged: at step {progress.step} of round {progress.round + 1} {trouble}. The best "
            f"functional before that, of step {progress.best_step}, is kept; begin again with a smaller rate than "
            f"{self.optimiser.rate:g}."
        )


class _DivergedError(Exception):
    """The loss is lost; says how."""


def make_optimiser(settings: Optimiser, functional: nn.Module) -> Adam | LBFGS:
    """The optimiser of a functional's parameters."""
    parameters = [parameter for parameter in functional.parameters() if parameter.requires_grad]
    return Adam(parameters, settings.rate) if settings.kind == "adam" else LBFGS(parameters, settings.rate)
