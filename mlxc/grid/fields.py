"""The functions of space that potentials depend on: the density, and what else some functionals are given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


@dataclass(frozen=True)
class FieldKind:
    """A function of space that a state of the electrons has.

    Attributes:
        name: its attribute of :class:`Fields`.
        is_vector: whether it has three Cartesian components, which turn with the crystal; otherwise it has one.
        is_charge: whether its sum over spins makes an electric field, which the electrons screen.
    """

    name: str
    is_vector: bool = False
    is_charge: bool = False

    @property
    def components(self) -> int:
        """How many functions it is."""
        return 3 if self.is_vector else 1


DENSITY = FieldKind("density", is_charge=True)
GRADIENT = FieldKind("gradient", is_vector=True, is_charge=True)
TAU = FieldKind("tau")
# All kinds, in the order in which fields are stacked. A problem has some of them, the density always.
FIELD_KINDS = (DENSITY, GRADIENT, TAU)
FieldKinds = Sequence[FieldKind]


def component_count(kinds: FieldKinds) -> int:
    """The length of a stack of fields of these kinds."""
    return sum(kind.components for kind in kinds)


def charge_rows(kinds: FieldKinds) -> list[int]:
    """Where in a stack of fields the components are whose sum over spins makes an electric field."""
    return [row for kind, rows in _places(kinds) if kind.is_charge for row in range(rows.start, rows.stop)]


def _places(kinds: FieldKinds) -> list[tuple[FieldKind, slice]]:
    """The rows of each kind in a stack."""
    stops = [component_count(kinds[: index + 1]) for index in range(len(kinds))]
    return [(kind, slice(stop - kind.components, stop)) for kind, stop in zip(kinds, stops, strict=True)]


class Fields(NamedTuple):
    """The fields of a state; one that a problem does not have is None.

    As values on the grid ``...`` is ``(n1, n2, n3)``, as Fourier coefficients ``(ngvector,)``. What a potential does to
    each of them has the same form.

    Attributes:
        density: The density, shape ``(nspin, ...)``, electrons/bohr^3.
        gradient: The Cartesian gradient of the density, shape ``(3, nspin, ...)``, electrons/bohr^4; None in a basis
            whose densities the grid represents exactly.
        tau: The density of kinetic energy, shape ``(nspin, ...)``, hartree/bohr^3; None for all but meta-GGAs.
    """

    density: Tensor
    gradient: Tensor | None = None
    tau: Tensor | None = None

    @classmethod
    def unstacked(cls, stacked: Tensor, kinds: FieldKinds) -> Fields:
        """Fields of some kinds, from one tensor ``(ncomponent, nspin, ...)`` that holds them in their order."""
        return cls(
            **{kind.name: stacked[rows] if kind.is_vector else stacked[rows.start] for kind, rows in _places(kinds)}
        )

    @property
    def kinds(self) -> tuple[FieldKind, ...]:
        """The kinds that are there, in the order of the stack."""
        return tuple(kind for kind in FIELD_KINDS if getattr(self, kind.name) is not None)

    def stacked(self) -> Tensor:
        """The fields as one tensor ``(ncomponent, nspin, ...)``."""
        parts = [(kind, getattr(self, kind.name)) for kind in self.kinds]
        return torch.cat([values if kind.is_vector else values[None] for kind, values in parts])

    def map(self, function: Callable[[Tensor], Tensor]) -> Fields:
        """The fields after a function of their stack, such as a Fourier transform."""
        return Fields.unstacked(function(self.stacked()), self.kinds)

    def plus(self, other: Fields) -> Fields:
        """The sum, field by field; a field that only one of both has is left as it is."""
        return Fields(self.density + other.density, _sum(self.gradient, other.gradient), _sum(self.tau, other.tau))


def _sum(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    return second if first is None else first if second is None else first + second
