"""Learning from crystals: fits and losses with exact gradients, runs that a kill does not change."""

from __future__ import annotations

import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from support import Outcome

import mlxc
from mlxc import InputError
from mlxc.frozen.curve import SolidCurve, compute_curve
from mlxc.properties.birch_murnaghan import fit_birch_murnaghan
from mlxc.properties.differentiable_fit import NoMinimumError, differentiable_birch_murnaghan
from mlxc.solids.table import Solid, prototype, read_solids
from mlxc.training.config import Regularisation, Target, TrainingConfig, read_config
from mlxc.training.log import read_log
from mlxc.training.loss import assess
from mlxc.training.regularisers import Penalty
from mlxc.training.subjects.self_consistent_state import SelfConsistentState
from mlxc.training.subjects.subjects import Preparation
from mlxc.training.trainer import Trainer
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.gga import PBE
from mlxc.xc.identity import identity_of

VOLUMES = np.linspace(90, 115, 7)
ENERGIES = 0.01 * (VOLUMES / 100 - 1.02) ** 2 - 0.02 * (VOLUMES / 100 - 1.02) ** 3

TEACHING = {"ecut_ha": 8.0, "kmesh": [2, 2, 2], "pseudo": "gth"}


def cheap(name: str, lattice_constant_ang: float, **references: float) -> Solid:
    """A solid with settings for teaching."""
    known = {"lattice_constant_ang": lattice_constant_ang} | references
    return Solid(name, prototype(name, lattice_constant_ang), known, TEACHING)


@pytest.fixture(scope="module")
def silicon() -> SolidCurve:
    return compute_curve(cheap("Si_diamond", 5.43, bulk_modulus_gpa=99.0))


def test_the_differentiable_fit_is_the_fit() -> None:
    ours = differentiable_birch_murnaghan(VOLUMES, torch.tensor(ENERGIES))
    theirs = fit_birch_murnaghan(VOLUMES, ENERGIES)
    for name, value in vars(theirs).items():
        assert float(getattr(ours, name)) == pytest.approx(value, rel=1e-9)


@pytest.mark.parametrize("name", ["energy0", "volume0", "bulk_modulus", "bulk_modulus_derivative"])
def test_gradients_of_the_fit_are_finite_differences(name: str) -> None:
    energies = torch.tensor(ENERGIES, requires_grad=True)
    (gradient,) = torch.autograd.grad(getattr(differentiable_birch_murnaghan(VOLUMES, energies), name), energies)
    step = 1e-7
    for index in range(len(ENERGIES)):
        change = step * np.eye(len(ENERGIES))[index]
        upper, lower = (getattr(fit_birch_murnaghan(VOLUMES, ENERGIES + sign * change), name) for sign in (1, -1))
        assert float(gradient[index]) == pytest.approx((upper - lower) / (2 * step), rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("sign", [1, -1])
def test_where_there_is_no_minimum_the_fall_of_the_energies_points_to_one(sign: int) -> None:
    slope = torch.tensor(0.02, dtype=torch.float64, requires_grad=True)
    with pytest.raises(NoMinimumError, match="no minimum between") as told:
        differentiable_birch_murnaghan(VOLUMES, torch.tensor(ENERGIES) - sign * slope * torch.tensor(VOLUMES))
    at_end = np.gradient(ENERGIES, VOLUMES)[-1 if sign > 0 else 0]
    assert float(told.value.fall.detach()) == pytest.approx(0.02 - sign * at_end, abs=1e-3)
    (gradient,) = torch.autograd.grad(told.value.fall, slope)
    assert float(gradient) == pytest.approx(1.0)
    there = pickle.loads(pickle.dumps(told.value))
    assert (str(there), float(there.fall)) == (str(told.value), float(told.value.fall.detach()))


@pytest.mark.thorough
def test_a_snapshot_has_the_energy_of_its_own_functional(silicon: SolidCurve) -> None:
    calculation = silicon.solid.calculation(tolerance=1e-8)
    for ratio, snapshot in ((0.91, silicon.snapshots[0]), (1.114, silicon.snapshots[-1])):
        exact = calculation.with_crystal(silicon.solid.crystal.scaled(ratio ** (1 / 3))).run()
        assert float(snapshot.energy(PBE())) == pytest.approx(float(exact.energy.detach()), abs=1e-8)


@pytest.mark.thorough
def test_another_functionals_energy_at_the_same_density_is_wrong_in_second_order_only(silicon: SolidCurve) -> None:
    energy = silicon.solid.calculation(tolerance=1e-8)
    crystal = silicon.solid.crystal.scaled(0.91 ** (1 / 3))
    errors = []
    for shift in (0.02, 0.04):
        xc = PBE(mu=0.2195149727645171 + shift)
        settings: dict[str, Any] = {"xc": xc, "pseudo": "gth", "kmesh": (2, 2, 2), "tolerance": 1e-8}
        smearing = mlxc.FermiDirac(energy.width_ha or 0.0)
        basis = mlxc.PlaneWaves(8.0, cutoff_smoothing=energy.cutoff_smoothing_ha)
        exact = mlxc.scf(crystal, basis=basis, smearing=smearing, **settings)
        errors.append(float(silicon.snapshots[0].energy(xc).detach()) - float(exact.energy.detach()))
    assert 0 < errors[0] < 1e-4
    assert errors[1] / errors[0] == pytest.approx(4, rel=0.1)


@pytest.mark.thorough
def test_gradient_of_a_lattice_constant_is_the_finite_difference_of_self_consistent_ones() -> None:
    solid = cheap("Si_diamond", 5.43)
    xc = PBE(trainable=True)
    curve = compute_curve(solid, xc)
    (gradient,) = torch.autograd.grad(curve.predictions(xc)["lattice_constant_ang"], xc.mu)
    constants = []
    for shift in (-0.01, 0.01):
        other = PBE(mu=float(xc.mu.detach()) + shift)
        constants.append(float(compute_curve(solid, other).predictions(other)["lattice_constant_ang"]))
    assert float(gradient) == pytest.approx((constants[1] - constants[0]) / 0.02, rel=2e-3)


def test_a_network_that_makes_densities_is_recorded_as_itself(tmp_path: Path) -> None:
    solid, networks = cheap("Si_diamond", 5.43), [NeuralEnhancement("lda", (4,), seed=seed) for seed in (1, 2)]
    rigid = Solid(solid.name, solid.crystal, {}, {**TEACHING, "tolerance": 1e-3}, rigid=True)
    folders = []
    for network in networks:
        curve = Preparation({rigid.name: rigid}, network, tmp_path).curve(rigid)
        assert curve.functional == identity_of(network)
        folders.append({path.name for path in tmp_path.iterdir()})
    assert len(folders[1]) == 2
    state = SelfConsistentState.of(rigid, networks[0])
    assert state.start.functional == identity_of(networks[0])
    assert state.start.calculation["xc"] == "NeuralEnhancement"


@pytest.mark.thorough
def test_snapshots_come_back_from_disk_and_damaged_ones_are_made_again(silicon: SolidCurve, tmp_path: Path) -> None:
    silicon.save(tmp_path)
    again = SolidCurve.load(silicon.solid, tmp_path)
    assert again is not None
    assert torch.equal(again.energies(PBE()), silicon.energies(PBE()))
    assert again.functional == silicon.functional == identity_of(mlxc.functional("pbe"))
    (tmp_path / "3.safetensors").write_bytes(b"torn")
    assert SolidCurve.load(silicon.solid, tmp_path) is None


@pytest.mark.thorough
def test_a_loss_counts_relative_errors_in_percent(silicon: SolidCurve) -> None:
    targets = (Target(quantity="lattice_constant_ang"), Target(quantity="bulk_modulus_gpa", weight=0.01))
    found = assess(PBE(), [silicon], targets)
    lattice, bulk = found.errors["Si_diamond"].values()
    assert float(found.loss) == pytest.approx((lattice**2 + 0.01 * bulk**2) / 1.01)
    assert found.mean_absolute_error("lattice_constant_ang") == pytest.approx(abs(lattice))


def test_penalties_vanish_at_the_start_and_grow_with_the_distance() -> None:
    start, other = NeuralEnhancement("gga", (4,), seed=1), NeuralEnhancement("gga", (4,), seed=2)
    penalty = Penalty(Regularisation(stay_near=1, smooth=1, bound=1), start)
    assert float(penalty(start).detach()) == 0
    assert float(penalty(other).detach()) > 0


def test_names_of_solids_mean_crystals() -> None:
    solids = read_solids("sol58lc")
    assert sum(not solid.is_free_atom for solid in solids.values()) == 28
    # Each is compared with the atoms that it is made of.
    assert solids["NaCl_b1"].relative_to == {"Na_atom": 1, "Cl_atom": 1}
    assert all(other in solids for solid in solids.values() for other in solid.relative_to)
    assert solids["NaCl_b1"].crystal.species == ("Na", "Cl")
    assert solids["Ni_fcc"].calculation(pseudo="gth").spin
    assert not solids["Al_fcc"].calculation().spin


BAD_TABLES = {
    "empty.csv": ("name,lattice_constant_ang\n", "no solids"),
    "number.csv": ("name,lattice_constant_ang\nAl_fcc,four\n", "not a number"),
    "nan.csv": ("name,lattice_constant_ang\nAl_fcc,nan\n", "finite"),
    "name.csv": ("name,lattice_constant_ang\nunobtainium,4\n", "no solid"),
    "element.csv": ("name,lattice_constant_ang\nQq_fcc,4\n", "no such crystal"),
    "twice.csv": ("name,lattice_constant_ang\nAl_fcc,4\nAl_fcc,4\n", "more than once"),
    "bare.json": ('[{"name": "Al_fcc"}]', "neither a structure"),
    "torn.json": ('[{"name": ', "cannot be read"),
    "kind.txt": ("Al_fcc", "table of solids is a file"),
}


@pytest.mark.parametrize(("file", "content", "words"), [(f, *rest) for f, rest in BAD_TABLES.items()], ids=BAD_TABLES)
def test_a_bad_table_is_refused_in_words(file: str, content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / file).write_text(content)
    with pytest.raises(InputError, match=words):
        read_solids(tmp_path / file)


def test_tables_are_read_from_json_csv_and_extended_xyz(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"solids": [{"name": "x", "structure": "si", "bulk_modulus_gpa": 99}]}')
    (tmp_path / "b.csv").write_text("name,lattice_constant_ang,bulk_modulus_gpa\nAl_fcc,4.02,\n")
    atoms = prototype("MgO_b1", 4.2).to_ase()
    atoms.info = {"name": "magnesia", "lattice_constant_ang": 4.19}
    atoms.write(tmp_path / "c.extxyz")
    assert read_solids(tmp_path / "a.json")["x"].references == {"bulk_modulus_gpa": 99}
    assert read_solids(tmp_path / "b.csv")["Al_fcc"].references == {"lattice_constant_ang": 4.02}
    assert read_solids(tmp_path / "c.extxyz")["magnesia"].references["lattice_constant_ang"] == 4.19


def test_saved_documents_of_the_materials_project_are_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    structure = prototype("Si_diamond", 5.43).to_pymatgen()
    document = {"material_id": "mp-149", "structure": structure.as_dict(), "bulk_modulus": {"vrh": 88.9}}
    path = tmp_path / "response.json"
    path.write_text(json.dumps({"data": [document]}))
    solid = read_solids(path)["mp-149"]
    assert solid.references == {"volume_ang3": pytest.approx(structure.volume), "bulk_modulus_gpa": 88.9}
    path.write_text(json.dumps({"data": [{"material_id": "mp-149"}]}))
    with pytest.raises(InputError, match="no structure"):
        read_solids(path)
    monkeypatch.delenv("MP_API_KEY", raising=False)
    with pytest.raises(InputError, match="MP_API_KEY"):
        read_solids("mp:mp-149")


BAD_CONFIGS = {
    "not YAML": ("a: [", "not YAML"),
    "nothing": ("", "no settings"),
    "unknown": ("name: a\nstart: pbe\ntrain: [Al_fcc]\nnonsense: 1", "nonsense"),
    "nothing to learn": ("name: a\nstart: pbe\ntrain: [Al_fcc]\ntargets: []", "targets"),
    "one name": ("name: a\nstart: pbe\ntrain: Al_fcc", "should be a list"),
    "a folder as its name": ("name: ..\nstart: pbe\ntrain: [Al_fcc]", "name"),
    "no date": ("name: 2024-13-45", "not YAML"),
    "nested": ("[" * 5000, "not YAML"),
    "overlap": ("name: a\nstart: pbe\ntrain: [Al_fcc]\nvalidate_on: [Al_fcc]", "named twice"),
    "idle teacher": ("name: a\nstart: pbe\ntrain: [Al_fcc]\nteacher: pbesol", "a teacher has something to teach"),
    "weight": ("name: a\nstart: pbe\ntrain: [Al_fcc]\ntargets: [{quantity: volume_ang3, weight: -1}]", "weight"),
}


@pytest.mark.parametrize(("content", "words"), BAD_CONFIGS.values(), ids=BAD_CONFIGS)
def test_a_bad_configuration_is_refused_in_words(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(content)
    with pytest.raises(InputError, match=words):
        read_config(path)


def config(table: Path, **more: Any) -> TrainingConfig:
    return TrainingConfig.model_validate(
        {"name": "test", "start": "pbe-kappa-mu", "solids": str(table), "train": ["silicon"], "rounds": 2}
        | {"optimiser": {"kind": "adam", "rate": 0.002, "steps": 60}}
        | more
    )


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Silicon, small enough to be computed in a test."""
    solid = {"name": "silicon", "structure": "si", "lattice_constant_ang": 5.58, "settings": TEACHING}
    path = tmp_path / "table.json"
    path.write_text(json.dumps([solid]))
    return path


@pytest.mark.thorough
def test_training_brings_a_lattice_constant_to_its_target(table: Path, tmp_path: Path) -> None:
    record = Trainer(config(table, optimiser={"kind": "lbfgs", "rate": 1.0, "steps": 5}), tmp_path / "run").run()
    assert record.metrics["training_mean_absolute_error_percent_of_lattice_constant_ang"] < 0.01
    assert record.domain["s"][0] is not None
    assert record.training_data.startswith(str(table))
    log = read_log(tmp_path / "run")
    assert log[-1]["loss"] < 0.01 * log[0]["loss"]
    assert set(log[0]["gradient_norms"]) == {"kappa", "mu"}


@pytest.mark.thorough
def test_a_density_of_pbesol_teaches_pbe_a_smaller_gradient_correction(table: Path, tmp_path: Path) -> None:
    taught = {"teacher": "pbesol", "targets": [{"quantity": "density_percent"}], "rounds": 1}
    steps = {"kind": "adam", "rate": 0.01, "steps": 3}
    Trainer(config(table, optimiser=steps, **taught), tmp_path / "run").run()
    learned = mlxc.functional(str(tmp_path / "run" / "model.safetensors"))
    assert float(learned.mu.detach()) < float(PBE().mu)
    losses = [record["loss"] for record in read_log(tmp_path / "run")]
    assert losses == sorted(losses, reverse=True)


SCRIPT = """
import sys, time
sys.path[:0] = {tests!r}
from pathlib import Path
from test_training import Trainer, config
Trainer(config(Path({table!r})), Path({run!r}), on_step=lambda record: time.sleep({pause})).run()
"""


@pytest.mark.process
def test_a_run_that_is_killed_ends_as_one_that_is_not(table: Path, tmp_path: Path) -> None:
    def command(run: str, pause: float) -> list[str]:
        names = {
            "tests": [str(folder) for folder in Path(__file__).parents[:2]],
            "table": str(table),
            "run": str(tmp_path / run),
        }
        return [sys.executable, "-c", SCRIPT.format(pause=pause, **names)]

    subprocess.run(command("whole", 0), check=True)
    for steps in (30, 70):
        victim = subprocess.Popen(command("killed", 0.05))
        while len(read_log(tmp_path / "killed")) < steps:
            assert victim.poll() is None
            time.sleep(0.05)
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
    subprocess.run(command("killed", 0), check=True)
    whole, killed = (mlxc.functional(str(tmp_path / run / "model.safetensors")) for run in ("whole", "killed"))
    for ours, theirs in zip(killed.parameters(), whole.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    losses = [[(r["round"], r["step"], r["loss"]) for r in read_log(tmp_path / run)] for run in ("whole", "killed")]
    assert losses[0] == losses[1]


@pytest.mark.thorough
def test_the_command_says_what_has_been_fitted_and_says_it_again(
    table: Path, tmp_path: Path, mlxc_command: Callable[..., Outcome]
) -> None:
    few = {"kind": "adam", "rate": 0.002, "steps": 3}
    path = tmp_path / "config.yaml"
    path.write_text(json.dumps(config(table, rounds=1, optimiser=few).model_dump(mode="json")))  # JSON is YAML
    first, again = (mlxc_command("train", str(path), "--out", "run") for _ in range(2))
    assert first.code == 0
    assert re.search(r"^kappa = 0\.\d+, mu = 0\.\d+$", first.stdout, re.MULTILINE)
    assert again.stdout == first.stdout


@pytest.mark.thorough
def test_a_folder_belongs_to_one_configuration(table: Path, tmp_path: Path) -> None:
    few = {"kind": "adam", "rate": 0.01, "steps": 1}
    Trainer(config(table, rounds=1, optimiser=few), tmp_path / "run").run()
    with pytest.raises(InputError, match="other settings"):
        Trainer(config(table, rounds=2, optimiser=few), tmp_path / "run").run()


def test_a_functional_without_parameters_is_refused(table: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no parameters"):
        Trainer(config(table, start="pbe"), tmp_path)
    with pytest.raises(InputError, match="no solid 'gold'"):
        Trainer(config(table, train=["gold"]), tmp_path)


@pytest.mark.thorough
def test_a_run_killed_before_its_model_is_written_ends_all_the_same(table: Path, tmp_path: Path) -> None:
    few = {"kind": "adam", "rate": 0.01, "steps": 1}
    first = Trainer(config(table, rounds=1, optimiser=few), tmp_path / "run").run()
    (tmp_path / "run" / "model.safetensors").unlink()
    assert Trainer(config(table, rounds=1, optimiser=few), tmp_path / "run").run() == first


def test_what_cannot_be_learned_or_written_is_refused_before_anything_is_computed(table: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no solid to train on has a reference for 'gap_ev'"):
        Trainer(config(table, targets=[{"quantity": "gap_ev"}]), tmp_path)
    with pytest.raises(InputError, match="A checkpoint holds"):
        Trainer(config(table, start="clamped:pbe-proxy"), tmp_path)
    with pytest.raises(InputError, match="did you mean"):
        Trainer(config(table, densities="pbee"), tmp_path)
    with pytest.raises(InputError, match="did you mean"):
        Trainer(config(table, teacher="pbee", targets=[{"quantity": "density_percent"}]), tmp_path)


@pytest.mark.thorough
def test_a_table_that_has_changed_is_another_run(table: Path, tmp_path: Path) -> None:
    few = {"kind": "adam", "rate": 0.01, "steps": 1}
    Trainer(config(table, rounds=1, optimiser=few), tmp_path / "run").run()
    table.write_text(table.read_text().replace("5.58", "5.57"))
    with pytest.raises(InputError, match="other settings"):
        Trainer(config(table, rounds=1, optimiser=few), tmp_path / "run").run()


@pytest.mark.thorough
def test_a_damaged_state_is_named(table: Path, tmp_path: Path) -> None:
    few = {"kind": "adam", "rate": 0.01, "steps": 1}
    Trainer(config(table, rounds=1, optimiser=few), tmp_path / "run").run()
    for name in ("model.safetensors", "round-0.safetensors"):
        (tmp_path / "run" / name).unlink()
    (tmp_path / "run" / "state.pt").write_bytes(b"nonsense")
    with pytest.raises(InputError, match="damaged"):
        Trainer(config(table, rounds=1, optimiser=few), tmp_path / "run").run()
