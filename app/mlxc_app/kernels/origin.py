"""The process from which the kernels of all pages are split off.

It has imported what a page needs, so a kernel is there at once, and what none of them changes is in memory once for all
of them. The server starts it, see :mod:`mlxc_app.kernels.provisioner`; it ends with the server, and the kernels end
with it. It is told to use no threads, since only then may a process be split.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

# A command and its environment.
LONGEST_REQUEST = 2**17
# What every kernel imports until its page is drawn.
IMPORTED = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "encodings.cp437",
    "faulthandler",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "mlxc_app.page.dashboard",
    "sqlite3",
)


def main() -> None:
    """Split off a kernel for each request that comes through the socket whose number the command line names."""
    # ipykernel reads it while it is imported; a kernel ends when its parent has gone.
    os.environ["JPY_PARENT_PID"] = str(os.getpid())
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how a kernel has ended
    for name in IMPORTED:
        with suppress(Exception):  # the page that cannot import it says so
            import_module(name)
    with suppress(Exception):
        _draw()
    files = _files()
    gc.collect()
    gc.freeze()
    request = _serve(socket.socket(fileno=int(sys.argv[1])), files)
    if request is not None:
        _become(request)


def _draw() -> None:
    """Load what kernels load with their first widget and figure."""
    import ipywidgets
    import plotly.graph_objects as go

    from mlxc_app.widgets.live_figure import axis

    # ipywidgets does so while it is imported in a kernel.
    ipywidgets.register_comm_target()
    # Plotly loads what it checks figures with when it makes the first one.
    go.Figure([go.Scatter(x=[0.0]), go.Bar(x=[0.0])], {"xaxis": axis("x"), "legend": {"x": 0.0}})


def _serve(control: socket.socket, files: Mapping[str, int]) -> dict[str, Any] | None:
    """Answer until the server has gone; in a process that has been split off, what it is to become."""
    while control.recv(1, socket.MSG_PEEK):
        if any(_changed(path) != time for path, time in files.items()):
            # The request waits for the new code, and the kernels that there are keep their parent.
            os.set_inheritable(control.fileno(), True)
            os.execv(sys.executable, sys.orig_argv)
        message, (line,), *_ = socket.recv_fds(control, LONGEST_REQUEST, 1)
        # What a kernel starts must not keep the server from noticing its end.
        os.set_inheritable(line, False)
        try:
            child = os.fork()
        except OSError:  # the machine is full; the server starts this kernel by itself
            os.close(line)
            continue
        if child == 0:
            os.setsid()
            # The other end hears of it when this process ends, since it stays open until then.
            os.write(line, str(os.getpid()).encode())
            request: dict[str, Any] = json.loads(message)
            return request
        os.close(line)
    return None


def _become(request: Mapping[str, Any]) -> None:
    """Run the command ``python -m MODULE ARGUMENTS`` of a request, in its folder and environment."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.environ.clear()
    os.environ.update(request["environment"] | {"JPY_PARENT_PID": str(os.getppid())})
    os.chdir(request["folder"])
    _, _, module, *arguments = request["command"]
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _files() -> dict[str, int]:
    """The files of the modules that are loaded, with the page's scripts and styles, and when they were changed last."""
    paths = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    page = Path(__file__).parents[1]
    paths |= {str(path) for kind in ("js", "css") for path in page.rglob(f"*.{kind}")}
    return {path: _changed(path) for path in paths if path}


def _changed(path: str) -> int:
    with suppress(OSError):
        return os.stat(path).st_mtime_ns
    return 0


if __name__ == "__main__":
    main()
