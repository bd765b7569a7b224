"""The electrostatic energy of the ions, as point charges in a neutralising background.

P. P. Ewald, Ann. Phys. 369, 253 (1921).
"""

from __future__ import annotations

from math import ceil, pi

import numpy as np
import torch
from torch import Tensor

from mlxc.crystal import Crystal

# Terms below exp(-PRECISION) of the leading ones are left out of both sums.
PRECISION = 42.0


def ewald_energy(crystal: Crystal, charges: list[int]) -> Tensor:
    """Energy per cell, hartree, of point charges at the positions of the atoms.

    Args:
        crystal: the lattice and the positions.
        charges: of each atom, elementary charges.
    """
    lattice = torch.tensor(crystal.lattice)
    positions = torch.tensor(crystal.positions) @ lattice
    z = torch.tensor(charges, dtype=torch.float64)
    volume = crystal.volume
    eta = (pi**3 * len(z) / volume**2) ** (1 / 6)  # as many terms in real as in reciprocal space, about

    vectors = _lattice_points(crystal.lattice, PRECISION**0.5 / eta + _longest(positions))
    differences = positions[:, None] - positions[None, :]
    distances = (differences[:, :, None] + vectors).norm(dim=-1)
    screened = torch.where(distances < 1e-9, 0.0, torch.erfc(eta * distances) / distances.clamp(min=1e-9))
    real = torch.einsum("i,j,ijr->", z, z, screened) / 2

    waves = _lattice_points(crystal.reciprocal, 2 * eta * PRECISION**0.5)
    squares = waves.square().sum(-1)
    waves, squares = waves[squares > 1e-12], squares[squares > 1e-12]
    structure = (z * torch.exp(1j * (waves @ positions.T))).sum(-1)
    reciprocal = 2 * pi / volume * (torch.exp(-squares / (4 * eta**2)) / squares * structure.abs() ** 2).sum()

    own = -eta / pi**0.5 * z.square().sum()
    background = -pi / (2 * volume * eta**2) * z.sum() ** 2
    return real + reciprocal + own + background


def _longest(positions: Tensor) -> float:
    return float((positions[:, None] - positions[None, :]).norm(dim=-1).max())


def _lattice_points(rows: np.ndarray, radius: float) -> Tensor:
    """All integer combinations of the rows within a radius of the origin, shape ``(npoint, 3)``."""
    reach = [ceil(radius * float(np.linalg.norm(column))) for column in np.linalg.inv(rows).T]
    ranges = [torch.arange(-n, n + 1, dtype=torch.float64) for n in reach]
    points = torch.stack(torch.meshgrid(*ranges, indexing="ij"), dim=-1).reshape(-1, 3) @ torch.tensor(rows)
    return points[points.norm(dim=-1) <= radius]
