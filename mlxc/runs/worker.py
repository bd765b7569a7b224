"""The process that computes: torch is loaded and warm before the first run arrives.

Started as ``python -m mlxc.runs.worker``. It prints ``ready``, then reads paths of run folders from standard input, one
a line, and computes them one after the other. It ends when its standard input is closed and all that was handed to it
is done: a page that goes away takes no run with it.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from mlxc.calculation.calculation import Calculation, EquationOfStateTask
from mlxc.errors import MlxcError, RunStoppedError
from mlxc.runs.folder import STOPPED, RunFolder
from mlxc.runs.limits import Limits
from mlxc.runs.locks import lock, slot
from mlxc.tasks.bands.task import BandsTask
from mlxc.tasks.gradient.task import GradientTask
from mlxc.tasks.kinds import Task

if TYPE_CHECKING:
    from torch import Tensor

    from mlxc.kohn_sham.monitor import Monitor, SCFRecord
    from mlxc.kohn_sham.state import GroundState


WAITING = "Waits until another run on this machine has ended."
# How much later than its limit a run is ended that does not come to the end of its SCF step.
GRACE_SECONDS = 5.0


def execute(folder: RunFolder) -> None:
    """Compute the run in ``folder``; whatever happens is written there, and nothing is raised.

    A run that is not there any more, is done, or is in the hands of another process is left alone.
    """
    if not folder.exists:
        return
    with lock(folder.path / "lock") as mine:
        if mine and folder.status["state"] == "queued":
            _execute(folder)


def _execute(folder: RunFolder) -> None:
    def waiting() -> None:
        if not folder.exists or folder.stop_requested:
            raise RunStoppedError(STOPPED)
        if folder.status["message"] != WAITING:
            folder.set_status("queued", WAITING)

    try:
        with slot(folder.path.parent / "slots", waiting):
            folder.set_status("running")
            _compute(folder)
    except RunStoppedError as error:
        if folder.exists:
            folder.set_status("stopped", str(error))
    except MlxcError as error:
        folder.set_status("failed", str(error))
    except MemoryError:
        folder.set_status("failed", "The machine ran out of memory; lower the cutoff or the k mesh.")
    except Exception as error:
        folder.write_traceback(traceback.format_exc())
        folder.set_status(
            "failed",
            f"The calculation failed unexpectedly ({type(error).__name__}: {error}); details are in traceback.txt.",
        )


def _compute(folder: RunFolder) -> None:
    longest = Limits.from_environment().seconds
    started = time.monotonic()

    def monitor(record: SCFRecord) -> None:
        _append_or_stop(folder, {"kind": "iteration", **record.to_dict()})
        if longest is not None and time.monotonic() - started > longest:
            raise RunStoppedError(_too_long(longest))

    from mlxc.properties.xc_comparison import xc_potentials  # with PyTorch, which has been loaded by then

    with _watchdog(folder, longest):
        outcome = _outcome(folder.task, folder, monitor)
    if outcome.state is not None:
        outcome.state.save(folder.ground_state_path, {**xc_potentials(outcome.state), **outcome.further})
    folder.write_result(outcome.summary)
    folder.set_status("finished" if outcome.converged else "not converged", outcome.message)


def _append_or_stop(folder: RunFolder, record: dict[str, Any]) -> None:
    folder.append(record)
    if folder.stop_requested:
        raise RunStoppedError(STOPPED)


def _too_long(seconds: float) -> str:
    return f"Stopped after {seconds:g} s, the longest time of a run on this server; the steps so far are kept."


@contextmanager
def _watchdog(folder: RunFolder, seconds: float | None) -> Iterator[None]:
    """End the process if a run goes on after its time without coming to the end of a step."""
    if seconds is None:
        yield
        return

    def end() -> None:
        folder.set_status("stopped", _too_long(seconds))
        os._exit(1)

    timer = threading.Timer(seconds + GRACE_SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


class _Outcome(NamedTuple):
    """What a task came to: the JSON result, a state to keep, whether it is to be believed, why not, and what else to
    keep beside the state."""

    summary: dict[str, Any]
    state: GroundState | None
    converged: bool
    message: str
    further: Mapping[str, Tensor] = MappingProxyType({})


def _outcome(task: Task, folder: RunFolder, monitor: Monitor) -> _Outcome:
    if isinstance(task, Calculation):
        ground = task.run(monitor=monitor, differentiate=None)
        return _Outcome(ground.summary(), ground, ground.converged, ground.message)
    if isinstance(task, EquationOfStateTask):
        curve = task.run(monitor=monitor, on_point=lambda point: folder.append({"kind": "point", **point}))
        return _Outcome(curve.summary(), curve.reference, curve.converged, curve.message)
    if isinstance(task, BandsTask):
        bands = task.run(monitor=monitor, on_portion=lambda done: _append_or_stop(folder, {"kind": "bands", **done}))
        return _Outcome(bands.summary(), bands.ground, bands.converged, bands.message)
    if isinstance(task, GradientTask):
        result = task.run(monitor=monitor, on_record=lambda record: _append_or_stop(folder, record))
        return _Outcome(result.summary(), result.ground, result.converged, result.message, result.fields)
    found = task.run(monitor=monitor, on_finding=lambda f: folder.append({"kind": "finding", **f.to_dict()}))
    # A diagnosis is done when all tests are, whether or not the calculation that it is about converges.
    return _Outcome(found.summary(), found.state, True, "")


def main() -> None:
    """Serve runs from standard input."""
    from mlxc.ground_state import warm_up

    warm_up()
    try:
        print("ready", flush=True)
    except BrokenPipeError:
        # The page has gone meanwhile; what it has handed over is computed all the same.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    for line in sys.stdin:
        if line.strip():
            execute(RunFolder(Path(line.strip())))


if __name__ == "__main__":
    main()
