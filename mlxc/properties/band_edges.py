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
    filled_by_occupation,
    gap_of,
    highest_filled,
    lowest_empty,
    mesh_gap,
)
from mlxc.kohn_sham.state import GroundState
from mlxc.response.levels import band_gap
from mlxc.units import HARTREE_EV

# Levels within this of each other are equal, hartree.
EQUAL = 1e-6


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
        direct_gap: the smallest difference of the two at one k point in one spin, hartree.
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


def band_edges(ground: GroundState, levels: NDArray[np.float64]) -> BandEdges | None:
    """The edges of the bands; None for a metal, whose bands cross the Fermi level or overlap, and without empty ones.

    Args:
        ground: The state whose electrons fill the levels: in pairs, if their number is even and there is no spin; as
            many of each spin as there are, if occupations are fixed; else what lies below the Fermi level is full.
        levels: The levels at some k points, hartree, shape ``(nspin, nk, nband)``. The first one of equal levels is the
            edge.
    """
    filled = _filled_levels(ground, levels)
    if bands_cross(filled) or filled.max() == levels.shape[-1]:
        return None
    filled_places, highest = highest_filled(levels, filled)
    places, lowest = lowest_empty(levels, filled)
    if lowest.min() - highest.max() < -NO_GAP:
        return None
    above = levels[*filled_places.T, filled[*filled_places.T]]
    return BandEdges(
        valence=_first(filled_places, highest, highest >= highest.max() - EQUAL),
        conduction=_first(places, lowest, lowest <= lowest.min() + EQUAL),
        direct_gap=float((above - highest).min()),
    )


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


def _filled_levels(ground: GroundState, levels: NDArray[np.float64]) -> Filled:
    """How many levels of each spin are filled at each k point."""
    pairs, left = divmod(ground.problem.ions.nelectrons, 2)
    if len(levels) == 1 and not left:
        return np.full(levels.shape[:2], int(pairs))
    if ground.smearing is None:
        occupations = ground.occupations.reshape(len(levels), len(ground.kpoints), -1)
        filled = filled_by_occupation(occupations.detach().cpu().numpy())[:, :1]
        return np.broadcast_to(filled, levels.shape[:2])
    return filled_below(ground.fermi_level, levels)
