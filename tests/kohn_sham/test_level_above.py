"""Fixed occupations fill the lowest levels, or the result says that they do not."""

from __future__ import annotations

from math import pi

import pytest
import torch
from torch import Tensor

import mlxc
from mlxc import Crystal, FermiDirac, GroundState, PlaneWaves
from mlxc.basis.planewave.basis import PlaneWaveBasis
from mlxc.kohn_sham.level_above import LevelsAbove, exchanges_levels, levels_above
from mlxc.units import BOHR_ANG


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


def test_levels_that_touch_are_told_where_the_field_has_not_converged() -> None:
    wide, indirect, touching, overlapping = (
        LevelsAbove(torch.empty(0), misses_a_state=False, overlap=overlap, apart=apart)
        for overlap, apart in ((-0.1, 0.1), (-1e-4, 0.1), (-1e-4, 1e-4), (0.1, 1e-4))
    )
    assert all(levels.told(converged=True) == "" for levels in (wide, indirect, touching))
    assert wide.told(converged=False) == indirect.told(converged=False) == ""
    assert "0.003 eV apart" in touching.told(converged=False)
    assert overlapping.told(converged=True) == overlapping.told(converged=False) != ""


def test_a_gap_that_is_wide_at_each_k_point_is_nothing_to_tell_of_a_field_cut_short() -> None:
    state = mlxc.scf(Crystal.load("si"), basis=PlaneWaves(8.0), kmesh=(2, 2, 2), smearing=None, max_iterations=2)
    assert not state.converged
    assert "apart" not in state.message


def test_an_exchange_of_levels_is_another_orbital_among_the_filled_ones_and_no_mixture_of_two() -> None:
    silicon = fixed(Crystal.load("si"))
    orbitals = exact_levels(silicon)[1][:, :5]
    filled, above = orbitals[:, :4], orbitals[:, 4]

    def exchanges(angle: float) -> bool:
        """Whether the highest filled orbital that turns by an angle into the one above is exchanged for it."""
        turned = filled.clone()
        turned[0, 3] = torch.cos(torch.tensor(angle)) * filled[0, 3] + torch.sin(torch.tensor(angle)) * above[0]
        return exchanges_levels(silicon.problem, filled, turned, silicon.occupations)

    assert exchanges(pi / 2)
    assert not any(map(exchanges, (0.0, pi / 4, 0.45 * pi)))
    assert not exchanges_levels(silicon.problem, filled, filled[:, [3, 1, 0, 2]], silicon.occupations)


@pytest.mark.thorough
def test_levels_of_opposite_parity_that_cross_hold_up_no_self_consistent_field() -> None:
    # Two atoms are each other's images by inversion wherever they are, so that parity tells orbitals at Gamma apart.
    # On the way from free atoms to this metal an even and an odd level change places at the Fermi level several times.
    half = 5.66 / 2 / BOHR_ANG
    positions = [[-0.01445452, 0.01403679, -0.00146293], [0.74404321, 0.74010346, 0.76260586]]
    germanium = Crystal([[half, half, 0], [half, 0, half], [0, half, half]], ["Ge", "Ge"], positions)
    ground = mlxc.scf(
        germanium, xc="solids-mgga", basis=PlaneWaves(24.0), kmesh=(2, 2, 2), smearing=None, pseudo="pseudodojo"
    )
    assert ground.converged
    assert len(ground.history) < 18


def test_a_state_has_the_orbital_above_those_that_are_filled() -> None:
    ground = fixed(Crystal.load("si"))
    assert ground.orbitals_above is not None
    levels = exact_levels(ground)[0]
    images = torch.cat([
        block.apply(ground.orbitals_above[block.rows])
        for block in ground.problem.hamiltonian(ground.effective_potential).blocks
    ])  # fmt: skip
    energies = (ground.orbitals_above.conj() * images).sum(-1).real
    assert torch.allclose(energies[:, 0], levels[:, 4], atol=1e-4)
    smearing = FermiDirac(0.01)
    assert (
        mlxc.scf(Crystal.load("al"), basis=PlaneWaves(8.0), kmesh=(2, 2, 2), smearing=smearing).orbitals_above is None
    )
