"""Real functions in plane waves at k = 0: half of the numbers.

Of a real function c_-G = c_G*, so that one of G and -G tells of both. The numbers c_0, sqrt(2) Re c_G and
sqrt(2) Im c_G of half of the plane waves have the inner products of the functions. They are kept as real vectors, with
a place for Im c_0, which is zero.
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor

# Of an orbital with norm one, a smaller imaginary part is one of rounding errors.
NEGLIGIBLE_PART = 1e-10


class RealFunctions:
    """Real functions as real vectors, and as the plane waves at k = 0.

    Args:
        miller: The integers G of all plane waves, shape ``(nplanewave, 3)``; with each of them there is -G.

    Attributes:
        half: The positions of half of the plane waves, G = 0 first, shape ``(nhalf,)``.
    """

    def __init__(self, miller: Tensor) -> None:
        self._count = len(miller)
        # Of numbers that grow with G1, then G2, then G3, those of G and -G are as far from the one of G = 0.
        base = 2 * int(miller.abs().max()) + 1
        order = ((miller[:, 0] * base + miller[:, 1]) * base + miller[:, 2]).argsort()
        zero = self._count // 2
        self.half, self._partners = order[zero:], order.flip(0)[zero:]
        # Coefficients c_G, in units of the components of the vectors.
        self._scale = torch.full((len(self.half),), 1 / sqrt(2), dtype=torch.float64, device=miller.device)
        self._scale[0] = 1

    def of(self, orbitals: Tensor) -> Tensor:
        """Orthonormal real functions that span what orthonormal orbitals do, as nearly as their number allows.

        The squared lengths of real functions in the space of the orbitals psi are the eigenvalues of the sum of
        (Re psi)(Re psi)^T + (Im psi)(Im psi)^T: those of one if also each psi* is in that space, and else the largest
        ones are at least 1/2.

        Args:
            orbitals: The orbitals, shape ``(1, norbital, nplanewave)``.

        Returns:
            real vectors, shape ``(1, norbital, 2 nhalf)``.
        """
        both = self.parts(orbitals)
        if float(both[:, 1::2].norm(dim=-1).max()) < NEGLIGIBLE_PART:
            return both[:, 0::2].contiguous()
        lengths, combinations = torch.linalg.eigh(both @ both.mT)
        count = orbitals.shape[1]
        return (combinations[..., -count:] / lengths[:, None, -count:].sqrt()).mT @ both

    def parts(self, functions: Tensor) -> Tensor:
        """The real and the imaginary part of each function in turn, ``(1, n, nplanewave)`` to ``(1, 2 n, 2 nhalf)``."""
        own, mirrored = functions[..., self.half], functions[..., self._partners].conj()
        factors = (0.5 / self._scale).to(own.dtype)
        result = own.new_empty(1, 2 * functions.shape[1], len(self.half))
        torch.mul(own + mirrored, factors, out=result[:, 0::2])
        torch.mul(own - mirrored, -1j * factors, out=result[:, 1::2])
        return torch.view_as_real(result).flatten(2)

    def in_pairs(self, vectors: Tensor) -> Tensor:
        """a + ib of the first and the second function, the third and the fourth, and so on: the inverse of ``parts``.

        Args:
            vectors: An even number of real vectors, shape ``(1, 2 n, 2 nhalf)``.
        """
        scaled = self._coefficients(vectors)
        first, second = scaled[:, 0::2], 1j * scaled[:, 1::2]
        return self._with_partners(first + second, (first - second).conj())

    def half_of(self, real: Tensor) -> Tensor:
        """What real functions, given as plane waves ``(..., nplanewave)``, are as vectors, still in complex numbers.

        Returns:
            c_0 and sqrt(2) c_G, shape ``(..., nhalf)``; their parts are the components of the vectors.
        """
        return real[..., self.half] / self._scale.to(real.dtype)

    def as_orbitals(self, vectors: Tensor) -> Tensor:
        """Real functions ``(1, n, 2 nhalf)`` as plane waves ``(1, n, nplanewave)``."""
        scaled = self._coefficients(vectors)
        return self._with_partners(scaled, scaled.conj())

    def _coefficients(self, vectors: Tensor) -> Tensor:
        """The coefficients of half of the plane waves."""
        return torch.view_as_complex(vectors.unflatten(-1, (-1, 2))) * self._scale.to(vectors.dtype)

    def _with_partners(self, own: Tensor, mirrored: Tensor) -> Tensor:
        """The coefficients of all plane waves, from those of half of them and of their partners."""
        result = own.new_empty(1, own.shape[1], self._count)
        result[..., self._partners], result[..., self.half] = mirrored, own
        return result
