"""Forces and stress against another code, against differences of energies, and against what symmetry allows."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from reference_systems import CASES, SYSTEMS
from reference_systems import ground_state as reference_state

import mlxc
from mlxc import Crystal, FermiDirac, GroundState, InputError, PlaneWaves
from mlxc.properties.forces import forces_and_stress

# Smoothing keeps the energy a differentiable function of the cell although plane waves enter and leave the basis.
BASIS = PlaneWaves(12.0, cutoff_smoothing=2.0)
DISTORTED = Crystal(
    [[0.1, 5.2, 5.0], [5.1, 0, 5.13], [5.3, 5.13, 0]], ["Si", "C"], [[0.02, 0, 0], [0.27, 0.24, 0.23]], [1.0, 0.5]
)


def ground_state(crystal: Crystal, spin: bool = False) -> GroundState:
    settings = {"kmesh": (2, 2, 2), "smearing": FermiDirac(0.02), "pseudo": "gth", "tolerance": 1e-9}
    return mlxc.scf(crystal, basis=BASIS, spin=spin, **settings)


@cache
def distorted(spin: bool = False) -> GroundState:
    """The state of the distorted crystal, computed once for all tests."""
    return ground_state(DISTORTED, spin)


@pytest.mark.parametrize("name", [*CASES, pytest.param("o2-molecule", marks=pytest.mark.thorough)])
def test_forces_and_stress_equal_those_of_abinit(name: str) -> None:
    summary = reference_state(name).summary()
    assert np.allclose(summary["forces_ha_bohr"], SYSTEMS[name]["forces_ha_bohr"], atol=1e-5)
    reference = SYSTEMS[name]["stress_ha_bohr3_voigt_xx_yy_zz_yz_xz_xy"]
    assert np.allclose(summary["stress_ha_bohr3"], reference, atol=1e-7)


@pytest.mark.thorough
@pytest.mark.parametrize("spin", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_force_is_minus_the_slope_of_the_energy(spin: bool) -> None:
    forces, _ = forces_and_stress(distorted(spin))
    direction = np.array([0.3, -0.5, 0.8])
    step = 0.01

    def energy(shift: float) -> float:
        cartesian = np.array([np.zeros(3), shift * direction])
        moved = DISTORTED.positions + cartesian @ np.linalg.inv(DISTORTED.lattice)
        return float(ground_state(Crystal(DISTORTED.lattice, DISTORTED.species, moved, DISTORTED.moments), spin).energy)

    slope = (energy(step) - energy(-step)) / (2 * step)
    assert float(forces[1] @ torch.tensor(direction)) == pytest.approx(-slope, abs=2e-5)


@pytest.mark.thorough
@pytest.mark.parametrize("spin", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_stress_is_the_slope_of_the_energy_with_strain(spin: bool) -> None:
    _, stress = forces_and_stress(distorted(spin))
    direction = np.array([[0.6, 0.2, 0.0], [0.2, -0.3, 0.4], [0.0, 0.4, 0.5]])
    step = 2e-3

    def energy(size: float) -> float:
        lattice = DISTORTED.lattice @ (np.eye(3) + size * direction).T
        strained = Crystal(lattice, DISTORTED.species, DISTORTED.positions, DISTORTED.moments)
        return float(ground_state(strained, spin).energy)

    slope = (energy(step) - energy(-step)) / (2 * step * DISTORTED.volume)
    assert float((stress * torch.tensor(direction)).sum()) == pytest.approx(slope, abs=2e-6)


@pytest.mark.thorough
def test_forces_of_a_crystal_add_up_to_nothing() -> None:
    forces, stress = forces_and_stress(distorted())
    assert torch.allclose(forces.sum(0), torch.zeros(3, dtype=torch.float64), atol=2e-4)  # up to the XC grid
    assert torch.allclose(stress, stress.T)


@pytest.mark.thorough
def test_reported_forces_add_up_to_nothing_and_differ_by_the_same_for_each_atom() -> None:
    ground = mlxc.scf(DISTORTED, basis=PlaneWaves(8.0), kmesh=(1, 1, 1), smearing=FermiDirac(0.02), forces=True)
    forces, _ = forces_and_stress(ground)
    assert torch.allclose(ground.forces.sum(0), torch.zeros(3, dtype=torch.float64), atol=1e-14)
    assert torch.allclose(ground.net_force, forces.sum(0))
    assert float(ground.net_force.norm()) > 1e-7
    assert torch.allclose(forces - ground.forces, ground.net_force / 2)


@pytest.mark.thorough
def test_forces_under_an_applied_potential_keep_its_pull() -> None:
    slope = torch.tensor(2 * np.pi * np.linalg.inv(DISTORTED.lattice)[:, 0])
    field = mlxc.ExternalPotential(lambda r: 0.02 * torch.cos(r @ slope))
    settings = {"basis": PlaneWaves(8.0), "kmesh": (1, 1, 1), "smearing": FermiDirac(0.02)}
    ground = mlxc.scf(DISTORTED, **settings, terms=[field], forces=True)
    forces, _ = forces_and_stress(ground)
    assert torch.allclose(ground.forces, forces)
    assert torch.allclose(ground.net_force, forces.sum(0))
    assert float(ground.net_force.norm()) > 1e-3


def test_a_result_from_a_file_says_that_it_cannot_give_forces(tmp_path: Path) -> None:
    ground = mlxc.scf(Crystal.load("si"), basis=PlaneWaves(4.0), kmesh=(1, 1, 1))
    ground.save(tmp_path / "state.h5")
    with pytest.raises(InputError, match="read from a file"):
        forces_and_stress(GroundState.load(tmp_path / "state.h5"))
