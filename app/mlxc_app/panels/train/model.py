"""A training on the page: started, followed step by step, paused, gone back through, kept, and confirmed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from traitlets import Bool, Float, HasTraits, Instance, Int, Unicode, observe

from mlxc.errors import InputError
from mlxc.tasks.kind import STAGE
from mlxc.tasks.training.control import Control
from mlxc.tasks.training.presentation import ADJOINT, PAUSED, START, STEP, training_sentence
from mlxc.tasks.training.task import TrainingTask, trained_checkpoint
from mlxc.training.config import CONVERGING
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.own.checkpoints import keep_trained
from mlxc_app.choose.words import curves_estimate
from mlxc_app.panels.train.adjoint_view import adjoints_of
from mlxc_app.panels.train.picture import TrainPicture, kept_step, picture_of
from mlxc_app.panels.train.settings import TrainingSettings
from mlxc_app.run.model import RunModel

# How often densities are converged anew with what has been learned so far.
FURTHER_ROUNDS = 2
# Of the rounds that confirm: the functional is near its end already.
FURTHER_STEPS = 40


class TrainModel(HasTraits):
    """Follows the run in hand if it is a training.

    Attributes:
        picture: What is to be seen.
        shown: The number of the step that a person has gone back to; -1 for the last.
        paused: Whether a person has paused the training.
        running: Whether the training in hand waits or is computed.
        live_rate: The step size of the training in hand, which a person may change.
        kept_name: How a person wants to call the functional.
        can_keep: Whether there is a functional to keep.
    """

    picture = Instance(TrainPicture, args=())
    shown = Int(-1)
    paused = Bool(False)
    running = Bool(False)
    live_rate = Float(0.0)
    kept_name = Unicode()
    can_keep = Bool(False)

    def __init__(self, run: RunModel, choose: ChooseModel) -> None:
        super().__init__()
        self._run, self._choose = run, choose
        self.settings = TrainingSettings()
        self._told_by_person = True
        run.observe(self._follow, "state")
        run.observe(self._redraw, ["result", "title", "message"])
        run.observe_records(self._redraw, STEP, START, PAUSED, STAGE, ADJOINT)
        self._follow()

    @property
    def owner(self) -> str:
        """The visitor."""
        return self._run.owner

    @property
    def task(self) -> TrainingTask | None:
        """The training in hand."""
        return self._run.task if isinstance(self._run.task, TrainingTask) else None

    def start(self) -> None:
        """Train what is chosen.

        Raises:
            InputError: there is nothing to train on, or the settings make no training.
        """
        self.settings.check()
        task = self.settings.task()
        self._run.start(task, f"Train {self.settings.start.short} on {_solids(task)}")

    def stop(self) -> None:
        """Stop the training; what it has learned stays."""
        self._run.stop(self._run.folder)

    def confirm(self) -> None:
        """Train on, at densities that are converged with what has been learned: further rounds, which take minutes.

        Raises:
            InputError: there is no functional to go on with.
        """
        task, checkpoint = self._trained()
        data = task.model_dump(mode="json")
        data["config"] |= {"start": str(checkpoint), "network": None, "densities": str(checkpoint)}
        data["config"]["rounds"] = FURTHER_ROUNDS
        data["config"]["optimiser"] |= {"steps": min(FURTHER_STEPS, task.config.optimiser.steps), "rate_changes": []}
        self._run.start(
            TrainingTask.from_dict(data), f"Confirm {task.config.name} self-consistently on {_solids(task)}"
        )

    @property
    def cost_of_confirming(self) -> str:
        """How long it takes to confirm the training in hand, in a phrase; empty if that cannot be told."""
        # Heavy, and wanted at the end of a training only.
        from mlxc.solids.table import SHIPPED, SOL58LC, read_solids
        from mlxc.training.subjects.moved_solids import with_moved

        config = None if self.task is None else self.task.config
        # A table that is fetched, or that lies in a file, is not read only to estimate.
        if config is None or config.solids not in (SOL58LC, SHIPPED):
            return ""
        with suppress(InputError):
            solids, xc = with_moved(read_solids(config.solids), config.solid_names), config.start or config.densities
            calculations = [solids[name].calculation(xc) for name in config.solid_names]
            return curves_estimate(calculations * FURTHER_ROUNDS)
        return ""

    def keep(self) -> str:
        """Put the functional among those of the visitor, and choose it; returns its name.

        Raises:
            InputError: there is none.
        """
        task, checkpoint = self._trained()
        path = keep_trained(checkpoint, self.kept_name or task.config.name, self._run.owner)
        self._choose.xc = str(path)
        return path.stem

    def _trained(self) -> tuple[TrainingTask, Path]:
        task, folder = self.task, self._run.folder
        checkpoint = trained_checkpoint(folder.path) if folder is not None else None
        if task is None or checkpoint is None:
            raise InputError("There is no functional yet: train one first, or wait for the end of this training.")
        return task, checkpoint

    def _follow(self, change: Any = None) -> None:
        """Another run, or another state of it."""
        folder = self._run.folder if self.task is not None else None
        if self.task is None or self._run.active:
            self.shown = -1
        else:  # what has come of it is what is kept
            self.shown, _ = kept_step(self._run.of_kind(STEP), self._run.result)
        wanted = Control.read(folder.path) if folder is not None else Control()
        # Until all of it is known, nothing of it is what a person wants.
        self._told_by_person = False
        if self.task is not None:
            self.live_rate = wanted.rate or self.task.config.optimiser.rate
            self.kept_name = self.task.config.name
        self.paused = self.task is not None and self._run.active and wanted.paused
        self.running = self.task is not None and self._run.active
        self._told_by_person = True
        self.can_keep = folder is not None and not self._run.active and trained_checkpoint(folder.path) is not None
        self._redraw()

    @observe("paused", "live_rate")
    def _tell_training(self, change: Any) -> None:
        """Say what is wanted to the process that trains, unless it is what it was told before."""
        folder = self._run.folder
        if not self._told_by_person or not self.running or folder is None or self.task is None:
            return
        usual = self.task.config.optimiser.rate
        wanted = Control(self.paused, None if self.live_rate == usual else self.live_rate)
        if wanted != Control.read(folder.path):
            wanted.write(folder.path)

    @observe("shown")
    def _redraw(self, change: Any = None) -> None:
        task = self.task
        if task is None:
            self.picture = TrainPicture()
            return
        starts, steps = self._run.of_kind(START), self._run.of_kind(STEP)
        start = starts[0] if starts else None
        shown = None if self.shown < 0 else self.shown
        words = self._words(len(steps))
        picture = picture_of(self._run.title, task.config, start, steps, shown, words, self._run.result)
        self.picture = replace(picture, adjoints=adjoints_of(self._run.of_kind(ADJOINT)))

    def _words(self, done: int) -> str:
        run, task = self._run, self.task
        assert task is not None
        if "metrics" in run.result:
            return " ".join(filter(None, [training_sentence(run.result), run.message]))
        if not run.active:
            return run.message
        if converging := self._converging():
            return converging
        if not done:
            return "The densities are being read; the first step follows."
        waits = "Paused before step" if self.paused else "Step"
        return f"{waits} {done} of at most {task.config.optimiser.steps * task.config.rounds}."

    def _converging(self) -> str:
        """Which solid's density is being converged, of all that a round needs; empty while steps are made."""
        begun: list[str] = []
        for record in reversed(self._run.records):
            if record["kind"] == STEP:
                break
            if record["kind"] == STAGE and record["words"].startswith(CONVERGING):
                begun.append(record["words"])
        task = self.task
        if not begun or task is None:
            return ""
        count = len(task.config.solid_names)
        return f"{begun[0]}, solid {len(begun)} of {count}: the densities follow the functional, which takes minutes."


def _solids(task: TrainingTask) -> str:
    count = len(task.config.train)
    return f"{count} solid{'s' if count > 1 else ''}"
