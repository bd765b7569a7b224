"""The first-order change of orbitals outside the computed bands, by conjugate gradients.

R. M. Sternheimer, Phys. Rev. 96, 951 (1954); S. Baroni et al., Rev. Mod. Phys. 73, 515 (2001), section II.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import HamiltonianBlock
from mlxc.scf.eigensolver import inner_products

MAX_STEPS = 40


@dataclass(frozen=True)
class Solution:
    """Of one block of k points.

    Attributes:
        changes: shape ``(nrow, nband, nplanewave)``.
        applications: of H to every band.
    """

    changes: Tensor
    applications: int


def remove_components(vectors: Tensor, bands: Tensor) -> Tensor:
    """The vectors without their components along orthonormal bands; rows of zeros among the bands are harmless."""
    return vectors - inner_products(bands, vectors).mT @ bands


def solve_sternheimer(
    block: HamiltonianBlock, orbitals: Tensor, eigenvalues: Tensor, bands: Tensor, right: Tensor, start: Tensor,
    tolerance: float,
) -> Solution:  # fmt: skip
    """Solve Q (H - e_n) Q y_n = right_n for all bands n of a block, where Q removes ``bands``.

    Args:
        block: H of some k points.
        orbitals: psi_n, shape ``(nrow, nband, nplanewave)``, which set the scale of the preconditioner.
        eigenvalues: e_n, shape ``(nrow, nband)``, hartree, all below the lowest eigenvalue of QHQ.
        bands: orthonormal eigenvectors of H, or zeros, shape ``(nrow, nremoved, nplanewave)``.
        right: in the range of Q, shape as the orbitals.
        start: a guess of the solution, same shape.
        tolerance: of the residuals' norms.
    """
    levels = eigenvalues[..., None]
    changes = remove_components(start, bands)
    applications = 0
    residual = right
    if bool(changes.any()):
        residual = right - remove_components(block.apply(changes) - levels * changes, bands)
        applications = 1
    direction, slope = torch.zeros_like(residual), torch.ones_like(eigenvalues)
    for step in range(MAX_STEPS):
        unsolved = _dot(residual, residual) > tolerance**2
        if not bool(unsolved.any()):
            break
        conditioned = remove_components(block.precondition(residual, orbitals), bands)
        new_slope = _dot(residual, conditioned)
        ratio = new_slope / slope.where(slope > 0, torch.inf) if step else torch.zeros_like(slope)
        direction, slope = conditioned + ratio[..., None] * direction, new_slope
        image = remove_components(block.apply(direction) - levels * direction, bands)
        curvature = _dot(direction, image)
        # Where only rounding errors are left, they need not curve upwards.
        sound = unsolved & (curvature > 0)
        length = torch.where(sound, slope / curvature.where(sound, 1.0), 0.0)[..., None]
        changes, residual = changes + length * direction, residual - length * image
        applications += 1
    return Solution(changes, applications)


def _dot(left: Tensor, right: Tensor) -> Tensor:
    """Re <left|right> of each vector, shape without the last axis."""
    return (torch.view_as_real(left) * torch.view_as_real(right)).sum((-2, -1))
