"""The first-order change of orbitals outside the computed bands, by conjugate gradients.

R. M. Sternheimer, Phys. Rev. 96, 951 (1954); S. Baroni et al., Rev. Mod. Phys. 73, 515 (2001), section II.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import HamiltonianBlock
from mlxc.kohn_sham.diagonalisation.orthonormal import inner_products

MAX_STEPS = 40


@dataclass(frozen=True)
class Solution:
    """The solution for one block of k points.

    Attributes:
        changes: The changes of the orbitals, shape ``(nrow, nband, nplanewave)``.
        applications: The number of applications of H per band.
    """

    changes: Tensor
    applications: float


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
        bands: Orthonormal eigenvectors of H, or zeros, shape ``(nrow, nremoved, nplanewave)``.
        right: The right-hand side, in the range of Q, of the shape of the orbitals.
        start: A guess of the solution, same shape.
        tolerance: The tolerance of the residuals' norms.
    """
    changes = remove_components(start, bands)
    applications = 0.0
    residual = right.clone()
    if bool(changes.any()):
        residual -= remove_components(block.apply(changes) - eigenvalues[..., None] * changes, bands)
        applications = 1.0
    direction, slope = torch.zeros_like(residual), torch.ones_like(eigenvalues)
    for step in range(MAX_STEPS):
        squares = _dot(residual, residual)
        count = int((squares > tolerance**2).sum(1).max())
        if count == 0:
            break
        # Few bands need many steps; those that are solved are left alone.
        worst = squares.topk(count, dim=1).indices
        chosen = worst[..., None].expand(-1, -1, residual.shape[-1])
        r, psi = residual.gather(1, chosen), orbitals.gather(1, chosen)
        conditioned = remove_components(block.precondition(r, psi), bands)
        new_slope, old_slope = _dot(r, conditioned), slope.gather(1, worst)
        ratio = new_slope / old_slope.where(old_slope > 0, torch.inf) if step else torch.zeros_like(new_slope)
        d = conditioned + ratio[..., None] * direction.gather(1, chosen)
        # H leads out of the space without the bands only as far as these are no eigenvectors.
        image = block.apply(d) - eigenvalues.gather(1, worst)[..., None] * d
        curvature = _dot(d, image)
        # Where only rounding errors are left, they need not curve upwards.
        sound = (squares.gather(1, worst) > tolerance**2) & (curvature > 0)
        length = torch.where(sound, new_slope / curvature.where(sound, 1.0), 0.0)[..., None]
        changes.scatter_add_(1, chosen, length * d)
        residual.scatter_(1, chosen, r - length * image)
        direction.scatter_(1, chosen, d)
        slope.scatter_(1, worst, new_slope)
        applications += count / residual.shape[1]
    return Solution(changes, applications)


def _dot(left: Tensor, right: Tensor) -> Tensor:
    """Re <left|right> of each vector, of their shape without the last axis."""
    return (torch.view_as_real(left) * torch.view_as_real(right)).sum((-2, -1))
