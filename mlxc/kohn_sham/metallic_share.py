"""How much of a metal there is at a Fermi level, which decides how cold smearing fills the states.

Cold smearing overfills the states below a gap, so that anywhere in the gap there are a few electrons too many. The only
level that leaves the right number of them lies close above the filled states, where F is too high by 0.08 widths for
each electron in reach. In an insulator that is an error which a narrower smearing does not mend quickly, while Gaussian
smearing makes none. Between the two F passes as

    F = c F_cold + (1 - c) F_Gaussian,

where c is a smooth function of the levels, one in metals and zero where the level lies deep in a gap. F is variational
if the occupations are its derivatives with respect to the levels, f = c f_cold + (1 - c) f_Gaussian + (F_cold -
F_Gaussian) dc/de; in between they leave the range of cold smearing by a few percent of the states at the edges.
"""

from __future__ import annotations

from math import log, pi, sqrt
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor

# Electrons for which there is room within a width of the level, per electron of the cell: where there are more it is a
# metal, where there are fewer an insulator, whose gap is then wider than some 8 widths.
METAL, INSULATOR = 1e-4, 1e-9
DECADES = log(METAL / INSULATOR)


Place = TypeVar("Place", float, Tensor)


class MetallicShare(NamedTuple):
    """The share of cold smearing, and how it depends on the levels.

    Attributes:
        value: The share c, between 0 and 1.
        strength: dc by the logarithm of the room at the level, over the room and the width, 1/hartree.
        tilt: How fast the room changes as the level moves, in widths.
    """

    value: float
    strength: float = 0.0
    tilt: float = 0.0

    def derivative(self, x: Tensor) -> Tensor:
        """dc/de of a state at (mu - e) / width = x, for each electron that it has room for, 1/hartree."""
        # The level moves with the states around it, each in proportion to its part in the room.
        return self.strength * (self.tilt + 2 * x) * room(x)


def room(x: Tensor) -> Tensor:
    """Minus the derivative of Gaussian smearing: the part of a state within a width of the level."""
    return torch.exp(-x.square()) / sqrt(pi)


def metallic_share(x: Tensor, degeneracy: Tensor, nelectrons: float, width: float) -> MetallicShare:
    """The share of cold smearing.

    Args:
        x: (mu - e) / width of each state, at the level mu that Gaussian smearing has, shape ``(nk * nspin, nband)``.
        degeneracy: The k-point weight times electrons that the state holds, shape ``(nk * nspin, 1)``.
        nelectrons: The number of electrons per cell.
        width: The width, hartree.
    """
    own = degeneracy * room(x)
    total = float(own.sum())
    if total <= INSULATOR * nelectrons:
        return MetallicShare(0.0)
    if total >= METAL * nelectrons:
        return MetallicShare(1.0)
    place = log(total / (INSULATOR * nelectrons)) / DECADES
    slope = 30 * place**2 * (1 - place) ** 2 / DECADES
    return MetallicShare(smooth_step(place), slope / (total * width), float((-2 * x * own).sum()) / total)


def smooth_step(place: Place) -> Place:
    """A polynomial that rises from 0 to 1 with the place, and whose first two derivatives vanish at both ends."""
    return place**3 * (10 - 15 * place + 6 * place**2)
