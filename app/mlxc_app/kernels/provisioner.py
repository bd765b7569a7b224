"""Kernels that are split off from one process instead of being started one by one, for Jupyter."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, cast

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from mlxc_app.kernels.origin import LONGEST_REQUEST

MODULE = "mlxc_app.kernels.origin"
# On a machine with very much to do, loading what a page needs takes so long at most.
PATIENCE_SECONDS = 60.0


class SplitKernel:
    """A process that is nobody's child here, as Jupyter knows processes.

    Args:
        pid: Its number.
        line: A socket whose other end the process holds as long as it lives.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid, self._line = pid, line
        self._line.setblocking(False)

    def poll(self) -> int | None:
        """Zero when it has ended, however that was, and None before."""
        try:
            return len(self._line.recv(1))
        except BlockingIOError:
            return None

    def wait(self) -> int:
        """Wait until it has ended."""
        self._line.setblocking(True)
        return len(self._line.recv(1))

    def send_signal(self, number: int) -> None:
        """Send a signal to a process that has not ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """End the process."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)


class Origin:
    """The process from which kernels are split off, see :mod:`mlxc_app.kernels.origin`; it ends with this one."""

    _last: ClassVar[Origin | None] = None

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", MODULE, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    @classmethod
    def present(cls) -> Origin:
        """The one that there is, or a new one."""
        if cls._last is None or cls._last._process.poll() is not None:
            cls._last = cls()
        return cls._last

    async def split(self, command: Sequence[str], folder: str, environment: Mapping[str, str]) -> SplitKernel | None:
        """A kernel in its folder and environment; None if none could be split off."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        message = json.dumps({"command": [*command], "folder": folder, "environment": {**environment}}).encode()
        if len(message) > LONGEST_REQUEST:
            theirs.close()
            return None
        with theirs:
            try:
                socket.send_fds(self._control, [message], [theirs.fileno()])
            except OSError:  # it has just gone
                return None
        try:
            told = await asyncio.wait_for(asyncio.get_running_loop().sock_recv(ours, 32), PATIENCE_SECONDS)
        except TimeoutError:
            return None
        return SplitKernel(int(told), ours) if told else None


class SplitKernels(LocalProvisioner):
    """Splits off kernels on Linux, where that is safe; elsewhere, or if it fails, they are started as Jupyter does."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """The kernel's process, and how it is reached."""
        if sys.platform != "linux":
            return await super().launch_kernel(cmd, **kwargs)
        self.cwd = kwargs.get("cwd") or os.getcwd()
        kernel = await Origin.present().split(cmd, self.cwd, kwargs["env"])
        if kernel is None:
            return await super().launch_kernel(cmd, **kwargs)
        # Jupyter asks no more of a process than this one has.
        self.process, self.pid, self.pgid = cast(Any, kernel), kernel.pid, kernel.pid
        return self.connection_info
