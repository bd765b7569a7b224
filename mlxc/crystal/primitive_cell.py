"""Which sites of a crystal are the same, and the smallest cell that repeats them. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import spglib
from numpy.typing import NDArray

from mlxc.crystal.lattice_reduction import shortest_basis

# Positions that differ by less than this (bohr) are the same site.
SYMMETRY_TOLERANCE = 1e-5
# Of moments, Bohr magneton.
_DECIMALS = 6

# Lattice vectors, positions and kinds; spglib takes arrays, and says that it takes sequences.
SpglibCell = tuple[Any, Any, list[int]]


def spglib_cell(
    lattice: NDArray[np.float64], positions: NDArray[np.float64], species: Sequence[str], moments: NDArray[np.float64]
) -> SpglibCell:
    """A crystal as spglib takes it; atoms of one element with different moments are different."""
    kinds = list(zip(species, moments.round(_DECIMALS) + 0.0, strict=True))
    return lattice, positions, [sorted(set(kinds)).index(kind) + 1 for kind in kinds]


def symmetry_dataset(cell: SpglibCell) -> Any:
    """All that spglib finds about the symmetry of a crystal, which nobody may change; None if it finds nothing."""
    lattice, positions, kinds = cell
    return _dataset(*(np.asarray(array, dtype=np.float64).tobytes() for array in (lattice, positions)), tuple(kinds))


@lru_cache(maxsize=512)
def _dataset(lattice: bytes, positions: bytes, kinds: tuple[int, ...]) -> Any:
    """The same of the bytes of a cell: a training asks for it at each step, and spglib takes milliseconds."""
    cell: SpglibCell = (np.frombuffer(lattice).reshape(3, 3), np.frombuffer(positions).reshape(-1, 3), list(kinds))
    return spglib.get_symmetry_dataset(cell, symprec=SYMMETRY_TOLERANCE)


def primitive_cell(cell: SpglibCell, like: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[int]]:
    """The shortest vectors of a primitive cell that is not turned, and the atoms that are left.

    Args:
        cell: A cell of the crystal that is not very skewed.
        like: Vectors, in rows, whose directions those of the primitive cell are to have as far as may be.

    Returns:
        the vectors in rows, and one atom of each set that translations of the lattice map onto each other. Where no
        symmetry is found, these are all atoms.
    """
    dataset = symmetry_dataset(cell)
    if dataset is None:
        return cell[0], list(range(len(cell[2])))
    _, kept = np.unique(dataset.mapping_to_primitive, return_index=True)
    return shortest_basis(np.asarray(dataset.primitive_lattice), like), sorted(kept.tolist())
