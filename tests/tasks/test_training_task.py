"""A training as a run: records, stop, pause, another rate, exports, and the same functional on the command line."""

from __future__ import annotations

import errno
import io
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from mlxc_app.run.take_away_model import offer_of
from support import Outcome

from mlxc.errors import InputError
from mlxc.export.archive import write_archive
from mlxc.export.reopening import open_archive
from mlxc.export.script import python_script
from mlxc.export.training import configuration_file
from mlxc.runs.folder import RunFolder
from mlxc.runs.worker import execute
from mlxc.tasks.training.control import Control
from mlxc.tasks.training.presentation import (
    PAUSED,
    START,
    STEP,
    overfitted_in_words,
    training_outcome,
    training_sentence,
)
from mlxc.tasks.training.task import CHECKPOINT_FILE, TrainingTask, trained_checkpoint
from mlxc.utils.full_disk import RESERVE_FILE, is_full_disk
from mlxc.xc.checkpoint import load_checkpoint, save_checkpoint
from mlxc.xc.gga import PBE


def task(**more: Any) -> TrainingTask:
    config = {"name": "test", "start": "pbe-kappa-mu", "train": ["Si_diamond", "Al_fcc"], "rounds": 1}
    return TrainingTask.from_dict({"config": config | {"optimiser": {"rate": 0.01, "steps": 8}} | more})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., RunFolder]:
    monkeypatch.setenv("MLXC_RUNS", str(tmp_path / "runs"))

    def make(**more: Any) -> RunFolder:
        return RunFolder.create(task(**more), "a training")

    return make


def executed(folder: RunFolder, meanwhile: Callable[[], None]) -> list[dict[str, Any]]:
    """The records of a run during which something happens."""
    beside = threading.Thread(target=meanwhile)
    beside.start()
    execute(folder)
    beside.join()
    return steps_of(folder)


def steps_of(folder: RunFolder) -> list[dict[str, Any]]:
    return [record for record in folder.records()[0] if record["kind"] == STEP]


def wait_for(folder: RunFolder, steps: int, kind: str = STEP) -> None:
    while sum(record["kind"] == kind for record in folder.records()[0]) < steps:
        time.sleep(0.005)


def same_weights(first: Path, second: Path, tolerance: float = 0.0) -> bool:
    pairs = zip(load_checkpoint(first).parameters(), load_checkpoint(second).parameters(), strict=True)
    return all(torch.allclose(ours, theirs, rtol=0, atol=tolerance) for ours, theirs in pairs)


def test_a_run_tells_what_it_begins_with_and_each_step(run: Callable[..., RunFolder]) -> None:
    folder = run(test=["Cu_fcc"])
    execute(folder)
    assert folder.status["state"] == "finished", folder.status
    records, _ = folder.records()
    (start,) = (record for record in records if record["kind"] == START)
    assert len(start["known"]["PBE"][0]) == len(start["s"])
    assert start["known"]["PBE"] == start["enhancement"]
    assert [step["step"] for step in steps_of(folder)] == list(range(8))
    assert folder.result is not None
    assert folder.result["parameters"]["kappa"] != pytest.approx(0.804)
    assert training_outcome(folder.result).startswith("test: ")
    assert [step["done"] for step in steps_of(folder)] == [(number + 1) / 8 for number in range(8)]
    # The loss falls to the end, so that what is kept is what the last step has led to.
    assert (folder.result["kept_step"], folder.result["last_step"]) == (8, 7)
    assert "kept: the last" in training_sentence(folder.result)
    # What it was before stands beside what it has become.
    before, after = folder.result["metrics_before"], folder.result["metrics"]
    key = "training_mean_absolute_error_percent_of_lattice_constant_ang"
    first = [abs(steps_of(folder)[0]["errors"][name]["lattice_constant_ang"]) for name in task().config.train]
    assert before[key] == pytest.approx(sum(first) / len(first))
    assert after[key] < before[key]
    assert f"{after[key]:.2f} % (before: {before[key]:.2f} %)" in training_sentence(folder.result)


def test_the_command_line_comes_to_the_same_functional(
    run: Callable[..., RunFolder], tmp_path: Path, mlxc_command: Callable[..., Outcome]
) -> None:
    folder = run()
    execute(folder)
    (name, content), *_ = configuration_file(folder).items()
    (tmp_path / name).write_text(str(content))
    assert mlxc_command("train", str(tmp_path / name), "--out", "again").code == 0
    assert same_weights(folder.path / CHECKPOINT_FILE, tmp_path / "again" / "model.safetensors", 1e-12)


def test_the_script_keeps_the_same_functional(
    run: Callable[..., RunFolder], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run()
    execute(folder)
    monkeypatch.chdir(tmp_path)
    exec(python_script(folder), {})
    assert same_weights(folder.path / CHECKPOINT_FILE, tmp_path / "trained" / CHECKPOINT_FILE, 1e-12)


@pytest.mark.thorough
def test_a_rate_that_is_changed_and_a_stop_are_part_of_the_configuration(
    run: Callable[..., RunFolder], tmp_path: Path, mlxc_command: Callable[..., Outcome]
) -> None:
    folder = run(optimiser={"rate": 0.01, "steps": 100_000})

    def meanwhile() -> None:
        wait_for(folder, 3)
        Control(rate=0.002).write(folder.path)
        wait_for(folder, len(steps_of(folder)) + 5)
        folder.request_stop()

    steps = executed(folder, meanwhile)
    assert folder.status["state"] == "stopped"
    assert {step["rate"] for step in steps} == {0.01, 0.002}
    (name, content), *_ = configuration_file(folder).items()
    (tmp_path / name).write_text(str(content))
    assert mlxc_command("train", str(tmp_path / name), "--out", "again").code == 0
    assert same_weights(folder.path / CHECKPOINT_FILE, tmp_path / "again" / "model.safetensors", 1e-12)


@pytest.mark.thorough
def test_a_pause_waits_and_changes_nothing(run: Callable[..., RunFolder]) -> None:
    undisturbed, paused = run(optimiser={"rate": 0.01, "steps": 40}), run(optimiser={"rate": 0.01, "steps": 40})
    execute(undisturbed)
    waited: list[int] = []

    def meanwhile() -> None:
        wait_for(paused, 3)
        Control(paused=True).write(paused.path)
        wait_for(paused, 1, PAUSED)
        for _ in range(2):
            waited.append(len(steps_of(paused)))
            time.sleep(0.3)
        Control().write(paused.path)

    steps = executed(paused, meanwhile)
    assert waited[0] == waited[1] < 40
    assert len(steps) == 40
    assert same_weights(undisturbed.path / CHECKPOINT_FILE, paused.path / CHECKPOINT_FILE)


@pytest.mark.thorough
def test_a_paused_training_can_be_stopped(run: Callable[..., RunFolder]) -> None:
    folder = run(optimiser={"rate": 0.01, "steps": 100_000})

    def meanwhile() -> None:
        wait_for(folder, 2)
        Control(paused=True).write(folder.path)
        wait_for(folder, 1, PAUSED)
        folder.request_stop()

    executed(folder, meanwhile)
    assert folder.status["state"] == "stopped"
    assert (folder.path / CHECKPOINT_FILE).exists()


def test_one_that_diverges_has_not_converged_and_keeps_the_best(run: Callable[..., RunFolder]) -> None:
    folder = run(optimiser={"rate": 100.0, "steps": 20})
    execute(folder)
    assert folder.status["state"] == "not converged"
    assert folder.status["message"].startswith("The training diverged")
    assert float(next(load_checkpoint(folder.path / CHECKPOINT_FILE).parameters()).detach()) == pytest.approx(0.804)
    assert "of step 0, is kept" in folder.status["message"]
    assert folder.result is not None
    assert "kept: step 0, kappa = 0.8040" in training_sentence(folder.result)
    assert {step["best_step"] for step in steps_of(folder)} == {0}


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"training": 0.12, "test": 1.44}, "12 times worse: it is overfitted. Learn from more solids, give"),
        ({"training": 1e-9, "test": 0.42}, " 4 times worse"),
        ({"training": 0.04, "validation": 0.49, "test": 0.3}, "overfitted. Learn from more solids, or let"),
        ({"training": 0.3, "test": 0.6}, ""),
        ({"training": 0.001, "test": 0.05}, ""),
        ({"training": 0.3}, ""),
        ({"training": 0.0, "test": 0.6}, " 6 times worse"),
        ({"training": 0.0, "test": 0.3}, ""),
        ({}, ""),
    ],
)  # fmt: skip
def test_one_that_is_overfitted_is_called_so(metrics: dict[str, float], words: str) -> None:
    named = {f"{name}_mean_absolute_error_percent_of_lattice_constant_ang": error for name, error in metrics.items()}
    found = overfitted_in_words({"skipped": 0.0, **named})
    assert words in found
    assert bool(found) == bool(words)


def test_files_are_taken_away_and_an_archive_opens_again(run: Callable[..., RunFolder]) -> None:
    folder = run()
    execute(folder)
    assert {"checkpoint", "yaml", "json", "csv"} <= {name for name, _, _ in offer_of(folder).kinds}
    content = io.BytesIO()
    write_archive(folder, content)
    again = open_archive(content, "training.zip")
    assert again.task == folder.task
    assert same_weights(again.path / CHECKPOINT_FILE, folder.path / CHECKPOINT_FILE)


def test_one_that_was_ended_between_rounds_has_the_functional_of_the_last(run: Callable[..., RunFolder]) -> None:
    folder = run()
    execute(folder)
    (folder.path / CHECKPOINT_FILE).unlink()
    assert trained_checkpoint(folder.path) == folder.path / "training" / "round-0.safetensors"
    assert "checkpoint" in {name for name, _, _ in offer_of(folder).kinds}
    assert trained_checkpoint(folder.path.parent) is None


def test_an_archive_with_a_table_of_its_own_is_refused(run: Callable[..., RunFolder], tmp_path: Path) -> None:
    folder = run()
    data = json.loads((folder.path / "task.json").read_text())
    data["config"]["solids"] = "/etc/passwd.csv"
    (folder.path / "task.json").write_text(json.dumps(data))
    content = io.BytesIO()
    write_archive(folder, content)
    with pytest.raises(InputError, match="table of solids of its own"):
        open_archive(content, "training.zip")


def test_a_rate_that_is_none_is_refused_and_a_torn_file_says_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="positive"):
        Control(rate=-1.0)
    (tmp_path / "control.json").write_text("{")
    assert Control.read(tmp_path) == Control()


def test_a_full_disk_ends_a_training_in_a_sentence_and_its_best_functional_is_kept(
    run: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, append = run(), RunFolder.append
    reserve = folder.path / RESERVE_FILE

    def full(self: RunFolder, record: dict[str, Any]) -> None:
        """A disk with room for four steps and what is held back."""
        if reserve.exists() and record.get("step") == 4:
            raise OSError(errno.ENOSPC, "No space left on device")
        append(self, record)

    monkeypatch.setattr(RunFolder, "append", full)
    execute(folder)
    assert folder.status["state"] == "failed"
    assert folder.status["message"].startswith("The disk is full")
    assert "its best functional is kept" in folder.status["message"]
    assert not folder.traceback
    assert not reserve.exists()
    assert len(steps_of(folder)) == 4
    load_checkpoint(folder.path / CHECKPOINT_FILE)


def test_any_other_run_on_a_full_disk_says_so_too(
    run: Callable[..., RunFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = run()

    def full(self: RunFolder, result: dict[str, Any]) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RunFolder, "write_result", full)
    execute(folder)
    assert folder.status["message"].startswith("The disk is full")
    assert len(steps_of(folder)) == 8


def test_a_checkpoint_that_has_no_room_is_known_by_what_it_was_raised_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.EFBIG, "File too large")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(InputError) as caught:
        save_checkpoint(PBE(trainable=True), tmp_path / "mine.safetensors", name="mine")
    assert is_full_disk(caught.value)
    assert not is_full_disk(OSError(errno.EACCES, "Permission denied"))
