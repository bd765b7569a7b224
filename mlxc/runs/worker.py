"""The process that computes: torch is loaded and warm before the first run arrives.

:class:`~mlxc.runs.client.Workers` starts it. It computes the runs that stand in line in a runs directory, one after the
other, together with other workers. It ends when there is no page any more that could bring a run, or nobody has been at
one for a while, and never before the line is empty: a page that goes away takes no run with it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from mlxc.errors import MlxcError, RunStoppedError
from mlxc.kohn_sham.monitor import SCFRecord
from mlxc.runs.client import FIRST, IDLE_SECONDS, NOT_BEGUN, READY, is_anybody_here, is_first_there, is_wanted
from mlxc.runs.folder import STOPPED, RunFolder
from mlxc.runs.limits import Limits
from mlxc.runs.line import SLOTS, Line, waiting_words
from mlxc.runs.locks import lock, slot
from mlxc.runs.priority import giving_way
from mlxc.tasks.kind import ELAPSED, STAGE, monitor_telling
from mlxc.tasks.kinds import kind_of, message_of, told
from mlxc.utils.full_disk import NO_ROOM, is_full_disk, make_room, reserve
from mlxc.utils.memory import give_back
from mlxc.utils.stages import listening
from mlxc.utils.workspace import working_in

# How much later than its limit a run is ended that does not come to the end of its SCF step.
GRACE_SECONDS = 5.0
# How often a worker looks who has come.
LOOK_SECONDS = 0.1


def execute(folder: RunFolder, compute: Callable[[RunFolder], None] | None = None) -> None:
    """Compute the run in ``folder``; whatever happens is written there, and nothing is raised.

    A run that is not there any more, is done, or is in the hands of another process is left alone.

    Args:
        folder: The folder.
        compute: What computes a run and says in its folder how it has ended; by default this process does.
    """
    if not folder.exists:
        return
    with lock(folder.path / "lock") as mine:
        if mine and folder.status["state"] == "queued":
            _execute(folder, compute or _compute)
            give_back()


def _execute(folder: RunFolder, compute: Callable[[RunFolder], None]) -> None:
    def waiting(number: int, holders: Sequence[str]) -> None:
        if not folder.exists or folder.stop_requested:
            raise RunStoppedError(NOT_BEGUN)
        words = waiting_words(folder, number, holders)
        if folder.status["message"] != words:
            folder.set_status("queued", words)

    try:
        with slot(folder.path.parent / SLOTS, folder.path.name, waiting):
            folder.set_status("running")
            with reserve(folder.path):
                compute(folder)
    except RunStoppedError as error:
        if folder.exists:
            folder.set_status("stopped", str(error))
    except MlxcError as error:
        folder.set_status("failed", str(error))
    except MemoryError:
        folder.set_status("failed", "The machine ran out of memory; lower the cutoff or the k mesh.")
    except Exception as error:
        if is_full_disk(error):
            make_room(folder.path)
            folder.set_status("failed", f"{NO_ROOM} What was there before is kept; make room, and run it again.")
            return
        folder.write_traceback(traceback.format_exc())
        folder.set_status(
            "failed",
            f"The calculation failed unexpectedly ({type(error).__name__}: {error}); details are in traceback.txt.",
        )


def _compute(folder: RunFolder) -> None:
    task, longest = folder.task, Limits.from_environment().seconds
    started = time.monotonic()
    kind, tell = kind_of(task), partial(_append_or_stop, folder, started)
    tell_step = monitor_telling(tell)

    def monitor(record: SCFRecord) -> None:
        tell_step(record)
        if longest is not None and time.monotonic() - started > longest:
            raise RunStoppedError(folder.ended_early(too_long(longest)))

    from mlxc.kohn_sham.state import GroundState  # with PyTorch, which has been loaded by then
    from mlxc.properties.xc_comparison import xc_potentials

    way = giving_way() if kind.is_quick(task) else nullcontext()
    with way, _watchdog(folder, longest), listening(lambda words: tell(_stage(words))), working_in(folder.path):
        result = kind.run(task, monitor, tell)
    ending = kind.ending(result)
    if ending.state is not None:
        folder.append(_stage("Saving the state") | {ELAPSED: round(time.monotonic() - started, 3)})
        # What another process has computed has no functional here.
        potentials = xc_potentials(ending.state) if isinstance(ending.state, GroundState) else {}
        ending.state.save(folder.ground_state_path, {**potentials, **ending.fields})
    folder.write_result(told(task, result))
    folder.set_status("finished" if ending.converged else "not converged", message_of(task, ending))


def _stage(words: str) -> dict[str, Any]:
    return {"kind": STAGE, "words": words}


def _append_or_stop(folder: RunFolder, began: float, record: dict[str, Any]) -> None:
    folder.append(record | {ELAPSED: round(time.monotonic() - began, 3)})
    if folder.stop_requested:
        raise RunStoppedError(folder.ended_early(STOPPED))


def too_long(seconds: float) -> str:
    """Why a run was ended that has taken longer than this server allows, see :meth:`RunFolder.ended_early`."""
    return f"Stopped after {seconds:g} s, the longest time of a run on this server"


@contextmanager
def _watchdog(folder: RunFolder, seconds: float | None) -> Iterator[None]:
    """End the process if a run goes on after its time without coming to the end of a step."""
    if seconds is None:
        yield
        return

    def end() -> None:
        folder.set_status("stopped", folder.ended_early(too_long(seconds)))
        os._exit(1)

    timer = threading.Timer(seconds + GRACE_SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def serve(line: Line, spare: bool, compute: Callable[[RunFolder], None] | None = None) -> None:
    """Compute what stands in the line, as long as there is anything or anybody may bring it; see :func:`execute`.

    Args:
        line: The line.
        spare: Whether one process less would do as long as nobody computes.
        compute: What computes a run; by default this process does.
    """
    worked = time.monotonic()
    while True:
        waiting = line.first()
        for folder in waiting:
            execute(folder, compute)
        line.clear()
        if waiting:
            worked = time.monotonic()
        superfluous = spare and is_first_there(line.home) and time.monotonic() - worked > IDLE_SECONDS
        if not waiting and (superfluous or not (is_anybody_here(line.home) and is_wanted(line.home))):
            return
        time.sleep(LOOK_SECONDS)


def main() -> None:
    """Serve the line of the command line, at the place whose open file and name follow."""
    from mlxc.ground_state import warm_up

    line, place, spare = Line(Path(sys.argv[1]), sys.argv[2]), int(sys.argv[3]), sys.argv[4] != FIRST
    # What this process starts itself must not hold the place.
    os.set_inheritable(place, False)
    warm_up()
    give_back()
    os.write(place, READY.encode())
    serve(line, spare)


if __name__ == "__main__":
    main()
