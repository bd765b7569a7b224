"""Distances between atoms that repeat with a lattice: fractional positions are the same modulo lattice vectors.

They do not depend on which vectors describe the lattice, since the shortest ones that do are taken.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.lattice_reduction import minkowski_reduced

# A vector with coordinates of at most 1/2 along the vectors of a Minkowski-reduced lattice has no shorter image than
# those that are one cell away: the Voronoi cell is that close to the reduced cell in three dimensions.
_SHIFTS = np.array(np.meshgrid(*[[-1, 0, 1]] * 3, indexing="ij")).reshape(3, -1).T
_NO_SHIFT = len(_SHIFTS) // 2


def closest_pair(lattice: NDArray[np.float64], positions: NDArray[np.float64]) -> tuple[float, int, int]:
    """The shortest distance of two atoms, images of the same atom included, bohr, and the indices of the two.

    Args:
        lattice: the lattice vectors in rows, bohr, which span a volume.
        positions: fractional coordinates, shape ``(natom, 3)``.
    """
    reduced, _ = minkowski_reduced(lattice)
    positions = positions @ lattice @ np.linalg.inv(reduced)
    best = (np.inf, 0, 0)
    for i in range(len(positions)):
        distances = _distances_of_images(positions[i:] - positions[i], reduced)
        distances[0, _NO_SHIFT] = np.inf  # the atom itself
        j, _ = np.unravel_index(np.argmin(distances), distances.shape)
        if distances[j].min() < best[0]:
            best = (float(distances[j].min()), i, i + int(j))
    return best


def largest_displacement(
    lattice: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]
) -> float:
    """How far the atom that moves farthest moves from its first to its second position, bohr.

    Positions that differ by lattice vectors are the same.

    Args:
        lattice: the lattice vectors in rows, bohr, which span a volume.
        first: fractional coordinates, shape ``(natom, 3)``.
        second: same shape.
    """
    reduced, _ = minkowski_reduced(lattice)
    delta = (second - first) @ lattice @ np.linalg.inv(reduced)
    return float(_distances_of_images(delta, reduced).min(axis=1).max())


def _distances_of_images(delta: NDArray[np.float64], reduced: NDArray[np.float64]) -> NDArray[np.float64]:
    """The lengths of some fractional vectors and of their images around, ``(nvector, 27)``, the nearest among them."""
    near = delta - np.round(delta)
    return np.asarray(np.linalg.norm((near[:, None, :] + _SHIFTS) @ reduced, axis=-1))
