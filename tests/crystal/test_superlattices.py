"""Superlattices are counted as number theory counts them, and supercells have the k points of their crystal."""

from __future__ import annotations

from itertools import product
from math import prod

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.superlattices import (
    cell_index,
    cells_of,
    common_mesh,
    distinct_superlattices,
    supercell_with_mesh,
    superlattices_of_index,
)
from mlxc.crystal.symmetry import SpaceGroup

LATTICES = {
    "simple cubic": np.eye(3),
    "fcc": (np.ones((3, 3)) - np.eye(3)) / 2,
    "bcc": np.ones((3, 3)) / 2 - np.eye(3),
    "hexagonal": np.array([[1, 0, 0], [-0.5, 3**0.5 / 2, 0], [0, 0, 1.6]]),
    "triclinic": np.array([[1, 0, 0], [0.2, 1.1, 0], [-0.3, 0.4, 1.3]]),
}
names = st.sampled_from(sorted(LATTICES))


def crystal(name: str) -> Crystal:
    return Crystal(5.0 * LATTICES[name], ["Fe"], [[0, 0, 0]], name=name)


@pytest.mark.parametrize(("index", "number"), [(1, 1), (2, 7), (3, 13), (4, 35), (5, 31), (6, 91)])
def test_there_are_as_many_superlattices_as_divisors_say(index: int, number: int) -> None:
    """Their number is the sum of d * sigma(d) over the divisors of the index."""
    divisors = [d for d in range(1, index + 1) if index % d == 0]
    assert sum(d * sum(e for e in divisors if d % e == 0) for d in divisors) == number
    assert len(superlattices_of_index(index)) == number


@pytest.mark.parametrize(
    ("name", "numbers"), [("fcc", [2, 3, 7, 5, 10]), ("bcc", [2, 3, 7, 5, 10]), ("simple cubic", [3, 3, 9, 5, 13])]
)
def test_symmetry_leaves_the_published_numbers_of_cubic_superlattices(name: str, numbers: list[int]) -> None:
    """G. L. W. Hart, R. W. Forcade, Phys. Rev. B 77, 224115 (2008), of index 2 to 6."""
    group = SpaceGroup.of(crystal(name))
    found = [distinct_superlattices(index, group) for index in range(2, 7)]
    assert [len(distinct) for distinct in found] == numbers
    assert [sum(count for _, count in distinct) for distinct in found] == [7, 13, 35, 31, 91]


@pytest.mark.parametrize("index", [2, 4, 6])
def test_each_cell_of_a_supercell_has_a_number_of_its_own(index: int) -> None:
    for superlattice in superlattices_of_index(index):
        cells = cells_of(superlattice)
        assert cell_index(cells, superlattice).tolist() == list(range(index))
        moved = cells + np.array([3, -2, 5]) @ superlattice
        assert cell_index(moved, superlattice).tolist() == list(range(index))


@settings(max_examples=20)
@given(names, st.integers(2, 4), st.tuples(*[st.integers(1, 6)] * 3), st.data())
def test_a_supercell_has_the_k_points_of_its_crystal(
    name: str, index: int, mesh: tuple[int, int, int], data: st.DataObject
) -> None:
    """The points of its mesh, moved by its own reciprocal lattice, are those of the crystal's mesh, each once."""
    own = crystal(name)
    group = SpaceGroup.of(own)
    superlattice = data.draw(st.sampled_from([lattice for lattice, _ in distinct_superlattices(index, group)]))
    finer = common_mesh(mesh, [superlattice], group)
    assert all(n >= m for n, m in zip(finer, mesh, strict=True))
    basis, points = supercell_with_mesh(own.lattice, superlattice, finer)
    assert round(np.linalg.det(basis)) == index
    assert prod(points) * index == prod(finer)
    fractions = np.array(list(product(*map(range, points)))) / points
    # Reciprocal vectors of the supercell in units of those of the crystal: b'_i = sum_j inv(basis)_ji b_j.
    reciprocal = np.linalg.inv(basis).T
    steps = np.array(list(product(range(index), repeat=3)))
    unfolded = ((fractions[:, None] + steps) @ reciprocal).reshape(-1, 3) * finer
    np.testing.assert_allclose(unfolded, unfolded.round(), atol=1e-6)
    assert len(np.unique(unfolded.round().astype(int) % finer, axis=0)) == prod(finer)


@settings(max_examples=20)
@given(names, st.integers(2, 3), st.integers(1, 6))
def test_a_common_mesh_keeps_the_symmetry(name: str, index: int, points: int) -> None:
    group = SpaceGroup.of(crystal(name))
    superlattices = [lattice for lattice, _ in distinct_superlattices(index, group)]
    finer = common_mesh((points, points, points), superlattices, group)
    assert set(finer) == {-(-points // index) * index}


def test_the_antiferromagnet_of_nickel_oxide_takes_a_compact_supercell() -> None:
    own = crystal("fcc")
    (along_111,) = [
        lattice for lattice, count in distinct_superlattices(2, SpaceGroup.of(own)) if count == 4
    ]  # as many as there are body diagonals
    basis, points = supercell_with_mesh(own.lattice, along_111, (4, 4, 4))
    assert sorted(points) == [2, 4, 4]
    assert np.linalg.norm(basis @ own.lattice, axis=1).max() < 1.5 * 5.0
