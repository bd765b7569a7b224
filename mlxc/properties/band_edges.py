"""Where the valence bands end and the conduction bands begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlxc.errors import MlxcError
from mlxc.kohn_sham.gap import (
    NO_GAP,
    Filled,
    bands_cross,
    filled_below,
    gap_of,
    highest_filled,
    lowest_empty,
    mesh_gap,
    smallest_step,
)
from mlxc.kohn_sham.state import GroundState
from mlxc.response.levels import band_gap
from mlxc.units import HARTREE_EV

# Levels within this of each other are equal, hartree.
EQUAL = 1e-6
# Electrons of a spin that are so close to a whole number are whole.
WHOLE = 1e-9


@dataclass(frozen=True)
class BandEdge:
    """The highest filled or the lowest empty level.

    Attributes:
        energy: The energy, hartree.
        spin: The spin: 0 for up, 1 for down, 0 without spin polarisation.
        index: The index of the k point.
    """

    energy: float
    spin: int
    index: int


@dataclass(frozen=True)
class BandEdges:
    """The gap of some k points.

    Attributes:
        valence: the highest filled level.
        conduction: the lowest empty level.
        direct_gap: the smallest difference of an empty and a filled level at one k point, whatever their spins,
            hartree.
    """

    valence: BandEdge
    conduction: BandEdge
    direct_gap: float

    @property
    def gap(self) -> float:
        """The gap, hartree; zero where bands touch."""
        return gap_of(self.conduction.energy - self.valence.energy)

    @property
    def kind(self) -> Literal["direct", "indirect", "touching"]:
        """Whether both edges lie at the same k point, and whether there is a gap between them at all."""
        if self.gap == 0:
            return "touching"
        return "direct" if self.direct_gap < self.gap + EQUAL else "indirect"


@dataclass(frozen=True)
class Gap:
    """What there is between filled and empty levels.

    Attributes:
        edges: The edges of the bands; None where there are none, or no empty levels to know them from.
        size: The gap, hartree: zero for a metal, and where bands touch; None where no empty levels are known.
        of_spins: The gap of the levels of each spin alone, where there are two: zero if they cross the Fermi level or
            overlap; None for one without electrons or without empty levels.
    """

    edges: BandEdges | None
    size: float | None
    of_spins: tuple[float | None, ...]


def find_gap(ground: GroundState, levels: NDArray[np.float64]) -> Gap:
    """The gap between levels, and that of each spin.

    Args:
        ground: The state whose electrons fill the levels, see :func:`band_edges`.
        levels: The levels at some k points, hartree, shape ``(nspin, nk, nband)``.
    """
    filled = filled_levels(ground, levels)
    alone = [slice(spin, spin + 1) for spin in range(len(levels))] if len(levels) == 2 else []
    return Gap(
        edges_between(levels, filled),
        _size(levels, filled),
        tuple(_size(levels[spin], filled[spin]) for spin in alone),
    )


def band_edges(ground: GroundState, levels: NDArray[np.float64]) -> BandEdges | None:
    """The edges of the bands; None for a metal, whose bands cross the Fermi level or overlap, and without empty ones.

    Args:
        ground: The state whose electrons fill the levels: as many of each spin as there are, where that is a whole
            number by itself; else what lies below the Fermi level of the spin is full.
        levels: The levels at some k points, hartree, shape ``(nspin, nk, nband)``. The first one of equal levels is the
            edge.
    """
    return edges_between(levels, filled_levels(ground, levels))


def edges_between(levels: NDArray[np.float64], filled: Filled) -> BandEdges | None:
    """The edges between filled and empty levels, see :func:`band_edges`.

    Args:
        levels: The levels, hartree, shape ``(nspin, nk, nband)``.
        filled: How many of them are filled.
    """
    if bands_cross(filled) or not _both_known(levels, filled):
        return None
    filled_places, highest = highest_filled(levels, filled)
    places, lowest = lowest_empty(levels, filled)
    if lowest.min() - highest.max() < -NO_GAP:
        return None
    return BandEdges(
        valence=_first(filled_places, highest, highest >= highest.max() - EQUAL),
        conduction=_first(places, lowest, lowest <= lowest.min() + EQUAL),
        direct_gap=smallest_step(levels, filled),
    )


def filled_levels(ground: GroundState, levels: NDArray[np.float64]) -> Filled:
    """How many levels of each spin are filled at each k point; arguments as of :func:`band_edges`."""
    electrons, moment = ground.problem.ions.nelectrons, ground.total_moment
    if len(levels) == 1 or moment is not None:
        spins = (1,) if len(levels) == 1 else (1, -1)
        counts = np.array([(electrons + sign * (moment or 0.0)) / 2 for sign in spins])
        if np.abs(counts - counts.round()).max() < WHOLE:
            return np.broadcast_to(counts.round().astype(np.int64)[:, None], levels.shape[:2])
    return filled_below(ground.fermi_levels, levels)


def _size(levels: NDArray[np.float64], filled: Filled) -> float | None:
    if not _both_known(levels, filled):
        return None
    edges = edges_between(levels, filled)
    return 0.0 if edges is None else edges.gap


def _both_known(levels: NDArray[np.float64], filled: Filled) -> bool:
    """Whether there are filled levels, and empty ones."""
    return bool(filled.any() and (filled < levels.shape[-1]).any())


def gap_of_mesh_ev(ground: GroundState) -> float | None:
    """The gap between the levels of the SCF's k mesh, electronvolt; None where no empty levels can be computed."""
    if ground.smearing is not None:
        shape = (len(ground.density), len(ground.kpoints), -1)
        gap = mesh_gap(ground.eigenvalues.reshape(shape).tolist(), ground.occupations.reshape(shape).tolist())
        return None if gap is None else gap * HARTREE_EV
    try:  # with fixed occupations no empty levels have been computed
        return gap_of(float(band_gap(ground).detach())) * HARTREE_EV
    except MlxcError:
        return None


def _first(places: NDArray[np.int64], levels: NDArray[np.float64], candidates: NDArray[np.bool_]) -> BandEdge:
    index = int(candidates.argmax())
    spin, kpoint = places[index]
    return BandEdge(float(levels[index]), int(spin), int(kpoint))
