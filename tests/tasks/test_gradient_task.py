"""A loss that flows back into a functional: against finite differences, identities, and what a step does to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h5py
import numpy as np
import pytest
import torch
from support import Outcome

from mlxc import Crystal, GroundState, InputError
from mlxc.observables.of_states import density_moment
from mlxc.runs.folder import RunFolder
from mlxc.runs.worker import execute
from mlxc.tasks.gradient.losses import evaluate
from mlxc.tasks.gradient.result import GradientResult
from mlxc.tasks.gradient.task import GradientTask
from mlxc.units import BOHR_ANG, HARTREE_EV
from mlxc.xc.gga import PBE, PBE_KAPPA, PBE_MU

SILICON = {"structure": "si", "xc": "pbe-kappa-mu", "pseudo": "gth", "ecut_ha": 6, "kmesh": [2, 2, 2]}
# Density residuals that make losses accurate enough for finite differences.
LOSSES: dict[str, dict[str, Any]] = {
    "energy": {"tolerance": 1e-7},
    "gap": {"tolerance": 1e-9},
    "density_moment": {"tolerance": 1e-9},
    # The few k points make silicon larger than it is.
    "lattice_constant": {"tolerance": 1e-7, "structure": Crystal.load("si").scaled(1.03), "cutoff_smoothing_ha": 2},
}
TARGETS = {"gap": 1.17}
# A sheet of which no table says anything.
SILICENE = Crystal(
    [[7.3, 0, 0], [-3.65, 6.322, 0], [0, 0, 25]],
    ["Si", "Si"],
    [[1 / 3, 2 / 3, 0.49], [2 / 3, 1 / 3, 0.51]],
    name="silicene",
)
# The others take longer.
MARKED = [pytest.param(loss, marks=() if loss == "energy" else pytest.mark.thorough) for loss in LOSSES]


def task_of(loss: str, **more: Any) -> GradientTask:
    calculation = SILICON | LOSSES[loss] | more.pop("calculation", {})
    return GradientTask.from_dict({"calculation": calculation, "loss": loss, "target": TARGETS.get(loss)} | more)


@cache
def silicon(loss: str) -> GradientResult:
    return task_of(loss, step=0.02).run()


def loss_with(loss: str, kappa: float, mu: float) -> float:
    found = evaluate(task_of(loss), PBE(kappa, mu, trainable=True), silicon(loss).before.states, None, lambda _: None)
    assert found.loss is not None
    return float(found.loss.detach())


@pytest.mark.thorough
@pytest.mark.parametrize(
    "loss", [pytest.param(loss, marks=pytest.mark.slow if loss == "lattice_constant" else ()) for loss in LOSSES]
)
def test_the_gradient_of_each_loss_is_its_finite_difference(loss: str) -> None:
    parameters, h = silicon(loss).summary()["parameters"], 2e-3
    for name, direction in (("kappa", np.array([h, 0])), ("mu", np.array([0, h]))):
        start = np.array([PBE_KAPPA, PBE_MU])
        difference = (loss_with(loss, *(start + direction)) - loss_with(loss, *(start - direction))) / (2 * h)
        assert parameters[name]["gradient"] == pytest.approx(difference, rel=1e-3)


@pytest.mark.parametrize("loss", MARKED)
def test_a_step_against_the_gradient_lowers_the_loss(loss: str) -> None:
    result = silicon(loss).summary()
    assert result["after"]["loss"] < result["before"]["loss"]
    moved = [stage["single_parameters"] for stage in (result["before"], result["after"])]
    start, end = (np.array([values["kappa"], values["mu"]]) for values in moved)
    assert np.linalg.norm(end - start) == pytest.approx(0.02 * np.linalg.norm(start))


@pytest.mark.parametrize("loss", MARKED)
def test_the_pull_over_rs_and_s_and_over_planes_adds_up_to_the_whole(loss: str, tmp_path: Path) -> None:
    found = silicon(loss)
    pull = found.summary()["pull"]
    assert np.sum(pull["by_rs_and_s"]) == pytest.approx(pull["integral"], rel=1e-12)
    volume = found.ground.crystal.volume
    assert np.mean(pull["planar_average"]["pull_per_ang3"]) * volume * BOHR_ANG**3 == pytest.approx(pull["integral"])
    density = np.mean(pull["planar_average"]["density_per_ang3"]) * volume * BOHR_ANG**3
    assert density == pytest.approx(8)
    found.save(tmp_path / "result.h5")
    with h5py.File(tmp_path / "result.h5") as file:
        assert file["loss_pull"][()].mean() * volume == pytest.approx(pull["integral"])
        assert file["loss_pull"].shape == file["density"].shape[1:]
    assert GroundState.load(tmp_path / "result.h5").converged


def test_the_energy_pulls_with_the_energy_of_exchange_and_correlation() -> None:
    found = silicon("energy")
    xc = found.ground.energies["xc"] * HARTREE_EV / 2  # per atom
    assert found.summary()["pull"]["integral"] == pytest.approx(xc)
    assert found.summary()["adjoint"] == []


@pytest.mark.thorough
def test_only_losses_of_the_state_need_an_adjoint() -> None:
    assert silicon("lattice_constant").summary()["adjoint"] == []
    residuals = [record["residual"] for record in silicon("gap").summary()["adjoint"]]
    assert residuals[-1] < 1e-8 < residuals[0]


@pytest.mark.thorough
def test_a_lattice_constant_is_compared_with_the_measured_one() -> None:
    result = silicon("lattice_constant").summary()
    assert result["target"] == pytest.approx(5.42, abs=0.02)
    assert result["target_source"].startswith("experiment")
    error = 100 * (result["before"]["quantity"] / result["target"] - 1)
    assert result["before"]["loss"] == pytest.approx(error**2)


@pytest.mark.thorough
def test_the_unrolled_gradient_is_the_implicit_one_and_grows_from_step_to_step() -> None:
    records: list[dict[str, Any]] = []
    coarse = {"calculation": {"tolerance": 1e-5, "ecut_ha": 5}}
    unrolled = task_of("density_moment", mode="unrolled", **coarse).run(on_record=records.append).summary()
    implicit = task_of("density_moment", **coarse).run().summary()
    for name in ("kappa", "mu"):
        assert unrolled["parameters"][name]["gradient"] == pytest.approx(
            implicit["parameters"][name]["gradient"], rel=1e-3
        )
    norms = unrolled["density_gradient_norms"]
    assert norms == sorted(norms)
    assert implicit["density_gradient_norms"] == unrolled["adjoint"] == []
    told = [record for record in records if record["kind"] == "density_gradient"]
    assert [record["step"] for record in told] == list(reversed(range(len(norms))))
    assert [record["norm"] for record in told] == pytest.approx(list(reversed(norms)))


def test_the_mean_squared_distance_in_a_cube_around_an_atom_is_a_quarter_of_its_edge_squared() -> None:
    uniform: Any = SimpleNamespace(
        crystal=Crystal(5.0 * np.eye(3), ["He"], [[0.1, 0.7, 0.3]]),
        basis=SimpleNamespace(grid=SimpleNamespace(shape=(40, 40, 40))),
        density=torch.ones(1, 40, 40, 40, dtype=torch.float64),
    )
    assert float(density_moment(uniform)) == pytest.approx(25 / 4 * BOHR_ANG**2, rel=2e-3)


@pytest.mark.thorough
def test_the_magnetisation_is_that_of_the_state() -> None:
    calculation = {"structure": "ni", "xc": "pbe-kappa-mu", "ecut_ha": 12, "kmesh": [2, 2, 2], "spin": True,
                   "smearing": "fermi-dirac", "tolerance": 1e-4}  # fmt: skip
    result = GradientTask.from_dict({"calculation": calculation, "loss": "magnetisation"}).run()
    assert result.summary()["before"]["quantity"] == pytest.approx(result.ground.magnetisation)
    assert result.summary()["gradient_norm"] > 0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"calculation": {"xc": "pbe"}}, ["'pbe'", "no parameters", "pbe-kappa-mu", "pbe-proxy"]),
        ({"calculation": {"xc": "0.5*pbe + 0.5*gga_x_b88,gga_c_lyp"}}, ["no parameters"]),
        ({"calculation": {"xc": "nonsense"}}, ["nonsense", "not a known functional"]),
        ({"mode": "unrolled"}, ["mode", "variational"]),
        ({"loss": "magnetisation"}, ["magnetisation", "spin"]),
        ({"loss": "gap", "calculation": {"smearing": "gaussian", "width_ha": 0.01}}, ["smearing", "gaussian"]),
        ({"loss": "lattice_constant", "target": -5.0}, ["target", "-5"]),
        ({"loss": "lattice_constant", "calculation": {"structure": "mg"}}, ["mg", "no single lattice constant"]),
        ({"loss": "lattice_constant", "calculation": {"structure": SILICENE}}, ["silicene", "target"]),
        ({"loss": "colour"}, ["colour", "gap"]),
        ({"step": 2.0}, ["step", "2.0"]),
    ],
)  # fmt: skip
def test_what_makes_no_gradient_is_told_in_one_sentence(changes: dict[str, Any], words: list[str]) -> None:
    data = {"loss": "energy"} | changes
    with pytest.raises(InputError) as error:
        GradientTask.from_dict(data | {"calculation": SILICON | changes.get("calculation", {})})
    assert all(word in str(error.value) for word in words)
    assert "\n" not in str(error.value)


@pytest.mark.thorough
def test_a_run_of_a_gradient_tells_what_happens_and_keeps_the_pull(tmp_path: Path) -> None:
    task = task_of("gap", step=0.02, calculation={"tolerance": 1e-5})
    folder = RunFolder.create(task, "gradient", tmp_path)
    execute(folder)
    assert folder.status["state"] == "finished"
    assert folder.task == task
    result = folder.result
    assert result is not None
    records, _ = folder.records()
    adjoint = [record for record in records if record["kind"] == "adjoint"]
    assert [record["residual"] for record in adjoint] == [record["residual"] for record in result["adjoint"]]
    losses = [(record["stage"], record["value"]) for record in records if record["kind"] == "loss"]
    assert losses == [("before", result["before"]["loss"]), ("after", result["after"]["loss"])]
    assert sum(record["kind"] == "iteration" for record in records) == (
        result["before"]["scf_iterations"] + result["after"]["scf_iterations"]
    )
    with h5py.File(folder.ground_state_path) as file:
        assert "loss_pull" in file


def test_a_run_is_stopped_between_steps_of_the_adjoint(tmp_path: Path) -> None:
    folder = RunFolder.create(task_of("gap", calculation={"tolerance": 1e-5}), "gradient", tmp_path)

    def stop(record: dict[str, Any]) -> None:
        if record["kind"] == "loss":
            folder.request_stop()

    execute(_Overheard(folder.path, stop))
    assert folder.status["state"] == "stopped"
    assert [record["kind"] for record in folder.records()[0]][-1] == "loss"


class _Overheard(RunFolder):
    """A folder whose records somebody hears as they are written."""

    def __init__(self, path: Path, hear: Callable[[dict[str, Any]], None]) -> None:
        super().__init__(path)
        object.__setattr__(self, "_hear", hear)

    def append(self, record: dict[str, Any]) -> None:
        super().append(record)
        self._hear(record)  # type: ignore[attr-defined]


def test_a_state_that_does_not_converge_has_no_gradient_but_a_result(mlxc_command: Callable[..., Outcome]) -> None:
    options = ["--ecut", "5", "--kmesh", "2", "2", "2", "--pseudo", "gth", "--max-iterations", "2", "--json"]
    outcome = mlxc_command("gradient", "si", "--xc", "pbe-kappa-mu", "--loss", "gap", *options)
    assert outcome.code == 3
    result = json.loads(outcome.stdout)
    assert not result["converged"]
    assert result["gradient_norm"] is result["pull"] is result["after"] is result["before"]["loss"] is None


@pytest.mark.thorough
def test_the_command_reports_loss_and_gradient(mlxc_command: Callable[..., Outcome]) -> None:
    options = ["--ecut", "5", "--kmesh", "2", "2", "2", "--pseudo", "gth", "--tolerance", "1e-4", "--step", "0.01"]
    outcome = mlxc_command("gradient", "si", "--xc", "pbe-proxy", "--loss", "gap", "--target", "1.17", *options)
    assert outcome.code == 0
    for text in ("loss, after the step", "norm of the gradient", "exchange_network.0", "adjoint", "1.17 eV (given)"):
        assert text in outcome.stdout
    assert "adjoint  1" in outcome.stderr
    assert mlxc_command("gradient", "si", "--loss", "energy").code == 2
