"""Sweeps over solids and functionals: resumed after a kill, on processes and on a Dask cluster, with reports."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from dask_cluster import dask_cluster

from mlxc import InputError, MlxcError
from mlxc.cli import main
from mlxc.frozen import curve
from mlxc.solids.table import Solid, prototype, read_solids
from mlxc.training import evaluation
from mlxc.training.evaluation import RESULTS, Job, Record, compute, evaluate
from mlxc.training.evaluation_report import errors_percent, markdown_tables, statistics, summary, write_report
from mlxc.utils import job_pool
from mlxc.utils.json_lines import read_json_lines
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.identity import identity_of

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
    functionals = ["--xc", "lda", "pbe"]
    return [sys.executable, "-m", "mlxc.cli", "evaluate", str(table), *functionals, "--out", str(folder), *more]


def constants(folder: Path) -> dict[tuple[str, str], float]:
    records = read_json_lines(folder / RESULTS)
    return {(record["solid"], record["xc"]): record["lattice_constant_ang"] for record in records}


@pytest.mark.slow
@pytest.mark.process
def test_a_sweep_that_is_killed_goes_on_and_ends_as_one_that_is_not(table: Path, tmp_path: Path) -> None:
    subprocess.run(command(table, tmp_path / "whole", *ALIKE), check=True)
    victim = subprocess.Popen(command(table, tmp_path / "killed", *ALIKE))
    while len(read_json_lines(tmp_path / "killed" / RESULTS)) < 2:
        assert victim.poll() is None
        time.sleep(0.05)
    workers = psutil.Process(victim.pid).children(recursive=True)
    assert len(workers) >= 2
    victim.kill()
    victim.wait()
    assert psutil.wait_procs(workers, timeout=20)[1] == []
    before = (tmp_path / "killed" / RESULTS).read_text().splitlines()
    subprocess.run(command(table, tmp_path / "killed", *ALIKE), check=True)
    after = (tmp_path / "killed" / RESULTS).read_text().splitlines()
    assert after[: len(before)] == before
    ours, theirs = constants(tmp_path / "killed"), constants(tmp_path / "whole")
    assert ours == theirs
    for name in ("results.csv", "results.json", "results.md", "results.png"):
        assert (tmp_path / "killed" / name).stat().st_size > 0


@pytest.mark.slow
@pytest.mark.process
def test_a_dask_cluster_of_this_process_computes_a_sweep(table: Path, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    solids = list(read_solids(table).values())
    with distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster:
        records = evaluate(solids, ["lda"], tmp_path, scheduler=cluster.scheduler_address)
    assert [record["solid"] for record in records] == ["Si_diamond", "AlP_b3"]


@pytest.mark.process
def test_a_dask_worker_that_is_killed_loses_nothing(table: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    with dask_cluster(tmp_path) as cluster:
        sweep = subprocess.Popen(command(table, tmp_path / "sweep", "--scheduler", cluster.address))
        while len(read_json_lines(tmp_path / "sweep" / RESULTS)) < 1:
            assert sweep.poll() is None
            time.sleep(0.05)
        cluster.kill_worker(0)
        assert sweep.wait(timeout=300) == 0
    assert len(constants(tmp_path / "sweep")) == 4


@pytest.mark.thorough
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
        (["n" * 300], "too long"),
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
    errors = errors_percent(records, "lattice_constant_ang")["x"]
    assert errors == pytest.approx({"a": 1.0, "b": -1.0})
    assert statistics(errors, 3) == pytest.approx({"count": 2, "of": 3, "mean": 0, "mean_absolute": 1, "largest": 1})
    assert "| d | 5 | - |" in markdown_tables(records)


def aluminium(**more: Any) -> Solid:
    return Solid("Al_fcc", prototype("Al_fcc", 4.05), settings=TEACHING, **({"references": {}} | more))


class FakeSweep:
    """Computes nothing: a list of what was asked for, and what each job gives."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.message = ""
        self.dies: set[str] = set()

    def submit(self, job: Job) -> Future[Record]:
        self.asked.append(job.solid.name)
        future: Future[Record] = Future()
        if job.solid.name in self.dies:
            future.set_exception(BrokenProcessPool())
        else:
            found = {} if self.message else {"lattice_constant_ang": 4.0, "volume_ang3": 16.0}
            future.set_result(job.labels | {"message": self.message, "seconds": 0.0} | found)
        return future

    @contextmanager
    def executor(self, *_: object) -> Iterator[Callable[[Job], Future[Record]]]:
        yield self.submit


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeSweep:
    sweep = FakeSweep()
    monkeypatch.setattr(job_pool, "_executor", sweep.executor)
    return sweep


def test_references_are_those_of_the_table_now(fake: FakeSweep, tmp_path: Path) -> None:
    for value in (80.0, 76.0):
        (record,) = evaluate([aluminium(references={"bulk_modulus_gpa": value})], ["lda"], tmp_path)
        assert record["references"] == {"bulk_modulus_gpa": value}
    assert len(fake.asked) == 1


def test_what_failed_is_tried_again_and_recorded_once(fake: FakeSweep, tmp_path: Path) -> None:
    fake.message = "It did not converge."
    assert evaluate([aluminium()], ["lda"], tmp_path)[0]["message"] == fake.message
    fake.message = ""
    assert evaluate([aluminium()], ["lda"], tmp_path)[0]["message"] == ""
    assert [record["message"] for record in read_json_lines(tmp_path / RESULTS)] == [""]
    assert len(fake.asked) == 2


def test_everything_is_computed_and_reported_once_and_rigid_solids_never(fake: FakeSweep, tmp_path: Path) -> None:
    atom = Solid("Al_sc", prototype("Al_sc", 8.0), {}, rigid=True)
    records = evaluate([aluminium(), atom, aluminium()], ["pbe", "lda", "pbe"], tmp_path)
    assert [(record["solid"], record["xc"]) for record in records] == [("Al_fcc", "pbe"), ("Al_fcc", "lda")]
    with pytest.raises(InputError, match="rigid"):
        evaluate([atom], ["pbe"], tmp_path)


def test_a_dead_worker_loses_nothing_but_its_own_result(fake: FakeSweep, tmp_path: Path) -> None:
    silicon = Solid("Si_diamond", prototype("Si_diamond", 5.4), {}, TEACHING)
    fake.dies = {"Al_fcc"}
    with pytest.raises(MlxcError, match="BrokenProcessPool"):
        evaluate([aluminium(), silicon], ["lda"], tmp_path)
    assert [record["solid"] for record in read_json_lines(tmp_path / RESULTS)] == ["Si_diamond"]


def test_an_unexpected_exception_is_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the matrix\nis singular.")

    monkeypatch.setattr(evaluation, "compute_curve", fail)
    record = compute(Job.of(aluminium(), "lda"))
    assert record["message"] == "Al_fcc ended with RuntimeError: the matrix is singular."


def test_an_element_without_a_pseudopotential_is_a_record() -> None:
    solid = Solid("Eu_bcc", prototype("Eu_bcc", 4.6), {}, {"pseudo": "pseudodojo"})
    assert "has no Eu" in compute(Job.of(solid, "pbe"))["message"]


def test_another_pseudopotential_or_protocol_is_another_job(monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job.of(aluminium(), "lda")
    assert job.pseudopotentials == {"Al": "GTH-PADE-q3"}
    other = Solid("Al_fcc", prototype("Al_fcc", 4.05), {}, TEACHING | {"pseudo": "pseudodojo"})
    assert Job.of(other, "lda").identity != job.identity
    monkeypatch.setattr(curve, "TOLERANCE", 1e-7)
    assert Job.of(aluminium(), "lda").identity != job.identity


def test_bad_lines_are_skipped(fake: FakeSweep, tmp_path: Path) -> None:
    evaluate([aluminium()], ["lda"], tmp_path)
    good = (tmp_path / RESULTS).read_bytes()
    (tmp_path / RESULTS).write_bytes(
        b'{"torn\n[1]\n\xff\n{"solid": "x"}\n{"identity": []}\n' + b"[" * 100_000 + b"\n" + good
    )
    evaluate([aluminium()], ["lda"], tmp_path)
    assert (tmp_path / RESULTS).read_bytes() == good
    assert len(fake.asked) == 1


def test_reports_hold_names_of_pseudopotentials_and_no_nan(fake: FakeSweep, tmp_path: Path) -> None:
    fake.message = "It did not converge."
    write_report(evaluate([aluminium()], ["lda"], tmp_path), tmp_path)
    content = json.loads((tmp_path / "results.json").read_text(), parse_constant=pytest.fail)
    assert content["summary"]["lattice_constant_ang"]["lda"]["mean"] is None
    assert content["results"][0]["pseudopotentials"] == {"Al": "GTH-PADE-q3"}
    assert "Al=GTH-PADE-q3" in (tmp_path / "results.csv").read_text()


def test_solids_without_a_lattice_constant_are_judged_by_their_volume(tmp_path: Path) -> None:
    common = {"xc": "x", "message": "", "pseudopotentials": {}}
    records = [
        {"solid": "a", "references": {"lattice_constant_ang": 4.0}, "lattice_constant_ang": 4.04, "volume_ang3": 66.0},
        {"solid": "b", "references": {"volume_ang3": 50.0}, "volume_ang3": 51.0},
    ]
    records = [common | record for record in records]
    means = {quantity: found["x"]["mean"] for quantity, found in summary(records).items()}
    assert means == pytest.approx({"lattice_constant_ang": 1.0, "volume_ang3": 2.0})
    assert "| b | 50 | +2.00 |" in markdown_tables(records)
    write_report(records, tmp_path)


@pytest.mark.parametrize("command", [["evaluate", "sol58lc"], ["train", "scripts/training/kappa-mu.yaml"]])
@pytest.mark.parametrize("folder", ["file", "file/below", "/proc/x"])
def test_a_folder_that_cannot_be_is_a_sentence(
    command: list[str], folder: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main([*command, "--out", str(tmp_path / folder)]) == 2
    assert capsys.readouterr().err.startswith("mlxc: --out: ")


@pytest.mark.thorough
def test_a_network_is_evaluated_and_recorded_as_itself(fake: FakeSweep, tmp_path: Path) -> None:
    first, second = (NeuralEnhancement("lda", (4,), seed=seed) for seed in (1, 2))
    (record,) = evaluate([aluminium()], [first], tmp_path)
    assert record["xc"] == "NeuralEnhancement"
    assert len({Job.of(aluminium(), xc).identity for xc in (first, second, "pbe")}) == 3
    with pytest.raises(InputError, match="Two functionals are called 'NeuralEnhancement'"):
        evaluate([aluminium()], [first, second], tmp_path)
    cheap = Solid("Si_diamond", prototype("Si_diamond", 5.43), {}, TEACHING | {"ecut_ha": 4.0, "kmesh": [1, 1, 1]})
    found = compute(Job.of(cheap, first))
    assert found["functional"] == identity_of(first).to_dict()
