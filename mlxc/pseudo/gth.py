"""Goedecker-Teter-Hutter pseudopotentials in reciprocal space.

S. Goedecker, M. Teter, J. Hutter, Phys. Rev. B 54, 1703 (1996); C. Hartwigsen, S. Goedecker, J. Hutter,
Phys. Rev. B 58, 3641 (1998).
"""

from __future__ import annotations

from math import factorial, gamma, pi, sqrt

import torch
from torch import Tensor

from mlxc.pseudo.gth_table import GTHParameters


class GTHPseudopotential:
    """A norm-conserving separable pseudopotential given by Gaussians times polynomials.

    Attributes:
        symbol: Chemical symbol.
        name: Name in its table.
        charge: Charge of the ion.
        channels: The coupling matrix h_ij of each angular momentum l, shape ``(nprojector, nprojector)``, hartree.
    """

    def __init__(self, parameters: GTHParameters) -> None:
        self.parameters = parameters
        self.symbol = parameters.symbol
        self.name = parameters.name
        self.charge = parameters.charge
        self.channels = [
            torch.tensor(c.coupling, dtype=torch.float64).reshape(len(c.coupling), len(c.coupling))
            for c in parameters.channels
        ]

    def local_form_factor(self, q: Tensor) -> Tensor:
        """Fourier transform of the local potential without the Coulomb tail's divergence.

        Returns integral of V_loc(r) exp(-iq.r) d3r, hartree bohr^3, for |q| > 0; at q = 0 the limit of
        V_loc(q) + 4 pi Z / q^2, the "core" or "alpha Z" term.
        """
        radius = self.parameters.local_radius
        x2 = (q * radius) ** 2
        zero = q == 0
        safe = torch.where(zero, 1.0, q)
        polynomial = _local_polynomial(x2, self.parameters.local_coefficients)
        short = (2 * pi) ** 1.5 * radius**3 * polynomial * torch.exp(-x2 / 2)
        coulomb = -4 * pi * self.charge / safe**2 * torch.exp(-x2 / 2)
        return short + torch.where(zero, 2 * pi * self.charge * radius**2, coulomb)

    def core_form_factors(self, q: Tensor) -> Tensor | None:
        """None: these pseudopotentials have no nonlinear core correction."""
        return None

    def projector_form_factor(self, angular_momentum: int, index: int, q: Tensor) -> Tensor:
        """Radial Fourier transform 4 pi integral r^2 j_l(qr) p_i(r) dr of projector ``index`` (from 0), bohr^(3/2).

        p_i(r) = N r^(l + 2i) exp(-r^2 / 2 r_l^2) is normalised; its transform is a generalised Laguerre polynomial
        times a Gaussian.
        """
        ell, n = angular_momentum, index
        radius = self.parameters.channels[ell].radius
        order = ell + 2 * n + 1.5
        norm = sqrt(2 / (radius ** (2 * order) * gamma(order)))
        x2 = (q * radius) ** 2 / 2
        prefactor = 4 * pi * norm * sqrt(pi / 2) * 2**n * factorial(n) * radius ** (2 * ell + 3 + 2 * n)
        return prefactor * q**ell * _laguerre(n, ell + 0.5, x2) * torch.exp(-x2)

    def local_potential(self, r: Tensor) -> Tensor:
        """V_loc(r), hartree, for r > 0."""
        radius = self.parameters.local_radius
        x2 = (r / radius) ** 2
        polynomial = sum(c * x2**i for i, c in enumerate(self.parameters.local_coefficients))
        return -self.charge / r * torch.erf(r / (sqrt(2) * radius)) + polynomial * torch.exp(-x2 / 2)

    def projector(self, angular_momentum: int, index: int, r: Tensor) -> Tensor:
        """p_i(r), bohr^(-3/2)."""
        radius = self.parameters.channels[angular_momentum].radius
        power = angular_momentum + 2 * index
        norm = sqrt(2 / (radius ** (2 * power + 3) * gamma(power + 1.5)))
        return norm * r**power * torch.exp(-((r / radius) ** 2) / 2)


def _local_polynomial(x2: Tensor, coefficients: tuple[float, ...]) -> Tensor:
    """Sum of C_i times the polynomial that the Fourier transform of x^(2i-2) exp(-x^2/2) carries."""
    return sum(
        (c * 2**i * factorial(i) * _laguerre(i, 0.5, x2 / 2) for i, c in enumerate(coefficients)), torch.zeros_like(x2)
    )


def _laguerre(n: int, alpha: float, x: Tensor) -> Tensor:
    """Generalised Laguerre polynomial L_n^(alpha)(x) by its three-term recurrence."""
    previous, current = torch.zeros_like(x), torch.ones_like(x)
    for k in range(n):
        previous, current = current, ((2 * k + 1 + alpha - x) * current - (k + alpha) * previous) / (k + 1)
    return current
