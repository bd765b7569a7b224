"""A run in a worker of a Dask cluster: computed in a folder of its own there, told step by step to whoever sent it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from mlxc.runs.cluster.parcel import Parcel, results_in
from mlxc.runs.folder import RunFolder
from mlxc.runs.worker import execute
from mlxc.tasks.training.task import CONTROL_FILE

# How often somebody's wishes are asked for.
ASK_SECONDS = 0.3


@dataclass(frozen=True)
class Outcome:
    """How a run has ended elsewhere.

    Attributes:
        state: The state of the folder there.
        message: What it says about it.
        files: What has come of the run, by the paths in its folder.
        records: All that it has told.
        path: Where its folder was.
    """

    state: Any
    message: str
    files: dict[str, bytes]
    records: list[dict[str, Any]]
    path: str


def topic_of(name: str) -> str:
    """Under which name a run is told."""
    return f"mlxc-run-{name}"


def wishes_of(name: str) -> str:
    """Under which name somebody says what he wants of a run."""
    return f"mlxc-wishes-{name}"


def warm_up() -> None:
    """Have a worker load what runs need, and compute something tiny."""
    from mlxc.ground_state import warm_up

    warm_up()


def compute(parcel: Parcel) -> Outcome:
    """Compute a run in a worker of Dask.

    Every record is told to the topic of the run as it is written, with a token that tells this attempt from others.
    """
    from distributed import get_worker

    worker, topic, attempt = get_worker(), topic_of(parcel.name), uuid4().hex

    class ToldFolder(RunFolder):
        def append(self, record: dict[str, Any]) -> None:
            super().append(record)
            worker.log_event(topic, {"attempt": attempt, "record": json.dumps(record)})

    with TemporaryDirectory(prefix="mlxc-") as root:
        folder = ToldFolder(parcel.unpack(Path(root)).path)
        worker.log_event(topic, {"attempt": attempt, "begun_by": worker.address})
        with _mirrored_wishes(folder, parcel.name):
            execute(folder)
        status = folder.status
        files, records = results_in(folder, parcel), folder.records()[0]
        return Outcome(status["state"], status["message"], files, records, str(folder.path))


@contextmanager
def _mirrored_wishes(folder: RunFolder, name: str) -> Iterator[None]:
    """Do to the folder here what somebody does to the folder at home: ask it to stop, or control a training."""
    from distributed import Variable, get_client

    wishes, over = Variable(wishes_of(name), client=get_client()), threading.Event()

    def mirror() -> None:
        while not over.wait(ASK_SECONDS):
            # Nothing has been wished so far, or nobody is there any more to wish for anything.
            with suppress(TimeoutError, OSError):
                wish = wishes.get(timeout=ASK_SECONDS)
                if wish["control"]:
                    (folder.path / CONTROL_FILE).write_text(wish["control"], encoding="utf-8")
                if wish["stop"]:
                    folder.request_stop()

    thread = threading.Thread(target=mirror, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
