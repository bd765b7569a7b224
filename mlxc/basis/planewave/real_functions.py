"""Real functions in plane waves: half of the numbers.

Where 2k is a reciprocal lattice vector, as at k = 0 and in the middle of the zone's faces, a Bloch function may be
real: with each plane wave k + G there is -(k + G), and of a real function their coefficients are the conjugates of each
other, so that one of both tells of the other. The numbers sqrt(2) Re c_G and sqrt(2) Im c_G of half of the plane waves
have the inner products of the functions. They are kept as real vectors. At k = 0 the constant function is its own
partner: its numbers are c_0, which is real, and zero.
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor

# Of an orbital with norm one, a smaller imaginary part is one of rounding errors.
NEGLIGIBLE_PART = 1e-10


class RealFunctions:
    """Real functions as real vectors, and as the plane waves at a k point.

    Args:
        miller: The integers G of the plane waves, shape ``(nplanewave, 3)``; with each of them there is -(G + 2k).
        doubled: The integers 2k, shape ``(3,)``.
        room: The number of plane waves that orbitals have room for: those, and padding.

    Attributes:
        half: The positions of half of the plane waves, that with k + G = 0 first, shape ``(nhalf,)``.
    """

    def __init__(self, miller: Tensor, doubled: Tensor, room: int) -> None:
        self._count, self._room = len(miller), room
        # Of numbers that grow with G1, then G2, then G3, those of k + G and -(k + G) have opposite signs.
        twice = 2 * miller + doubled
        base = 2 * int(twice.abs().max()) + 1
        order = ((twice[:, 0] * base + twice[:, 1]) * base + twice[:, 2]).argsort()
        middle = self._count // 2
        self.half, self._partners = order[middle:], order.flip(0)[middle:]
        # Coefficients c_G, in units of the components of the vectors.
        self._scale = torch.full((len(self.half),), 1 / sqrt(2), dtype=torch.float64, device=miller.device)
        if self._count % 2 == 1:
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
        if self.are_real(orbitals):
            return self.vectors(orbitals)
        both = self.parts(orbitals)
        lengths, combinations = torch.linalg.eigh(both @ both.mT)
        count = orbitals.shape[1]
        return (combinations[..., -count:] / lengths[:, None, -count:].sqrt()).mT @ both

    def are_real(self, orbitals: Tensor) -> bool:
        """Whether orbitals ``(1, norbital, nplanewave)`` with norm one are real functions, but for rounding errors."""
        twice_imaginary = orbitals[..., self.half] - orbitals[..., self._partners].conj()
        return float(torch.view_as_real(twice_imaginary).flatten(2).norm(dim=-1).max()) < 2 * NEGLIGIBLE_PART

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

    def vectors(self, real: Tensor) -> Tensor:
        """Real functions, given as plane waves ``(..., nplanewave)``, as real vectors ``(..., 2 nhalf)``."""
        return torch.view_as_real(self.half_of(real)).flatten(-2)

    def half_of(self, real: Tensor) -> Tensor:
        """What real functions, given as plane waves ``(..., nplanewave)``, are as vectors, still in complex numbers.

        Returns:
            sqrt(2) c_G, and c_0 at k = 0, shape ``(..., nhalf)``; their parts are the components of the vectors.
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
        empty = own.new_empty if self._room == self._count else own.new_zeros
        result = empty(1, own.shape[1], self._room)
        result[..., self._partners], result[..., self.half] = mirrored, own
        return result
