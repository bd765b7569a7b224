"""The folder of one run: what was asked, what happened step by step, and what came out.

========================  ==================================================================================
``task.json``             ``{"task": ..., "title": ..., "owner": ..., ...}``: the kind of the task and its fields; in a
                          folder from an archive ``files`` as well, the files that lie beside it, with their SHA-256
``status.json``           ``{"state": ..., "message": ..., "started": ..., "ended": ..., "pid": ...}``; of a run that a
                          cluster computes ``where`` and by which ``worker``, and the number of the ``attempt`` once it
                          has begun again
``records.jsonl``         one JSON object per line: ``{"kind": "iteration" | ..., ...}``, see :mod:`mlxc.tasks.kind`
``result.json``           the same object that ``mlxc scf --json``, ``mlxc eos --json`` and so on print
``result.h5``             density, potential, eigenvalues, orbitals (``GroundState.load`` reads it), ``loss_pull``, and
                          for other functionals than PBE ``xc_potential_ha`` and ``pbe_xc_potential_ha``
``start.h5``              until the run has read it, the ground state of an earlier run from which it starts
``model.safetensors``     the functional that a training has come to, or had come to when it was stopped
``control.json``          what somebody wants of a training between two of its steps, see mlxc.tasks.training.control
``training/``             what a training needs to go on, see :mod:`mlxc.training.trainer`
``stop``                  an empty file; as soon as it exists the run stops after its current SCF step
``lock``                  locked by the process that computes the run
``traceback.txt``         where the program failed, if it did
========================  ==================================================================================

Any process may read a folder while another writes it: whole files are replaced at once, records are appended line
by line. Which kinds of tasks and records there are is said in :mod:`mlxc.tasks.kinds`. Nothing here imports torch.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psutil

from mlxc.errors import InputError
from mlxc.tasks.kind import STAGE
from mlxc.tasks.kinds import kind_of, task_from_dict
from mlxc.tasks.task import AnyTask, functionals_in, main_part
from mlxc.utils.replacing import replacing
from mlxc.utils.user_data import user_data_directory
from mlxc.xc.checkpoints.files import with_files_renamed

State = Literal["queued", "running", "finished", "not converged", "stopped", "failed"]
ENDED: tuple[State, ...] = ("finished", "not converged", "stopped", "failed")
TASK_FILE, RESULT_FILE = "task.json", "result.json"
TRACEBACK_FILE = "traceback.txt"
LONGEST_TITLE = 200
# Why a run has ended early, see :meth:`RunFolder.ended_early`.
STOPPED = "Stopped on request"
DIED = "The process that computed this run ended unexpectedly"


def runs_directory() -> Path:
    """Where runs are kept: ``$MLXC_RUNS``, or ``mlxc/runs`` in the user's data directory."""
    return user_data_directory("runs", "MLXC_RUNS")


@dataclass(frozen=True)
class RunFolder:
    """One run on disk."""

    path: Path

    @classmethod
    def create(cls, task: AnyTask, title: str, root: Path | None = None, owner: str = "") -> RunFolder:
        """Make a new folder holding the task, in the state ``queued``; ``owner`` is whoever wants to find it again."""
        label = re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-").lower()[:40]
        stamp = time.strftime("%Y%m%d-%H%M%S")
        root = root or runs_directory()
        root.mkdir(parents=True, exist_ok=True)
        for attempt in range(1000):
            path = root / "-".join(filter(None, [stamp, label, str(attempt) if attempt else ""]))
            try:
                path.mkdir()
                break
            except FileExistsError:
                continue
        else:
            raise InputError(f"No new run folder can be made in {root}.")
        folder = cls(path)
        header = {"task": kind_of(task).name, "title": title, "owner": owner}
        folder._replace(TASK_FILE, header | task.model_dump(mode="json"))
        folder.set_status("queued")
        return folder

    @property
    def task(self) -> AnyTask:
        """The task as it was given.

        Raises:
            InputError: the task in the folder is not valid.
        """
        data = self._read(TASK_FILE)
        kind = data.pop("task", None)
        files = data.pop("files", {})
        for entry in ("title", "owner"):
            data.pop(entry, None)
        _find_files(main_part(data), {name: str(self.path / name) for name in files})
        return task_from_dict(kind, data)

    @property
    def owner(self) -> str:
        """Who started the run, as far as that was said."""
        return str(self._read(TASK_FILE).get("owner", ""))

    @property
    def kind(self) -> str:
        """The name of the kind of the task, see :mod:`mlxc.tasks.kinds`."""
        return str(self._read(TASK_FILE).get("task", "scf"))

    @property
    def structure(self) -> dict[str, Any]:
        """The crystal that the task is about, as :meth:`mlxc.Crystal.to_dict` writes it, without checking the task;
        empty if it is about none.
        """
        structure: dict[str, Any] = main_part(self._read(TASK_FILE)).get("structure", {})
        return structure

    @property
    def title(self) -> str:
        """What a person called the run."""
        return str(self._read(TASK_FILE).get("title", self.path.name))

    @property
    def status(self) -> dict[str, Any]:
        """``{"state", "message", "started", "ended", "pid"}``; one whose process is gone is stopped or failed."""
        status = self._read("status.json") or {"state": "failed", "message": "The run's folder holds no status."}
        if status["state"] == "running" and not _alive(status.get("pid")):
            if self.stop_requested:
                self.set_status("stopped", self.ended_early(STOPPED))
            else:
                self.set_status("failed", self.ended_early(DIED))
            status = self._read("status.json")
        return status

    def set_status(self, state: State, message: str = "") -> None:
        """Write the state; the times of the start and the end are added."""
        status = self._read("status.json")
        status |= {"state": state, "message": message}
        if state == "running":
            status |= {"started": time.time(), "pid": os.getpid()}
        if state in ENDED:
            status["ended"] = time.time()
        self._replace("status.json", status)

    def note(self, **entries: Any) -> None:
        """Write further entries of the status, or other values of them, whatever its state."""
        self._replace("status.json", self._read("status.json") | entries)

    def begin_again(self, where: str, message: str) -> None:
        """Let go of what the run has told so far, which another process computes anew.

        Args:
            where: The process that computes it, in words.
            message: What a person should know of it.
        """
        # Readers see first that what they have read is void, and then find nothing of it.
        self.note(attempt=self._read("status.json").get("attempt", 1) + 1, where=where, message=message)
        with replacing(self.path / "records.jsonl") as temporary:
            temporary.touch()

    @property
    def exists(self) -> bool:
        """Whether the run has not been deleted."""
        return (self.path / TASK_FILE).exists()

    @property
    def began(self) -> float:
        """Since when the run has been computed, or else waited: seconds since the epoch."""
        return float(self._read("status.json").get("started") or (self.path / TASK_FILE).stat().st_mtime)

    def rename(self, title: str) -> None:
        """Call the run something else.

        Raises:
            InputError: the new name is empty or too long.
        """
        title = " ".join(title.split())
        if not 0 < len(title) <= LONGEST_TITLE:
            raise InputError(
                f"The name of a run has between 1 and {LONGEST_TITLE} characters; this one has {len(title)}."
            )
        self._replace(TASK_FILE, self._read(TASK_FILE) | {"title": title})

    def delete(self) -> None:
        """Remove the folder with all that is in it.

        Raises:
            InputError: the run is being computed, or the folder is not in the runs directory.
        """
        if self.path.is_symlink() or self.path.resolve().parent != runs_directory().resolve() or not self.exists:
            raise InputError(f"{self.path} is not a run in {runs_directory()}.")
        if self.status["state"] == "running":
            raise InputError(f"“{self.title}” is being computed: stop it before you delete it.")
        shutil.rmtree(self.path)

    def append(self, record: dict[str, Any]) -> None:
        """Add one record; it is on disk when this returns."""
        with open(self.path / "records.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def records(self, offset: int = 0) -> tuple[list[dict[str, Any]], int]:
        """Records from byte ``offset`` on, and the offset to continue from; a half-written line is left for later."""
        try:
            with open(self.path / "records.jsonl", "rb") as file:
                file.seek(offset)
                data = file.read()
        except FileNotFoundError:
            return [], offset
        complete = data[: data.rfind(b"\n") + 1]
        return [json.loads(line) for line in complete.splitlines()], offset + len(complete)

    def ended_early(self, why: str) -> str:
        """The sentence about a run that has ended early: why, and whether anything is kept of it.

        Args:
            why: The reason, without a full stop.
        """
        has_steps = any(record["kind"] != STAGE for record in self.records()[0])
        return f"{why}; {'the steps so far are kept' if has_steps else 'no step had been done'}."

    @property
    def result(self) -> dict[str, Any] | None:
        """The JSON result, or None as long as there is none."""
        return self._read(RESULT_FILE) or None

    @property
    def traceback(self) -> str:
        """Where the program failed; empty if it did not."""
        path = self.path / TRACEBACK_FILE
        return path.read_text(encoding="utf-8") if path.exists() else ""

    def write_traceback(self, text: str) -> None:
        """Keep where the program failed."""
        (self.path / TRACEBACK_FILE).write_text(text, encoding="utf-8")

    def write_result(self, result: dict[str, Any]) -> None:
        """Write the JSON result."""
        self._replace(RESULT_FILE, result)

    @property
    def ground_state_path(self) -> Path:
        """The HDF5 file of the run."""
        return self.path / "result.h5"

    def request_stop(self) -> None:
        """Ask the run to stop after its current SCF step."""
        (self.path / "stop").touch()

    @property
    def stop_requested(self) -> bool:
        """Whether somebody asked this run to stop."""
        return (self.path / "stop").exists()

    def _read(self, name: str) -> dict[str, Any]:
        try:
            data: dict[str, Any] = json.loads((self.path / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return data

    def _replace(self, name: str, data: dict[str, Any]) -> None:
        with replacing(self.path / name) as temporary:
            temporary.write_text(json.dumps(data, indent=1), encoding="utf-8")


def _find_files(part: dict[str, Any], paths: dict[str, str]) -> None:
    """Name the files that lie in the folder of the run by their whole paths."""
    if paths:
        part.update({field: with_files_renamed(xc, paths) for field, xc in functionals_in(part).items()})
        if terms := part.get("terms"):
            part["terms"] = {name: paths.get(text, text) for name, text in terms.items()}


def _alive(pid: int | None) -> bool:
    if pid is None or not psutil.pid_exists(pid):
        return False
    return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
