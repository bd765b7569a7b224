"""What past solutions have taught of Q H Q: later ones begin with the best combination of it, and do without it.

A linear equation is solved by conjugate gradients within a few hard directions more quickly if these are known: Y. Saad
et al., SIAM J. Sci. Comput. 21, 1909 (2000). Here they are the directions of the first solutions. They serve all bands
of a k point, since the operators Q (H - e_n) Q differ by numbers alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.kohn_sham.diagonalisation.orthonormal import inner_products, norms

# The size of the space, in units of the number of bands. With many bands it would cost more than H does.
VECTORS_PER_BAND = 4
MANY_BANDS = 48
# A combination of normalised directions whose square is less is not independent of the others.
DEPENDENT = 1e-4
# A shift that makes the operator singular on the space, hartree, is none that a band with electrons has.
SINGULAR = 1e-6


class KnownSpace:
    """Orthonormal vectors, with what Q H Q makes of them.

    Args:
        nband: The number of bands for which equations are solved.
    """

    def __init__(self, nband: int) -> None:
        self._most = VECTORS_PER_BAND * nband if nband <= MANY_BANDS else 0
        self._vectors: Tensor | None = None
        self._images: Tensor
        self._levels: Tensor
        self._modes: Tensor

    @property
    def is_full(self) -> bool:
        """Whether it learns nothing more."""
        return self._most == 0 or (self._vectors is not None and self._vectors.shape[1] >= self._most)

    def solution(self, right: Tensor, eigenvalues: Tensor) -> tuple[Tensor, Tensor]:
        """The best solution within the space, and what Q (H - e_n) Q makes of it.

        Args:
            right: The right-hand sides, shape ``(nrow, nband, nplanewave)``.
            eigenvalues: e_n, shape ``(nrow, nband)``, hartree.
        """
        if self._vectors is None:
            return torch.zeros_like(right), torch.zeros_like(right)
        coefficients = self._inverse(inner_products(self._vectors, right), eigenvalues).mT
        found = coefficients @ self._vectors
        return found, coefficients @ self._images - eigenvalues[..., None] * found

    def conjugate(self, vectors: Tensor, eigenvalues: Tensor) -> Tensor:
        """The vectors without what is not conjugate to the space; arguments as in :meth:`solution`."""
        if self._vectors is None:
            return vectors
        products = inner_products(self._images, vectors)
        products = products - eigenvalues[:, None] * inner_products(self._vectors, vectors)
        return vectors - self._inverse(products, eigenvalues).mT @ self._vectors

    def learn(self, directions: list[Tensor], images: list[Tensor]) -> None:
        """Take in directions, some of which may be zero, and what Q H Q makes of them."""
        if not directions:
            return
        if self._vectors is not None:
            directions, images = [self._vectors, *directions], [self._images, *images]
        sizes = norms(torch.cat(directions, dim=1))[..., None].clamp(min=torch.finfo(directions[0].dtype).tiny)
        vectors, images_of = torch.cat(directions, dim=1) / sizes, torch.cat(images, dim=1) / sizes
        shares, combinations = torch.linalg.eigh(vectors.conj() @ vectors.mT)
        new = shares > DEPENDENT
        count = min(int(new.sum(1).max()), self._most)
        if count == 0:
            return
        factors = torch.where(new, shares.where(new, 1.0).rsqrt(), 0.0)[:, None, -count:]
        orthonormal = (combinations[..., -count:] * factors).mT
        self._vectors, self._images = orthonormal @ vectors, orthonormal @ images_of
        projected = inner_products(self._vectors, self._images)
        missing = torch.diag_embed((~new[:, -count:]).to(projected.dtype))
        self._levels, self._modes = torch.linalg.eigh((projected + projected.mH) / 2 + missing)

    def _inverse(self, products: Tensor, eigenvalues: Tensor) -> Tensor:
        """(H - e_n)^-1 within the space, of products with its vectors, shape ``(nrow, nvector, nband)``."""
        shifted = self._levels[..., None] - eigenvalues[:, None]
        return self._modes @ ((self._modes.mH @ products) / shifted.clamp(min=SINGULAR))
