"""The run in hand: hand it to the worker, follow its folder, stop it."""

from __future__ import annotations

from typing import Any, Protocol

from traitlets import Bool, Dict, HasTraits, Tuple, Unicode

from mlxc.calculation import Calculation, EquationOfStateTask
from mlxc.errors import InputError
from mlxc.runs.folder import ENDED, RunFolder


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
        kind: ``scf`` or ``eos``.
        title: name of the run.
        iterations: records of the SCF steps so far.
        points: records of the finished volumes of an equation of state.
        result: the run's result; empty as long as there is none.
        worker_ready: whether the computing process has finished loading.
    """

    state = Unicode("idle")
    message = Unicode()
    kind = Unicode("scf")
    title = Unicode()
    iterations = Tuple()
    points = Tuple()
    result = Dict()
    worker_ready = Bool(False)

    def __init__(self, worker: ComputesRuns) -> None:
        super().__init__()
        self._worker = worker
        self._offset = 0
        self.folder: RunFolder | None = None
        self.task: Calculation | EquationOfStateTask | None = None

    @property
    def active(self) -> bool:
        """Whether a run waits or is being computed."""
        return self.state in ("queued", "running")

    @property
    def calculation(self) -> Calculation | None:
        """The calculation of the run in hand; of an equation of state, the one at the given volume."""
        return self.task.calculation if isinstance(self.task, EquationOfStateTask) else self.task

    def start(self, task: Calculation | EquationOfStateTask, title: str) -> None:
        """Start a run.

        Raises:
            InputError: another run is not finished yet.
        """
        if self.active:
            raise InputError("A run is being computed: stop it, or wait for its end, before starting another.")
        folder = RunFolder.create(task, title)
        self._worker.submit(folder)
        self._offset, self.folder, self.task = 0, folder, task
        self.iterations, self.points, self.result, self.message = (), (), {}, ""
        self.title, self.kind = title, folder.kind
        self.state = "queued"

    def stop(self) -> None:
        """Ask the run to stop; returns at once."""
        self._worker.stop()

    def poll(self) -> None:
        """Read what is new in the run's folder; the state changes last, when everything else is in place."""
        self.worker_ready = self._worker.ready
        if self.folder is None or not self.active:
            return
        self._worker.check()
        status = self.folder.status
        self._take_records()
        if status["state"] in ENDED:
            self.result = self.folder.result or {}
        self.message = status.get("message", "")
        self.state = status["state"]

    def _take_records(self) -> None:
        assert self.folder is not None
        records, self._offset = self.folder.records(self._offset)
        self.iterations = (*self.iterations, *_of_kind(records, "iteration"))
        self.points = (*self.points, *_of_kind(records, "point"))


def _of_kind(records: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [record for record in records if record["kind"] == kind]
