"""The process that computes: torch is loaded and warm before the first run arrives.

Started as ``python -m mlxc.runs.worker``. It prints ``ready``, then reads paths of run folders from standard input, one
a line, and computes them one after the other. It ends when its standard input is closed, so it never outlives the
page that started it by more than the run in hand.
"""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mlxc.calculation import Calculation, EquationOfStateTask
from mlxc.errors import MlxcError, RunStoppedError
from mlxc.runs.folder import STOPPED, RunFolder
from mlxc.runs.tasks import Task

if TYPE_CHECKING:
    from mlxc.scf.ground_state import GroundState
    from mlxc.scf.monitor import Monitor


def execute(folder: RunFolder) -> None:
    """Compute the run in ``folder``; whatever happens is written there, and nothing is raised."""
    folder.set_status("running")
    try:
        _compute(folder)
    except RunStoppedError:
        folder.set_status("stopped", STOPPED)
    except MlxcError as error:
        folder.set_status("failed", str(error))
    except MemoryError:
        folder.set_status("failed", "The machine ran out of memory; lower the cutoff or the k mesh.")
    except Exception as error:
        (folder.path / "traceback.txt").write_text(traceback.format_exc(), encoding="utf-8")
        folder.set_status(
            "failed",
            f"The calculation failed unexpectedly ({type(error).__name__}: {error}); details are in traceback.txt.",
        )


def _compute(folder: RunFolder) -> None:
    def monitor(record: Any) -> None:
        folder.append({"kind": "iteration", **record.to_dict()})
        if folder.stop_requested:
            raise RunStoppedError("The run was stopped.")

    from mlxc.properties.xc_comparison import xc_potentials  # with PyTorch, which has been loaded by then

    outcome = _outcome(folder.task, folder, monitor)
    if outcome.state is not None:
        outcome.state.save(folder.ground_state_path, xc_potentials(outcome.state))
    folder.write_result(outcome.summary)
    folder.set_status("finished" if outcome.converged else "not converged", outcome.message)


class _Outcome(NamedTuple):
    """What a task came to: the JSON result, a state to keep, whether it is to be believed, and why not."""

    summary: dict[str, Any]
    state: GroundState | None
    converged: bool
    message: str


def _outcome(task: Task, folder: RunFolder, monitor: Monitor) -> _Outcome:
    if isinstance(task, Calculation):
        ground = task.run(monitor=monitor)
        return _Outcome(ground.summary(), ground, ground.converged, ground.message)
    if isinstance(task, EquationOfStateTask):
        curve = task.run(monitor=monitor, on_point=lambda point: folder.append({"kind": "point", **point}))
        return _Outcome(curve.summary(), curve.reference, curve.converged, curve.message)
    found = task.run(monitor=monitor, on_finding=lambda f: folder.append({"kind": "finding", **f.to_dict()}))
    # A diagnosis is done when all tests are, whether or not the calculation that it is about converges.
    return _Outcome(found.summary(), found.state, True, "")


def main() -> None:
    """Serve runs from standard input."""
    from mlxc.scf.loop import warm_up

    warm_up()
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip():
            execute(RunFolder(Path(line.strip())))


if __name__ == "__main__":
    main()
