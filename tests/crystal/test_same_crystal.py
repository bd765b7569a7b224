"""When two crystals are the same one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlxc import Crystal, InputError

SHIFTS = arrays(np.int64, (3, 3), elements=st.integers(-3, 3))
FACTORS = st.floats(0.7, 1.6)


def possible(*arguments: Any) -> Crystal:
    """A crystal, unless atoms are on top of each other."""
    try:
        return Crystal(*arguments)
    except InputError:
        assume(False)
        raise


@st.composite
def crystals(draw: st.DrawFn) -> Crystal:
    """Three atoms in a cell that is not too flat."""
    skew = draw(arrays(np.float64, (3, 3), elements=st.floats(-2, 2)))
    positions = draw(arrays(np.float64, (3, 3), elements=st.floats(0, 1, exclude_max=True)))
    species = draw(st.lists(st.sampled_from(["Si", "Ge", "C"]), min_size=3, max_size=3))
    moments = draw(arrays(np.float64, 3, elements=st.floats(-3, 3)))
    return possible(8 * np.eye(3) + skew, species, positions, moments)


@given(crystals())
def test_a_crystal_is_itself_under_any_name(crystal: Crystal) -> None:
    renamed = Crystal(crystal.lattice, crystal.species, crystal.positions, crystal.moments, "another name")
    assert crystal.same_as(renamed, with_moments=True, tolerance=0)
    assert crystal.same_lattice_as(renamed, tolerance=0)


@pytest.mark.thorough
@given(crystals(), SHIFTS, FACTORS, st.floats(-6, 0))
def test_sameness_is_mutual(crystal: Crystal, shifts: np.ndarray, factor: float, exponent: float) -> None:
    moved = crystal.positions + shifts + 10.0**exponent * np.eye(3)
    other = possible(crystal.lattice * factor, crystal.species, moved, -crystal.moments)
    for up_to_scaling in (False, True):
        for tolerance in (1e-6, 1e-3, 1.0):
            there = crystal.same_as(other, up_to_scaling=up_to_scaling, tolerance=tolerance)
            assert there == other.same_as(crystal, up_to_scaling=up_to_scaling, tolerance=tolerance)


@given(crystals(), SHIFTS)
def test_atoms_may_be_named_in_any_cell(crystal: Crystal, shifts: np.ndarray) -> None:
    shifted = Crystal(crystal.lattice, crystal.species, crystal.positions + shifts, crystal.moments)
    assert crystal.same_as(shifted, with_moments=True)


@given(crystals(), FACTORS)
def test_the_volume_counts_unless_it_is_said_not_to(crystal: Crystal, factor: float) -> None:
    scaled = possible(crystal.lattice * factor, crystal.species, crystal.positions)
    assert crystal.same_as(scaled, up_to_scaling=True)
    if abs(factor - 1) > 1e-3:
        assert not crystal.same_as(scaled)
        assert not crystal.same_lattice_as(scaled)


@given(crystals(), st.integers(0, 2), st.floats(1e-5, 0.4), FACTORS)
def test_an_atom_that_has_moved_makes_another_crystal(
    crystal: Crystal, atom: int, distance: float, factor: float
) -> None:
    step = np.zeros((3, 3))
    step[atom] = np.linalg.solve(crystal.lattice.T, [distance, 0, 0])
    moved = possible(crystal.lattice, crystal.species, crystal.positions + step)
    assert not crystal.same_as(moved)
    assert crystal.same_as(moved, tolerance=1.01 * distance)
    scaled = possible(moved.lattice * factor, moved.species, moved.positions)
    assert not crystal.same_as(scaled, up_to_scaling=True)


def test_elements_their_order_the_cell_and_on_request_the_moments_count() -> None:
    crystal = Crystal(8 * np.eye(3), ["Si", "C"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert not crystal.same_as(Crystal(crystal.lattice, ["Si", "Ge"], crystal.positions))
    assert not crystal.same_as(Crystal(crystal.lattice, ["C", "Si"], crystal.positions[::-1]))
    assert not crystal.same_as(Crystal(crystal.lattice[[1, 0, 2]], crystal.species, crystal.positions))
    magnetic = Crystal(crystal.lattice, crystal.species, crystal.positions, [1.0, 0.0])
    assert crystal.same_as(magnetic)
    assert not crystal.same_as(magnetic, with_moments=True)


@pytest.mark.parametrize("name", ["al", "graphene", "nacl"])
def test_a_shipped_structure_survives_a_file_format(name: str) -> None:
    crystal = Crystal.load(name)
    assert crystal.same_as(Crystal.from_dict(crystal.to_dict()), with_moments=True, tolerance=1e-9)
