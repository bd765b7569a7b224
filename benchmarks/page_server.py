"""The page's server and a browser, for what is measured of the page."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "app"))

from browser import EMULATED_CARD, FLAGS, wait_for_server  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NOTEBOOK = ROOT / "app" / "dashboard.ipynb"


@contextmanager
def served(notebook: Path, folder: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Voila with a notebook, its address and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "voila", str(notebook), "--no-browser", f"--port={port}", *options]
    environment = {**os.environ, "MLXC_RUNS": str(folder)}
    with open(folder / f"voila-{port}.log", "w") as log:
        server = subprocess.Popen(command, cwd=notebook.parent.parent, env=environment, stdout=log, stderr=log)
    try:
        wait_for_server(f"http://localhost:{port}/voila/static/voila.js", server)
        yield f"http://localhost:{port}/", server
    finally:
        for process in psutil.Process(server.pid).children(recursive=True):
            process.kill()
        server.terminate()
        server.wait()


def chromium_path() -> str | None:
    """The system's browser."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def chromium(emulated_card: bool = True) -> Iterator[Browser]:
    """The system's browser, started.

    Args:
        emulated_card: Whether the processor emulates a graphics card, as pictures in three dimensions need it; the
            browser then draws everything with it.
    """
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        flags = FLAGS + EMULATED_CARD if emulated_card else FLAGS
        browser = driver.chromium.launch(executable_path=chromium_path(), args=flags)
        yield browser
        browser.close()
