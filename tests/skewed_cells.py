"""The same crystal in other cells, very skewed ones among them."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal


@st.composite
def unimodular(draw: st.DrawFn, largest: int = 9, steps: int = 4) -> NDArray[np.int64]:
    """Integer matrices of determinant one: a few times one vector is added to another one some times."""
    matrix = np.eye(3, dtype=np.int64)
    for _ in range(draw(st.integers(1, steps))):
        first, second = draw(st.permutations(range(3)))[:2]
        matrix[first] += draw(st.integers(-largest, largest)) * matrix[second]
    return matrix


def in_other_cell(crystal: Crystal, matrix: NDArray[np.int64]) -> Crystal:
    """The same atoms, their positions not wrapped, in the cell of combinations of the lattice vectors."""
    inverse = np.linalg.inv(matrix).round()
    return Crystal(matrix @ crystal.lattice, crystal.species, crystal.positions @ inverse, crystal.moments)
