"""A run takes over the ground state that an earlier one of the same settings has computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlxc.calculation.calculation import Calculation
from mlxc.runs.folder import RunFolder
from mlxc.runs.start import hand_over, with_ground_state
from mlxc.runs.worker import execute
from mlxc.tasks.bands.task import BandsTask
from mlxc.tasks.given_start import START_FILE, TAKING_OVER
from mlxc.tasks.gradient.task import GradientTask
from mlxc.tasks.kind import ITERATION, STAGE
from mlxc.tasks.kinds import required_calculation

SMALL = {"structure": "si", "ecut_ha": 5, "kmesh": (2, 2, 2)}


@pytest.fixture
def earlier(tmp_path: Path) -> RunFolder:
    """A ground state that has been computed."""
    folder = RunFolder.create(Calculation.from_dict(SMALL), "ground state", tmp_path)
    execute(folder)
    assert folder.status["state"] == "finished"
    return folder


def bands(path: Path) -> RunFolder:
    calculation = Calculation.from_dict(SMALL).model_dump()
    return RunFolder.create(BandsTask.from_dict({"calculation": calculation, "points": 4}), "bands", path)


def steps(folder: RunFolder) -> int:
    return sum(record["kind"] == ITERATION for record in folder.records()[0])


def test_bands_start_from_the_ground_state_of_an_earlier_run(earlier: RunFolder, tmp_path: Path) -> None:
    fresh, taking = bands(tmp_path), bands(tmp_path)
    hand_over(earlier, taking)
    for folder in (fresh, taking):
        execute(folder)
        assert folder.status["state"] == "finished", folder.status
    assert steps(taking) <= 2 < steps(fresh)
    assert fresh.result is not None
    assert taking.result is not None
    assert taking.result["gap_ev"] == pytest.approx(fresh.result["gap_ev"], abs=1e-4)
    told = [record["words"] for record in taking.records()[0] if record["kind"] == STAGE]
    assert TAKING_OVER in told
    assert not (taking.path / START_FILE).exists()
    assert earlier.ground_state_path.exists()


def test_a_gradient_starts_from_the_ground_state_of_an_earlier_run_and_another_one_from_its(tmp_path: Path) -> None:
    settings = SMALL | {"xc": "pbe-kappa-mu"}

    def gradient(**further: float) -> RunFolder:
        task = GradientTask.from_dict({"calculation": settings, "loss": "density_moment", **further})
        return RunFolder.create(task, "gradient", tmp_path)

    earlier = RunFolder.create(Calculation.from_dict(settings), "ground state", tmp_path)
    fresh, taking = gradient(), gradient()
    execute(earlier)
    assert with_ground_state(required_calculation(taking.task), [earlier]) == earlier
    hand_over(earlier, taking)
    for folder in (fresh, taking):
        execute(folder)
        assert folder.status["state"] == "finished", folder.status
    assert steps(taking) < steps(fresh) / 2
    assert fresh.result is not None
    assert taking.result is not None
    assert taking.result["gradient_norm"] == pytest.approx(fresh.result["gradient_norm"], rel=1e-4)
    again = gradient(step=0.01)
    assert with_ground_state(required_calculation(again.task), [fresh]) == fresh


def test_a_run_that_varies_something_keeps_no_ground_state(earlier: RunFolder, tmp_path: Path) -> None:
    curve = {"calculation": SMALL | {"xc": "pbe-kappa-mu"}, "loss": "lattice_constant"}
    folder = RunFolder.create(GradientTask.from_dict(curve), "gradient", tmp_path)
    folder.ground_state_path.write_bytes(earlier.ground_state_path.read_bytes())
    folder.set_status("finished")
    assert with_ground_state(required_calculation(folder.task), [folder]) is None


def test_only_the_same_settings_have_the_same_ground_state(earlier: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    same = Calculation.from_dict(SMALL | {"uncertainty": True, "tolerance": 1e-8})
    assert with_ground_state(same, [earlier]) == earlier
    for change in (
        {"ecut_ha": 6},
        {"kmesh": (3, 3, 3)},
        {"structure": "ge"},
        {"xc": "lda"},
        {"total_moment": 2.0, "spin": True},
    ):
        assert with_ground_state(Calculation.from_dict(SMALL | change), [earlier]) is None
    monkeypatch.setenv("MLXC_SCHEDULER", "tcp://127.0.0.1:1")
    assert with_ground_state(same, [earlier]) is None


def test_a_run_that_has_not_finished_has_none(earlier: RunFolder) -> None:
    earlier.set_status("not converged")
    assert with_ground_state(Calculation.from_dict(SMALL), [earlier]) is None
