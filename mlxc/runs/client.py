"""The other end of the worker process: start it, hand it runs, stop or kill it. Imports no torch."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

from mlxc.runs.folder import ENDED, STOPPED, RunFolder

# An SCF step of a large crystal takes longer than a person waits for Stop.
STOP_GRACE_SECONDS = 1.0


class Worker:
    """A warm worker process that computes one run at a time; it is replaced when it dies or is killed."""

    def __init__(self, log: Path | None = None) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._process = self._spawn()
        self.current: RunFolder | None = None

    def _spawn(self) -> subprocess.Popen[str]:
        self._ready.clear()
        errors = open(self._log, "a") if self._log else subprocess.DEVNULL  # noqa: SIM115 - inherited by the child
        process = subprocess.Popen(
            [sys.executable, "-m", "mlxc.runs.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
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

    @property
    def busy(self) -> bool:
        """Whether a run is being computed or waits for the worker to become ready."""
        return self.current is not None and self.current.status["state"] not in ENDED

    def submit(self, folder: RunFolder) -> None:
        """Compute the run in ``folder`` as soon as the worker is free."""
        with self._lock:
            if self._process.poll() is not None:
                self._process = self._spawn()
            self.current = folder
            self._hand_over(folder)

    def _hand_over(self, folder: RunFolder) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # a process that has just died; check() hands the run to its successor
            self._process.stdin.write(f"{folder.path}\n")
            self._process.stdin.flush()

    def stop(self) -> None:
        """Stop the current run: after its SCF step if that ends soon, otherwise by ending the process.

        Returns at once; what the run has written stays.
        """
        folder = self.current
        if folder is None or not self.busy:
            return
        folder.request_stop()
        timer = threading.Timer(STOP_GRACE_SECONDS, self._kill_if_running, args=(folder,))
        timer.daemon = True
        timer.start()

    def _kill_if_running(self, folder: RunFolder) -> None:
        with self._lock:
            if folder.status["state"] in ENDED:
                return
            self._process.kill()
            self._process.wait()
            folder.set_status("stopped", STOPPED)
            self._process = self._spawn()

    def check(self) -> None:
        """Notice a worker that died and start another; a run it had begun says so, one that waited is taken over."""
        with self._lock:
            code = self._process.poll()
            if code is None:
                return
            self._process = self._spawn()
            state = self.current.status["state"] if self.current is not None else None
            if self.current is None or state in ENDED:
                return
            if state == "queued":
                self._hand_over(self.current)
            else:
                self.current.set_status(
                    "failed", f"The computing process ended unexpectedly (exit code {code}); the steps so far are kept."
                )

    def close(self) -> None:
        """End the worker process."""
        self._process.kill()
        self._process.wait()
