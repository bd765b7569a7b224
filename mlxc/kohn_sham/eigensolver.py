"""Block Davidson: the lowest eigenpairs of all k points at once.

E. R. Davidson, J. Comput. Phys. 17, 87 (1975). The search space of each k point grows by its worst preconditioned
residuals and is kept orthonormal; Rayleigh-Ritz gives the best orbitals in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import Hamiltonian, HamiltonianBlock
from mlxc.utils.parallel import map_in_threads

# The search space is collapsed to the current orbitals when it would exceed this many times their number.
LARGEST_SPACE = 4
# Orthogonalisation that leaves less of a unit vector is done again: rounding errors, and what the vectors lack of being
# orthonormal themselves, are divided by what is left. W. Kahan's rule, "twice is enough": B. N. Parlett, The Symmetric
# Eigenvalue Problem (SIAM, 1998), section 6.9.
SAFE_REMAINDER = 0.5
MOST_PASSES = 3
# A direction of which less is left, as a share of a unit vector, is not independent of the others.
DEPENDENT = 1e-2


@dataclass(frozen=True)
class Eigenpairs:
    """The result of a diagonalisation.

    Attributes:
        eigenvalues: The eigenvalues, shape ``(nk * nspin, nband)``, hartree, ascending.
        orbitals: The orbitals, orthonormal, shape ``(nk * nspin, nband, nplanewave)``.
        residuals: |H psi - e psi| of each, times how much the band counts, hartree, shape ``(nk * nspin, nband)``.
        applications: How many times H was applied to an orbital, per band.
    """

    eigenvalues: Tensor
    orbitals: Tensor
    residuals: Tensor
    applications: float

    @property
    def residual(self) -> float:
        """The largest of the residuals, hartree."""
        return float(self.residuals.max())

    def lowest(self, nband: int) -> Eigenpairs:
        """The same without those above the lowest ones."""
        return Eigenpairs(
            self.eigenvalues[:, :nband], self.orbitals[:, :nband], self.residuals[:, :nband], self.applications
        )


def orthonormalise(vectors: Tensor) -> Tensor:
    """Orthonormal rows spanning the same space, shape ``(batch, nvector, nplanewave)``: Cholesky, QR as fallback.

    Args:
        vectors: The vectors, linearly independent.
    """
    vectors = _normalised(vectors)
    result, smallest = _by_cholesky(vectors, vectors @ vectors.mH)
    if smallest > DEPENDENT:
        return result
    if smallest > DEPENDENT**2:
        # Rounding errors grow with the square of the condition; a second time there is none to speak of.
        # Y. Yamamoto et al., Electron. Trans. Numer. Anal. 44, 306 (2015).
        return _by_cholesky(result, result @ result.mH)[0]
    return torch.linalg.qr(vectors.mT).Q.mT.contiguous()


def _by_cholesky(vectors: Tensor, overlap: Tensor) -> tuple[Tensor, float]:
    """The vectors made orthonormal in their order, and the least that is left of any without those before it.

    Where that is lost in rounding errors it is zero, and the vectors come back as they are.
    """
    factor, info = torch.linalg.cholesky_ex(overlap)
    if bool((info > 0).any()):
        return vectors, 0.0
    # The inverse of a small factor times the vectors is far faster on a CPU than a batched triangular solve.
    identity = torch.eye(factor.shape[-1], dtype=factor.dtype, device=factor.device)
    inverse = torch.linalg.solve_triangular(factor, identity, upper=False)
    return inverse @ vectors, float(factor.diagonal(dim1=-2, dim2=-1).real.min())


def inner_products(left: Tensor, right: Tensor) -> Tensor:
    """<left_i|right_j>, shape ``(batch, nleft, nright)``."""
    return left.conj() @ right.mT


class Eigensolver(Protocol):
    """What an SCF step asks for the orbitals in its potential."""

    def solve(
        self, hamiltonian: Hamiltonian, guess: Tensor, nband: int, counts: Tensor, residual: float | None, starts: int
    ) -> Eigenpairs:
        """The lowest eigenpairs, as accurate as the density deserves.

        Args:
            hamiltonian: H in the potential of the step's density.
            guess: At least ``nband`` orthonormal orbitals, shape ``(nk * nspin, nguess, nfunction)``.
            nband: The number of states.
            counts: How much the residual of each band matters, between 0 and 1, shape ``(nk * nspin, nband)``.
            residual: The density residual of the last step; None in the first step.
            starts: How many results of similar crystals the first density was extrapolated from.
        """
        ...


@dataclass(frozen=True)
class Davidson:
    """Block Davidson, with an accuracy that follows that of the density.

    Attributes:
        first_steps: The number of extensions of the search space from a rough guess, in the first step.
        later_steps: The number of extensions of the search space once the potential settles.
        accuracy: The residual of the orbitals, hartree, that is good enough for a density with a relative error of one.
        cold_tolerance: The residual of the orbitals, hartree, in the first step, when nobody knows how wrong the
            density of free atoms is: much.
        warm_tolerances: The residuals of the orbitals, hartree, in the first step for a density that comes from one,
            two or more results of similar crystals.
    """

    first_steps: int = 8
    later_steps: int = 4
    accuracy: float = 0.03
    cold_tolerance: float = 1e-2
    warm_tolerances: tuple[float, ...] = (1e-3, 1e-4)

    def solve(
        self, hamiltonian: Hamiltonian, guess: Tensor, nband: int, counts: Tensor, residual: float | None, starts: int
    ) -> Eigenpairs:
        """See :class:`Eigensolver`."""
        if residual is not None:
            return diagonalise(hamiltonian, guess, nband, counts, self.accuracy * residual, self.later_steps)
        warm = self.warm_tolerances[min(starts, len(self.warm_tolerances)) - 1]
        return diagonalise(hamiltonian, guess, nband, counts, warm if starts else self.cold_tolerance, self.first_steps)


def diagonalise(
    hamiltonian: Hamiltonian, guess: Tensor, nband: int, counts: Tensor, tolerance: float, max_steps: int
) -> Eigenpairs:
    """The lowest eigenpairs of all k points and spins, blocks of them at the same time; see :func:`davidson`."""

    def solve(block: HamiltonianBlock) -> Eigenpairs:
        if block.matrix is not None:
            return lowest_eigenpairs(block.matrix, nband)
        return davidson(block, guess[block.rows], nband, counts[block.rows], tolerance, max_steps)

    pairs = map_in_threads(solve, hamiltonian.blocks)
    return Eigenpairs(
        torch.cat([p.eigenvalues for p in pairs]),
        torch.cat([p.orbitals for p in pairs]),
        torch.cat([p.residuals for p in pairs]),
        sum(p.applications * len(p.eigenvalues) for p in pairs) / len(guess),
    )


def lowest_eigenpairs(matrix: Tensor, nband: int) -> Eigenpairs:
    """The exact lowest eigenpairs of Hermitian matrices, shape ``(nrow, nfunction, nfunction)``."""
    eigenvalues, vectors = torch.linalg.eigh(matrix)
    lowest = eigenvalues[:, :nband]
    return Eigenpairs(lowest, vectors[:, :, :nband].mT.contiguous(), torch.zeros_like(lowest), 0.0)


def davidson(
    hamiltonian: HamiltonianBlock, guess: Tensor, nband: int, counts: Tensor, tolerance: float, max_steps: int
) -> Eigenpairs:
    """Improve a guess until the residuals of the bands that count are below ``tolerance``, or for ``max_steps`` steps.

    Args:
        hamiltonian: H of some k points.
        guess: At least ``nband`` orthonormal orbitals, shape ``(nrow, nguess, nplanewave)``.
        nband: The number of lowest states that are wanted.
        counts: How much the residual of each band matters, between 0 and 1, shape ``(nrow, nband)``.
        tolerance: The norm of a residual, hartree, that is small enough.
        max_steps: The largest number of extensions of the search space.
    """
    vectors, images = guess, hamiltonian.apply(guess)
    projected = inner_products(vectors, images)
    applied = guess.shape[1]
    for step in range(max_steps + 1):
        eigenvalues, coefficients = torch.linalg.eigh(projected)
        eigenvalues, coefficients = eigenvalues[:, :nband], coefficients[:, :, :nband].mT
        orbitals, applied_orbitals = coefficients @ vectors, coefficients @ images
        residuals = applied_orbitals - eigenvalues[..., None] * orbitals
        norms = _norms(residuals) * counts
        unconverged = norms > tolerance
        if step == max_steps or not bool(unconverged.any()):
            break
        extension = int(unconverged.sum(1).max())
        worst = norms.topk(extension, dim=1).indices
        corrections = hamiltonian.precondition(_select(residuals, worst), _select(orbitals, worst))
        if vectors.shape[1] + extension > LARGEST_SPACE * nband:
            vectors, images = orbitals, applied_orbitals
            projected = torch.diag_embed(eigenvalues).to(orbitals.dtype)
        corrections = _complement(corrections, vectors)
        new_images = hamiltonian.apply(corrections)
        cross, own = inner_products(corrections, images), inner_products(corrections, new_images)
        own = own + torch.diag_embed(_out_of_the_way(corrections, projected)).to(own.dtype)
        projected = torch.cat([torch.cat([projected, cross.mH], dim=2), torch.cat([cross, own], dim=2)], dim=1)
        vectors, images = torch.cat([vectors, corrections], dim=1), torch.cat([images, new_images], dim=1)
        applied += extension
    return Eigenpairs(eigenvalues, orbitals, norms, applied / nband)


def _norms(vectors: Tensor) -> Tensor:
    """Norms of complex vectors along the last axis; torch sums real numbers much faster."""
    return torch.view_as_real(vectors).flatten(-2).norm(dim=-1)


def _normalised(vectors: Tensor) -> Tensor:
    """The vectors with norm one; those that are zero stay so."""
    return vectors / _norms(vectors)[..., None].clamp(min=1e-300)


def _select(values: Tensor, bands: Tensor) -> Tensor:
    return values.gather(1, bands[..., None].expand(-1, -1, values.shape[-1]))


def _complement(corrections: Tensor, vectors: Tensor) -> Tensor:
    """Orthonormal corrections, orthogonal to the vectors; zeros in the place of those that bring nothing new."""
    for _ in range(MOST_PASSES):
        corrections = _normalised(corrections)
        corrections = corrections - inner_products(vectors, corrections).mT @ vectors
        overlap = corrections @ corrections.mH
        if float(overlap.diagonal(dim1=1, dim2=2).real.min()) > SAFE_REMAINDER**2:
            break
    result, smallest = _by_cholesky(corrections, overlap)
    return result if smallest > DEPENDENT else _independent(corrections, overlap)


def _independent(vectors: Tensor, overlap: Tensor) -> Tensor:
    """Orthonormal combinations of vectors of which some depend on the others; zeros in the place of as many.

    The canonical orthogonalisation of P.-O. Loewdin, Adv. Quantum Chem. 5, 185 (1970).
    """
    shares, combinations = torch.linalg.eigh(overlap)
    new = shares > DEPENDENT**2
    factors = torch.where(new, shares.where(new, 1.0).rsqrt(), 0.0)
    return (combinations * factors[:, None]).mH @ vectors


def _out_of_the_way(vectors: Tensor, projected: Tensor) -> Tensor:
    """An energy above all that is looked for, for vectors that are zero; none for others. Shape ``(nrow, nvector)``."""
    above = 1 + projected.abs().sum(-1).amax(-1)
    return torch.where(_norms(vectors) < SAFE_REMAINDER, above[:, None], 0.0)
