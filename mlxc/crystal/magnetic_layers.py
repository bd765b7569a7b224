"""How a collinear magnetic order looks: in which planes of atoms all moments are parallel. Imports no torch."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import gcd, lcm

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.superlattices import Superlattice
from mlxc.crystal.symmetry import SpaceGroup, conventional_lattice

Plane = tuple[int, int, int]
LARGEST_INDEX = 3
# Heights of planes, in units of the distance after which they repeat, that are told apart.
STEPS = 10_000
# Of lattice vectors in units of the conventional ones: centrings are halves and thirds.
LARGEST_DENOMINATOR = 24


def layers_in_words(
    crystal: Crystal, group: SpaceGroup, superlattice: Superlattice, places: NDArray[np.float64], signs: list[int]
) -> str:
    """The densest planes with parallel moments, such as ``layers along 111``; empty where there are no such planes.

    Miller indices refer to the conventional cell, and stand for all planes that the space group makes equivalent. The
    signs from plane to plane are told where they do not alternate: ``layers along 001: ++--``.

    Args:
        crystal: The crystal without moments.
        group: Its space group.
        superlattice: The translations with which the moments repeat.
        places: The positions of the magnetic atoms of a supercell in units of the crystal's lattice vectors, shape
            ``(nmagnetic, 3)``.
        signs: The sign of each of their moments, 1 or -1.
    """
    # Rows are the crystal's lattice vectors in units of the conventional ones.
    conventional = crystal.lattice @ np.linalg.inv(conventional_lattice(crystal))
    for plane in _planes():
        stacking = _stacking(conventional @ plane, superlattice, places, np.array(signs))
        if stacking:
            words = f"layers along {_indices(_usual(plane, conventional, group))}"
            return words if stacking == "+-" else f"{words}: {stacking}"
    return ""


def _planes() -> list[Plane]:
    """Miller indices without a common divisor, one of each pair of opposite ones, from the densest planes on."""
    numbers = range(-LARGEST_INDEX, LARGEST_INDEX + 1)
    found = [(h, k, m) for h, k, m in product(numbers, repeat=3) if (h, k, m) > (0, 0, 0) and gcd(h, k, m) == 1]
    return sorted(found, key=lambda plane: sum(index**2 for index in plane))


def _stacking(
    normal: NDArray[np.float64], superlattice: Superlattice, places: NDArray[np.float64], signs: NDArray[np.int64]
) -> str:
    """The sign of each plane, in the order in which they follow each other; empty if signs differ within a plane."""
    repeat = _common_divisor((superlattice @ normal).tolist())
    heights = (places @ normal / repeat * STEPS).round().astype(np.int64) % STEPS
    planes = [set(signs[heights == height].tolist()) for height in np.unique(heights)]
    if any(len(plane) > 1 for plane in planes) or len({*signs.tolist()}) == 1:
        return ""
    sequence = "".join("+" if plane == {1} else "-" for plane in planes)
    length = next(n for n in range(1, len(sequence) + 1) if sequence[n:] + sequence[:n] == sequence)
    sequence = sequence[:length]
    start = next(n for n in range(length) if sequence[n - 1] == "-" and sequence[n] == "+")
    return sequence[start:] + sequence[:start]


def _common_divisor(lengths: list[float]) -> float:
    """The largest number of which all of these simple fractions are multiples."""
    fractions = [Fraction(length).limit_denominator(LARGEST_DENOMINATOR) for length in lengths]
    denominator = lcm(*(fraction.denominator for fraction in fractions))
    return gcd(*(int(fraction * denominator) for fraction in fractions)) / denominator


def _usual(plane: Plane, conventional: NDArray[np.float64], group: SpaceGroup) -> Plane:
    """The one of equivalent planes that people write: 001, 110, 111."""
    rotated = (conventional @ plane) @ np.concatenate([group.rotations, -group.rotations])
    family = (rotated @ np.linalg.inv(conventional).T).round().astype(int).tolist()
    h, k, m = min(family, key=lambda p: (sum(i < 0 for i in p), p[0] != p[1], [-i for i in p]))
    return h, k, m


def _indices(plane: Plane) -> str:
    return "".join(map(str, plane)) if min(plane) >= 0 else " ".join(map(str, plane))
