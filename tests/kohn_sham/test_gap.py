"""Which levels are filled and how far apart bands are, of any levels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ase.dft.bandgap import bandgap

from mlxc.kohn_sham.gap import bands_cross, difference_of_edges, filled_below, filled_by_occupation, gap_of, mesh_gap

LEVELS = np.array([[[-1.0, -0.5, 0.5], [-0.8, -0.4, 0.3]], [[-0.9, 0.2, 0.6], [-0.7, 0.4, 0.5]]])
ELECTRONS = np.array([[[1, 0.9, 0.1], [1, 1, 0]], [[1, 0, 0], [1, 0.2, 0]]])


def test_levels_are_filled_that_hold_more_than_half_or_lie_below_the_fermi_level() -> None:
    filled = filled_by_occupation(ELECTRONS)
    assert filled.tolist() == [[2, 2], [1, 1]]
    assert filled_below(0.0, LEVELS).tolist() == filled.tolist()
    assert filled_below([0.55, -0.8], LEVELS).tolist() == [[3, 3], [1, 0]]
    assert not bands_cross(filled)
    assert bands_cross(filled_below(-0.45, LEVELS))


def test_the_gap_lies_between_the_spins_if_their_edges_do() -> None:
    filled = filled_by_occupation(ELECTRONS)
    assert difference_of_edges(LEVELS, filled) == pytest.approx(0.2 + 0.4)
    # Without electrons of one spin its lowest level may be the lowest empty one.
    assert difference_of_edges(LEVELS[:, :, 1:], np.array([[1, 1], [0, 0]])) == pytest.approx(0.2 + 0.4)


def test_a_gap_of_tensors_has_the_gradient_of_its_edges() -> None:
    levels = torch.tensor(LEVELS, requires_grad=True)
    gap = difference_of_edges(levels, filled_by_occupation(ELECTRONS))
    gap.backward()
    assert float(gap.detach()) == pytest.approx(0.6)
    expected = torch.zeros_like(levels)
    expected[1, 0, 1], expected[0, 1, 1] = 1, -1
    assert torch.equal(levels.grad, expected)


def test_bands_that_overlap_or_touch_leave_no_gap() -> None:
    assert gap_of(-0.1) == gap_of(1e-5) == 0
    assert gap_of(0.1) == 0.1
    assert mesh_gap([[[-1.0, 0.1], [0.2, 0.5]]], [[[2, 0], [2, 0]]]) == 0


def test_the_gap_of_a_mesh() -> None:
    levels = [[[-1.0, -0.5, 0.5], [-0.8, -0.4, 0.3]]]
    assert mesh_gap(levels, [[[2, 2, 0], [2, 2, 0]]]) == pytest.approx(0.7)
    assert mesh_gap(levels, [[[2, 2, 0], [2, 0, 0]]]) == 0
    assert mesh_gap(levels, [[[2, 2, 2], [2, 2, 2]]]) is None
    assert mesh_gap([[[-1.0, 0.5], [-0.8]]], [[[2, 0], [2]]]) == pytest.approx(1.3)


@pytest.mark.parametrize("spins", [1, 2])
@pytest.mark.parametrize("crosses", [False, True], ids=["an insulator", "a metal"])
def test_the_gap_of_a_mesh_is_the_one_that_ase_finds(spins: int, crosses: bool) -> None:
    # Three bands of spin up lie below the Fermi level at zero, and two of spin down.
    distances = np.random.default_rng(spins).uniform(0.1, 1.0, (spins, 5, 6))
    levels = np.where(np.arange(6) < 3 - np.arange(spins)[:, None, None], -distances, distances)
    if crosses:
        levels[-1, 2, 0] *= -1
    levels = np.sort(levels)
    electrons = 2 / spins / (1 + np.exp(levels / 0.05))
    expected, *_ = bandgap(eigenvalues=levels, efermi=0.0)
    assert (expected == 0) == crosses
    assert mesh_gap(levels.tolist(), electrons.tolist()) == pytest.approx(expected)
