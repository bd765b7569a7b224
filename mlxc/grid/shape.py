"""How many points a real-space grid needs. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.symmetry import SpaceGroup
from mlxc.errors import InputError

Shape = tuple[int, int, int]


def plane_wave_count(volume: float, ecut: float) -> float:
    """Plane waves per k point, on average: the volume of the cutoff sphere over that of the reciprocal cell."""
    return float(volume * np.sqrt(2 * ecut) ** 3 / (6 * pi**2))


def grid_radius(ecut: float) -> float:
    """Largest |G|, 1/bohr, of products of two functions that a cutoff, hartree, represents."""
    return 2 * sqrt(2 * ecut)


def smallest_shape(lattice: NDArray[np.float64], radius: float) -> Shape:
    """The fewest points that represent all |G| <= radius without aliasing."""
    lengths = np.linalg.norm(lattice, axis=1)
    first, second, third = (2 * floor(length * radius / (2 * pi) * (1 + 1e-12)) + 1 for length in lengths)
    return first, second, third


def choose_shape(lattice: NDArray[np.float64], radius: float, group: SpaceGroup) -> Shape:
    """A grid that FFTs like (2^a 3^b 5^c 7^d) and that the space group maps onto itself."""
    needed = list(smallest_shape(lattice, radius))
    denominators = group.translation_denominators()
    for axes in group.equivalent_axes():
        multiple = int(np.lcm.reduce([denominators[axis] for axis in axes]))
        at_least = max(needed[axis] for axis in axes)
        points = _smooth_number(at_least, multiple if _is_smooth(multiple) else 1)
        for axis in axes:
            needed[axis] = points
    return needed[0], needed[1], needed[2]


def check_shape(shape: Sequence[int], lattice: NDArray[np.float64], radius: float, group: SpaceGroup) -> Shape:
    """Take a grid that a person chose, or say why it cannot serve.

    Raises:
        InputError: too few points, or a rotation of the space group does not map the grid onto itself.
    """
    needed = smallest_shape(lattice, radius)
    if any(n < m for n, m in zip(shape, needed, strict=True)):
        raise InputError(
            f"fft_grid: {_times(shape)} is too small for this cutoff; "
            f"products of orbitals need at least {_times(needed)}."
        )
    # Translations may lie between the points: what is represented exactly can be moved there.
    if len(SpaceGroup(group.rotations, 0 * group.translations).on_grid((shape[0], shape[1], shape[2]))) < len(group):
        raise InputError(
            f"fft_grid: {_times(shape)} breaks the symmetry of the crystal; "
            f"give as many points along equivalent directions, such as {_times(choose_shape(lattice, radius, group))}."
        )
    return shape[0], shape[1], shape[2]


def _times(shape: Sequence[int]) -> str:
    return " x ".join(map(str, shape))


def _smooth_number(at_least: int, multiple: int) -> int:
    """The smallest multiple with no prime factor above 7 that is not below ``at_least``."""
    number = ceil(at_least / multiple) * multiple
    while not _is_smooth(number):
        number += multiple
    return number


def _is_smooth(number: int) -> bool:
    for prime in (2, 3, 5, 7):
        while number % prime == 0:
            number //= prime
    return number == 1
