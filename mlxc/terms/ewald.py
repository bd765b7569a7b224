"""The electrostatic energy of the ions, as point charges in a neutralising background.

P. P. Ewald, Ann. Phys. 369, 253 (1921).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, pi

import torch
from torch import Tensor

from mlxc.terms.term import IonTerm, Setting

# Terms below exp(-PRECISION) of the leading ones are left out of both sums.
PRECISION = 42.0


@dataclass(frozen=True)
class Ewald:
    """The electrostatic energy of the ions with each other."""

    def on(self, setting: Setting) -> EwaldTerm:
        """See :class:`~mlxc.terms.term.TermDefinition`."""
        return EwaldTerm(setting)


class EwaldTerm(IonTerm):
    """The Ewald energy of the ions in a setting."""

    name = "ewald"

    def __init__(self, setting: Setting) -> None:
        self._ions, self._lattice = setting.ions, setting.basis.grid.lattice

    def energy(self) -> Tensor:
        """See :func:`ewald_energy`."""
        return ewald_energy(self._lattice, self._ions.positions, self._ions.charges)


def ewald_energy(lattice: Tensor, positions: Tensor, charges: list[int]) -> Tensor:
    """Energy per cell, hartree, of point charges; differentiable in the lattice and the positions.

    Args:
        lattice: The lattice; rows are lattice vectors, bohr.
        positions: The fractional positions, shape ``(nion, 3)``.
        charges: The charge of each ion, elementary charges.
    """
    places = positions @ lattice
    z = torch.tensor(charges, dtype=lattice.dtype, device=lattice.device)
    volume = torch.linalg.det(lattice).abs()
    eta = float(
        (pi**3 * len(z) / volume.detach() ** 2) ** (1 / 6)
    )  # about as many terms in real as in reciprocal space

    reciprocal_lattice = 2 * pi * torch.linalg.inv(lattice).T
    vectors = _lattice_points(lattice, PRECISION**0.5 / eta + _longest(places))
    differences = places[:, None] - places[None, :]
    distances = (differences[:, :, None] + vectors).norm(dim=-1)
    own_image = distances.detach() < 1e-9
    screened = torch.erfc(eta * distances) / torch.where(own_image, 1.0, distances)
    real = torch.einsum("i,j,ijr->", z, z, torch.where(own_image, 0.0, screened)) / 2

    waves = _lattice_points(reciprocal_lattice, 2 * eta * PRECISION**0.5)
    waves = waves[waves.detach().norm(dim=-1) > 1e-9]
    squares = waves.square().sum(-1)
    structure = (z * torch.exp(1j * (waves @ places.T))).sum(-1)
    reciprocal = 2 * pi / volume * (torch.exp(-squares / (4 * eta**2)) / squares * structure.abs() ** 2).sum()

    own = -eta / pi**0.5 * z.square().sum()
    background = -pi / (2 * volume * eta**2) * z.sum() ** 2
    return real + reciprocal + own + background


def _longest(places: Tensor) -> float:
    return float((places[:, None] - places[None, :]).detach().norm(dim=-1).max())


def _lattice_points(rows: Tensor, radius: float) -> Tensor:
    """All integer combinations of the rows within a radius of the origin, shape ``(npoint, 3)``."""
    fixed = rows.detach()
    reach = [ceil(radius * float(column.norm())) for column in torch.linalg.inv(fixed).T]
    ranges = [torch.arange(-n, n + 1, dtype=rows.dtype, device=rows.device) for n in reach]
    integers = torch.stack(torch.meshgrid(*ranges, indexing="ij"), dim=-1).reshape(-1, 3)
    return integers[(integers @ fixed).norm(dim=-1) <= radius] @ rows
