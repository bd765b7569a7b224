"""Vectors made orthonormal, many sets of them at once, in double and in single precision."""

from __future__ import annotations

import torch
from torch import Tensor

# Orthogonalisation that leaves less of a unit vector is done again: rounding errors, and what the vectors lack of being
# orthonormal themselves, are divided by what is left. W. Kahan's rule, "twice is enough": B. N. Parlett, The Symmetric
# Eigenvalue Problem (SIAM, 1998), section 6.9.
SAFE_REMAINDER = 0.5
MOST_PASSES = 3
# A direction of which less is left, as a share of a unit vector, is not independent of the others.
DEPENDENT = 1e-2


def inner_products(left: Tensor, right: Tensor) -> Tensor:
    """<left_i|right_j>, shape ``(batch, nleft, nright)``."""
    return left.conj() @ right.mT


def norms(vectors: Tensor) -> Tensor:
    """Norms of vectors along the last axis; torch sums real numbers much faster than complex ones."""
    parts = torch.view_as_real(vectors).flatten(-2) if vectors.is_complex() else vectors
    return parts.norm(dim=-1)


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
        return _once_more(result)
    return torch.linalg.qr(vectors.mT).Q.mT.contiguous()


def complement(corrections: Tensor, vectors: Tensor) -> Tensor:
    """Orthonormal corrections, orthogonal to the vectors; zeros in the place of those that bring nothing new.

    Args:
        corrections: The corrections, shape ``(batch, ncorrection, nplanewave)``.
        vectors: Orthonormal vectors, shape ``(batch, nvector, nplanewave)``.
    """
    for _ in range(MOST_PASSES):
        corrections = _normalised(corrections)
        corrections = corrections - inner_products(corrections, vectors).conj() @ vectors
        overlap = corrections @ corrections.mH
        if float(overlap.diagonal(dim1=1, dim2=2).real.min()) > SAFE_REMAINDER**2:
            break
    result, smallest = _by_cholesky(corrections, overlap)
    if smallest <= DEPENDENT:
        return _independent(corrections, overlap)
    in_double = result.dtype.to_real() == torch.float64
    return result if in_double or smallest > SAFE_REMAINDER else _once_more(result)


def is_left_out(vectors: Tensor) -> Tensor:
    """Which vectors of a :func:`complement` are zero, shape ``(batch, nvector)``."""
    return norms(vectors) < SAFE_REMAINDER


def _once_more(vectors: Tensor) -> Tensor:
    """Vectors that are nearly orthonormal, made so.

    Rounding errors grow with the square of the condition; a second time there is none to speak of: Y. Yamamoto et al.,
    Electron. Trans. Numer. Anal. 44, 306 (2015).
    """
    return _by_cholesky(vectors, vectors @ vectors.mH)[0]


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


def _normalised(vectors: Tensor) -> Tensor:
    """The vectors with norm one; those that are zero stay so."""
    return vectors / norms(vectors)[..., None].clamp(min=torch.finfo(vectors.dtype).tiny)


def _independent(vectors: Tensor, overlap: Tensor) -> Tensor:
    """Orthonormal combinations of vectors of which some depend on the others; zeros in the place of as many.

    The canonical orthogonalisation of P.-O. Loewdin, Adv. Quantum Chem. 5, 185 (1970).
    """
    shares, combinations = torch.linalg.eigh(overlap)
    new = shares > DEPENDENT**2
    factors = torch.where(new, shares.where(new, 1.0).rsqrt(), 0.0)
    return (combinations * factors[:, None]).mH @ vectors
