"""Runs of a page that the workers of a Dask cluster compute: told, stopped, and begun again when a worker is lost."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import psutil
import pytest
from dask_cluster import Cluster, dask_cluster

import mlxc
from mlxc import Calculation
from mlxc.runs.client import RELAY_MODULE, Workers, stop_run
from mlxc.runs.cluster.address import SCHEDULER_VARIABLE
from mlxc.runs.cluster.parcel import Parcel, results_in
from mlxc.runs.folder import ENDED, RunFolder
from mlxc.runs.worker import execute
from mlxc.utils.assets import asset_path

QUICK = {"structure": "si", "ecut_ha": 5, "kmesh": [2, 2, 2]}
# Some ten steps of a second, and many of several seconds.
SLOW = {"structure": "al", "ecut_ha": 15, "kmesh": [6, 6, 6], "tolerance": 1e-9}
ENDLESS = {"structure": "al", "ecut_ha": 25, "kmesh": [8, 8, 8], "tolerance": 1e-13}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    with dask_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def workers(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workers]:
    monkeypatch.setenv(SCHEDULER_VARIABLE, cluster.address)
    monkeypatch.setenv("MLXC_MAX_RUNS", "1")
    page = Workers(tmp_path, tmp_path / "log")
    yield page
    page.close()
    wait_for(lambda: not relays(tmp_path))


def relays(directory: Path) -> list[psutil.Process]:
    """The processes that hand the runs of a directory to a cluster."""
    alive = [p for p in psutil.process_iter(["cmdline", "status"]) if p.info["status"] != psutil.STATUS_ZOMBIE]
    return [p for p in alive if {RELAY_MODULE, str(directory)} <= set(p.info["cmdline"] or [])]


def wait_for(condition: Callable[[], Any], seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def submitted(data: dict[str, Any], workers: Workers, directory: Path) -> RunFolder:
    folder = RunFolder.create(Calculation.from_dict(data), "A test", directory)
    workers.submit(folder)
    return folder


@pytest.mark.process
def test_a_run_that_a_cluster_computes_is_told_as_one_that_is_computed_here(workers: Workers, tmp_path: Path) -> None:
    checkpoint = tmp_path / "brought.safetensors"
    shutil.copyfile(asset_path("checkpoints") / "solids-gga.safetensors", checkpoint)
    folder = submitted(QUICK | {"xc": str(checkpoint)}, workers, tmp_path)
    wait_for(lambda: workers.ready)
    assert workers.words.startswith("Ready to run on the Dask cluster at tcp://")
    wait_for(lambda: folder.status["state"] in ENDED)
    assert folder.status["state"] == "finished", folder.status["message"]
    assert folder.status["where"].startswith("on ")
    here = RunFolder.create(folder.task, "here", tmp_path)
    execute(here)
    assert folder.result is not None
    assert here.result is not None
    assert folder.result["free_energy_ha"] == pytest.approx(here.result["free_energy_ha"], abs=1e-9)
    assert folder.result["calculation"] == here.result["calculation"]
    # By rounding, one of them may need a step more.
    kinds = [[kind for kind, _ in groupby(record["kind"] for record in run.records()[0])] for run in (folder, here)]
    assert kinds[0] == kinds[1]
    assert mlxc.SavedState.load(folder.ground_state_path).density.shape[0] == 1


@pytest.mark.process
def test_stop_reaches_the_cluster_and_keeps_the_steps(workers: Workers, tmp_path: Path) -> None:
    folder = submitted(ENDLESS, workers, tmp_path)
    wait_for(lambda: any(record["kind"] == "iteration" for record in folder.records()[0]))
    began = time.monotonic()
    stop_run(folder)
    wait_for(lambda: folder.status["state"] in ENDED, seconds=10)
    print(f"stopped after {time.monotonic() - began:.1f} s")
    assert folder.status["state"] == "stopped"
    assert any(record["kind"] == "iteration" for record in folder.records()[0])


@pytest.mark.process
def test_a_run_whose_worker_is_killed_begins_again_on_another_one(
    workers: Workers, cluster: Cluster, tmp_path: Path
) -> None:
    from distributed import Client

    folder = submitted(SLOW, workers, tmp_path)
    wait_for(lambda: any(record["kind"] == "iteration" for record in folder.records()[0]))
    with Client(cluster.address) as client:
        pids = client.run(lambda: __import__("os").getpid())
    assert len(pids) == 2
    before = folder.status["worker"]
    number = next(n for n, worker in enumerate(cluster.workers) if _is_within(pids[before], worker.pid))
    cluster.kill_worker(number)
    wait_for(lambda: folder.status["state"] in ENDED)
    status = folder.status
    assert status["state"] == "finished", status["message"]
    assert status["attempt"] == 2
    assert status["worker"] != before
    assert status["where"].startswith("begun again on ")
    assert "was lost, and the run began again on" in status["message"]
    steps = [record["iteration"] for record in folder.records()[0] if record["kind"] == "iteration"]
    assert steps == list(range(1, len(steps) + 1))
    here = RunFolder.create(folder.task, "here", tmp_path)
    execute(here)
    assert folder.result is not None
    assert here.result is not None
    assert folder.result["free_energy_ha"] == pytest.approx(here.result["free_energy_ha"], abs=1e-11)


def _is_within(pid: int, ancestor: int) -> bool:
    return any(process.pid == ancestor for process in (psutil.Process(pid), *psutil.Process(pid).parents()))


@pytest.mark.process
def test_a_cluster_that_is_not_there_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SCHEDULER_VARIABLE, "tcp://127.0.0.1:1")
    page = Workers(tmp_path)
    folder = submitted(QUICK, page, tmp_path)
    wait_for(lambda: page.words)
    assert page.words.startswith("No Dask scheduler answers at 'tcp://127.0.0.1:1'")
    wait_for(lambda: folder.status["state"] in ENDED)
    assert folder.status["state"] == "failed"
    assert folder.status["message"].startswith("No Dask scheduler answers")
    page.close()
    wait_for(lambda: not relays(tmp_path))


def test_a_parcel_carries_the_files_that_a_task_reads(tmp_path: Path) -> None:
    checkpoint = tmp_path / "brought.safetensors"
    shutil.copyfile(asset_path("checkpoints") / "solids-gga.safetensors", checkpoint)
    folder = RunFolder.create(Calculation.from_dict(QUICK | {"xc": str(checkpoint)}), "A test", tmp_path, owner="ada")
    parcel = Parcel.of(folder)
    there = parcel.unpack(tmp_path / "there")
    assert there.owner == ""
    task = there.task
    assert isinstance(task, Calculation)
    assert task.xc == str(there.path / "brought.safetensors")
    assert Path(task.xc).read_bytes() == checkpoint.read_bytes()
    there.write_result({"converged": True})
    assert list(results_in(there, parcel)) == ["result.json"]


def test_what_has_begun_again_has_told_nothing_yet(tmp_path: Path) -> None:
    folder = RunFolder.create(Calculation.from_dict(QUICK), "A test", tmp_path)
    folder.append({"kind": "iteration"})
    folder.begin_again("on worker b", "Worker a was lost.")
    assert folder.records() == ([], 0)
    assert folder.status["attempt"] == 2
