"""The functions of space that an exchange-correlation functional is given of the electrons."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Fields(NamedTuple):
    """Density, its gradient where that does not follow from it on the grid, and tau of a meta-GGA.

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
    def unstacked(cls, stacked: Tensor) -> Fields:
        """The fields in one tensor ``(nfield, nspin, ...)``; their number, 1, 2, 4 or 5, tells which ones there are."""
        gradient = stacked[1:4] if len(stacked) >= 4 else None
        return cls(stacked[0], gradient, stacked[-1] if len(stacked) in (2, 5) else None)

    def plus(self, other: Fields) -> Fields:
        """The sum, field by field; a field that only one of both has is left as it is."""
        return Fields(self.density + other.density, _sum(self.gradient, other.gradient), _sum(self.tau, other.tau))

    def stacked(self) -> Tensor:
        """The fields as one tensor ``(nfield, nspin, ...)``: the density, the gradient's three components, tau."""
        parts = [self.density[None]]
        if self.gradient is not None:
            parts.append(self.gradient)
        if self.tau is not None:
            parts.append(self.tau[None])
        return torch.cat(parts)


def _sum(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    return second if first is None else first if second is None else first + second


class FurtherFields(NamedTuple):
    """Which fields there are beside the density."""

    gradient: bool
    tau: bool
