"""Distances between atoms that repeat with a lattice: fractional positions are the same modulo lattice vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def closest_pair(lattice: NDArray[np.float64], positions: NDArray[np.float64]) -> tuple[float, int, int]:
    """The shortest distance of two atoms, images of the same atom included, bohr, and the indices of the two.

    Args:
        lattice: the lattice vectors in rows, bohr.
        positions: fractional coordinates, shape ``(natom, 3)``.
    """
    shifts = np.array(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij")).reshape(3, -1).T
    best = (np.inf, 0, 0)
    for i in range(len(positions)):
        delta = positions[i:] - positions[i]
        delta -= np.round(delta)
        vectors = (delta[:, None, :] + shifts[None, :, :]) @ lattice
        distances = np.linalg.norm(vectors, axis=-1)
        distances[0, len(shifts) // 2] = np.inf  # the atom itself
        j, _ = np.unravel_index(np.argmin(distances), distances.shape)
        if distances[j].min() < best[0]:
            best = (float(distances[j].min()), i, i + int(j))
    return best


def largest_displacement(
    lattice: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]
) -> float:
    """How far the atom that moves farthest moves from its first to its second position, bohr.

    Positions that differ by lattice vectors are the same. The result is exact for displacements that are small beside
    the lattice vectors, which is where it decides anything.

    Args:
        lattice: the lattice vectors in rows, bohr.
        first: fractional coordinates, shape ``(natom, 3)``.
        second: same shape.
    """
    delta = second - first
    delta -= np.round(delta)
    return float(np.linalg.norm(delta @ lattice, axis=1).max())
