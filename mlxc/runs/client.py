"""The other end of the worker processes: start them, hand them runs, stop these. Imports no torch."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

import psutil

from mlxc.runs.cluster.address import scheduler_address
from mlxc.runs.code import code_name
from mlxc.runs.folder import RunFolder
from mlxc.runs.line import WORKERS, Line
from mlxc.runs.locks import lock, slot_count

MODULE, RELAY_MODULE = "mlxc.runs.worker", "mlxc.runs.cluster.process"
# An SCF step of a large crystal takes longer than a person waits for Stop.
STOP_GRACE_SECONDS = 0.75
NOT_BEGUN = "Stopped before it began."
# What a worker writes into the file of its place when it has loaded PyTorch; what a person should know may follow.
READY = "ready"
# The place of the worker that is there even if nobody computes.
FIRST = "0"
# Touched whenever a page needs a worker, or somebody does something there.
WANTED = "wanted"
# Without a word from a page for so long, a worker ends.
IDLE_SECONDS = 180.0


class Workers:
    """The warm worker processes of a runs directory: one, or more while several visitors compute.

    All pages share them that have the same code. There are at most as many as runs are computed at once. Each has a
    place, a file that is locked as long as the process lives; it was started by whichever page needed it first, in a
    session of its own, so that neither the end of a page nor that of the kernel behind it ends a run. A process that
    dies is replaced when it is missed.

    Args:
        directory: The runs directory.
        log: The file for what the processes write to their standard error; None for none.
    """

    def __init__(self, directory: Path, log: Path | None = None) -> None:
        self._line, self._log = Line(directory, code_name()), log
        self._path = self._line.home
        self._path.mkdir(parents=True, exist_ok=True)
        self._started: list[subprocess.Popen[bytes]] = []
        # As long as anybody holds this lock there is a page.
        self._here = os.open(self._path / "here", os.O_RDWR | os.O_CREAT, 0o644)
        fcntl.flock(self._here, fcntl.LOCK_SH)
        self._take_over_forsaken()
        self.want()

    @property
    def ready(self) -> bool:
        """Whether torch is loaded and a run would start at once."""
        return any(told.startswith(READY) for told in self._told())

    @property
    def resting(self) -> bool:
        """Whether the processes have ended since nobody has needed one for a while."""
        return not is_wanted(self._path)

    @property
    def words(self) -> str:
        """What a person should know of what computes, in a sentence; empty if that is this machine."""
        return next(filter(None, (told.removeprefix(READY) for told in self._told())), "")

    def _told(self) -> list[str]:
        return [place.read_text(encoding="utf-8") for place in self._places() if _held(place)]

    def submit(self, folder: RunFolder) -> None:
        """Compute the run in ``folder``, which is in the runs directory, when its turn comes."""
        self._line.join(folder)
        self.want()

    def want(self) -> None:
        """Keep a process ready, or start one: somebody may soon bring a run."""
        (self._path / WANTED).touch()
        self.check()

    def check(self) -> None:
        """Start a process if one is missing: none is there though a page has wanted one, or visitors wait for one.

        A run that a process had begun when it died says so itself, see :attr:`RunFolder.status`.
        """
        self._started = [process for process in self._started if process.poll() is None]
        free = [place for place in self._places() if not _held(place)]
        wanted = max(len(self._line.first()), int(is_wanted(self._path)))
        missing = min(wanted, slot_count()) - (slot_count() - len(free))
        for place in free[: max(0, missing)]:
            self._start(place)

    def waits_for(self, folder: RunFolder) -> str:
        """What a run waits for on this machine, in a sentence; empty if it waits for nothing but its process."""
        return self._line.words(folder)

    def close(self) -> None:
        """Need the processes no longer; when nobody else does, they end after what was handed to them."""
        os.close(self._here)

    def _take_over_forsaken(self) -> None:
        """Compute what was left behind by code that nobody has any more."""
        for home in (self._line.directory / WORKERS).iterdir():
            if home != self._path and not any(_held(path) for path in (home / "here", *home.glob("[0-9]*"))):
                self._line.take_over(Line(self._line.directory, home.name))
                # One that has just been made has no such file yet.
                if (home / WANTED).exists() and not is_wanted(home):
                    rmtree(home, ignore_errors=True)

    def _places(self) -> list[Path]:
        return [self._path / str(number) for number in range(slot_count())]

    def _start(self, place: Path) -> None:
        """Take the place and leave it to a new process: the lock goes over with the open file."""
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT, 0o644)
        errors = open(self._log, "a") if self._log else subprocess.DEVNULL  # noqa: SIM115 - inherited by the child
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.truncate(descriptor, 0)
            arguments = [str(self._line.directory), self._line.code, str(descriptor), place.name]
            process = subprocess.Popen(
                [sys.executable, "-m", _module(), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=[descriptor],
                start_new_session=True,
            )
            self._started.append(process)
        except BlockingIOError:
            pass  # another page was quicker
        finally:
            os.close(descriptor)
            if not isinstance(errors, int):
                errors.close()


def _module() -> str:
    """The program of a worker: one that computes, or that has a cluster compute."""
    return MODULE if scheduler_address() is None else RELAY_MODULE


def is_wanted(path: Path) -> bool:
    """Whether a page has lately needed a worker, from the folder of its line."""
    with suppress(FileNotFoundError):
        return time.time() - (path / WANTED).stat().st_mtime < IDLE_SECONDS
    return False


def is_anybody_here(path: Path) -> bool:
    """Whether there is a page that may need a worker, from the folder of its line."""
    return _held(path / "here")


def is_first_there(path: Path) -> bool:
    """Whether the process is there that stays even if nobody computes, from the folder of its line."""
    return _held(path / FIRST)


def _held(path: Path) -> bool:
    with lock(path) as free:
        return not free


def stop_run(folder: RunFolder) -> None:
    """Stop a run, whoever computes it: after its SCF step if that ends soon, otherwise by ending its process.

    Returns at once; what the run has written stays.
    """
    state = folder.status["state"]
    folder.request_stop()
    if state == "queued":
        folder.set_status("stopped", NOT_BEGUN)
    elif state == "running":
        threading.Thread(target=_kill_if_running, args=(folder,), daemon=True).start()


def _kill_if_running(folder: RunFolder) -> None:
    time.sleep(STOP_GRACE_SECONDS)
    status = folder.status
    if status["state"] != "running":
        return
    with suppress(psutil.Error):
        process = psutil.Process(status["pid"])
        # The number may belong to another process by now. Who reads the status next finds the process gone.
        if MODULE in process.cmdline():
            process.kill()
