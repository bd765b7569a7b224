"""Where spin down is spin up moved by a translation, only one of them is computed, and nothing else differs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import mlxc
from mlxc import Crystal, FermiDirac, GroundState, PlaneWaves
from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.kohn_sham.diagonalisation.mirrored_spin import MirroredSpin

# A row of hydrogen atoms so far apart that each keeps its electron; along the row, spins alternate.
HYDROGEN = Crystal(np.diag([9.0, 7.0, 7.0]), ["H", "H"], [[0, 0, 0], [0.5, 0, 0]], [1, -1])


def solved(crystal: Crystal) -> GroundState:
    found = mlxc.scf(
        crystal, xc="pbe", basis=PlaneWaves(ecut=16), kmesh=(2, 1, 1), smearing=FermiDirac(0.002), spin=True,
        pseudo="gth-pbe",
    )  # fmt: skip
    assert found.converged, found.message
    return found


def with_moments(*moments: float) -> Crystal:
    return Crystal(HYDROGEN.lattice, HYDROGEN.species, HYDROGEN.positions, moments)


def test_a_grid_allows_for_the_translation_that_exchanges_spins() -> None:
    alternating, aligned = solved(HYDROGEN), with_moments(1, 1)
    exchange = SpaceGroup.of(HYDROGEN).with_exchanges(HYDROGEN).pure_translations()
    assert any(np.allclose(translation, [0.5, 0, 0]) for translation in exchange.translations)
    assert alternating.basis.grid.shape[0] % 2 == 0
    # Of a ferromagnet that translation is a symmetry anyway.
    assert len(SpaceGroup.of(aligned).with_exchanges(aligned).pure_translations()) >= 2


def test_energy_levels_and_moments_are_those_of_both_spins_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    mirrored = solved(HYDROGEN)
    monkeypatch.setattr(MirroredSpin, "translation", lambda self, potential: None)
    both = solved(HYDROGEN)
    assert float(mirrored.energy) == pytest.approx(float(both.energy), abs=1e-9)
    assert torch.allclose(mirrored.eigenvalues[:, 0], both.eigenvalues[:, 0], atol=1e-6)
    assert torch.allclose(mirrored.density, both.density, atol=1e-6)
    assert float((mirrored.density[0] - mirrored.density[1]).abs().mean()) > 1e-4


def test_orbitals_of_spin_down_solve_their_own_equation() -> None:
    state = solved(HYDROGEN)
    for block in state.problem.hamiltonian(EffectivePotential(state.potential.detach())).blocks:
        orbitals = state.orbitals[block.rows]
        wrong = block.apply(orbitals) - state.eigenvalues[block.rows][..., None] * orbitals
        assert float(wrong[:, 0].abs().max()) < 1e-5


def test_potentials_that_no_translation_exchanges_are_computed_for_each_spin() -> None:
    state = solved(HYDROGEN)
    potential = EffectivePotential(state.potential.detach())
    mirror, local = MirroredSpin(state.problem), potential.local
    assert mirror.translation(potential) == pytest.approx([0.5, 0, 0])
    assert mirror.translation(EffectivePotential(torch.stack([local[0], local[0]]))) == pytest.approx([0, 0, 0])
    assert mirror.translation(EffectivePotential(torch.stack([local[0], local[1] + 1e-6]))) is None
    assert mirror.translation(EffectivePotential(local[:1])) is None
    # A meta-GGA's second potential has to agree as well.
    kinetic = torch.stack([torch.zeros_like(local[0]), torch.ones_like(local[0])])
    assert mirror.translation(EffectivePotential(local, kinetic=kinetic)) is None
