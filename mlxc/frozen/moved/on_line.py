"""Energies of a functional that moves along a line.

The energy of a density is a smooth function of the place on the line. It is evaluated at Chebyshev's points, whose
number is doubled until the polynomial through the former ones says roughly what is found at the new ones; from then on
a place costs a sum. What a polynomial misses of a smooth function falls as a geometric series, so to double its degree
squares it, in units of how much the function varies: where the former polynomial misses a share of 0.01, the one
through all points misses 0.0001. See L. N. Trefethen, Approximation Theory and Approximation Practice (SIAM, 2013),
chapters 5 and 8.
"""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi

import torch
from torch import Tensor

from mlxc.frozen.condensed import CondensedSnapshots
from mlxc.frozen.moved.line import Line
from mlxc.frozen.screening_row import energies_or_reason
from mlxc.frozen.self_consistency import GradientPotential

# Of the polynomials, and what they may miss of what volumes have in common, and of what they differ by, hartree per
# cell: no digit of a cohesive energy or of a lattice constant shows it.
DEGREES = (2, 4, 8, 16)
LARGEST_MISSED_HA = 1e-5


class Moving:
    """A line with the polynomials of the solids that have been asked for.

    Args:
        line: The line.
        near: What evaluates functionals on the line at the densities of a solid, by the solid's name.
    """

    def __init__(self, line: Line, near: Callable[[str], CondensedSnapshots]) -> None:
        self.line = line
        self._near = near
        self._known: dict[str, Polynomial] = {}

    @torch.no_grad()
    def energies(self, solid: str, place: float) -> Tensor | str:
        """F at each volume of a solid with the functional at a place, hartree per cell, or why there is none.

        Raises:
            InputError: the densities of this solid cannot be read.
        """
        if solid not in self._known:
            evaluate = self._near(solid).in_order
            self._known[solid] = Polynomial(lambda there: energies_or_reason(self.line.at(there), evaluate))
        return self._known[solid].at(place)


class OnLine:
    """The functional at one place of a line, as a screening asks for it.

    Args:
        moving: The line.
        place: The place, between -1 and 1.
    """

    # What a hand moves is another one in a moment.
    potential: GradientPotential | None = None

    def __init__(self, moving: Moving, place: float) -> None:
        self.module = moving.line.at(place)
        self._moving, self._place = moving, place

    def energies(self, solid: str) -> Tensor | str:
        """F at each volume of a solid, hartree per cell, or why there is none.

        Raises:
            InputError: the densities of this solid cannot be read.
        """
        return self._moving.energies(solid, self._place)


class Polynomial:
    """Energies along a line as polynomials of the place.

    Args:
        evaluate: The energies at a place, or why there are none.
    """

    def __init__(self, evaluate: Callable[[float], Tensor | str]) -> None:
        self._evaluate = evaluate
        self._nodes: list[float] | None = None
        self._values = torch.empty(0)
        self._prepare()

    def at(self, place: float) -> Tensor | str:
        """The energies at a place, shape ``(nsnapshot,)``, or why there are none.

        Where no polynomial serves, they are evaluated there.
        """
        if self._nodes is None:
            return self._evaluate(place)
        return _interpolated(self._nodes, self._values, place)

    def _prepare(self) -> None:
        known: dict[float, Tensor] = {}
        before: list[float] = []
        for degree in DEGREES:
            nodes = chebyshev_points(degree)
            for node in nodes:
                if node not in known:
                    found = self._evaluate(node)
                    if isinstance(found, str) or not bool(torch.isfinite(found).all()):
                        return
                    known[node] = found
            if before and self._agrees(before, known, nodes):
                self._nodes, self._values = nodes, torch.stack([known[node] for node in nodes])
                return
            before = nodes

    @staticmethod
    def _agrees(before: list[float], known: dict[float, Tensor], nodes: list[float]) -> bool:
        """Whether the polynomial through some points says enough of what is found at the others."""
        values = torch.stack([known[node] for node in before])
        new = [node for node in nodes if node not in before]
        found = torch.stack([known[node] for node in new])
        missed = torch.stack([_interpolated(before, values, node) for node in new]) - found
        moved = torch.cat([values, found])
        moved = moved - moved[:1]
        return all(
            bool(part(missed).abs().max() ** 2 <= LARGEST_MISSED_HA * part(moved).abs().max())
            for part in (_shift, _change)
        )


def chebyshev_points(degree: int) -> list[float]:
    """Where a polynomial of this degree is fixed; every second one is a point of half the degree, to the last bit."""
    finest = DEGREES[-1]
    return [cos(pi * index / finest) for index in range(0, finest + 1, finest // degree)]


def _shift(energies: Tensor) -> Tensor:
    """What all volumes have in common, shape ``(nplace, 1)``."""
    return energies.mean(1, keepdim=True)


def _change(energies: Tensor) -> Tensor:
    """What differs between volumes."""
    return energies - _shift(energies)


def _interpolated(nodes: list[float], values: Tensor, place: float) -> Tensor:
    """The barycentric formula; the weights of Chebyshev's points are one with alternating signs, half at both ends."""
    if place in nodes:
        return values[nodes.index(place)]
    last = len(nodes) - 1
    shares = torch.tensor(
        [(-1) ** index * (0.5 if index in (0, last) else 1.0) / (place - node) for index, node in enumerate(nodes)],
        dtype=values.dtype,
    )
    return shares @ values / shares.sum()
