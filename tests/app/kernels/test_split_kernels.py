"""Kernels are split off from one process: each is one of its own, and what they need is loaded already."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from mlxc_app.kernels import provisioner
from mlxc_app.kernels.provisioner import Origin, SplitKernel

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere kernels are started as Jupyter does"),
]

# Stands for ipykernel: it tells what it finds, and stays.
KERNEL = """
import json, os, sys, time
import known
loaded = {name: name in sys.modules for name in ("mlxc_app.page.dashboard", "ipykernel.ipkernel", "torch")}
found = {"folder": os.getcwd(), "here": os.environ.get("HERE"), "arguments": sys.argv[1:], "loaded": loaded,
         "known": known.VALUE, "parent": os.getppid(), "session": os.getsid(0)}
with open("part", "w") as file:
    json.dump(found, file)
os.rename("part", "found.json")
time.sleep(600)
"""


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module that is a kernel, and one that Python loads at every start."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (folder / "kernel.py").write_text(KERNEL)
    (folder / "known.py").write_text("VALUE = 1\n")
    (folder / "sitecustomize.py").write_text("import known\n")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *sys.path]))
    return folder


@pytest.fixture
def split(modules: Path, tmp_path: Path) -> Iterator[Callable[[str], tuple[SplitKernel, dict[str, Any]]]]:
    """Splits off a kernel in a folder of some name, and says what it finds there."""
    origin, kernels = Origin(), []

    def one(name: str) -> tuple[SplitKernel, dict[str, Any]]:
        folder = tmp_path / name
        folder.mkdir()
        command = [sys.executable, "-m", "kernel", "-f", name]
        kernel = asyncio.run(origin.split(command, str(folder), {"HERE": name}))
        assert kernel is not None
        kernels.append(kernel)
        wait_for((folder / "found.json").exists)
        return kernel, json.loads((folder / "found.json").read_text())

    yield one
    for kernel in kernels:
        kernel.kill()


def wait_for(true: Callable[[], bool]) -> None:
    for _ in range(600):
        if true():
            return
        time.sleep(0.05)
    pytest.fail("it did not happen within half a minute")


def test_each_kernel_has_its_folder_environment_and_session(split: Callable[[str], Any], tmp_path: Path) -> None:
    for name in ("first", "second"):
        kernel, found = split(name)
        assert found["folder"] == str(tmp_path / name)
        assert found["here"] == name
        assert found["arguments"] == ["-f", name]
        assert found["session"] == kernel.pid


def test_a_kernel_finds_the_page_loaded_and_no_torch(split: Callable[[str], Any]) -> None:
    _, found = split("kernel")
    assert found["loaded"] == {"mlxc_app.page.dashboard": True, "ipykernel.ipkernel": True, "torch": False}


def test_kernels_have_most_of_their_memory_together(split: Callable[[str], Any]) -> None:
    first, second = (split(name)[0] for name in ("first", "second"))
    for kernel in (first, second):
        memory = psutil.Process(kernel.pid).memory_full_info()
        assert memory.uss < memory.rss / 2


def test_the_end_of_a_kernel_is_noticed_and_that_of_another_is_not(split: Callable[[str], Any]) -> None:
    first, second = (split(name)[0] for name in ("first", "second"))
    assert first.poll() is None
    first.terminate()
    assert first.wait() == 0
    assert first.poll() == 0
    assert second.poll() is None


def test_changed_code_is_loaded_before_the_next_kernel_and_ends_none(
    split: Callable[[str], Any], modules: Path
) -> None:
    first, before = split("first")
    (modules / "known.py").write_text("VALUE = 2  # of its author\n")
    _, after = split("second")
    assert (before["known"], after["known"]) == (1, 2)
    assert before["parent"] == after["parent"]
    assert first.poll() is None


def test_without_a_process_to_split_there_is_no_kernel(modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(provisioner, "MODULE", "mlxc_app.missing")
    assert asyncio.run(Origin().split([sys.executable, "-m", "kernel"], str(modules), {})) is None


def test_it_ends_with_the_server(modules: Path) -> None:
    server = (
        "from mlxc_app.kernels.provisioner import Origin; import psutil; origin = Origin();"
        "print(psutil.Process().children()[0].pid)"
    )
    told = subprocess.run([sys.executable, "-c", server], capture_output=True, text=True, check=True).stdout
    wait_for(lambda: not psutil.pid_exists(int(told)))
