"""A run lives in a folder and a process of its own: watched, stopped or killed, it loses nothing that is written."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mlxc import Calculation, EquationOfStateTask, GroundState
from mlxc.errors import InputError
from mlxc.runs.client import stop_run
from mlxc.runs.folder import RunFolder
from mlxc.runs.kept import find_run, kept_runs
from mlxc.runs.limits import Limits
from mlxc.runs.locks import lock, slot
from mlxc.runs.worker import execute

QUICK = {"structure": "si", "ecut_ha": 5, "kmesh": [2, 2, 2]}


def folder_for(data: dict[str, object], root: Path) -> RunFolder:
    return RunFolder.create(Calculation.from_dict(data), "A test: 100 %", root)


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def test_a_run_writes_its_steps_its_result_and_its_state(tmp_path: Path) -> None:
    folder = folder_for(QUICK, tmp_path)
    assert folder.status["state"] == "queued"
    execute(folder)
    records, _ = folder.records()
    result = folder.result
    assert result is not None
    assert folder.status["state"] == "finished"
    steps = [record["iteration"] for record in records if record["kind"] == "iteration"]
    assert steps == list(range(1, result["iterations"] + 1))
    stages = [record["words"] for record in records if record["kind"] == "stage"]
    assert stages[0] == "Reading the pseudopotentials"
    assert stages[-1] == "Saving the state"
    times = [record["elapsed_seconds"] for record in records]
    assert times == sorted(times)
    loaded = GroundState.load(folder.ground_state_path)
    assert float(loaded.energy) == result["free_energy_ha"]
    assert float(loaded.basis.grid.integrate(loaded.density).sum()) == pytest.approx(8)


def test_a_run_keeps_the_potential_of_its_functional_beside_that_of_pbe(tmp_path: Path) -> None:
    folder = folder_for(QUICK | {"xc": "lda", "pseudo": "gth"}, tmp_path)
    execute(folder)
    with h5py.File(folder.ground_state_path) as file:
        density, own, pbe = (file[name][()] for name in ("density", "xc_potential_ha", "pbe_xc_potential_ha"))
    assert own.shape == pbe.shape == density.shape
    # Slater's exchange potential is -(3 n / pi)^(1/3), and correlation adds 10 to 20 %; GTH's silicon has no core.
    exchange = -((3 * density.sum(0) / np.pi) ** (1 / 3))
    dense = density.sum(0) > 0.02
    assert (own[0] / exchange)[dense] == pytest.approx(1.15, abs=0.05)
    assert np.abs(own - pbe)[:, dense].max() < 0.1
    assert np.abs(own - pbe).max() > 1e-3
    assert float(GroundState.load(folder.ground_state_path).energy) < 0


def test_a_run_with_pbe_has_nothing_to_compare(tmp_path: Path) -> None:
    folder = folder_for(QUICK, tmp_path)
    execute(folder)
    with h5py.File(folder.ground_state_path) as file:
        assert "xc_potential_ha" not in file


@pytest.mark.thorough
def test_an_equation_of_state_tells_which_volume_each_step_belongs_to(tmp_path: Path) -> None:
    task = EquationOfStateTask.from_dict({"calculation": {"structure": "si", "ecut_ha": 12}, "points": 5})
    folder = RunFolder.create(task, "silicon", tmp_path)
    execute(folder)
    records, _ = folder.records()
    assert [record["index"] for record in records if record["kind"] == "point"] == list(range(5))
    assert {record["point"] for record in records if record["kind"] == "iteration"} == set(range(5))
    assert folder.result is not None
    assert folder.result["lattice_constant_ang"] == pytest.approx(5.47, abs=0.05)


def test_a_half_written_line_is_left_for_later(tmp_path: Path) -> None:
    folder = folder_for(QUICK, tmp_path)
    folder.append({"iteration": 1})
    with open(folder.path / "records.jsonl", "a") as file:
        file.write('{"iteration": 2')
    first, offset = folder.records()
    with open(folder.path / "records.jsonl", "a") as file:
        file.write("}\n")
    second, _ = folder.records(offset)
    assert (first, second) == ([{"iteration": 1}], [{"iteration": 2}])


def test_two_runs_of_the_same_second_get_folders_of_their_own(tmp_path: Path) -> None:
    assert len({folder_for(QUICK, tmp_path).path for _ in range(3)}) == 3


def test_input_that_fails_later_is_told_in_one_sentence(tmp_path: Path) -> None:
    folder = folder_for(QUICK | {"pseudo": "no-such-family"}, tmp_path)
    execute(folder)
    assert folder.status["state"] == "failed"
    assert "no-such-family" in folder.status["message"]


def test_a_run_is_computed_once_and_not_after_it_was_stopped(tmp_path: Path) -> None:
    folder = folder_for(QUICK, tmp_path)
    with lock(folder.path / "lock"):
        execute(folder)
    assert folder.status["state"] == "queued"
    stop_run(folder)
    execute(folder)
    assert folder.status["state"] == "stopped"
    assert folder.records() == ([], 0)


@pytest.mark.parametrize(
    ("records", "words"),
    [
        ([], "no step had been done."),
        ([{"kind": "stage", "words": "Setting up"}], "no step had been done."),
        ([{"kind": "stage", "words": "Setting up"}, {"kind": "iteration"}], "the steps so far are kept."),
    ],
)
@pytest.mark.parametrize("stopped", [True, False])
def test_a_run_that_ended_early_says_whether_anything_is_kept(
    tmp_path: Path, records: list[dict[str, Any]], words: str, stopped: bool
) -> None:
    folder = folder_for(QUICK, tmp_path)
    folder.set_status("running")
    folder.note(pid=None)
    for record in records:
        folder.append(record)
    if stopped:
        folder.request_stop()
    status = folder.status
    assert status["state"] == ("stopped" if stopped else "failed")
    assert status["message"].endswith(words)


def test_a_run_waits_for_a_place_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLXC_MAX_RUNS", "1")
    folder = folder_for(QUICK, tmp_path)

    with slot(tmp_path / "slots", "a run of somebody", nobody):
        thread = threading.Thread(target=execute, args=(folder,))
        thread.start()
        wait_for(lambda: "Number 1 in line" in folder.status["message"])
        assert "now computed: 1 other run" in folder.status["message"]
    thread.join()
    assert folder.status["state"] == "finished"


def nobody(number: int, holders: list[str]) -> None:
    raise AssertionError("there is a place")


def test_places_are_given_in_the_order_in_which_runs_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLXC_MAX_RUNS", "1")
    monkeypatch.setattr("mlxc.runs.locks.WAIT_SECONDS", 0.01)
    numbers: dict[str, int] = {}
    done: list[str] = []

    def wait_and_work(name: str) -> None:
        with slot(tmp_path / "slots", name, lambda number, holders: numbers.update({name: number})):
            done.append(name)

    threads = [threading.Thread(target=wait_and_work, args=(name,)) for name in ("first", "second", "third")]
    with slot(tmp_path / "slots", "before all", nobody):
        for number, thread in enumerate(threads, start=1):
            thread.start()
            wait_for(lambda: len(numbers) == number)  # noqa: B023 - called at once
        assert numbers == {"first": 1, "second": 2, "third": 3}
    for thread in threads:
        thread.join()
    assert done == ["first", "second", "third"]
    assert not list((tmp_path / "slots" / "line").iterdir())


def test_who_has_gone_away_holds_nobody_up(tmp_path: Path) -> None:
    line = tmp_path / "slots" / "line"
    line.mkdir(parents=True)
    (line / "00000000000000000001-1-1").touch()
    with slot(tmp_path / "slots", "a run", nobody):
        assert not list(line.iterdir())


def test_a_run_that_takes_too_long_is_stopped_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLXC_MAX_SECONDS", "0.001")
    folder = folder_for(QUICK, tmp_path)
    execute(folder)
    assert folder.status["state"] == "stopped"
    assert "longest time" in folder.status["message"]
    assert [record["kind"] for record in folder.records()[0]].count("iteration") == 1


@pytest.mark.parametrize(("name", "value", "word"), [("ECUT", "4", "cutoff"), ("ATOMS", "1", "2 atoms")])
def test_what_a_server_does_not_allow_is_told(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, word: str
) -> None:
    calculation = Calculation.from_dict(QUICK)
    Limits.from_environment().check(calculation)
    monkeypatch.setenv(f"MLXC_MAX_{name}", value)
    with pytest.raises(InputError, match=word):
        Limits.from_environment().check(calculation)
    monkeypatch.setenv(f"MLXC_MAX_{name}", "many")
    with pytest.raises(InputError, match="many"):
        Limits.from_environment()


def test_a_run_is_renamed_and_deleted_and_nothing_else_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLXC_RUNS", str(tmp_path / "runs"))
    folder = RunFolder.create(Calculation.from_dict(QUICK), "silicon", owner="somebody")
    folder.rename("  the   first ")
    assert (folder.title, folder.owner) == ("the first", "somebody")
    assert folder.task == Calculation.from_dict(QUICK)
    with pytest.raises(InputError, match="between 1 and"):
        folder.rename(" ")
    assert kept_runs() == [find_run(folder.path.name)]
    folder.set_status("running")
    with pytest.raises(InputError, match="stop it"):
        folder.delete()
    folder.set_status("stopped")
    elsewhere = folder_for(QUICK, tmp_path)
    for name in (f"../{elsewhere.path.name}", str(elsewhere.path), "", "."):
        with pytest.raises(InputError, match="no run"):
            find_run(name)
    with pytest.raises(InputError, match="not a run"):
        elsewhere.delete()
    folder.delete()
    assert kept_runs() == []
    assert elsewhere.exists
