"""Fixed occupations fill the lowest levels, or the result says that they do not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

import mlxc
from mlxc import Crystal, GroundState, PlaneWaves
from mlxc.basis.planewave.basis import PlaneWaveBasis
from mlxc.kohn_sham.level_above import LevelsAbove, levels_above


def fixed(crystal: Crystal) -> GroundState:
    return mlxc.scf(crystal, basis=PlaneWaves(8.0), kmesh=(2, 2, 2), smearing=None)


def exact_levels(ground: GroundState) -> tuple[Tensor, Tensor]:
    """All levels and orbitals in the converged potential, from the whole matrix of each k point."""
    assert isinstance(ground.basis, PlaneWaveBasis)
    mask, size, found = ground.basis.mask, ground.orbitals.shape[-1], []
    for block in ground.problem.hamiltonian(ground.effective_potential).blocks:
        unit = torch.eye(size, dtype=torch.complex128) * mask[block.rows, None, :]
        # Places that only fill up the batch have no level.
        found.append(torch.linalg.eigh(block.apply(unit) + torch.diag_embed(1e6 * ~mask[block.rows])))
    # Rows of what was applied are columns of H, whose eigenvectors are complex conjugates of those of its transpose.
    return torch.cat([levels for levels, _ in found]), torch.cat([vectors.mH for _, vectors in found])


def looked_above(ground: GroundState, bands: list[int]) -> LevelsAbove:
    levels, orbitals = exact_levels(ground)
    above = levels_above(
        ground.problem, ground.problem.hamiltonian(ground.effective_potential), levels[:, bands], orbitals[:, bands],
        ground.occupations, seed=0,
    )  # fmt: skip
    assert above is not None
    return above


def test_an_orbital_that_is_missing_among_the_filled_ones_is_found() -> None:
    silicon = fixed(Crystal.load("si"))
    assert not looked_above(silicon, [0, 1, 2, 3]).misses_a_state
    for bands in ([0, 1, 2, 4], [1, 2, 3, 4], [0, 2, 3, 5]):
        assert looked_above(silicon, bands).misses_a_state


@pytest.mark.parametrize(
    "crystal", [Crystal.load("si"), Crystal.load("al").supercell(2, 1, 1), Crystal.load("ge")], ids=lambda c: c.name
)
def test_overlapping_bands_are_told_with_their_overlap(crystal: Crystal) -> None:
    ground = fixed(crystal)
    filled = ground.occupations.shape[1]
    levels = exact_levels(ground)[0]
    overlap = float(levels[:, :filled].max() - levels[:, filled].min())
    assert looked_above(ground, list(range(filled))).overlap == pytest.approx(overlap, abs=2e-4)
    assert ("metal" in ground.message) == (overlap > 1e-4)
    assert ground.converged
