"""A worker that computes nothing, for tests without a browser; and for those with one, the server and Chromium."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from browser import EMULATED_CARD, FLAGS, visit, wait_for_server
from mlxc_app.run.model import RunModel
from stand_ins import IdleWorker

from mlxc.calculation.calculation import Calculation

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def runs_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test keeps is not among the runs of whoever runs it."""
    monkeypatch.setenv("MLXC_RUNS", str(tmp_path / "runs"))


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunModel:
    """A model of runs in an empty directory, with a worker that computes nothing."""
    monkeypatch.setenv("MLXC_RUNS", str(tmp_path))
    return RunModel(IdleWorker)


@pytest.fixture
def aluminium() -> Calculation:
    """A small calculation."""
    return Calculation.from_dict({"structure": "al", "ecut_ha": 10, "kmesh": (2, 2, 2)})


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Voila, started as the README says, on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("runs")
    command = [sys.executable, "-m", "voila", "app/dashboard.ipynb", "--no-browser", f"--port={port}"]
    environment = {**os.environ, "MLXC_RUNS": str(folder)}
    with open(folder / "voila.log", "w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for_server(f"http://localhost:{port}/voila/static/voila.js", server)
        yield f"http://localhost:{port}/"
    finally:
        server.terminate()
        server.wait()
        _end_workers(folder)


def _end_workers(folder: Path) -> None:
    """A run outlives its page and its server; one that a failed test has left would slow down all tests after it."""
    for process in psutil.process_iter(["cmdline"]):
        if str(folder) in (process.info["cmdline"] or []):
            with suppress(psutil.NoSuchProcess):
                process.kill()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, for one file of tests: while it runs, this thread has an event loop and processes."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("no Chromium on this machine; `apt-get install chromium` brings one")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS + EMULATED_CARD)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def console() -> list[str]:
    """What the browser's console says while the tests run."""
    return []


@pytest.fixture(scope="module")
def requests() -> list[str]:
    """The addresses that the browser asks while the tests run."""
    return []


@pytest.fixture(scope="module")
def page(chromium: Browser, address: str, console: list[str], requests: list[str]) -> Page:
    """The page of one visitor, loaded and drawn; the tests go on where the one before has left it."""
    return visit(chromium, address, console, requests)
