"""How many points a real-space grid needs. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from math import ceil, floor, lcm, pi, sqrt

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.symmetry import SpaceGroup
from mlxc.errors import InputError

Shape = tuple[int, int, int]

# An axis may get so many times the points of a grid with equal numbers: others may get fewer for it.
LONGER = 1.5


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
    """The smallest grid that FFTs like (2^a 3^b 5^c 7^d) and that the space group maps onto itself.

    A rotation W maps it onto itself if n_j divides n_i W_ij for all i and j, and a translation w if n_i w_i is an
    integer. Axes that rotations mix need not have equal numbers of points: along the long axis of a supercell there are
    many. A translation that no smooth number of points allows is left aside.
    """
    needed = smallest_shape(lattice, radius)
    multiples = [lcm(*filter(_is_smooth, own)) for own in group.translation_denominators()]
    shape = [0, 0, 0]
    for axes in group.equivalent_axes():
        # With equal numbers every rotation is one of the grid.
        enough = _smooth_number(max(needed[axis] for axis in axes), lcm(*(multiples[axis] for axis in axes)))
        candidates = [_smooth_numbers(needed[axis], floor(LONGER * enough), multiples[axis]) for axis in axes]
        for axis, points in zip(
            axes, _smallest_mapped(candidates, group.common_factors()[np.ix_(axes, axes)]), strict=True
        ):
            shape[axis] = points
    return shape[0], shape[1], shape[2]


def _smallest_mapped(candidates: Sequence[NDArray[np.int64]], factors: NDArray[np.int64]) -> list[int]:
    """The numbers of points with the smallest product that rotations map onto each other.

    Args:
        candidates: The numbers to choose from for each of some axes.
        factors: The common factors of the rotations' elements between these axes.
    """
    points = np.meshgrid(*candidates, indexing="ij")
    possible = np.ones(points[0].shape, dtype=bool)
    for i, j in permutations(range(len(points)), 2):
        possible &= points[i] * factors[i, j] % points[j] == 0
    products = np.where(possible, np.prod(points, axis=0), np.iinfo(np.int64).max)
    best = products.argmin()
    return [int(axis.flat[best]) for axis in points]


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
            f"its operations map the points of others onto each other, such as "
            f"{_times(choose_shape(lattice, radius, group))}."
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


def _smooth_numbers(at_least: int, at_most: int, multiple: int) -> NDArray[np.int64]:
    """All multiples with no prime factor above 7 between two numbers."""
    first = ceil(at_least / multiple) * multiple
    return np.array([number for number in range(first, at_most + 1, multiple) if _is_smooth(number)])


def _is_smooth(number: int) -> bool:
    for prime in (2, 3, 5, 7):
        while number % prime == 0:
            number //= prime
    return number == 1
