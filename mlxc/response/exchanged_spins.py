"""Where a translation takes spin up to spin down, the response of both is that of one.

Parameters of a functional that treats both spins alike keep such a symmetry, as they keep that of the crystal. So of
a loss only the part reaches them that the exchange of the spins leaves as it is, and to that part spin down answers as
spin up does, moved by the translation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.planewave.basis import PlaneWaveBasis
from mlxc.kohn_sham.diagonalisation.mirrored_spin import MirroredSpin
from mlxc.kohn_sham.problem import Problem

# As a share of a gradient that the exchange leaves as it is, one that changes sign is none.
NO_GRADIENT = 1e-6
GRID = (-3, -2, -1)


@dataclass(frozen=True)
class ExchangedSpins:
    """The symmetry v_down(r + w) = v_up(r) of a state.

    Attributes:
        basis: The basis.
        translation: w, fractional, shape ``(3,)``.
    """

    basis: PlaneWaveBasis
    translation: NDArray[np.float64]

    @classmethod
    def of(cls, problem: Problem, potential: EffectivePotential) -> ExchangedSpins | None:
        """The symmetry of a state with this potential; None if it has none."""
        translation = MirroredSpin(problem).translation(potential)
        if translation is None or not isinstance(problem.basis, PlaneWaveBasis):
            return None
        return cls(problem.basis, translation)

    @property
    def _steps(self) -> list[int]:
        shape = np.array(self.basis.grid.shape)
        return [int(step) for step in (self.translation * shape).round()]

    def both(self, up: Tensor) -> Tensor:
        """Fields of both spins on the grid, from those of spin up, shape ``(nfield, 1, n1, n2, n3)``."""
        return torch.cat([up, up.roll(self._steps, GRID)], dim=1)

    def part(self, fields: Tensor, sign: int = 1) -> Tensor:
        """The part of fields ``(nfield, 2, n1, n2, n3)`` that stays, or changes sign, when the spins are exchanged."""
        up, down = fields.split(1, dim=1)
        average = (up + sign * down.roll([-step for step in self._steps], GRID)) / 2
        return torch.cat([average, sign * average.roll(self._steps, GRID)], dim=1)

    def both_orbitals(self, up: Tensor) -> Tensor:
        """Orbitals of both spins, from those of spin up, shape ``(nk, nband, nplanewave)``."""
        return torch.cat([up, self.basis.translated(up, self.translation)])

    def average_orbitals(self, cotangents: Tensor) -> Tensor:
        """The share of spin up in cotangents of the orbitals of both spins, made symmetric."""
        up, down = cotangents.chunk(2)
        return (up + self.basis.translated(down, -self.translation)) / 2

    def average_levels(self, cotangents: Tensor) -> Tensor:
        """The share of spin up in cotangents ``(nk * 2, nband)`` of what belongs to levels, made symmetric."""
        up, down = cotangents.chunk(2)
        return (up + down) / 2

    def is_kept_by(self, potential: Tensor, parameters: Sequence[Tensor], fields: Tensor) -> bool:
        """Whether a potential keeps the symmetry when its parameters change.

        Args:
            potential: The potential, attached to the parameters, shape ``(nfield, 2, n1, n2, n3)``.
            parameters: The parameters.
            fields: Fields of the shape of the potential, without the symmetry, with which it is probed.
        """
        sizes = []
        for sign in (1, -1):
            probe = self.part(fields[:, :1] * torch.tensor([1.0, 0.0]).to(fields)[:, None, None, None], sign)
            found = torch.autograd.grad(potential, parameters, probe, retain_graph=True, allow_unused=True)
            sizes.append(sum(float(gradient.square().sum()) for gradient in found if gradient is not None) ** 0.5)
        return sizes[1] <= NO_GRADIENT * sizes[0]
