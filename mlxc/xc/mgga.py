"""Meta-generalised-gradient functionals: what they share, SCAN, and its regularised successor r2SCAN.

These two interpolate between a single-orbital energy (alpha = 0) and a slowly varying one (alpha = 1), where
alpha = (tau - tau_W) / tau_uniform tells covalent, metallic and weak bonds apart.

SCAN: J. Sun, A. Ruzsinszky, J. P. Perdew, Phys. Rev. Lett. 115, 036402 (2015) and its supplement.
r2SCAN: J. W. Furness, A. D. Kaplan, J. Ning, J. P. Perdew, J. Sun, J. Phys. Chem. Lett. 11, 8208 (2020) and its
supplement.
"""

from __future__ import annotations

from abc import abstractmethod
from math import pi

import torch
from torch import Tensor

from mlxc.xc.functional import Functional
from mlxc.xc.gga import PBE_BETA, PBE_GAMMA, squared_correlation_gradient, squared_reduced_gradient
from mlxc.xc.lda import PW92Correlation, uniform_exchange, wigner_seitz_radius
from mlxc.xc.spin import polarisation_mean, spin_scaled, squared_polarisation, total_and_shares
from mlxc.xc.switching import CORRELATION_SWITCH, EXCHANGE_SWITCH, Switch

# Exchange: the gradient expansion to fourth order (MU, B1 .. B4), its bound K1, the enhancement H0_EXCHANGE of a single
# orbital, and A1 that makes large gradients decay.
MU = 10 / 81
K1 = 0.065
H0_EXCHANGE = 1.174
A1 = 4.9479
B2 = (5913 / 405000) ** 0.5
B1 = (511 / 13500) / (2 * B2)
B3 = 0.5
B4 = MU**2 / K1 - 1606 / 18225 - B1**2
# For s^2 below this, exp(-A1 / sqrt(s)) is zero in double precision, with all its derivatives.
SMALL_S2 = 1e-8

# Correlation of a single orbital.
B1_CORRELATION, B2_CORRELATION, B3_CORRELATION = 0.0285764, 0.0889, 0.125541
CHI_INFINITY = 0.12802585262625815
# The paper prints 2.3631; the authors' code and libxc have this, and energies are compared with theirs.
POLARISATION = 2.363

TAU_UNIFORM = 3 / 10 * (3 * pi**2) ** (2 / 3)
# r2SCAN: regularisation of alpha, and the gradient beyond which the second-order correction is damped.
ETA = 0.001
DAMPING = 0.361


class MetaGGA(Functional):
    """A functional of the density, its reduced gradient and the indicator alpha, beside PW92's uniform gas."""

    ingredients = ("rho", "grad", "tau")

    def __init__(self) -> None:
        super().__init__()
        self.local_correlation = PW92Correlation()

    def forward(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        """XC energy per volume."""
        return self.exchange(rho, grad, tau) + self.correlation(rho, grad, tau)

    def exchange(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        """Exchange energy per volume."""
        return spin_scaled(self._unpolarised_exchange, rho, grad, tau)

    def _unpolarised_exchange(self, density: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        s2 = squared_reduced_gradient(density, grad)
        alpha = self.indicator(s2, _kinetic_ratio(density, tau))
        return uniform_exchange(density) * self.enhancement(s2, alpha)

    def correlation(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        """Correlation energy per volume."""
        density, shares = total_and_shares(rho)
        s2 = squared_reduced_gradient(density, grad.sum(0))
        alpha = self.indicator(s2, _kinetic_ratio(density, tau.sum(0)), polarisation_mean(shares, 5 / 3))
        return density * self.correlation_per_electron(density, shares, s2, alpha)

    def indicator(self, s2: Tensor, tau_ratio: Tensor, polarisation: Tensor | float = 1.0) -> Tensor:
        """alpha = (tau - tau_W) / tau_uniform.

        Args:
            s2: The squared reduced gradient; tau_W / tau_uniform = 5 s^2 / 3.
            tau_ratio: The ratio of tau to that of the unpolarised uniform gas.
            polarisation: The factor d_s(zeta) by which polarisation raises tau_uniform.
        """
        return (tau_ratio - 5 / 3 * s2) / polarisation

    @abstractmethod
    def enhancement(self, s2: Tensor, alpha: Tensor) -> Tensor:
        """F_x of an unpolarised density."""

    @abstractmethod
    def correlation_per_electron(self, density: Tensor, shares: Tensor | None, s2: Tensor, alpha: Tensor) -> Tensor:
        """eps_c, hartree.

        Args:
            density: The total density.
            shares: The shares of the spins, shape ``(2, npoint)``; None if unpolarised.
            s2: The squared reduced gradient of the total density.
            alpha: The indicator.
        """


class SCAN(MetaGGA):
    """The strongly constrained and appropriately normed functional.

    Its switch has an essential singularity at alpha = 1, where energies are smooth but stiff: prefer :class:`R2SCAN`
    for anything but comparison.
    """

    def enhancement(self, s2: Tensor, alpha: Tensor) -> Tensor:
        """F_x = (h1 + f (h0 - h1)) g, with h1 of slowly varying densities and g -> 0 for a large gradient."""
        h1 = 1 + K1 - K1 / (1 + self.resummed_gradient(s2, alpha) / K1)
        large = s2 > SMALL_S2
        vanishing = 1 - torch.exp(-A1 * s2.where(large, 1.0) ** -0.25).where(large, 0.0)
        return (h1 + self.switch(EXCHANGE_SWITCH, alpha) * (H0_EXCHANGE - h1)) * vanishing

    def correlation_per_electron(self, density: Tensor, shares: Tensor | None, s2: Tensor, alpha: Tensor) -> Tensor:
        """eps_c = eps_1 + f (eps_0 - eps_1)."""
        single = _single_orbital_correlation(density, shares, s2)
        slowly_varying = self._slowly_varying_correlation(density, shares, s2)
        return slowly_varying + self.switch(CORRELATION_SWITCH, alpha) * (single - slowly_varying)

    def _slowly_varying_correlation(self, density: Tensor, shares: Tensor | None, s2: Tensor) -> Tensor:
        """eps_1, which is that of PBE but for a weaker gradient dependence and beta(r_s) of revTPSS."""
        rs = wigner_seitz_radius(density)
        phi = polarisation_mean(shares, 2 / 3)
        local = self.local_correlation.energy_per_electron(density, shares)
        scale = PBE_GAMMA * phi**3
        w1 = torch.expm1(-local / scale)
        beta = PBE_BETA * (1 + 0.1 * rs) / (1 + 0.1778 * rs)
        gradient_term = beta / PBE_GAMMA * squared_correlation_gradient(density, s2, phi)
        gradient_term = gradient_term - self.gradient_correction(density, shares, s2)
        return local + scale * torch.log1p(w1 * one_minus_quartic_root(gradient_term / w1))

    def switch(self, switch: Switch, alpha: Tensor) -> Tensor:
        """f(alpha) between the single-orbital and the slowly varying energy."""
        return switch.singular(alpha)

    def resummed_gradient(self, s2: Tensor, alpha: Tensor) -> Tensor:
        """x(s, alpha) of the slowly varying enhancement; together with f it gives the fourth-order expansion."""
        distance = 1 - alpha
        quartic = B4 * s2 / MU * torch.exp(-B4 * s2 / MU)
        return MU * s2 * (1 + quartic) + (B1 * s2 + B2 * distance * torch.exp(-B3 * distance**2)) ** 2

    def gradient_correction(self, density: Tensor, shares: Tensor | None, s2: Tensor) -> Tensor | float:
        """What a switch with a slope at alpha = 1 takes away from the gradient term of correlation: nothing here."""
        return 0.0


class R2SCAN(SCAN):
    """SCAN with a regularised indicator and switch, and the gradient expansion restored to second order."""

    def indicator(self, s2: Tensor, tau_ratio: Tensor, polarisation: Tensor | float = 1.0) -> Tensor:
        """alpha = (tau - tau_W) / (tau_uniform + eta tau_W); arguments as for SCAN."""
        return (tau_ratio - 5 / 3 * s2) / (polarisation + ETA * 5 / 3 * s2)

    def switch(self, switch: Switch, alpha: Tensor) -> Tensor:
        """f(alpha) of rSCAN."""
        return switch.regularised(alpha)

    def resummed_gradient(self, s2: Tensor, alpha: Tensor) -> Tensor:
        """x(s) = (C_eta C_2 exp(-s^4 / d^4) + mu) s^2, which cancels the slope of f at alpha = 1."""
        c2 = -EXCHANGE_SWITCH.slope_at_one() * (1 - H0_EXCHANGE)
        return ((20 / 27 + ETA * 5 / 3) * c2 * torch.exp(-(s2**2) / DAMPING**4) + MU) * s2

    def gradient_correction(self, density: Tensor, shares: Tensor | None, s2: Tensor) -> Tensor | float:
        """w_1 Delta y, which cancels the slope of f at alpha = 1 in correlation."""
        rs = wigner_seitz_radius(density)
        single, single_slope = _single_orbital_local(rs)
        polarisation = single_orbital_polarisation(shares)
        difference = single * polarisation - self.local_correlation.energy_per_electron(density, shares)
        slope_difference = single_slope * polarisation - self.local_correlation.slope(density, shares)
        bracket = 20 * rs * slope_difference - 45 * ETA * difference
        scale = 27 * PBE_GAMMA * polarisation_mean(shares, 5 / 3) * polarisation_mean(shares, 2 / 3) ** 3
        return CORRELATION_SWITCH.slope_at_one() / scale * bracket * s2 * torch.exp(-(s2**2) / DAMPING**4)


def _kinetic_ratio(density: Tensor, tau: Tensor) -> Tensor:
    """The ratio of tau to that of the unpolarised uniform gas of this density."""
    return tau / (TAU_UNIFORM * density ** (5 / 3))


def _single_orbital_correlation(density: Tensor, shares: Tensor | None, s2: Tensor) -> Tensor:
    """eps_0, which vanishes for one electron and is finite in the limits of large gradient and of high density."""
    local, _ = _single_orbital_local(wigner_seitz_radius(density))
    growth = one_minus_quartic_root(CHI_INFINITY * s2)
    gradient_term = B1_CORRELATION * torch.log1p(torch.expm1(-local / B1_CORRELATION) * growth)
    return (local + gradient_term) * single_orbital_polarisation(shares)


def _single_orbital_local(rs: Tensor) -> tuple[Tensor, Tensor]:
    """-b1 / (1 + b2 r_s^(1/2) + b3 r_s) and its derivative with respect to r_s."""
    denominator = 1 + B2_CORRELATION * rs.sqrt() + B3_CORRELATION * rs
    denominator_slope = B2_CORRELATION / (2 * rs.sqrt()) + B3_CORRELATION
    return -B1_CORRELATION / denominator, B1_CORRELATION * denominator_slope / denominator**2


def single_orbital_polarisation(shares: Tensor | None, slope: float = POLARISATION) -> Tensor | float:
    """G_c(zeta) = (1 - slope (d_x(zeta) - 1)) (1 - zeta^12), which makes the correlation of one electron vanish."""
    if shares is None:
        return 1.0
    z2, one_minus_z2 = squared_polarisation(shares)
    one_minus_z12 = one_minus_z2 * (1 + z2 + z2**2) * (1 + z2**3)
    return (1 - slope * (polarisation_mean(shares, 4 / 3) - 1)) * one_minus_z12


def one_minus_quartic_root(x: Tensor) -> Tensor:
    """1 - (1 + 4 x)^(-1/4), without cancellation for small x."""
    return -torch.expm1(-torch.log1p(4 * x) / 4)
