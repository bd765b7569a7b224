"""Local-density functionals."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor

from mlxc.xc.functional import Functional

# f''(0) of the spin interpolation f(zeta).
SPIN_STIFFNESS_DENOMINATOR = 8 / (9 * (2 ** (4 / 3) - 2))


def total_and_polarisation(rho: Tensor) -> tuple[Tensor, Tensor | None]:
    """Total density and zeta = (up - down) / total, or None for an unpolarised density, from ``(nspin, npoint)``."""
    if len(rho) == 1:
        return rho[0], None
    total = rho.sum(0)
    return total, (rho[0] - rho[1]) / total


def wigner_seitz_radius(density: Tensor) -> Tensor:
    """r_s = (3 / 4 pi n)^(1/3), bohr."""
    return (3 / (4 * pi * density)) ** (1 / 3)


def spin_interpolation(zeta: Tensor) -> Tensor:
    """f(zeta) = ((1+zeta)^(4/3) + (1-zeta)^(4/3) - 2) / (2^(4/3) - 2)."""
    return ((1 + zeta) ** (4 / 3) + (1 - zeta) ** (4 / 3) - 2) / (2 ** (4 / 3) - 2)


def slater_exchange(rho: Tensor) -> Tensor:
    """Exchange energy per volume of the uniform gas, hartree/bohr^3; each spin counts as half an unpolarised gas."""
    nspin = len(rho)
    return -3 / 4 * (3 / pi) ** (1 / 3) * ((nspin * rho) ** (4 / 3)).sum(0) / nspin


class PW92Correlation(Functional):
    """Correlation of the uniform gas: J. P. Perdew, Y. Wang, Phys. Rev. B 45, 13244 (1992), equations 8 to 10.

    The constants carry the digits that make the limits exact, as in the authors' code for PBE.
    """

    # A, alpha_1, beta_1 .. beta_4 for eps_c(zeta=0), eps_c(zeta=1), -alpha_c.
    UNPOLARISED = (0.0310906908696549, 0.21370, 7.5957, 3.5876, 1.6382, 0.49294)
    POLARISED = (0.01554534543482745, 0.20548, 14.1189, 6.1977, 3.3662, 0.62517)
    STIFFNESS = (0.0168868639403898, 0.11125, 10.357, 3.6231, 0.88026, 0.49671)

    def energy_per_electron(self, density: Tensor, zeta: Tensor | None) -> Tensor:
        """eps_c(r_s, zeta), hartree."""
        rs = wigner_seitz_radius(density)
        unpolarised = self._fit(rs, self.UNPOLARISED)
        if zeta is None:
            return unpolarised
        polarised = self._fit(rs, self.POLARISED)
        stiffness = -self._fit(rs, self.STIFFNESS)
        f, z4 = spin_interpolation(zeta), zeta**4
        return unpolarised + stiffness * f / SPIN_STIFFNESS_DENOMINATOR * (1 - z4) + (polarised - unpolarised) * f * z4

    @staticmethod
    def _fit(rs: Tensor, constants: tuple[float, ...]) -> Tensor:
        a, alpha1, beta1, beta2, beta3, beta4 = constants
        root = rs.sqrt()
        series = root * (beta1 + root * (beta2 + root * (beta3 + root * beta4)))
        return -2 * a * (1 + alpha1 * rs) * torch.log1p(1 / (2 * a * series))

    def forward(self, rho: Tensor) -> Tensor:
        """Correlation energy per volume."""
        density, zeta = total_and_polarisation(rho)
        return density * self.energy_per_electron(density, zeta)


class LDA(Functional):
    """Slater exchange with the correlation of Perdew and Wang (1992)."""

    def __init__(self) -> None:
        super().__init__()
        self.correlation = PW92Correlation()

    def forward(self, rho: Tensor) -> Tensor:
        """XC energy per volume."""
        return slater_exchange(rho) + self.correlation(rho)


class Teter93(Functional):
    """Teter's rational fit to the LDA: S. Goedecker, M. Teter, J. Hutter, Phys. Rev. B 54, 1703 (1996), appendix."""

    A = (0.4581652932831429, 2.217058676663745, 0.7405551735357053, 0.01968227878617998)
    B = (1.0, 4.504130959426697, 1.110667363742916, 0.02359291751427506)
    POLARISED_A = (0.119086804055547, 0.6157402568883345, 0.1574201515892867, 0.003532336663397157)
    POLARISED_B = (0.0, 0.2673612973836267, 0.2052004607777787, 0.004200005045691381)

    def forward(self, rho: Tensor) -> Tensor:
        """XC energy per volume."""
        density, zeta = total_and_polarisation(rho)
        rs = wigner_seitz_radius(density)
        f: Tensor | float = 0.0 if zeta is None else spin_interpolation(zeta)
        numerator = sum((a + d * f) * rs**i for i, (a, d) in enumerate(zip(self.A, self.POLARISED_A, strict=True)))
        denominator = sum(
            (b + d * f) * rs ** (i + 1) for i, (b, d) in enumerate(zip(self.B, self.POLARISED_B, strict=True))
        )
        return -density * numerator / denominator
