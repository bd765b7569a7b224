"""Local-density functionals."""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import torch
from torch import Tensor

from mlxc.xc.functional import Functional
from mlxc.xc.spin import spin_interpolation, spin_scaled, squared_polarisation, total_and_shares


def wigner_seitz_radius(density: Tensor) -> Tensor:
    """r_s = (3 / 4 pi n)^(1/3), bohr."""
    return (3 / (4 * pi * density)) ** (1 / 3)


def uniform_exchange(density: Tensor) -> Tensor:
    """Exchange energy per volume of the unpolarised uniform gas, -(3/4) (3/pi)^(1/3) n^(4/3), hartree/bohr^3.

    P. A. M. Dirac, Math. Proc. Camb. Phil. Soc. 26, 376 (1930).
    """
    return -3 / 4 * (3 / pi) ** (1 / 3) * density ** (4 / 3)


class PW92Correlation(Functional):
    """Correlation of the uniform gas: J. P. Perdew, Y. Wang, Phys. Rev. B 45, 13244 (1992), equations 8 to 10.

    The constants A are those of the authors' code for PBE, with one digit more than the paper's table I; libxc calls
    this fit ``lda_c_pw_mod``, and its PBE is built upon it.
    """

    # A, alpha_1, beta_1 .. beta_4 for eps_c(zeta=0), eps_c(zeta=1), -alpha_c.
    UNPOLARISED = (0.0310907, 0.21370, 7.5957, 3.5876, 1.6382, 0.49294)
    POLARISED = (0.01554535, 0.20548, 14.1189, 6.1977, 3.3662, 0.62517)
    STIFFNESS = (0.0168869, 0.11125, 10.357, 3.6231, 0.88026, 0.49671)
    # f''(0) of the spin interpolation f(zeta).
    CURVATURE = 8 / (9 * (2 ** (4 / 3) - 2))

    def energy_per_electron(self, density: Tensor, shares: Tensor | None) -> Tensor:
        """eps_c(r_s, zeta), hartree.

        Args:
            density: The total density, shape ``(npoint,)``.
            shares: The shares of the spins, shape ``(2, npoint)``; None if unpolarised.
        """
        return self._interpolated(_fit, density, shares)

    def slope(self, density: Tensor, shares: Tensor | None) -> Tensor:
        """d eps_c / d r_s at fixed zeta, hartree/bohr; arguments as for :meth:`energy_per_electron`."""
        return self._interpolated(_fit_slope, density, shares)

    def forward(self, rho: Tensor) -> Tensor:
        """Correlation energy per volume."""
        density, shares = total_and_shares(rho)
        return density * self.energy_per_electron(density, shares)

    def _interpolated(self, fit: Callable[..., Tensor], density: Tensor, shares: Tensor | None) -> Tensor:
        """Equation 8, which is linear in the three fits and so holds for their slopes too."""
        rs = wigner_seitz_radius(density)
        unpolarised = fit(rs, *self.UNPOLARISED)
        if shares is None:
            return unpolarised
        polarised, stiffness = fit(rs, *self.POLARISED), -fit(rs, *self.STIFFNESS)
        f = spin_interpolation(shares)
        z2, one_minus_z2 = squared_polarisation(shares)
        towards_polarised = (polarised - unpolarised) * f * z2**2
        return unpolarised + stiffness * f / self.CURVATURE * one_minus_z2 * (1 + z2) + towards_polarised


class PrintedPW92Correlation(PW92Correlation):
    """The same fit with the constants as the paper prints them: libxc's ``lda_c_pw``."""

    UNPOLARISED = (0.031091, *PW92Correlation.UNPOLARISED[1:])
    POLARISED = (0.015545, *PW92Correlation.POLARISED[1:])
    STIFFNESS = (0.016887, *PW92Correlation.STIFFNESS[1:])
    CURVATURE = 1.709921


def _fit(rs: Tensor, a: float, alpha1: float, *betas: float) -> Tensor:
    """G(r_s), equation 10."""
    return -2 * a * (1 + alpha1 * rs) * torch.log1p(1 / (2 * a * _series(rs.sqrt(), *betas)))


def _fit_slope(rs: Tensor, a: float, alpha1: float, *betas: float) -> Tensor:
    """dG / dr_s, equation A5."""
    root = rs.sqrt()
    series = _series(root, *betas)
    beta1, beta2, beta3, beta4 = betas
    series_slope = beta1 / (2 * root) + beta2 + root * (1.5 * beta3 + 2 * beta4 * root)
    falling = (1 + alpha1 * rs) * series_slope / (series * (2 * a * series + 1))
    return 2 * a * (falling - alpha1 * torch.log1p(1 / (2 * a * series)))


def _series(root: Tensor, beta1: float, beta2: float, beta3: float, beta4: float) -> Tensor:
    """beta_1 r_s^(1/2) + beta_2 r_s + beta_3 r_s^(3/2) + beta_4 r_s^2."""
    return root * (beta1 + root * (beta2 + root * (beta3 + root * beta4)))


class LDA(Functional):
    """Slater exchange with the correlation of Perdew and Wang (1992)."""

    def __init__(self) -> None:
        super().__init__()
        self.correlation = PW92Correlation()

    def forward(self, rho: Tensor) -> Tensor:
        """XC energy per volume."""
        return self.exchange(rho) + self.correlation(rho)

    def exchange(self, rho: Tensor) -> Tensor:
        """Exchange energy per volume."""
        return spin_scaled(uniform_exchange, rho)


class Teter93(Functional):
    """Teter's rational fit to the LDA: S. Goedecker, M. Teter, J. Hutter, Phys. Rev. B 54, 1703 (1996), appendix."""

    A = (0.4581652932831429, 2.217058676663745, 0.7405551735357053, 0.01968227878617998)
    B = (1.0, 4.504130959426697, 1.110667363742916, 0.02359291751427506)
    POLARISED_A = (0.119086804055547, 0.6157402568883345, 0.1574201515892867, 0.003532336663397157)
    POLARISED_B = (0.0, 0.2673612973836267, 0.2052004607777787, 0.004200005045691381)

    def forward(self, rho: Tensor) -> Tensor:
        """XC energy per volume."""
        density, shares = total_and_shares(rho)
        rs, f = wigner_seitz_radius(density), spin_interpolation(shares)
        numerator = sum((a + d * f) * rs**i for i, (a, d) in enumerate(zip(self.A, self.POLARISED_A, strict=True)))
        denominator = sum(
            (b + d * f) * rs ** (i + 1) for i, (b, d) in enumerate(zip(self.B, self.POLARISED_B, strict=True))
        )
        return -density * numerator / denominator
