"""From Cartesian places of atoms to fractional ones. Imports no torch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlxc.errors import InputError


def fractional(places: NDArray[np.float64], vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """The fractional coordinates of places, shape ``(natom, 3)``.

    Args:
        places: Cartesian coordinates, shape ``(natom, 3)``.
        vectors: The lattice vectors as rows, in the unit of the places.

    Raises:
        InputError: the vectors span no volume.
    """
    check_volume(vectors)
    return np.asarray(places.reshape(-1, 3) @ np.linalg.inv(vectors))


def check_volume(vectors: NDArray[np.float64]) -> None:
    """Refuse three vectors that lie in a plane, or whose numbers are beyond all sizes.

    Raises:
        InputError: the vectors span no volume, or one that is no number.
    """
    if not 0 < abs(np.linalg.det(vectors)) < np.inf:
        raise InputError("The lattice vectors span no volume: they must be three linearly independent vectors.")
