"""Standard deviations of results: those of finite differences of whole calculations, told where they are asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import mlxc
from mlxc import InputError
from mlxc.cli import main
from mlxc.kohn_sham.state import GroundState
from mlxc.observables.catalogue import OBSERVABLES
from mlxc.observables.energy_curve import EnergyCurve
from mlxc.properties.birch_murnaghan import fit_birch_murnaghan
from mlxc.properties.forces import forces_and_stress
from mlxc.response.levels import band_gap
from mlxc.tasks.eos.presentation import equation_of_state_sentence
from mlxc.tasks.eos.run import states_of_task
from mlxc.units import HARTREE_EV
from mlxc.xc.checkpoint import save_checkpoint
from mlxc.xc.checkpoints.ensemble import Ensemble
from mlxc.xc.gga import PBE, PBE_KAPPA, PBE_MU
from mlxc.xc.uncertainty import standard_deviation

COVARIANCE = torch.tensor([[4e-4, -1e-4], [-1e-4, 2.5e-4]], dtype=torch.float64)
SILICON: dict[str, Any] = {"structure": "si", "ecut_ha": 6.0, "kmesh": (2, 2, 2), "smearing": "none", "pseudo": "gth"}
ALUMINIUM: dict[str, Any] = {"structure": "al", "ecut_ha": 8.0, "kmesh": (2, 2, 2), "width_ha": 0.02, "pseudo": "gth"}
STEP = 2e-3
# What the finite differences of this step, and states that are converged to 1e-10, leave.
ACCURACY = 1e-5
FITTED = ("lattice_constant", "bulk_modulus")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("checkpoints") / "kappa-mu.safetensors"
    functional = PBE(trainable=True)
    ensemble = Ensemble.of_covariance(functional, COVARIANCE, ("kappa", "mu"), members=3)
    save_checkpoint(functional, path, name="kappa-mu", ensemble=ensemble)
    return str(path)


def by_differences(*values: Callable[[Any], float], of: Callable[[PBE], Any]) -> list[float]:
    """The roots of g^T C g of values of what ``of`` computes, with gradients by differences of fourth order."""
    slopes = []
    for kappa, mu in ((STEP, 0.0), (0.0, STEP)):
        computed = {n: of(PBE(PBE_KAPPA + n * kappa, PBE_MU + n * mu)) for n in (-2, -1, 1, 2)}
        far = {n: np.array([value(found) for value in values]) for n, found in computed.items()}
        slopes.append((8 * (far[1] - far[-1]) - (far[2] - far[-2])) / (12 * STEP))
    gradients = torch.tensor(np.array(slopes), dtype=torch.float64)
    return (gradients * (COVARIANCE @ gradients)).sum(0).sqrt().tolist()


def ground(xc: Any, crystal: Any = None, **further: Any) -> GroundState:
    settings: dict[str, Any] = {"basis": mlxc.PlaneWaves(6.0), "kmesh": (2, 2, 2), "tolerance": 1e-10, "pseudo": "gth"}
    return mlxc.scf(crystal or mlxc.Crystal.load("si"), xc=xc, **(settings | further))


@pytest.mark.thorough
def test_energy_and_gap_of_a_state_have_the_deviations_of_whole_calculations(checkpoint: str) -> None:
    calculation = mlxc.Calculation.from_dict(SILICON | {"xc": checkpoint, "uncertainty": True, "tolerance": 1e-10})
    told = calculation.run().summary()["uncertainty"]
    energy, gap = by_differences(
        lambda state: state.energy.item(), lambda state: float(band_gap(state).detach()) * HARTREE_EV, of=ground
    )
    assert told["free_energy_standard_deviation_ha"] == pytest.approx(energy, rel=ACCURACY)
    assert told["gap_standard_deviation_ev"] == pytest.approx(gap, rel=ACCURACY)
    assert told["gap_ev"] == pytest.approx(float(band_gap(ground(PBE())).detach()) * HARTREE_EV, abs=1e-7)
    assert told["magnetisation_standard_deviation_bohr_magneton"] is None


@pytest.mark.slow
def test_a_force_has_the_deviation_of_whole_calculations(checkpoint: str) -> None:
    silicon = mlxc.Crystal.load("si")
    moved = mlxc.Crystal(silicon.lattice, silicon.species, silicon.positions + np.array([[0.01, 0, 0], [0, 0, 0]]))
    functional = mlxc.functional(checkpoint)
    forces, _ = forces_and_stress(ground(functional, moved))
    (expected,) = by_differences(
        lambda state: float(forces_and_stress(state)[0][0, 0]), of=lambda xc: ground(xc, moved, differentiate=None)
    )
    assert standard_deviation(forces[0, 0], functional) == pytest.approx(expected, rel=1e-4)


@pytest.mark.thorough
def test_lattice_constant_and_modulus_have_the_deviations_of_whole_curves(checkpoint: str) -> None:
    task = mlxc.EquationOfStateTask.from_dict(
        {"calculation": ALUMINIUM | {"xc": checkpoint, "uncertainty": True, "tolerance": 1e-8}, "points": 5}
    )
    equation = task.run()
    told = equation.summary()["uncertainty"]

    place = told["curve_volumes_ang3"][10]

    def height(curve: EnergyCurve) -> float:
        fit = fit_birch_murnaghan(curve.volumes_ang3, curve.energies_ev.detach().numpy())
        return float(fit(np.array([place]))[0]) - fit.energy0

    lattice_constant, modulus, deviation = by_differences(
        *(lambda curve, quantity=quantity: float(OBSERVABLES[quantity].evaluate(curve)) for quantity in FITTED),
        height,
        of=lambda xc: EnergyCurve.of_states(states_of_task(task, xc=xc)),
    )
    assert told["lattice_constant_standard_deviation_ang"] == pytest.approx(lattice_constant, rel=ACCURACY)
    assert told["bulk_modulus_standard_deviation_gpa"] == pytest.approx(modulus, rel=1e-3)
    assert set(told) >= {"volume_standard_deviation_ang3", "bulk_modulus_derivative_standard_deviation"}
    assert told["curve_standard_deviation_ev"][10] == pytest.approx(deviation, rel=1e-3)
    lowest = int(np.argmin(told["curve_standard_deviation_ev"]))
    assert told["curve_volumes_ang3"][lowest] == pytest.approx(equation.fit.volume0, rel=2e-3)


@pytest.mark.thorough
def test_forces_and_density_have_the_deviations_of_whole_calculations(checkpoint: str) -> None:
    moved = mlxc.Crystal.load("si").to_dict()
    moved["fractional_positions"] = np.array([[0.01, 0, 0], [0.25, 0.25, 0.25]]).tolist()
    settings = SILICON | {"structure": moved, "xc": checkpoint, "tolerance": 1e-9, "uncertainty": True}
    state = mlxc.Calculation.from_dict(settings).run()
    told = state.summary()["uncertainty"]

    def found(xc: PBE) -> tuple[torch.Tensor, torch.Tensor]:
        other = ground(xc, state.crystal, differentiate=None, start=state)
        forces = forces_and_stress(other)[0]
        return forces - forces.mean(0), other.density

    factor = torch.linalg.cholesky(COVARIANCE)
    ends = [
        [found(PBE(PBE_KAPPA + n * kappa, PBE_MU + n * mu)) for n in (1, -1)] for kappa, mu in (factor.T / 10).tolist()
    ]
    slopes = [[(up - down) * 5 for up, down in zip(*pair, strict=True)] for pair in ends]
    forces, densities = (torch.stack(kind).square().sum(0) for kind in zip(*slopes, strict=True))
    assert np.array(told["forces_standard_deviation_ha_bohr"]) == pytest.approx(
        forces.sqrt().numpy(), rel=1e-2, abs=1e-7
    )
    expected = 100 * float((densities.mean() / state.density.detach().square().mean()).sqrt())
    assert told["density_standard_deviation_percent"] == pytest.approx(expected, rel=1e-2)


@pytest.mark.thorough
def test_a_moment_that_is_free_has_a_deviation(checkpoint: str) -> None:
    crystal = {
        "name": "stretched hydrogen", "lattice_ang": [[3.2, 0, 0], [0, 3.2, 0], [0, 0, 3.2]], "species": ["H"],
        "fractional_positions": [[0, 0, 0]], "moments_bohr_magneton": [1.0],
    }  # fmt: skip
    settings: dict[str, Any] = {
        "structure": crystal, "ecut_ha": 8.0, "kmesh": (3, 3, 3), "smearing": "fermi-dirac", "width_ha": 0.02,
        "spin": True, "pseudo": "gth", "xc": checkpoint, "uncertainty": True, "tolerance": 1e-8,
    }  # fmt: skip
    state = mlxc.Calculation.from_dict(settings).run()
    told = state.summary()["uncertainty"]
    assert told["gap_standard_deviation_ev"] is None
    assert state.magnetisation is not None
    assert 0.05 < state.magnetisation < 0.999
    (found,) = by_differences(
        lambda state: state.magnetisation,
        of=lambda xc: ground(
            xc, state.crystal, basis=mlxc.PlaneWaves(8.0), kmesh=(3, 3, 3), smearing=mlxc.FermiDirac(0.02), spin=True,
            differentiate=None, start=state,
        ),
    )  # fmt: skip
    assert told["magnetisation_standard_deviation_bohr_magneton"] == pytest.approx(found, rel=1e-3)


def test_a_functional_without_an_ensemble_is_refused_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    for xc in ("pbe", "solids-gga#1"):
        code = main(["scf", "si", "--ecut", "6", "--kmesh", "2", "2", "2", "--xc", xc, "--uncertainty"])
        assert code == 2
        (line,) = capsys.readouterr().err.strip().splitlines()
        assert "carries no ensemble" in line
        assert "solids-gga" in line


def test_a_command_tells_bars_beside_its_figures(capsys: pytest.CaptureFixture[str]) -> None:
    options = ["eos", "al", "--ecut", "6", "--kmesh", "2", "2", "2", "--points", "4", "--pseudo", "gth"]
    main([*options, "--xc", "solids-gga", "--uncertainty"])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "lattice constant" in line]
    assert "±" in line
    main([*options, "--xc", "solids-gga", "--uncertainty", "--json"])
    summary = json.loads(capsys.readouterr().out)
    assert equation_of_state_sentence(summary).count("±") == 2
    main([*options, "--json"])
    assert json.loads(capsys.readouterr().out)["uncertainty"] is None


def test_what_is_not_asked_for_is_not_recorded() -> None:
    assert "uncertainty" not in mlxc.Calculation.from_dict(SILICON).model_dump()
    assert mlxc.Calculation.from_dict(SILICON | {"uncertainty": True}).model_dump()["uncertainty"] is True


def test_a_saved_state_says_how_uncertain_it_is(checkpoint: str, tmp_path: Path) -> None:
    state = mlxc.Calculation.from_dict(SILICON | {"xc": checkpoint, "uncertainty": True}).run()
    state.save(tmp_path / "state.h5")
    assert GroundState.load(tmp_path / "state.h5").uncertainty == state.uncertainty


def test_a_standard_deviation_is_named_with_its_unit_last() -> None:
    names = {name: observable.deviation_column for name, observable in OBSERVABLES.items()}
    assert names["lattice_constant"] == "lattice_constant_standard_deviation_ang"
    assert names["layer_modulus"] == "in_plane_modulus_standard_deviation_n_per_m"
    assert names["bulk_modulus_derivative"] == "bulk_modulus_derivative_standard_deviation"
    assert names["energy"] is None


def test_without_an_ensemble_there_is_no_deviation_of_a_state() -> None:
    functional = mlxc.functional("pbe-kappa-mu")
    with pytest.raises(InputError, match="carries no ensemble"):
        standard_deviation(ground(functional).energy, functional)
