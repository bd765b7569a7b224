"""Sweeps over solids and functionals: resumed after a kill, on processes and on a Dask cluster, with reports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mlxc import InputError
from mlxc.cli import main
from mlxc.training.evaluation import RESULTS, evaluate
from mlxc.training.evaluation_report import errors_percent, markdown_table, statistics
from mlxc.training.json_lines import read_json_lines
from mlxc.training.solids import read_solids

# One thread each, so that sums are taken in the same order.
ALIKE = ("--processes", "2")
TEACHING = {"ecut_ha": 8.0, "kmesh": [2, 2, 2], "pseudo": "gth"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Two solids, small enough to be computed in a test."""
    names = {"Si_diamond": 5.43, "AlP_b3": 5.45}
    rows = [{"name": name, "lattice_constant_ang": a, "settings": TEACHING} for name, a in names.items()]
    path = tmp_path / "solids.json"
    path.write_text(json.dumps(rows))
    return path


def command(table: Path, folder: Path, *more: str) -> list[str]:
    functionals = ["--xc", "lda", "pbe", "pbesol"]
    return [sys.executable, "-m", "mlxc.cli", "evaluate", str(table), *functionals, "--out", str(folder), *more]


def constants(folder: Path) -> dict[tuple[str, str], float]:
    records = read_json_lines(folder / RESULTS)
    return {(record["solid"], record["xc"]): record["lattice_constant_ang"] for record in records}


def test_a_sweep_that_is_killed_goes_on_and_ends_as_one_that_is_not(table: Path, tmp_path: Path) -> None:
    subprocess.run(command(table, tmp_path / "whole", *ALIKE), check=True)
    victim = subprocess.Popen(command(table, tmp_path / "killed", *ALIKE), start_new_session=True)
    while len(read_json_lines(tmp_path / "killed" / RESULTS)) < 2:
        assert victim.poll() is None
        time.sleep(0.05)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()
    before = (tmp_path / "killed" / RESULTS).read_text().splitlines()
    subprocess.run(command(table, tmp_path / "killed", *ALIKE), check=True)
    after = (tmp_path / "killed" / RESULTS).read_text().splitlines()
    assert after[: len(before)] == before
    ours, theirs = constants(tmp_path / "killed"), constants(tmp_path / "whole")
    assert ours == theirs
    for name in ("results.csv", "results.json", "results.md", "results.png"):
        assert (tmp_path / "killed" / name).stat().st_size > 0


def test_a_dask_cluster_of_this_process_computes_a_sweep(table: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    solids = list(read_solids(table).values())
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        records = evaluate(solids, ["lda"], tmp_path, scheduler=cluster.scheduler_address)
    assert [record["solid"] for record in records] == ["Si_diamond", "AlP_b3"]


def test_a_dask_worker_that_is_killed_loses_nothing(table: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    file = tmp_path / "scheduler.json"
    options = ["--scheduler-file", str(file)]
    dask = [sys.executable, "-m", "distributed.cli.dask_scheduler", *options, "--port", "0", "--no-dashboard"]
    worker = [sys.executable, "-m", "distributed.cli.dask_worker", *options, "--nthreads", "1", "--no-dashboard"]
    processes = [subprocess.Popen(dask, start_new_session=True)]
    try:
        while not file.exists() or not file.read_text():
            time.sleep(0.1)
        processes += [subprocess.Popen(worker, start_new_session=True) for _ in range(2)]
        address = json.loads(file.read_text())["address"]
        sweep = subprocess.Popen(command(table, tmp_path / "sweep", "--scheduler", address))
        while len(read_json_lines(tmp_path / "sweep" / RESULTS)) < 1:
            assert sweep.poll() is None
            time.sleep(0.05)
        os.killpg(processes[1].pid, signal.SIGKILL)
        assert sweep.wait(timeout=300) == 0
    finally:
        for process in processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert len(constants(tmp_path / "sweep")) == 6


def test_a_scheduler_that_is_not_there_is_said(table: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No Dask scheduler"):
        evaluate(list(read_solids(table).values()), ["lda"], tmp_path, scheduler="tcp://127.0.0.1:1")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], "no table of solids"),
        (["sol58lc", "--xc", "nonsense"], "not a known functional"),
        (["sol58lc", "--solids", "gold"], "gold"),
        (["sol58lc", "--processes", "0"], "at least one"),
    ],
)
def test_bad_input_is_a_sentence(
    arguments: list[str], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *arguments, "--out", str(tmp_path)]) == 2
    assert words in capsys.readouterr().err


def test_errors_are_relative_and_solids_without_a_reference_are_left_out() -> None:
    records = [
        {"solid": "a", "xc": "x", "references": {"lattice_constant_ang": 4.0}, "lattice_constant_ang": 4.04},
        {"solid": "b", "xc": "x", "references": {"lattice_constant_ang": 5.0}, "lattice_constant_ang": 4.95},
        {"solid": "c", "xc": "x", "references": {}, "lattice_constant_ang": 4.95},
        {"solid": "d", "xc": "x", "references": {"lattice_constant_ang": 5.0}, "message": "failed"},
    ]
    errors = errors_percent(records)["x"]
    assert errors == pytest.approx({"a": 1.0, "b": -1.0})
    assert statistics(errors) == pytest.approx({"count": 2, "mean": 0, "mean_absolute": 1, "largest": 1})
    assert "| d | 5 | - |" in markdown_table(records)
