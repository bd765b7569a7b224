"""The correlation of LAK; numbers of equations are those of the supplement of its paper."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor

from mlxc.xc.gga import PBE_GAMMA, squared_correlation_gradient
from mlxc.xc.lak.exchange import MU_ALPHA
from mlxc.xc.lak.interpolation import half_turns, share_of_slowly_varying
from mlxc.xc.lda import wigner_seitz_radius
from mlxc.xc.mgga import one_minus_quartic_root, single_orbital_polarisation
from mlxc.xc.spin import polarisation_mean

# Equations 14 to 17: correlation of a single orbital; with the last one that of one electron vanishes.
B1, B2, CHI, POLARISATION = 0.0468, 0.205601, 1.55344, 2.3631
# Equations 39 and 40: how the gradient correction ends.
A_POSITIVE, B3_NEGATIVE = 10.0, 2.85
# The gradient expansion of exchange, and the ratio of correlation's coefficient to that at high density, equation 62.
MU_GRADIENT = 10 / 81
C_HIGH_DENSITY = -16 * pi * (3 * pi**2) ** (1 / 3) * 2.568 / (3000 * MU_GRADIENT)
# A_c, equation 30: e_x^unif per electron is A_c / r_s.
UNIFORM_EXCHANGE = -3 / 4 * (3 / pi) ** (1 / 3) * (3 / (4 * pi)) ** (1 / 3)
# t^2 r_s = s^2 times this without polarisation, equation 27.
T_OF_S = (3 * pi**2 / 16) ** (2 / 3)


def correlation_energy(
    density: Tensor, shares: Tensor | None, s2: Tensor, alpha: Tensor, local: Tensor, unpolarised: Tensor
) -> Tensor:
    """eps_c, equation 12, hartree.

    Args:
        density: The total density.
        shares: The shares of the spins, shape ``(2, npoint)``; None if unpolarised.
        s2: The squared reduced gradient of the total density.
        alpha: The ratio (tau - tau_W) / tau_uniform.
        local: eps_c of the uniform gas with these spins.
        unpolarised: eps_c of the unpolarised uniform gas.
    """
    rs = wigner_seitz_radius(density)
    single = _single_orbital(rs, shares, s2)
    slowly_varying = local + _gradient_correction(density, rs, shares, s2, local)
    # beta_alpha, equations 22 and 23.
    slope = UNIFORM_EXCHANGE * MU_ALPHA * (1 + _relative_coefficient(rs) / 2)
    switch = half_turns(slope / (unpolarised - _single_orbital_local(rs)) * (alpha - 1), rs * alpha)
    return single + (1 - switch) * (slowly_varying - single) * share_of_slowly_varying(s2)


def _single_orbital_local(rs: Tensor) -> Tensor:
    """Equation 14."""
    return -B1 / (1 + B2 * rs)


def _single_orbital(rs: Tensor, shares: Tensor | None, s2: Tensor) -> Tensor:
    """eps_0, equation 13."""
    local = _single_orbital_local(rs)
    gradient = B1 * torch.log1p(torch.expm1(-local / B1) * one_minus_quartic_root(CHI * s2))
    return (local + gradient) * single_orbital_polarisation(shares, POLARISATION)


def _gradient_correction(density: Tensor, rs: Tensor, shares: Tensor | None, s2: Tensor, local: Tensor) -> Tensor:
    """H_1, equations 25 to 41; its coefficient beta_t may have either sign."""
    phi = polarisation_mean(shares, 2 / 3)
    scale = PBE_GAMMA * phi**3
    w1 = torch.expm1(-local / scale)
    coefficient = _relative_coefficient(rs) * (1 - 3 * MU_ALPHA) - (1 + 6 * MU_ALPHA)  # mu_sc, equation 31
    beta = UNIFORM_EXCHANGE / T_OF_S * MU_GRADIENT * coefficient
    # A t^2; all that depends on the sign of beta_t is how the correction ends.
    argument = beta / (PBE_GAMMA * w1) * squared_correlation_gradient(density, s2, phi)
    size, is_positive = argument.abs(), beta >= 0
    end = torch.where(is_positive, 1 / (1 + A_POSITIVE * size), -1 / (1 + (w1 + B3_NEGATIVE) * size))
    return scale * torch.log1p(w1 * one_minus_quartic_root(size) * (size**2 / (1 + size**2) + end))


def _relative_coefficient(rs: Tensor) -> Tensor:
    """C_m, equation 62."""
    return C_HIGH_DENSITY * (1 + 0.1 * rs**0.65) / ((1 + 0.065 * rs**0.9) * (1 + 0.03 * rs**1.2))
