"""Training at the densities of the library: no self-consistent field, the same end after a kill, and misuse."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import mlxc.frozen.curve
from mlxc.errors import InputError, RunStoppedError
from mlxc.frozen.library import FrozenLibrary
from mlxc.solids.table import read_solids
from mlxc.training.config import TrainingConfig
from mlxc.training.log import read_log
from mlxc.training.loss import Assessment
from mlxc.training.subjects.subjects import Preparation
from mlxc.training.trainer import BEST, Trainer
from mlxc.xc.catalogue import functional
from mlxc.xc.checkpoint import load_checkpoint

FOUR = ("Si_diamond", "Al_fcc", "V_bcc", "NaCl_b1")
# What scripts/training/kappa-mu.yaml ends with after four self-consistent rounds, see docs/evidence.md.
KAPPA, MU = 0.5214, 0.2259


def config(**more: Any) -> TrainingConfig:
    settings = {"name": "test", "start": "pbe-kappa-mu", "train": FOUR, "rounds": 1}
    return TrainingConfig.model_validate(settings | {"optimiser": {"rate": 0.01, "steps": 5}} | more)


@pytest.fixture(autouse=True)
def no_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever converges a density fails."""

    def refuse(*arguments: Any, **more: Any) -> None:
        raise AssertionError("a density was converged")

    monkeypatch.setattr(mlxc.frozen.curve, "states_at_volumes", refuse)


def weights(path: Path) -> list[Tensor]:
    return list(load_checkpoint(path).parameters())


def same_weights(*folders: Path) -> bool:
    first, second = (weights(folder / "model.safetensors") for folder in folders)
    return all(torch.equal(ours, theirs) for ours, theirs in zip(first, second, strict=True))


def test_two_parameters_of_pbe_end_where_self_consistent_rounds_end(tmp_path: Path) -> None:
    Trainer(config(optimiser={"kind": "lbfgs", "rate": 1.0, "steps": 6}), tmp_path).run()
    found = functional(str(tmp_path / "model.safetensors"))
    assert float(found.kappa.detach()) == pytest.approx(KAPPA, abs=0.01)
    assert float(found.mu.detach()) == pytest.approx(MU, abs=0.01)


def test_a_solid_has_the_librarys_densities_and_its_own_references(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("name,lattice_constant_ang\nAl_fcc,4.019\nCu_fcc,3.6\n")
    prepare = Preparation(read_solids(table), "pbe", tmp_path)
    curve = prepare.curve(read_solids(table)["Al_fcc"])
    assert curve.solid.references == {"lattice_constant_ang": 4.019}
    assert len(curve.snapshots) == len(FrozenLibrary().curve("Al_fcc").snapshots)
    # Copper at another lattice constant is another calculation, and PBEsol's densities are others.
    with pytest.raises(AssertionError):
        prepare.curve(read_solids(table)["Cu_fcc"])
    with pytest.raises(AssertionError):
        Preparation(read_solids(table), "pbesol", tmp_path).curve(read_solids(table)["Al_fcc"])


def test_each_step_tells_all_lists_and_what_the_functional_looks_like(tmp_path: Path) -> None:
    record = Trainer(config(validate_on=["Cu_fcc"], test=["MgO_b1"]), tmp_path).run()
    first = read_log(tmp_path)[0]
    assert set(first["errors"]) == {*FOUR, "Cu_fcc", "MgO_b1"}
    assert first["test_loss"] == pytest.approx(first["errors"]["MgO_b1"]["lattice_constant_ang"] ** 2)
    assert first["parameters"]["kappa"] == pytest.approx(0.804)
    assert first["enhancement"][0][0] < first["enhancement"][0][-1]
    assert record.metrics["test_mean_absolute_error_percent_of_lattice_constant_ang"] > 0
    assert record.training_data.endswith("validated on Cu_fcc; tested on MgO_b1")


def test_solids_to_test_on_teach_nothing(tmp_path: Path) -> None:
    for name, test in (("with", ["MgO_b1", "C_diamond"]), ("without", [])):
        Trainer(config(test=test), tmp_path / name).run()
    assert same_weights(tmp_path / "with", tmp_path / "without")


@pytest.mark.parametrize("rung", ["gga", "mgga"])
def test_a_fresh_network_learns(rung: str, tmp_path: Path) -> None:
    fresh = {"start": "", "network": {"rung": rung, "hidden": [6]}, "train": ["Al_fcc", "Si_diamond"], "seed": 3}
    record = Trainer(config(**fresh), tmp_path).run()
    losses = [step["loss"] for step in read_log(tmp_path)]
    assert losses[-1] != losses[0]
    assert record.baseline.startswith("a fresh")


@pytest.mark.parametrize("beside", [["Al_fcc"], []])
def test_a_solid_without_a_minimum_finds_one(beside: list[str], tmp_path: Path) -> None:
    fresh = {"start": "", "network": {"rung": "mgga"}, "train": [*beside, "V_bcc"], "seed": 0}
    with pytest.warns(UserWarning, match="V_bcc is skipped"):
        Trainer(config(**fresh, optimiser={"rate": 0.01, "steps": 10}), tmp_path).run()
    steps = read_log(tmp_path)
    assert "V_bcc" not in steps[0]["errors"]
    assert steps[0]["loss"] > 100
    assert "V_bcc" in steps[-1]["errors"]
    assert steps[-1]["loss"] < 50


def test_what_leaves_a_solid_without_a_minimum_is_never_the_best(tmp_path: Path) -> None:
    trainer = Trainer(config(), tmp_path)
    optimisation = trainer._new_optimisation()
    for loss, skipped in ((900.0, ()), (400.0, ("V_bcc",)), (950.0, ()), (800.0, ())):
        optimisation.remember(Assessment(torch.tensor(loss), {}, skipped))
        optimisation.progress.step += 1
    assert (optimisation.progress.best_loss, optimisation.progress.best_step) == (800.0, 3)


def test_a_training_that_diverges_says_so_and_keeps_the_best(tmp_path: Path) -> None:
    trainer = Trainer(config(optimiser={"rate": 100.0, "steps": 50}), tmp_path / "run")
    trainer.run()
    assert "diverged: at step" in trainer.message
    assert "smaller rate than 100" in trainer.message
    kappa, mu = weights(tmp_path / "run" / "model.safetensors")
    assert float(kappa.detach()) == pytest.approx(0.804)
    assert float(mu.detach()) == pytest.approx(0.2195, abs=1e-4)
    again = Trainer(config(optimiser={"rate": 100.0, "steps": 50}), tmp_path / "run")
    again.run()
    assert "diverged" in again.message


def test_energies_that_are_no_numbers_end_the_training_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = Trainer(config(), tmp_path)
    monkeypatch.setattr(type(trainer.functional), "forward", lambda self, rho, grad: rho[0] * torch.nan)
    trainer.run()
    assert "no solid has its lowest energy at one of its volumes: begin with another one" in trainer.message


def test_a_rate_that_is_changed_meanwhile_is_that_of_a_configuration_that_says_so(tmp_path: Path) -> None:
    def at_step_two(round: int, step: int) -> float | None:
        return 0.05 if step == 2 else None

    Trainer(config(), tmp_path / "live", new_rate=at_step_two).run()
    told = {"rate": 0.01, "steps": 5, "rate_changes": [{"step": 2, "rate": 0.05}]}
    Trainer(config(optimiser=told), tmp_path / "told").run()
    assert [step["rate"] for step in read_log(tmp_path / "live")] == [0.01, 0.01, 0.05, 0.05, 0.05]
    assert same_weights(tmp_path / "live", tmp_path / "told")


def test_a_training_that_is_stopped_keeps_the_best(tmp_path: Path) -> None:
    def stop(record: dict[str, Any]) -> None:
        if record["step"] == 3:
            raise RunStoppedError("Stopped.")

    trainer = Trainer(config(), tmp_path, on_step=stop)
    with pytest.raises(RunStoppedError):
        trainer.run()
    trainer.keep()
    losses = [step["validation_loss"] for step in read_log(tmp_path)]
    kappa, _ = weights(tmp_path / BEST)
    best = read_log(tmp_path)[losses.index(min(losses))]
    assert float(kappa.detach()) == pytest.approx(best["parameters"]["kappa"], abs=1e-12)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"test": ["Al_fcc"]}, "Al_fcc is named twice"),
        ({"train": []}, "train"),
        ({"start": "", "network": None}, "either start"),
        ({"network": {"rung": "gga"}}, "either start"),
        ({"start": "", "network": {"hidden": []}}, "1 to 4 hidden layers"),
    ],
)
def test_misuse_is_refused(more: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        config(**more)


def test_a_solid_that_is_nowhere_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no solid 'Au_fcc'"):
        Trainer(config(test=["Au_fcc"]), tmp_path)
