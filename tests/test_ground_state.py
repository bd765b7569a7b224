"""One entry: all arguments in its signature, a record of what was asked, and of the functional that made the state."""

from __future__ import annotations

import inspect
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import mlxc
from mlxc import (
    Calculation,
    Crystal,
    FermiDirac,
    GaussianOrbitals,
    InputError,
    MarzariVanderbilt,
    PlaneWaves,
    SavedState,
)
from mlxc.calculation.run import run_calculation
from mlxc.frozen.snapshot import Snapshot
from mlxc.properties.bands import band_structure
from mlxc.properties.forces import forces_and_stress
from mlxc.response.gradient_flow import gradient_flow
from mlxc.response.implicit import Implicit
from mlxc.response.levels import band_gap
from mlxc.response.unrolled import Unrolled
from mlxc.xc.identity import identity_of
from mlxc.xc.lda import LDA

SILICON: dict[str, Any] = {"basis": PlaneWaves(5.0), "kmesh": (2, 2, 2), "pseudo": "gth"}


class Network(nn.Module):
    """A local functional with a parameter."""

    ingredients = ("rho",)

    def __init__(self, strength: float = 1.0) -> None:
        super().__init__()
        self.lda = LDA()
        self.strength = nn.Parameter(torch.tensor(strength, dtype=torch.float64))

    def forward(self, rho: Tensor) -> Tensor:
        return self.strength * self.lda(rho)


def silicon(**settings: Any) -> mlxc.GroundState:
    return mlxc.scf(Crystal.load("si"), **(SILICON | settings))


def test_the_entry_names_all_its_arguments() -> None:
    parameters = inspect.signature(mlxc.scf).parameters
    assert not [name for name, parameter in parameters.items() if parameter.kind in (2, 4)]
    documentation = inspect.getdoc(mlxc.scf)
    assert documentation is not None
    assert all(f"    {name}: " in documentation for name in parameters)


@pytest.mark.parametrize(
    ("crystal", "settings"),
    [
        ("si", {"basis": PlaneWaves(5.0, cutoff_smoothing=0.5), "kmesh": (2, 2, 2), "xc": "0.5*pbe + 0.5*lda"}),
        ("al", {"basis": PlaneWaves(5.0, fft_grid=(15, 15, 15)), "kmesh": (2, 2, 2), "smearing": FermiDirac(0.02)}),
        ("al", {"basis": PlaneWaves(5.0), "kmesh": (2, 2, 2), "smearing": MarzariVanderbilt(0.02), "spin": True,
                "total_moment": 1.0, "xc": "pbe-proxy", "tolerance": 1e-5, "seed": 3}),
        pytest.param("si", {"basis": GaussianOrbitals("gth-szv"), "kmesh": (2, 2, 2)}, marks=pytest.mark.thorough),
    ],
)  # fmt: skip
def test_a_state_records_the_calculation_that_computes_it_again(crystal: str, settings: dict[str, Any]) -> None:
    ground = mlxc.scf(Crystal.load(crystal), pseudo="gth", **settings)
    again = Calculation.from_dict(ground.calculation)
    assert set(ground.calculation) == set(again.model_dump(mode="json"))
    state = again.run(forces=False)
    assert state.calculation == again.model_dump(mode="json")
    assert float(state.energy.detach()) == pytest.approx(float(ground.energy.detach()), abs=1e-12)


def test_ghosts_which_no_calculation_knows_are_in_the_record() -> None:
    box = Crystal([[8, 0, 0], [0, 8, 0], [0, 0, 8]], ["H"], [[0, 0, 0]])
    basis = GaussianOrbitals("gth-szv", fft_grid=(20, 20, 20), ghosts=(("H", (0.5, 0.5, 0.5)),))
    ground = mlxc.scf(box, basis=basis, kmesh=(1, 1, 1), smearing=FermiDirac(0.02), tolerance=1e-2)
    assert ground.calculation["ghosts"]
    with pytest.raises(InputError, match="ghosts"):
        Calculation.from_dict(ground.calculation)


def test_a_module_is_recorded_as_itself(tmp_path: Path) -> None:
    network = Network()
    ground = silicon(xc=network)
    assert ground.functional == identity_of(network)
    assert ground.calculation["xc"] == "Network"
    assert ground.summary()["functional"] == {"name": "Network", "content_hash": identity_of(network).content_hash}
    beside = run_calculation(Calculation.from_dict({"structure": "si", "pseudo": "gth", "ecut_ha": 5}), xc=network)
    assert beside.calculation["xc"] == "Network"
    with torch.no_grad():
        network.strength.mul_(1.01)
    assert ground.functional != identity_of(network)
    ground.save(tmp_path / "network.h5")
    assert SavedState.load(tmp_path / "network.h5").functional == ground.functional


def test_a_calculation_gives_forces_and_a_density_with_a_gradient() -> None:
    settings = {"structure": "si", "pseudo": "gth", "ecut_ha": 5, "kmesh": [2, 2, 2], "smearing": "none"}
    ground = Calculation.from_dict({**settings, "xc": "pbe-kappa-mu"}).run()
    assert ground.forces is not None
    assert ground.density.requires_grad
    assert ground.calculation == Calculation.from_dict({**settings, "xc": "pbe-kappa-mu"}).model_dump(mode="json")


def test_forces_come_on_request_and_are_those_of_the_property() -> None:
    ground = silicon(forces=True)
    forces, stress = forces_and_stress(ground)
    assert torch.equal(ground.forces, forces - forces.sum(0) / 2)
    assert torch.equal(ground.stress, stress)
    assert silicon().forces is None
    assert silicon(forces=True, max_iterations=1).forces is None


def test_without_an_adjoint_the_energy_alone_has_a_gradient() -> None:
    ground = silicon(xc="pbe-kappa-mu", differentiate=None)
    assert ground.energy.requires_grad
    assert not ground.density.requires_grad
    assert ground.adjoint is None


def test_of_a_file_that_tells_one_fermi_level_it_is_that_of_both_spins() -> None:
    saved = SavedState.load(Path(__file__).parent / "golden" / "spin-meta-gga.h5")
    assert "fermi_levels_ha" not in saved.summary()
    assert saved.fermi_levels == (saved.fermi_level, saved.fermi_level)
    assert saved.net_force is None


@pytest.mark.parametrize(
    "adjoint", [Implicit(), pytest.param(Unrolled(damping=0.4, max_steps=100), marks=pytest.mark.thorough)]
)
def test_an_adjoint_attaches_to_a_new_state(adjoint: Implicit | Unrolled) -> None:
    plain = silicon(xc="pbe-kappa-mu", differentiate=None)
    attached = adjoint.attach(plain)
    assert not plain.density.requires_grad
    assert attached.density.requires_grad
    assert torch.allclose(attached.density, plain.density, atol=1e-4)
    assert bool(attached.unrolled_fields) == isinstance(adjoint, Unrolled)
    by_argument = silicon(xc="pbe-kappa-mu", differentiate=adjoint)
    assert type(by_argument.adjoint) is type(attached.adjoint)


def test_a_functional_without_parameters_needs_no_adjoint() -> None:
    plain = silicon(differentiate=None)
    assert Implicit().attach(plain) is plain


def test_a_state_does_not_change() -> None:
    ground = silicon()
    with pytest.raises(FrozenInstanceError):
        ground.forces = torch.zeros(2, 3)  # type: ignore[misc]
    with pytest.raises(AttributeError):
        ground.density = torch.zeros(1)  # type: ignore[misc]


def test_a_saved_state_is_looked_at_and_started_from(tmp_path: Path) -> None:
    ground = silicon(forces=True)
    ground.save(tmp_path / "si.h5")
    saved = mlxc.GroundState.load(tmp_path / "si.h5")
    assert isinstance(saved, SavedState)
    assert saved.summary() == ground.summary()
    assert saved.calculation == ground.calculation
    assert saved.crystal.to_dict() == ground.crystal.to_dict()
    assert saved.converged
    assert torch.equal(saved.density, ground.density)
    assert torch.equal(saved.forces, ground.forces)
    assert torch.equal(saved.net_force, ground.net_force)
    assert saved.fermi_levels == ground.fermi_levels
    assert torch.allclose(saved.stress, ground.stress, atol=1e-15)
    assert len(silicon(start=saved).history) < len(ground.history)
    saved.save(tmp_path / "copy.h5")
    assert SavedState.load(tmp_path / "copy.h5").summary() == ground.summary()


@pytest.mark.parametrize(
    "use",
    [
        forces_and_stress, band_structure, band_gap, Snapshot.of, Implicit().attach, Unrolled().attach,
        lambda state: gradient_flow(torch.ones((), requires_grad=True), state),
    ],
)  # fmt: skip
def test_what_needs_the_hamiltonian_says_that_a_file_does_not_hold_it(use: Any, tmp_path: Path) -> None:
    silicon().save(tmp_path / "si.h5")
    with pytest.raises(InputError, match="need the Hamiltonian, which a result that was read from a file"):
        use(SavedState.load(tmp_path / "si.h5"))
