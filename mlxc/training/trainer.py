"""The training loop: rounds of optimisation, each at densities that are converged anew with the functional so far.

Everything that the loop would need to go on is written every few seconds, and every curve when it is computed, so a run
that is killed and started again ends as if nothing had happened.
"""

from __future__ import annotations

import copy
import io
import json
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from mlxc.errors import InputError
from mlxc.observables.catalogue import TARGETS
from mlxc.solids.known_quantities import is_known
from mlxc.solids.table import read_solids
from mlxc.training.config import TrainingConfig
from mlxc.training.lesson import Class, Lesson
from mlxc.training.log import TrainingLog
from mlxc.training.optimisation import Optimisation
from mlxc.training.progress import Progress
from mlxc.training.regularisers import Penalty
from mlxc.training.start import starting_functional
from mlxc.training.subjects.moved_solids import with_moved
from mlxc.training.subjects.self_consistent_state import TellAdjoint
from mlxc.training.subjects.subjects import Preparation
from mlxc.training.subjects.teacher import Teacher
from mlxc.utils.job_pool import HERE, Where
from mlxc.utils.replacing import replacing
from mlxc.xc.analysis.domain import domain_of
from mlxc.xc.catalogue import check_name, content_hashes
from mlxc.xc.checkpoint import load_checkpoint, save_checkpoint
from mlxc.xc.checkpoints.record import CheckpointRecord, read_record

MODEL, BEST, STATE = "model.safetensors", "best.safetensors", "state.pt"
# Of a record: the step at which the loss was lost.
DIVERGED = "diverged_at_step"
# The state is written after so many steps, or seconds; what comes after it is computed again.
STEPS_BETWEEN_SAVES, SECONDS_BETWEEN_SAVES = 25, 5.0


class Trainer:
    """One training run, in a folder of its own.

    Args:
        config: The settings of the run.
        folder: The folder for the model, its log, and what a killed run needs to go on.
        on_step: A function that is told the record of each step.
        new_rate: A function that is asked before each step, with the numbers of round and step, for another step size;
            None means that it stays. It may wait.
        on_adjoint: A function that is told of each step of an adjoint, which losses of self-consistent states need, and
            the name of the solid.
        where: Where the densities of each round are converged.

    Attributes:
        progress: Where the training is.
        kept_step: The step of the last round whose functional is kept, see :class:`~mlxc.training.progress.Progress`;
            None as long as no round has ended here.

    Raises:
        InputError: a solid is not in the table or has nothing to learn from, or the functional has nothing to train.
    """

    def __init__(
        self,
        config: TrainingConfig,
        folder: Path,
        on_step: Callable[[dict[str, Any]], None] | None = None,
        new_rate: Callable[[int, int], float | None] | None = None,
        on_adjoint: TellAdjoint | None = None,
        where: Where = HERE,
    ) -> None:
        self.config = config
        self.functional = starting_functional(config)
        # What a run that is resumed has to decide as it did when it began, it decides with this one.
        self._start = copy.deepcopy(self.functional)
        for name in (config.densities, config.teacher):
            if name:
                check_name(name)
        self._folder = folder
        self._on_step, self._new_rate, self._on_adjoint, self._where = on_step, new_rate, on_adjoint, where
        self._table = with_moved(read_solids(config.solids), config.solid_names)
        for name in config.solid_names:
            if name not in self._table:
                raise InputError(f"There is no solid {name!r} in the table; there are {', '.join(self._table)}.")
        self._teacher = Teacher(config.teacher, folder / "teacher") if config.teacher else None
        if self._teacher is not None:
            self._table |= {name: self._teacher.teaches(self._table[name]) for name in config.solid_names}
        for target in config.targets:
            if not any(is_known(self._table[name], target.quantity) for name in config.train):
                taught = "; a teacher makes some" if TARGETS[target.quantity].is_distance and not config.teacher else ""
                raise InputError(f"targets: no solid to train on has a reference for {target.quantity!r}{taught}.")
        self._penalty = Penalty(config.regularisation, self.functional)
        self.progress = Progress()
        self.kept_step: int | None = None

    def run(self) -> CheckpointRecord:
        """Train, or go on, and write the model.

        Returns:
            the record of the checkpoint ``model.safetensors`` in the folder.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._claim_folder()
        if (self._folder / MODEL).exists():
            return self._found()
        optimisation = self._resume()
        log = TrainingLog(self._folder, self._on_step, (self.progress.round, self.progress.step))
        lesson = None
        try:
            while self.progress.round < self.config.rounds and not self.progress.diverged:
                lesson = self._lesson(self.progress.round)
                self._optimise(optimisation or self._new_optimisation(), lesson, log)
                self._end_round()
                optimisation = None
        finally:
            log.close()
        return self._finish(lesson or self._lesson(self.config.rounds - 1))

    @property
    def message(self) -> str:
        """Why the training has ended before its time, in a sentence; empty if it has not."""
        return self.progress.diverged

    def _found(self) -> CheckpointRecord:
        """What an earlier call has come to."""
        record = read_record(self._folder / MODEL)
        if (step := record.metrics.get(DIVERGED)) is not None:
            self.progress.diverged = f"The training diverged at step {step:g}; the best functional before that is kept."
        return record

    def _end_round(self) -> None:
        before = self.progress
        self.kept_step = before.best_step
        self.functional.load_state_dict(before.best)
        # A round that diverged is none to go on from: whoever resumes it meets the same end.
        if not before.diverged:
            self._save(self._round_file(before.round), {}, {})
            self.progress = Progress(round=before.round + 1, skipped=before.skipped)

    def keep(self) -> None:
        """Write the best functional so far, of a training that somebody has stopped, as ``best.safetensors``."""
        if self.progress.best:
            self.functional.load_state_dict(self.progress.best)
        self._save(self._folder / BEST, {}, {})

    def _claim_folder(self) -> None:
        """Claim the folder for one configuration, with the checkpoints and the solids that it names."""
        config = self.config
        content = {
            "config": config.model_dump(mode="json"),
            "checkpoints": [content_hashes(name) for name in (config.start, config.densities, config.teacher) if name],
            "solids": {
                name: [self._table[name].identity(), self._table[name].references] for name in config.solid_names
            },
        }
        path, described = self._folder / "config.json", json.dumps(content, indent=1)
        if path.exists() and path.read_text(encoding="utf-8", errors="replace") != described:
            raise InputError(f"The folder {str(self._folder)!r} holds a run with other settings; choose another one.")
        with replacing(path) as temporary:
            temporary.write_text(described, encoding="utf-8")

    def _lesson(self, index: int) -> Lesson:
        """The solids of a round, at the densities of its functional."""
        # The functional moves during the round, its densities do not.
        xc = load_checkpoint(self._round_file(index - 1)) if index else self.config.densities
        tell, place = self._on_adjoint, self._folder / "curves" / str(index)
        prepare = Preparation(self._table, xc, place, tell, self._where, self._teacher)
        quantities = [target.quantity for target in self.config.targets]
        lists = (self.config.train, self.config.validate_on, self.config.test)
        return Lesson(*(Class.of(prepare.subjects(names, quantities), self._start) for names in lists))

    def _optimise(self, optimisation: Optimisation, lesson: Lesson, log: TrainingLog) -> None:
        progress, saved = self.progress, time.monotonic()
        while not optimisation.is_over:
            self._set_rate(optimisation)
            report = optimisation.step(lesson)
            log.write(progress, report)
            progress.step += 1
            if progress.step % STEPS_BETWEEN_SAVES == 0 or time.monotonic() > saved + SECONDS_BETWEEN_SAVES:
                self._save_state(optimisation)
                saved = time.monotonic()
        optimisation.judge(lesson)

    def _set_rate(self, optimisation: Optimisation) -> None:
        """Take the step size that the configuration, or somebody meanwhile, wants from this step on."""
        place = self.progress.round, self.progress.step
        chosen = None if self._new_rate is None else self._new_rate(*place)
        rate = self.config.optimiser.new_rate(*place) if chosen is None else chosen
        if rate is not None:
            optimisation.optimiser.rate = rate

    def _new_optimisation(self) -> Optimisation:
        return Optimisation(self.config, self.functional, self._penalty, self.progress)

    def _save_state(self, optimisation: Optimisation) -> None:
        state = {
            "progress": vars(self.progress),
            "functional": self.functional.state_dict(),
            "optimiser": optimisation.optimiser.state_dict(),
        }
        # Where there is no room, torch.save would not say so.
        content = io.BytesIO()
        torch.save(state, content)
        with replacing(self._folder / STATE) as temporary:
            temporary.write_bytes(content.getbuffer())

    def _resume(self) -> Optimisation | None:
        """Go back to the last saved step, or to the end of the last round."""
        path = self._folder / STATE
        state = _read_state(path) if path.exists() else None
        done = [index for index in range(self.config.rounds) if self._round_file(index).exists()]
        if done and (state is None or state["progress"]["round"] <= done[-1]):
            self.functional.load_state_dict(load_checkpoint(self._round_file(done[-1])).state_dict())
            self.progress = Progress(round=done[-1] + 1, skipped=state["progress"]["skipped"] if state else 0)
            return None
        if state is None:
            return None
        self.progress = Progress(**state["progress"])
        self.functional.load_state_dict(state["functional"])
        optimisation = self._new_optimisation()
        optimisation.optimiser.load_state_dict(state["optimiser"])
        return optimisation

    def _round_file(self, index: int) -> Path:
        return self._folder / f"round-{index}.safetensors"

    def _finish(self, lesson: Lesson) -> CheckpointRecord:
        there = {subject.solid.name for solids in lesson.classes.values() for subject in solids.subjects}
        metrics = {"skipped": float(self.progress.skipped + len(self.config.solid_names) - len(there))}
        if self.progress.diverged:
            metrics[DIVERGED] = float(self.progress.step)
        for label, solids in lesson.classes.items():
            assessment = solids.judge(self.functional, self.config)
            if assessment.skipped:
                metrics[f"{label}_without_prediction"] = float(len(assessment.skipped))
            for target in self.config.targets:
                metrics[metric_name(label, target.quantity)] = assessment.mean_absolute_error(target.quantity)
        snapshots = [snapshot for subject in lesson.training.subjects for snapshot in subject.snapshots]
        domain = domain_of([(snapshot.ingredients, snapshot.volumes) for snapshot in snapshots])
        return self._save(self._folder / MODEL, metrics, domain)

    def _save(self, path: Path, metrics: dict[str, float], domain: dict[str, Any]) -> CheckpointRecord:
        config = self.config
        others = {"validated": config.validate_on, "tested": config.test}
        further = [f"; {what} on {', '.join(names)}" for what, names in others.items() if names]
        return save_checkpoint(
            self.functional,
            path,
            name=config.name,
            description=config.description,
            baseline=config.start_in_words,
            training_data=f"{config.solids}: {', '.join(config.train)}{''.join(further)}",
            seed=config.seed,
            metrics=metrics,
            domain=domain,
            licence=config.licence,
        )


def metric_name(label: str, quantity: str) -> str:
    """What a checkpoint's record calls the mean absolute error of a quantity.

    Args:
        label: The list of solids, such as ``training``.
        quantity: The name of the target.
    """
    unit = "percent_of_" if TARGETS[quantity].relative else ""
    return f"{label}_mean_absolute_error_{unit}{quantity}"


def _read_state(path: Path) -> dict[str, Any]:
    """What :meth:`Trainer._save_state` wrote."""
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
    except (RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
        raise InputError(f"{str(path)!r} is damaged; remove it to go on from the last round.") from None
    return state
