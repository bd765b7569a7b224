"""The training loop: rounds of optimisation, each at densities that are converged anew with the functional so far.

Everything that the loop would need to go on is written every few seconds, and every curve when it is computed, so a run
that is killed and started again ends as if nothing had happened.
"""

from __future__ import annotations

import json
import math
import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn

from mlxc.errors import InputError
from mlxc.observables.catalogue import TARGETS
from mlxc.solids.known_quantities import is_known
from mlxc.solids.table import read_solids
from mlxc.training.config import Optimiser, TrainingConfig
from mlxc.training.log import TrainingLog
from mlxc.training.loss import MEASURES, Assessment, assess
from mlxc.training.progress import Progress
from mlxc.training.regularisers import Penalty
from mlxc.training.subjects.subjects import Preparation, Subject
from mlxc.utils.replacing import replacing
from mlxc.xc.analysis.domain import domain_of
from mlxc.xc.catalogue import check_name, content_hashes, functional
from mlxc.xc.checkpoint import load_checkpoint, save_checkpoint
from mlxc.xc.checkpoints.architectures import describe_architecture
from mlxc.xc.checkpoints.record import CheckpointRecord, read_record

MODEL, STATE = "model.safetensors", "state.pt"
# The state is written after so many steps, or seconds; what comes after it is computed again.
STEPS_BETWEEN_SAVES, SECONDS_BETWEEN_SAVES = 25, 5.0


class Trainer:
    """One training run, in a folder of its own.

    Args:
        config: The settings of the run.
        folder: The folder for the model, its log, and what a killed run needs to go on.
        on_step: A function that is told the record of each step.

    Raises:
        InputError: a solid is not in the table or has nothing to learn from, or the functional has nothing to train.
    """

    def __init__(
        self, config: TrainingConfig, folder: Path, on_step: Callable[[dict[str, Any]], None] | None = None
    ) -> None:
        self.config = config
        self.functional = functional(config.start)
        if not any(parameter.requires_grad for parameter in self.functional.parameters()):
            raise InputError(f"start: {config.start!r} has no parameters that could be trained.")
        describe_architecture(self.functional)  # what no checkpoint holds could not be written in the end
        check_name(config.densities)
        self._folder = folder
        self._on_step = on_step
        self._table = read_solids(config.solids)
        for name in (*config.train, *config.validate_on):
            if name not in self._table:
                raise InputError(f"There is no solid {name!r} in the table; there are {', '.join(self._table)}.")
        for target in config.targets:
            if not any(is_known(self._table[name], target.quantity) for name in config.train):
                raise InputError(f"targets: no solid to train on has a reference for {target.quantity!r}.")
        self._penalty = Penalty(config.regularisation, self.functional)
        self.progress = Progress()

    def run(self) -> CheckpointRecord:
        """Train, or go on, and write the model.

        Returns:
            the record of the checkpoint ``model.safetensors`` in the folder.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._claim_folder()
        if (self._folder / MODEL).exists():
            return read_record(self._folder / MODEL)
        optimiser = self._resume()
        log = TrainingLog(self._folder, self._on_step, (self.progress.round, self.progress.step))
        subjects = None
        while self.progress.round < self.config.rounds:
            subjects = self._subjects(self.progress.round)
            self._optimise(optimiser or self._new_optimiser(), *subjects, log)
            self.functional.load_state_dict(self.progress.best)
            self._save(self._round_file(self.progress.round), {}, {})
            self.progress = Progress(round=self.progress.round + 1, skipped=self.progress.skipped)
            optimiser = None
        log.close()
        return self._finish(*(subjects or self._subjects(self.config.rounds - 1)))

    def _claim_folder(self) -> None:
        """Claim the folder for one configuration, with the checkpoints and the solids that it names."""
        config, names = self.config, (*self.config.train, *self.config.validate_on)
        content = {
            "config": config.model_dump(mode="json"),
            "checkpoints": [content_hashes(config.start), content_hashes(config.densities)],
            "solids": {name: [self._table[name].identity(), self._table[name].references] for name in names},
        }
        path, described = self._folder / "config.json", json.dumps(content, indent=1)
        if path.exists() and path.read_text(encoding="utf-8", errors="replace") != described:
            raise InputError(f"The folder {str(self._folder)!r} holds a run with other settings; choose another one.")
        with replacing(path) as temporary:
            temporary.write_text(described, encoding="utf-8")

    def _subjects(self, index: int) -> tuple[list[Subject], list[Subject]]:
        """The subjects to learn from and those to validate on, at the densities of a round's functional."""
        # The functional moves during the round, its densities do not.
        xc = load_checkpoint(self._round_file(index - 1)) if index else self.config.densities
        prepare = Preparation(self._table, xc, self._folder / "curves" / str(index))
        quantities = [target.quantity for target in self.config.targets]
        training = prepare.subjects(self.config.train, quantities)
        validation = prepare.subjects(self.config.validate_on, quantities) if self.config.validate_on else []
        return training, validation

    def _optimise(
        self,
        optimiser: torch.optim.Optimizer,
        training: list[Subject],
        validation: list[Subject],
        log: TrainingLog,
    ) -> None:
        progress, wanted = self.progress, self.config.optimiser
        patience = wanted.patience or wanted.steps + 1
        saved = time.monotonic()
        while progress.step < wanted.steps and progress.since_best < patience:
            # Judged before it moves, so that the functional a round starts with can be its best.
            judged = self._assess(validation or training)
            self._remember(judged)
            loss, assessment, norms = self._step(optimiser, training)
            progress.skipped += len(assessment.skipped)
            log.write(progress, loss, assessment, judged, norms)
            progress.step += 1
            if progress.step % STEPS_BETWEEN_SAVES == 0 or time.monotonic() > saved + SECONDS_BETWEEN_SAVES:
                self._save_state(optimiser)
                saved = time.monotonic()
        self._remember(self._assess(validation or training))

    def _step(
        self, optimiser: torch.optim.Optimizer, training: list[Subject]
    ) -> tuple[float, Assessment, dict[str, float]]:
        """Make one step, and return the loss, the assessment and the norms of gradients where it began."""
        seen: list[tuple[float, Assessment, dict[str, float]]] = []

        def closure() -> float:
            optimiser.zero_grad()
            assessment = assess(self.functional, training, self.config.targets, MEASURES[self.config.errors])
            loss = assessment.loss + self._penalty(self.functional)
            if loss.requires_grad:
                loss.backward()
            named = self.functional.named_parameters()
            norms = {name: float(p.grad.norm()) for name, p in named if p.grad is not None}
            seen.append((float(loss.detach()), assessment, norms))
            return seen[-1][0]

        optimiser.step(closure)
        return seen[0]

    def _assess(self, subjects: list[Subject]) -> Assessment:
        with torch.no_grad():
            assessment = assess(self.functional, subjects, self.config.targets, MEASURES[self.config.errors])
        return assessment

    def _remember(self, assessment: Assessment) -> None:
        progress = self.progress
        # A functional that leaves a solid without a minimum is no better for not being judged on it.
        loss = math.inf if assessment.skipped else float(assessment.loss.detach())
        progress.since_best += 1
        if loss < progress.best_loss or not progress.best:
            state = {name: value.detach().clone() for name, value in self.functional.state_dict().items()}
            progress.best_loss, progress.best, progress.since_best = loss, state, 0

    def _new_optimiser(self) -> torch.optim.Optimizer:
        return make_optimiser(self.config.optimiser, self.functional)

    def _save_state(self, optimiser: torch.optim.Optimizer) -> None:
        state = {
            "progress": vars(self.progress),
            "functional": self.functional.state_dict(),
            "optimiser": optimiser.state_dict(),
        }
        with replacing(self._folder / STATE) as temporary:
            torch.save(state, temporary)

    def _resume(self) -> torch.optim.Optimizer | None:
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
        optimiser = self._new_optimiser()
        optimiser.load_state_dict(state["optimiser"])
        return optimiser

    def _round_file(self, index: int) -> Path:
        return self._folder / f"round-{index}.safetensors"

    def _finish(self, training: list[Subject], validation: list[Subject]) -> CheckpointRecord:
        wanted = len(self.config.train) + len(self.config.validate_on)
        unconverged = wanted - len({subject.solid.name for subject in (*training, *validation)})
        metrics = {"skipped": float(self.progress.skipped + unconverged)}
        for label, subjects in (("training", training), ("validation", validation)):
            if not subjects:
                continue
            assessment = self._assess(subjects)
            for target in self.config.targets:
                unit = "percent_of_" if TARGETS[target.quantity].relative else ""
                error = assessment.mean_absolute_error(target.quantity)
                metrics[f"{label}_mean_absolute_error_{unit}{target.quantity}"] = error
        snapshots = [snapshot for subject in training for snapshot in subject.snapshots]
        domain = domain_of([(snapshot.ingredients, snapshot.volumes) for snapshot in snapshots])
        return self._save(self._folder / MODEL, metrics, domain)

    def _save(self, path: Path, metrics: dict[str, float], domain: dict[str, Any]) -> CheckpointRecord:
        config = self.config
        validated = f"; validated on {', '.join(config.validate_on)}" if config.validate_on else ""
        return save_checkpoint(
            self.functional,
            path,
            name=config.name,
            description=config.description,
            baseline=config.start,
            training_data=f"{config.solids}: {', '.join(config.train)}{validated}",
            seed=config.seed,
            metrics=metrics,
            domain=domain,
            licence=config.licence,
        )


def make_optimiser(settings: Optimiser, functional: nn.Module) -> torch.optim.Optimizer:
    """The optimiser of a functional's parameters."""
    parameters = [parameter for parameter in functional.parameters() if parameter.requires_grad]
    if settings.kind == "adam":
        return torch.optim.Adam(parameters, lr=settings.rate)
    return torch.optim.LBFGS(parameters, lr=settings.rate, line_search_fn="strong_wolfe")


def _read_state(path: Path) -> dict[str, Any]:
    """What :meth:`Trainer._save_state` wrote."""
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True)
    except (RuntimeError, ValueError, EOFError, pickle.UnpicklingError):
        raise InputError(f"{str(path)!r} is damaged; remove it to go on from the last round.") from None
    return state
