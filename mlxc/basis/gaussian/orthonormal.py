"""Orthonormal functions from ones that overlap."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from mlxc.basis.protocol import LinearDependence

# Combinations with a smaller norm^2, for coefficients of norm one, are left out: integrals are accurate to 1e-8.
SMALLEST_NORM = 1e-7


class OrthonormalFunctions(NamedTuple):
    """Combinations of functions, at each k point.

    Attributes:
        combinations: X, shape ``(nk, nfunction, northonormal)``, with X^H S X = 1; zero where a k point has fewer.
        inverse: X^H S, shape ``(nk, northonormal, nfunction)``: the combinations that a sum of functions is made of.
        padding: Where there is no combination, shape ``(nk, northonormal)``.
        linear_dependence: How close the functions are to being combinations of each other.
    """

    combinations: Tensor
    inverse: Tensor
    padding: Tensor
    linear_dependence: LinearDependence


def orthonormal_functions(overlap: Tensor) -> OrthonormalFunctions:
    """Canonical orthonormalisation: P.-O. Löwdin, Rev. Mod. Phys. 39, 259 (1967).

    Args:
        overlap: S of each k point, Hermitian, shape ``(nk, nfunction, nfunction)``.
    """
    norms, vectors = torch.linalg.eigh(overlap)
    kept = norms > SMALLEST_NORM
    rounding = torch.finfo(norms.dtype).eps * norms[:, -1]
    condition_number = float((norms[:, -1] / norms.abs().amin(1).maximum(rounding)).max())
    # Eigenvalues ascend, so the ones to leave out come first; those of all k points are left out of the matrices.
    first = int((~kept).sum(1).min())
    norms, vectors, kept = norms[:, first:], vectors[:, :, first:], kept[:, first:]
    safe = norms.where(kept, 1.0)
    return OrthonormalFunctions(
        combinations=vectors * (kept / safe.sqrt())[:, None],
        inverse=(vectors * (kept * safe.sqrt())[:, None]).mH,
        padding=~kept,
        linear_dependence=LinearDependence(overlap.shape[1], condition_number, int((~kept).sum(1).max()) + first),
    )
