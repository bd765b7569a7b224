"""The run that the page shows, and those that wait behind it: they are handed to the worker, followed and stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from traitlets import Bool, Dict, HasTraits, Instance, Int, Tuple, Unicode

from mlxc.calculation.calculation import Calculation
from mlxc.runs.client import stop_run
from mlxc.runs.folder import ENDED, RunFolder
from mlxc.runs.kept import find_run, kept_runs
from mlxc.runs.limits import Limits
from mlxc.runs.start import hand_over
from mlxc.tasks.kinds import calculation_of, calculations_of, kind_of
from mlxc.tasks.parts import Parts
from mlxc.tasks.task import AnyTask
from mlxc_app.run.computes_runs import ComputesRuns
from mlxc_app.run.line import Line, take_out, what_it_does
from mlxc_app.run.time_left import seconds_left_of_task


class RunModel(HasTraits):
    """One run is shown, seen through the files of its folder; others wait.

    Attributes:
        state: ``idle`` before the first run, afterwards the state of the shown run's folder.
        message: What the run says about its state.
        kind: The kind of the task, see :mod:`mlxc.tasks.kinds`.
        title: The name of the run.
        records: What the run has told so far, in order, see :class:`~mlxc.tasks.kind.Kind`.
        result: The run's result; empty as long as there is none.
        started: The run that was started last on this page.
        opened: The run that was taken up last, because a person asked for it or came back.
        by_itself: Whether the shown run is shown because its turn has come, and not because a person asked for it.
        said: What there is to say of what a person has asked for, in a sentence; empty if there is nothing.
        stopped_before_others: Whether a person has stopped a run, and the one that comes next has not ended since.
        owner: The visitor, whose runs a reloaded page takes up; empty if he is not known.
        seconds: The whole seconds for which the shown run has been waiting, or computed, so far.
        waiting: The runs behind the one that is computed.
        computing: Whether any run of this page waits or is being computed, shown or not.
        worker_ready: Whether the computing process has finished loading.
        worker_resting: Whether the computing process has ended since nobody has been here for a while.
        worker_words: What a person should know of what computes; empty if that is this machine.
        where: Where the shown run is computed, in a phrase; empty if that is this machine.
    """

    state = Unicode("idle")
    message = Unicode()
    kind = Unicode("scf")
    title = Unicode()
    records = Tuple()
    result = Dict()
    started = Instance(RunFolder, allow_none=True)
    opened = Instance(RunFolder, allow_none=True)
    by_itself = Bool(False)
    said = Unicode()
    stopped_before_others = Bool(False)
    seconds = Int(0)
    waiting = Tuple()
    computing = Bool(False)
    worker_ready = Bool(False)
    worker_resting = Bool(False)
    worker_words = Unicode()
    where = Unicode()

    def __init__(self, make_worker: Callable[[], ComputesRuns]) -> None:
        super().__init__()
        # A trait that has never been set has no value before its first change.
        self.records = ()
        self._make_worker = make_worker
        self._worker: ComputesRuns | None = None
        self.owner = ""
        self._line = Line()
        # Whether the page goes on to the next run when the shown one has ended.
        self._along = True
        self._after_stop: RunFolder | None = None
        self._offset, self._attempt, self._told = 0, 1, time.time()
        self.folder: RunFolder | None = None
        self.task: AnyTask | None = None
        self.parts = Parts()

    @property
    def active(self) -> bool:
        """Whether the shown run waits or is being computed."""
        return self.state in ("queued", "running")

    @property
    def calculation(self) -> Calculation | None:
        """The calculation of the shown run, if it is about one, see :func:`~mlxc.tasks.kinds.calculation_of`."""
        return None if self.task is None else calculation_of(self.task)

    @property
    def seconds_left(self) -> float | None:
        """How long the shown run will still take; None if that cannot be told."""
        if self.state != "running":
            return None
        calculation = self.calculation
        target = None if calculation is None else calculation.tolerance
        left = seconds_left_of_task(self.records, self.kind, self.parts, target)
        return None if left is None else max(0.0, left - (time.time() - self._told))

    @property
    def ground_state_path(self) -> Path | None:
        """The HDF5 file of the shown run; None as long as it is not over, and if it has left none."""
        if self.folder is None or self.active or not self.folder.ground_state_path.exists():
            return None
        return self.folder.ground_state_path

    @property
    def traceback(self) -> str:
        """Where the program failed when it computed the shown run; empty if it did not."""
        return self.folder.traceback if self.folder is not None else ""

    def of_kind(self, *kinds: str) -> tuple[dict[str, Any], ...]:
        """The records of some kinds, in the order in which they were told."""
        return tuple(record for record in self.records if record["kind"] in kinds)

    def observe_records(self, handler: Callable[[Any], None], *kinds: str) -> None:
        """Call ``handler`` whenever there are new records of some kinds, or those that there were are gone."""

        def look(change: Any) -> None:
            before, now = change["old"], change["new"]
            goes_on = now[: len(before)] == before
            if any(record["kind"] in kinds for record in (now[len(before) :] if goes_on else (*before, *now))):
                handler(change)

        self.observe(look, "records")

    def warm_up(self) -> ComputesRuns:
        """Start the process that computes, unless it is there: it takes some seconds to load PyTorch."""
        if self._worker is None:
            self._worker = self._make_worker()
        return self._worker

    def keep_ready(self) -> None:
        """Keep the process that computes, which ends if nobody needs it for a while, or start it again."""
        if self._worker is not None:
            self._worker.want()

    def belong_to(self, owner: str) -> None:
        """Take up the runs that the same person has started on an earlier page and that have not ended."""
        self.owner = owner
        if owner:
            self._line.take_up(folder for folder in reversed(kept_runs()) if folder.owner == owner)
        self._line_up(by_itself=False)
        self.opened = self.folder

    def start(self, task: AnyTask, title: str, earlier: RunFolder | None = None) -> RunFolder:
        """Start a run, or put it behind those that wait; one that is in line already is not computed twice.

        Args:
            task: What to compute.
            title: What to call it.
            earlier: The run from whose ground state it starts; None if it starts from nothing.

        Returns:
            The folder of the run that computes it.

        Raises:
            InputError: the run is larger than this server allows.
        """
        for calculation in calculations_of(task):
            Limits.from_environment().check(calculation)
        if (same := self._line.same(task, title)) is not None:
            self._say(f"“{title}” {what_it_does(same)}: it is not computed twice.")
            return same
        folder = RunFolder.create(task, title, owner=self.owner)
        if earlier is not None:
            hand_over(earlier, folder)
        self.started = folder
        self.warm_up().submit(folder)
        if not self._line.folders:
            self._follow(folder)
        self._line.join(folder)
        self._along, self._after_stop = True, None
        self._line_up()
        self._say(self._line.beginning_of(folder, earlier))
        return folder

    def open(self, folder: RunFolder) -> None:
        """Show another run; what is being computed goes on.

        Raises:
            InputError: the folder holds no valid task.
        """
        self._follow(folder)
        self._along = folder in self._line.folders
        self._read()
        self.opened = None
        self.opened = folder

    def stop(self, folder: RunFolder | None = None) -> None:
        """Ask a run to stop, by default the one that is computed, after which the next one begins; returns at once."""
        if self._line.folders:
            first, *others = self._line.folders
            stopped = folder or first
            stop_run(stopped)
            if stopped == first and others:
                self._after_stop, self.stopped_before_others = others[0], True
                self._say(f"Stopped; next in line: “{others[0].title}” starts.")
            elif stopped != self.folder:
                self._say(f"“{stopped.title}” is stopped.")

    def empty_line(self) -> None:
        """Delete all runs that wait; after a stop, the run that has come next is stopped as well."""
        if self._line.folders:
            self._line.empty(self.folder, spare_first=not self.stopped_before_others)
            self._after_stop = None
            self._say("The line is empty: none of the runs that waited is computed.")
        self._line_up()

    def remove(self, name: str) -> None:
        """Delete a run that waits, see :func:`~mlxc_app.run.line.take_out`.

        Raises:
            InputError: it is not there any more, or its turn has come.
        """
        take_out(find_run(name), self.folder)
        self._line_up()

    def poll(self) -> None:
        """Read what is new in the folders."""
        if self._worker is not None:
            worker = self._worker
            self.worker_words, self.worker_ready, self.worker_resting = worker.words, worker.ready, worker.resting
            worker.check()
        if self.active:
            self._read()
        self._line_up()

    def _say(self, sentence: str) -> None:
        """Tell a sentence, also one that was the last to be told."""
        self.said = ""
        self.said = sentence

    def _line_up(self, *, by_itself: bool = True) -> None:
        """See which runs are still to come, and show the next one if the shown one is done."""
        lined_up, coming = self._line.look(), self._line.folders[:1]
        self.computing, self.waiting = bool(self._line.folders), self._line.waiting
        self.stopped_before_others = self._after_stop in self._line.folders
        if self._along and not self.active:
            # A short run may have begun and ended since the last look: then it is the last one that was computed.
            coming = coming or [folder for folder in lined_up if folder.exists][-1:]
            if coming and coming[0] != self.folder:
                self._follow(coming[0], by_itself=by_itself)

    def _follow(self, folder: RunFolder, *, by_itself: bool = False) -> None:
        task = folder.task
        self.by_itself = by_itself
        self._offset, self._attempt, self.folder, self._told = 0, 1, folder, time.time()
        # What belongs to the run before goes first: whoever looks in between sees nothing, and nothing that is mixed.
        self.result = {}
        self.records = ()
        self.task, self.parts = task, kind_of(task).parts(task)
        self.title, self.kind = folder.title, folder.kind
        self.state, self.seconds, self.where = "queued", 0, ""
        # After the state: an empty message is none of the run before, whose result is gone.
        self.message = ""

    def _read(self) -> None:
        """Read the shown run's folder; the state changes last, when everything else is in place."""
        assert self.folder is not None
        status = self.folder.status
        self.where = status.get("where", "")
        if status.get("attempt", 1) != self._attempt:  # what was told so far is void
            self._offset, self._attempt, self.records = 0, status["attempt"], ()
        records, self._offset = self.folder.records(self._offset)
        if records:
            self._told = time.time()
            self.records = (*self.records, *records)
        if status["state"] in ENDED:
            self.result = self.folder.result or {}
        self.message = status.get("message", "") or self._place_in_line(status["state"])
        self.state = status["state"]
        if self.active and self.folder.exists:
            self.seconds = max(0, int(time.time() - self.folder.began))

    def _place_in_line(self, state: str) -> str:
        """What the shown run waits for, among those of this page or of others; empty if it waits for none of them."""
        if state != "queued" or self.folder is None:
            return ""
        own = self._line.place_of(self.folder)
        return own or (self._worker.waits_for(self.folder) if self._worker is not None else "")
