"""Other codes, run here and now: each case in a process of its own that is watched and can be stopped at any moment.

Nothing here imports torch or the codes.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from mlxc.errors import InputError

_SCRIPT = Path(__file__).with_name("inside.py")
# Kinds of records with which a run ends.
ENDS = ("result", "failure")
# As much as is shown of what a code said before it died.
_SHOWN_LENGTH = 200
# Seconds in which processes that have been killed are gone.
_LAST_BREATH = 0.5
_SEARCH = "import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)"


@dataclass(frozen=True)
class Code:
    """Another code.

    Attributes:
        label: how it writes its name.
        package: what Python imports.
        origin: how one gets it.
    """

    label: str
    package: str
    origin: str


CODES = {
    "pyscf": Code("PySCF", "pyscf", "pip install pyscf"),
    "gpaw": Code("GPAW", "gpaw", "apt install gpaw gpaw-data on Debian, or pip install gpaw"),
}


def label_of(code: str) -> str:
    """How a code writes its name."""
    return CODES[code].label if code in CODES else code


def available_codes() -> dict[str, str]:
    """Which codes there are here: for each an empty string, or one sentence that says how to get it."""
    return {
        name: "" if _python_with(code.package) else f"{code.label} is not installed; get it with {code.origin}."
        for name, code in CODES.items()
    }


def choose_codes(wanted: Sequence[str] | None) -> list[str]:
    """The codes that a person wants, or else all that there are here.

    Raises:
        InputError: one that is wanted is unknown or not here, or none is; the sentence says how to get it.
    """
    missing = {name: sentence for name, sentence in available_codes().items() if sentence}
    for name in wanted or ():
        if name not in CODES:
            raise InputError(f"codes: there is no code '{name}'; there are {', '.join(CODES)}.")
        if name in missing:
            raise InputError(f"codes: {missing[name]}")
    found = list(dict.fromkeys(wanted or (name for name in CODES if name not in missing)))
    if not found:
        raise InputError(f"codes: {' '.join(missing.values())}")
    return found


class ReferenceRun:
    """A case that another code computes, from the moment this is made until it ends or is stopped.

    One thread takes the records, any other may stop the run. Use it inside ``with``, or call :meth:`stop` at the end.

    Args:
        code: one of ``CODES``.
        case: plain data, see :mod:`mlxc.codes.cases`.

    Raises:
        InputError: the code is not installed.
    """

    def __init__(self, code: str, case: dict[str, Any]) -> None:
        choose_codes([code])
        python = _python_with(CODES[code].package)
        assert python is not None
        self._label = CODES[code].label
        self._folder = tempfile.TemporaryDirectory(prefix=f"mlxc-{code}-")
        folder = Path(self._folder.name)
        self._errors = folder / "errors"
        self._stopped = False
        with open(self._errors, "wb") as errors:
            # A session of its own is a group of processes that can be ended together, and Ctrl-C is not meant for it.
            self._process = subprocess.Popen(
                [python, str(_SCRIPT), code, str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                cwd=folder,
                env=_environment(python, folder),
                text=True,
                start_new_session=True,
            )
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # a process that has died at once; the records say so
            self._process.stdin.write(json.dumps(case) + "\n")
            self._process.stdin.flush()

    def records(self) -> Iterator[dict[str, Any]]:
        """What happens, as it happens.

        Yields:
            records of the ``kind`` ``iteration`` (with ``point``, ``iteration``, ``free_energy_ha``, ``seconds``) and
            ``point`` (``index``, ``free_energy_ha``, ``converged``, ``seconds``), and at the end one ``result`` or one
            ``failure`` with a sentence as ``message``.
        """
        assert self._process.stdout is not None
        for line in self._process.stdout:
            record = json.loads(line)
            if record["kind"] == "failure":
                record["message"] = f"{self._label} failed: {record['message']}"
            yield record
            if record["kind"] in ENDS:
                return
        yield {"kind": "failure", "message": self._reason()}

    def _reason(self) -> str:
        """Why there is no result."""
        code = self._process.wait()
        if self._stopped:
            return f"{self._label} was stopped."
        said = self._errors.read_text(encoding="utf-8", errors="replace").split("\n")
        last = next((line.strip() for line in reversed(said) if line.strip()), "")
        return f"{self._label} ended unexpectedly (exit code {code}){': ' if last else '.'}{last[:_SHOWN_LENGTH]}"

    def stop(self) -> None:
        """End the process and all that it has started, at once; records already taken stay valid."""
        if self._process.poll() is None:
            self._stopped = True
            # Some leave the group: the daemon of Open MPI does, which GPAW starts.
            started = _started_by(self._process.pid)
            # Not yet waited for, so the group's number is still its own.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            for process in started:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            self._process.wait()
            # They die when the system comes to it, which on a busy machine is a little later.
            psutil.wait_procs(started, timeout=_LAST_BREATH)

    def __enter__(self) -> ReferenceRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()
        self._folder.cleanup()


def _started_by(number: int) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return list(psutil.Process(number).children(recursive=True))
    return []


@cache
def _python_with(package: str) -> str | None:
    """A Python that has the package: this one, or the system's."""
    found = (sys.executable, "/usr/bin/python3", shutil.which("python3"))
    for python in dict.fromkeys(path for path in found if path and Path(path).exists()):
        searched = subprocess.run(
            [python, "-c", _SEARCH, package], env=_environment(python), capture_output=True, check=False
        )
        if searched.returncode == 0:
            return python
    return None


def _environment(python: str, folder: Path | None = None) -> dict[str, str]:
    """The environment of this process, without what leads another Python to this one's packages."""
    environment = dict(os.environ)
    if python != sys.executable:
        for name in ("PYTHONPATH", "PYTHONHOME"):
            environment.pop(name, None)
    if folder is not None:
        environment["TMPDIR"] = str(folder)
    return environment
