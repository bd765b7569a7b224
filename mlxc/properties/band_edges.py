"""Where the valence bands end and the conduction bands begin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mlxc.kohn_sham.state import GroundState
from mlxc.units import HARTREE_EV

# Levels within this of the Fermi level are occupied, and those within this of each other are equal, hartree.
ROUNDING, EQUAL = 1e-9, 1e-6
# A smaller gap is none: the bands touch, as graphene's do, hartree.
NO_GAP = 1e-3 / HARTREE_EV


@dataclass(frozen=True)
class BandEdge:
    """The highest filled or the lowest empty level.

    Attributes:
        energy: hartree.
        spin: 0 for up, 1 for down, 0 without spin polarisation.
        index: of the k point.
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
        """Hartree; zero where bands touch."""
        difference = self.conduction.energy - self.valence.energy
        return difference if difference > NO_GAP else 0.0

    @property
    def kind(self) -> Literal["direct", "indirect", "touching"]:
        """Whether both edges lie at the same k point, and whether there is a gap between them at all."""
        if self.gap == 0:
            return "touching"
        return "direct" if self.direct_gap < self.gap + EQUAL else "indirect"


def band_edges(ground: GroundState, levels: NDArray[np.float64]) -> BandEdges | None:
    """The edges of the bands; None for a metal, whose bands cross the Fermi level or overlap, and without empty ones.

    Args:
        ground: whose electrons fill the levels: in pairs, if their number is even and there is no spin; as many of each
            spin as there are, if occupations are fixed; else what lies below the Fermi level is full.
        levels: at some k points, hartree, shape ``(nspin, nk, nband)``. Of equal levels the first one is the edge.
    """
    filled = _filled_bands(ground, levels)
    if filled is None or max(filled) == levels.shape[-1]:
        return None
    nk = levels.shape[1]
    highest = np.array([s[:, n - 1] if n else np.full(nk, -np.inf) for s, n in zip(levels, filled, strict=True)])
    lowest = np.array([s[:, n] for s, n in zip(levels, filled, strict=True)])
    if lowest.min() - highest.max() < -NO_GAP:
        return None
    valence = _first(highest, highest >= highest.max() - EQUAL)
    return BandEdges(valence, _first(lowest, lowest <= lowest.min() + EQUAL), float((lowest - highest).min()))


def _first(levels: NDArray[np.float64], candidates: NDArray[np.bool_]) -> BandEdge:
    spin, index = np.argwhere(candidates)[0]
    return BandEdge(float(levels[spin, index]), int(spin), int(index))


def _filled_bands(ground: GroundState, levels: NDArray[np.float64]) -> list[int] | None:
    """How many bands of each spin are full at all k points; None where bands cross the Fermi level."""
    pairs, left = divmod(ground.problem.ions.nelectrons, 2)
    if len(levels) == 1 and not left:
        return [int(pairs)]
    if ground.smearing is None:
        return (ground.occupations > 0).sum(1).reshape(len(levels), -1)[:, 0].tolist()
    below = (levels <= ground.fermi_level + ROUNDING).sum(-1)
    return None if (below != below[:, :1]).any() else below[:, 0].tolist()
