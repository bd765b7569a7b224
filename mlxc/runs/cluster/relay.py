"""The process on the page's machine that hands a run to a Dask cluster and writes what comes back into its folder.

The cluster needs to share no files with the page. A worker that dies has its run begun again by another one; whoever
looks at the folder sees where the run is computed, and that it has begun again. Without torch in it, the process is
small: there may be one for each worker of the cluster.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from mlxc.errors import MlxcError, RunStoppedError
from mlxc.runs.cluster.address import lost_words, restart_words, where_words
from mlxc.runs.cluster.parcel import Parcel, write_files
from mlxc.runs.cluster.remote import Outcome, compute, topic_of, warm_up, wishes_of
from mlxc.runs.folder import RESULT_FILE, STOPPED, RunFolder
from mlxc.runs.limits import Limits
from mlxc.runs.worker import too_long
from mlxc.tasks.files import files_of
from mlxc.tasks.training.task import CONTROL_FILE
from mlxc.utils.job_pool import dask_client, workers_of

LOOK_SECONDS = 0.1
# How often it is seen whether the worker of a run is still there.
WORKER_SECONDS = 1.0
# So long a run that is to stop may take to keep what it has; then its worker is left to notice by itself.
GRACE_SECONDS = 1.5
WAITING = "Waiting for a free worker of the cluster."
BEGINNING = "Starting; a worker that is new loads PyTorch first."


class Relay:
    """Hands runs to the workers of one scheduler, one after the other.

    Args:
        address: The address of the scheduler.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._client: Any = None
        self._warmed: list[Any] = []

    def client(self) -> Any:
        """The connection to the scheduler, made anew if it was lost.

        Raises:
            InputError: the scheduler does not answer.
        """
        if self._client is None or self._client.status != "running":
            self._client = dask_client(self._address)
            # Once for each worker, whoever asks for it: what has a key already is not computed again.
            self._warmed = [
                self._client.submit(warm_up, key=f"mlxc-warm-up-{worker}", workers=[worker], allow_other_workers=False)
                for worker in workers_of(self._client)
            ]
        return self._client

    def compute(self, folder: RunFolder) -> None:
        """Have a run computed, and say in its folder how it has ended.

        Raises:
            InputError: the scheduler does not answer, or the folder holds no valid task.
            RunStoppedError: somebody stopped the run, or it has taken too long.
            MlxcError: the scheduler was lost, or too many workers were.
        """
        Relayed(self.client(), folder, self._address).follow()


class Relayed:
    """One run that a cluster computes.

    Args:
        client: The connection to the scheduler.
        folder: The folder of the run.
        address: The address of the scheduler.
    """

    def __init__(self, client: Any, folder: RunFolder, address: str) -> None:
        from distributed import Variable

        self._client, self._folder, self._address = client, folder, address
        self._parcel = Parcel.of(folder)
        self._heard: SimpleQueue[dict[str, Any]] = SimpleQueue()
        self._wishes = Variable(wishes_of(self._parcel.name), client=client)
        self._wished = {"stop": False, "control": ""}
        self._attempt, self._worker, self._received, self._note = "", "", 0, ""
        self._looked = self._deadline = self._began = time.monotonic()
        self._stopped = ""

    def follow(self) -> None:
        """See :meth:`Relay.compute`."""
        topic = topic_of(self._parcel.name)
        self._folder.note(message=WAITING)
        self._wishes.set(self._wished)
        self._client.subscribe_topic(topic, lambda event: self._heard.put(event[1]))
        future = self._client.submit(compute, self._parcel, key=f"{topic}-{time.time_ns()}", pure=False)
        try:
            while not future.done():
                self._look()
                time.sleep(LOOK_SECONDS)
            self._hear()
            self._finish(self._outcome(future))
        except OSError:
            self._check_connection()
            raise
        finally:
            if self._client.status == "running":
                future.cancel()
                self._client.unsubscribe_topic(topic)
                self._wishes.delete()

    def _look(self) -> None:
        """Write what was told, tell what is wished, and see whether all are still there."""
        self._hear()
        self._wish()
        self._check_connection()
        if time.monotonic() > self._looked + WORKER_SECONDS:
            self._looked = time.monotonic()
            if self._worker and self._worker not in workers_of(self._client):
                self._folder.note(message=lost_words(self._worker), where="on no worker now")

    def _check_connection(self) -> None:
        if self._client.status != "running":
            raise MlxcError(f"The Dask scheduler at {self._address} does not answer any more; run it again.")

    def _hear(self) -> None:
        while True:
            try:
                event = self._heard.get_nowait()
            except Empty:
                return
            if "begun_by" in event:
                self._begin(event["attempt"], event["begun_by"])
            elif event["attempt"] == self._attempt:
                self._folder.append(json.loads(event["record"]))
                self._received += 1

    def _begin(self, attempt: str, worker: str) -> None:
        """A worker has begun the run, perhaps in the place of another one."""
        where = where_words(worker)
        if self._attempt:
            self._note = restart_words(self._worker, worker)
            self._folder.begin_again(f"begun again {where}", self._note)
        else:
            self._folder.note(message=BEGINNING, where=where)
        self._folder.note(worker=worker)
        self._attempt, self._worker, self._received = attempt, worker, 0

    def _wish(self) -> None:
        """Tell the worker what somebody wants of the run."""
        control, longest = self._folder.path / CONTROL_FILE, Limits.from_environment().seconds
        if not self._stopped:
            if longest is not None and time.monotonic() - self._began > longest:
                self._stopped = too_long(longest)
            elif self._folder.stop_requested or not self._folder.exists:
                self._stopped = STOPPED
            self._deadline = time.monotonic() + GRACE_SECONDS
        text = control.read_text(encoding="utf-8") if control.exists() else ""
        wished = {"stop": bool(self._stopped), "control": text}
        if wished != self._wished:
            self._wishes.set(wished)
            self._wished = wished
        if self._stopped and time.monotonic() > self._deadline:
            raise RunStoppedError(self._folder.ended_early(self._stopped))

    def _outcome(self, future: Any) -> Outcome:
        from distributed import CancelledError, KilledWorker

        try:
            outcome: Outcome = future.result()
        except KilledWorker:
            raise MlxcError("The run has ended all workers that took it; lower the cutoff or the k mesh.") from None
        except CancelledError:
            raise MlxcError(f"The Dask scheduler at {self._address} lost the run; run it again.") from None
        return outcome

    def _finish(self, outcome: Outcome) -> None:
        """Write what has come of the run; files are named as they are here."""
        for record in outcome.records[self._received :]:
            self._folder.append(record)
        files = dict(outcome.files)
        if RESULT_FILE in files:
            files[RESULT_FILE] = self._as_here(files[RESULT_FILE].decode(), outcome.path).encode()
        write_files(self._folder.path, files)
        message = self._as_here(outcome.message, outcome.path)
        if outcome.state == "stopped" and self._stopped:
            message = self._folder.ended_early(self._stopped)
        self._folder.set_status(outcome.state, " ".join(filter(None, (message, self._note))))

    def _as_here(self, text: str, folder: str) -> str:
        """A text that names files as they lay in a folder elsewhere."""
        for name, path in files_of(self._folder.task).items():
            text = text.replace(str(Path(folder, name)), str(path))
        return text
