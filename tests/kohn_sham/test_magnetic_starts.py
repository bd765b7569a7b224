"""Where an SCF with spin starts: held moments are shifted, and what was lost on the way is looked for again."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.grid.grid import Grid
from mlxc.grid.shape import choose_shape
from mlxc.kohn_sham.start.guess import shifted_to, superposed_spin_density
from mlxc.kohn_sham.start.second_start import LARGER, LOST, larger_moments, told, was_lost
from mlxc.pseudo.ions import Ions
from mlxc.pseudo.library import find_pseudopotential
from mlxc.pseudo.make import make_pseudopotential
from mlxc.units import HARTREE_EV

some_moments = st.lists(st.floats(-5, 5), min_size=1, max_size=6).map(np.array)


@given(some_moments, st.floats(-10, 10))
def test_moments_that_are_shifted_have_the_sum_and_their_differences(moments: NDArray[np.float64], sum_: float) -> None:
    assume(moments.any())
    shifted = shifted_to(sum_, moments)
    assert shifted.sum() == pytest.approx(sum_, abs=1e-12)
    magnetic = moments != 0
    np.testing.assert_allclose(np.diff(shifted[magnetic]), np.diff(moments[magnetic]), atol=1e-12)
    assert not shifted[~magnetic].any()


def test_a_sum_that_moments_have_already_leaves_them_as_they_are() -> None:
    moments = np.array([3.0, 0.0, -1.0])
    np.testing.assert_array_equal(shifted_to(2.0, moments), moments)


def test_an_antiferromagnet_whose_moments_do_not_quite_cancel_keeps_them() -> None:
    """Scaled to a sum of zero they would be gone."""
    np.testing.assert_allclose(shifted_to(0.0, np.array([2.0, -1.9])), [1.95, -1.95])


@pytest.mark.parametrize("total", [0.0, 1.0, None])
def test_the_first_density_has_the_total_moment_and_the_local_ones(total: float | None) -> None:
    crystal = Crystal(np.diag([14.0, 7, 7]), ["N", "N"], [[0, 0, 0], [0.5, 0, 0]])
    radius = 8.0
    lattice = torch.tensor(crystal.lattice)
    grid = Grid(lattice, choose_shape(crystal.lattice, radius, SpaceGroup.of(crystal)), radius)
    ions = Ions.of(crystal, {"N": make_pseudopotential(find_pseudopotential("N", "gth", "pbe"))})
    up, down = grid.real(superposed_spin_density(grid, ions, np.array([2.0, -1.9]), 2, total))
    magnetisation = up - down
    assert float(grid.integrate(magnetisation)) == pytest.approx(0.1 if total is None else total, abs=1e-3)
    # Half of the cell belongs to each atom, whose moment is shifted by half of what the sum is.
    first = np.abs(np.fft.fftfreq(grid.shape[0])) < 0.25
    local = float(grid.integrate(magnetisation * torch.tensor(first, dtype=torch.float64)[:, None, None]))
    assert local == pytest.approx(2.0 if total is None else 1.95 + total / 2, abs=0.05)


@pytest.mark.parametrize(
    ("start", "absolute", "lost"),
    [
        ([4.0], [4.0, 3.0, 2.2], False),
        ([4.0], [3.9, 1.0, 0.0], True),
        ([0.5], [0.6, 2.4, 1.0], True),
        ([2.0, -2.0], [4.0, 3.0, 2.5], False),
        ([2.0, -2.0], [4.0, 0.5], True),
    ],
    ids=["smaller", "gone", "larger on the way", "antiferromagnet", "antiferromagnet gone"],
)
def test_a_moment_was_lost_that_was_twice_as_large(start: list[float], absolute: list[float], lost: bool) -> None:
    assert was_lost(np.array(start), absolute) == lost


@given(some_moments, st.lists(st.floats(0, 12), min_size=1, max_size=5))
def test_a_second_start_is_larger_than_the_first_one_and_has_its_signs(
    start: NDArray[np.float64], absolute: list[float]
) -> None:
    assume(start.any())
    again = larger_moments(["Fe"] * len(start), start, absolute)
    if again is not None:
        assert np.abs(again).sum() > LARGER * np.abs(start).sum()
        np.testing.assert_array_equal(np.sign(again), np.sign(start))
        # No more than some fifth above what was there: a start from far above takes many steps.
        assert np.abs(again).sum() <= max(np.maximum(np.abs(start), 4.0).sum(), LARGER * max(absolute)) * (1 + 1e-12)


def test_only_a_start_from_below_is_made_again() -> None:
    assert larger_moments(["Fe"], np.array([4.0]), [4.0, 1.0, 0.0]) is None
    again = larger_moments(["Fe"], np.array([1.0]), [1.0, 0.3, 0.0])
    assert again is not None
    assert again.tolist() == [4.0]
    # What grew on the way beyond an atom's own moment is exceeded.
    again = larger_moments(["Al"], np.array([1.0]), [1.0, 2.0, 0.3])
    assert again is not None
    assert again.tolist() == pytest.approx([2 * LARGER])
    # Atoms that start without a moment stay without one.
    again = larger_moments(["Fe", "Fe"], np.array([1.0, 0.0]), [0.9, 0.0])
    assert again is not None
    assert again.tolist() == [4.0, 0.0]


@pytest.mark.parametrize(
    ("difference_ha", "moments", "words"),
    [
        (-0.001, (0.0, 2.6), ["vanished", "ended at 2.60 per atom", "1 mHa", f"{HARTREE_EV:.3g} meV", "lower;"]),
        (+0.002, (0.8, 2.6), ["fell to 0.80 per atom", "2 mHa", "higher;", "the lower one is kept"]),
        (1e-6, (0.0, 0.0), ["vanished", "with the same energy"]),
    ],
    ids=["lower", "higher", "the same"],
)
def test_two_starts_are_told_in_one_sentence(
    difference_ha: float, moments: tuple[float, float], words: list[str]
) -> None:
    sentence = told(np.array([1.0, -1.0]), np.array([4.0, -4.0]), difference_ha, moments)
    assert sentence.startswith("The SCF was started twice: from a start of 1 Bohr magneton")
    assert sentence.endswith(".")
    assert "from 4 it ended" in sentence
    assert all(word in sentence for word in words)
    assert LOST < 1 < LARGER
