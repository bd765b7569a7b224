"""The run in hand: hand it to the worker, follow its folder, stop it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from traitlets import Bool, Dict, HasTraits, Tuple, Unicode

from mlxc.calculation import Calculation
from mlxc.errors import InputError
from mlxc.runs.folder import ENDED, RunFolder
from mlxc.runs.tasks import Task, calculation_of


class ComputesRuns(Protocol):
    """What the page needs of a worker, see :class:`mlxc.runs.client.Worker`."""

    @property
    def ready(self) -> bool:
        """Whether a run would start at once."""

    def submit(self, folder: RunFolder) -> None:
        """Compute the run in ``folder``."""

    def stop(self) -> None:
        """Stop the current run."""

    def check(self) -> None:
        """Notice a worker that died."""


class RunModel(HasTraits):
    """One run at a time, seen through the files of its folder.

    Attributes:
        state: ``idle`` before the first run, afterwards the state of the run's folder.
        message: what the run says about its state.
        kind: of the task, see :mod:`mlxc.runs.tasks`.
        title: name of the run.
        iterations: records of the SCF steps so far.
        points: records of the finished volumes, or areas, of an equation of state.
        findings: records of the finished tests of a diagnosis.
        result: the run's result; empty as long as there is none.
        worker_ready: whether the computing process has finished loading.
    """

    state = Unicode("idle")
    message = Unicode()
    kind = Unicode("scf")
    title = Unicode()
    iterations = Tuple()
    points = Tuple()
    findings = Tuple()
    result = Dict()
    worker_ready = Bool(False)

    def __init__(self, make_worker: Callable[[], ComputesRuns]) -> None:
        super().__init__()
        self._make_worker = make_worker
        self._worker: ComputesRuns | None = None
        self._offset = 0
        self.folder: RunFolder | None = None
        self.task: Task | None = None

    @property
    def active(self) -> bool:
        """Whether a run waits or is being computed."""
        return self.state in ("queued", "running")

    @property
    def calculation(self) -> Calculation | None:
        """The calculation of the run in hand, see :func:`~mlxc.runs.tasks.calculation_of`."""
        return None if self.task is None else calculation_of(self.task)

    @property
    def ground_state_path(self) -> Path | None:
        """The HDF5 file of the run in hand; None as long as it is not over, and if it has left none."""
        if self.folder is None or self.active or not self.folder.ground_state_path.exists():
            return None
        return self.folder.ground_state_path

    def warm_up(self) -> ComputesRuns:
        """Start the process that computes, unless it is there: it takes some seconds to load PyTorch."""
        if self._worker is None:
            self._worker = self._make_worker()
        return self._worker

    def start(self, task: Task, title: str) -> None:
        """Start a run.

        Raises:
            InputError: another run is not finished yet.
        """
        self._refuse_while_active()
        folder = RunFolder.create(task, title)
        self.warm_up().submit(folder)
        self._follow(folder, task)

    def open(self, folder: RunFolder) -> None:
        """Show a run that has ended, as if it had just been computed.

        Raises:
            InputError: the run in hand is not finished yet, or the folder holds no valid task.
        """
        self._refuse_while_active()
        self._follow(folder, folder.task)
        self._read()

    def _refuse_while_active(self) -> None:
        if self.active:
            raise InputError("A run is being computed: stop it, or wait for its end, before turning to another.")

    def _follow(self, folder: RunFolder, task: Task) -> None:
        self._offset, self.folder, self.task = 0, folder, task
        self.iterations, self.points, self.findings, self.result, self.message = (), (), (), {}, ""
        self.title, self.kind = folder.title, folder.kind
        self.state = "queued"

    def stop(self) -> None:
        """Ask the run to stop; returns at once."""
        if self._worker is not None:
            self._worker.stop()

    def poll(self) -> None:
        """Read what is new in the run's folder."""
        self.worker_ready = self._worker is not None and self._worker.ready
        if self._worker is not None and self.active:
            self._worker.check()
            self._read()

    def _read(self) -> None:
        """The state changes last, when everything else is in place."""
        assert self.folder is not None
        status = self.folder.status
        records, self._offset = self.folder.records(self._offset)
        self.iterations = (*self.iterations, *_of_kind(records, "iteration"))
        self.points = (*self.points, *_of_kind(records, "point"))
        self.findings = (*self.findings, *_of_kind(records, "finding"))
        if status["state"] in ENDED:
            self.result = self.folder.result or {}
        self.message = status.get("message", "")
        self.state = status["state"]


def _of_kind(records: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [record for record in records if record["kind"] == kind]
