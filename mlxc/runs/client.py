"""The other end of the worker process: start it, hand it runs, stop them. Imports no torch."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil

from mlxc.runs.folder import RunFolder

MODULE = "mlxc.runs.worker"
# An SCF step of a large crystal takes longer than a person waits for Stop.
STOP_GRACE_SECONDS = 0.75
NOT_BEGUN = "Stopped before it began."


class Worker:
    """A warm worker process that computes one run after the other; it is replaced when it dies or is killed.

    The process is in a session of its own: what ends the page, or the kernel behind it, does not end the runs.
    """

    def __init__(self, log: Path | None = None) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._handed: list[RunFolder] = []
        self._process = self._spawn()

    def _spawn(self) -> subprocess.Popen[str]:
        self._ready.clear()
        errors = open(self._log, "a") if self._log else subprocess.DEVNULL  # noqa: SIM115 - inherited by the child
        process = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._await_ready, args=(process,), daemon=True).start()
        return process

    def _await_ready(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        if process.stdout.readline().strip() == "ready" and process is self._process:
            self._ready.set()

    @property
    def ready(self) -> bool:
        """Whether torch is loaded and a run would start at once."""
        return self._ready.is_set()

    def submit(self, folder: RunFolder) -> None:
        """Compute the run in ``folder`` when those that were submitted before have ended."""
        self.check()
        with self._lock:
            self._handed.append(folder)
            self._hand_over(folder)

    def _hand_over(self, folder: RunFolder) -> None:
        assert self._process.stdin is not None
        folder.hand_to(self._process.pid)
        with suppress(BrokenPipeError):  # a process that has just died; check() hands the run to its successor
            self._process.stdin.write(f"{folder.path}\n")
            self._process.stdin.flush()

    def check(self) -> None:
        """Notice a process that died, and start another that takes over the runs that wait.

        A run that it had begun says so itself, see :attr:`RunFolder.status`.
        """
        with self._lock:
            if self._process.poll() is None:
                return
            self._process = self._spawn()
            self._handed = [folder for folder in self._handed if folder.exists and folder.status["state"] == "queued"]
            for folder in self._handed:
                self._hand_over(folder)

    def close(self) -> None:
        """End the worker process."""
        self._process.kill()
        self._process.wait()


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
