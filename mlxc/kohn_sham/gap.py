"""Which levels electrons fill, and the gap above them, of any levels: of a mesh, of a path, of another code.

A level is filled if it holds more than half of what it can hold, which with smearing means that it lies below the Fermi
level. Levels are arrays of NumPy or tensors, which take part in autograd. Imports no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlxc.units import HARTREE_EV

if TYPE_CHECKING:
    from torch import Tensor

Levels = TypeVar("Levels", NDArray[np.float64], "Tensor")
# Shape (nspin, nk): how many levels of each spin are filled at each k point.
Filled = NDArray[np.int64]
# Levels within this of the Fermi level are filled, hartree.
ROUNDING = 1e-9
# A smaller gap is none: the bands touch, as graphene's do, hartree.
NO_GAP = 1e-3 / HARTREE_EV


def filled_by_occupation(occupations: ArrayLike) -> Filled:
    """How many levels are filled, of levels whose electrons are known.

    Args:
        occupations: The electrons in each level, shape ``(nspin, nk, nband)``.
    """
    electrons = np.asarray(occupations)
    return np.asarray((electrons > electrons.max() / 2).sum(-1))


def filled_below(fermi_levels: ArrayLike, levels: NDArray[np.float64]) -> Filled:
    """How many levels lie at most at the Fermi level.

    Args:
        fermi_levels: The Fermi level, hartree: one of all spins, or that of each.
        levels: The levels, hartree, shape ``(nspin, nk, nband)``.
    """
    return np.asarray((levels <= np.reshape(fermi_levels, (-1, 1, 1)) + ROUNDING).sum(-1))


def bands_cross(filled: Filled) -> bool:
    """Whether bands of a metal cross the Fermi level: the number of filled levels is not that of every k point."""
    return bool((filled != filled[:, :1]).any())


def highest_filled(levels: Levels, filled: Filled) -> tuple[NDArray[np.int64], Levels]:
    """The highest filled level at each place where there is one.

    Args:
        levels: The levels, shape ``(nspin, nk, nband)``.
        filled: How many of them are filled.

    Returns:
        the spin and the index of the k point of each place, shape ``(nplace, 2)``, and the levels ``(nplace,)``.
    """
    spins, kpoints = np.nonzero(filled > 0)
    return np.stack([spins, kpoints], axis=1), levels[spins, kpoints, filled[spins, kpoints] - 1]


def lowest_empty(levels: Levels, filled: Filled) -> tuple[NDArray[np.int64], Levels]:
    """The lowest empty level at each place where one is known; see :func:`highest_filled`."""
    spins, kpoints = np.nonzero(filled < levels.shape[-1])
    return np.stack([spins, kpoints], axis=1), levels[spins, kpoints, filled[spins, kpoints]]


def difference_of_edges(levels: Levels, filled: Filled) -> Levels:
    """Lowest empty minus highest filled level, without dimensions, negative where bands overlap.

    Args:
        levels: The levels, shape ``(nspin, nk, nband)``, of which at least one is empty and one filled.
        filled: How many of them are filled.
    """
    return lowest_empty(levels, filled)[1].min() - highest_filled(levels, filled)[1].max()


def smallest_step(levels: NDArray[np.float64], filled: Filled) -> float:
    """The smallest difference of an empty and a filled level at one k point, whatever their spins, hartree.

    Args:
        levels: The levels, hartree, shape ``(nspin, nk, nband)``, of which at least one is empty and one filled.
        filled: How many of them are filled.
    """
    top, bottom = np.full(filled.shape, -np.inf), np.full(filled.shape, np.inf)
    for edge, (places, found) in ((top, highest_filled(levels, filled)), (bottom, lowest_empty(levels, filled))):
        edge[*places.T] = found
    return float((bottom.min(0) - top.max(0)).min())


def gap_of(difference: float) -> float:
    """The gap that a difference of edges is: zero where bands overlap or touch, hartree."""
    return difference if difference > NO_GAP else 0.0


def mesh_gap(levels: list[list[list[float]]], occupations: list[list[list[float]]]) -> float | None:
    """The gap between levels whose electrons are known, hartree; zero in a metal.

    Args:
        levels: The levels of each spin and k point, which may have different numbers of them, hartree.
        occupations: The electrons in each level.

    Returns:
        the gap; None where no empty levels have been computed.
    """
    filled = filled_by_occupation(_padded(occupations, 0.0))
    if bands_cross(filled):
        return 0.0
    difference = float(difference_of_edges(_padded(levels, np.inf, spare=1), filled))
    return None if np.isinf(difference) else gap_of(difference)


def _padded(levels: list[list[list[float]]], value: float, spare: int = 0) -> NDArray[np.float64]:
    """Levels as an array: each k point has as many as the longest one and ``spare`` more, filled with ``value``."""
    size = max(len(own) for spin in levels for own in spin) + spare
    return np.array([[own + [value] * (size - len(own)) for own in spin] for spin in levels])
