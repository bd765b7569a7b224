"""Block Davidson: the lowest eigenpairs of all k points at once.

E. R. Davidson, J. Comput. Phys. 17, 87 (1975). The search space of each k point grows by its worst preconditioned
residuals and is kept orthonormal; Rayleigh-Ritz gives the best orbitals in it.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import Hamiltonian

# The search space is collapsed to the current orbitals when it would exceed this many times their number.
LARGEST_SPACE = 4


@dataclass(frozen=True)
class Eigenpairs:
    """The result of a diagonalisation.

    Attributes:
        eigenvalues: shape ``(nk * nspin, nband)``, hartree, ascending.
        orbitals: orthonormal, shape ``(nk * nspin, nband, nplanewave)``.
        residual: largest |H psi - e psi| over the bands that count, hartree.
        applications: how many times H was applied to an orbital, per band.
    """

    eigenvalues: Tensor
    orbitals: Tensor
    residual: float
    applications: float


def orthonormalise(vectors: Tensor) -> Tensor:
    """Orthonormal rows spanning the same space, shape ``(batch, nvector, nplanewave)``: Cholesky, QR as fallback."""
    overlap = vectors @ vectors.mH
    factor, info = torch.linalg.cholesky_ex(overlap)
    smallest = factor.diagonal(dim1=-2, dim2=-1).real.min()
    if bool((info > 0).any()) or float(smallest) < 1e-4:
        return torch.linalg.qr(vectors.mT).Q.mT.contiguous()
    # The inverse of a small factor times the vectors is far faster on a CPU than a batched triangular solve.
    identity = torch.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device)
    return torch.linalg.solve_triangular(factor, identity, upper=False) @ vectors


def rayleigh_ritz(vectors: Tensor, images: Tensor, nband: int) -> tuple[Tensor, Tensor]:
    """Eigenvalues and coefficients, shape ``(batch, nband, nvector)``, of H in the space of orthonormal vectors."""
    projected = vectors.conj() @ images.mT
    eigenvalues, coefficients = torch.linalg.eigh((projected + projected.mH) / 2)
    return eigenvalues[:, :nband], coefficients[:, :, :nband].mT


def davidson(
    hamiltonian: Hamiltonian, guess: Tensor, nband: int, counts: Tensor, tolerance: float, max_steps: int
) -> Eigenpairs:
    """Improve a guess until the residuals of the bands that count are below ``tolerance``, or for ``max_steps`` steps.

    Args:
        hamiltonian: H of every k point and spin.
        guess: at least ``nband`` orthonormal orbitals, shape ``(nk * nspin, nguess, nplanewave)``.
        nband: number of lowest states that are wanted.
        counts: how much the residual of each band matters, between 0 and 1, shape ``(nk * nspin, nband)``.
        tolerance: of the residual's norm, hartree.
        max_steps: extensions of the search space.
    """
    vectors, images = guess, hamiltonian.apply(guess)
    applied = guess.shape[1]
    for step in range(max_steps + 1):
        eigenvalues, coefficients = rayleigh_ritz(vectors, images, nband)
        orbitals, applied_orbitals = coefficients @ vectors, coefficients @ images
        residuals = applied_orbitals - eigenvalues[..., None] * orbitals
        norms = residuals.norm(dim=-1) * counts
        unconverged = norms > tolerance
        if step == max_steps or not bool(unconverged.any()):
            break
        extension = int(unconverged.sum(1).max())
        worst = norms.topk(extension, dim=1).indices
        corrections = hamiltonian.precondition(_select(residuals, worst), _select(orbitals, worst))
        if vectors.shape[1] + extension > LARGEST_SPACE * nband:
            vectors, images = orbitals, applied_orbitals
        corrections = _complement(corrections, vectors)
        vectors = torch.cat([vectors, corrections], dim=1)
        images = torch.cat([images, hamiltonian.apply(corrections)], dim=1)
        applied += extension
    return Eigenpairs(eigenvalues, orbitals, float(norms.max()), applied / nband)


def _select(values: Tensor, bands: Tensor) -> Tensor:
    return values.gather(1, bands[..., None].expand(-1, -1, values.shape[-1]))


def _complement(corrections: Tensor, vectors: Tensor) -> Tensor:
    """Orthonormal corrections, orthogonal to the vectors; the second pass removes what rounding left in the first."""
    for _ in range(2):
        corrections = torch.nn.functional.normalize(torch.view_as_real(corrections).flatten(-2), dim=-1)
        corrections = torch.view_as_complex(corrections.unflatten(-1, (-1, 2)))
        corrections = orthonormalise(corrections - (corrections @ vectors.mH) @ vectors)
    return corrections
