"""The enhancement factor of LAK's exchange; numbers of equations are those of the supplement of its paper."""

from __future__ import annotations

from torch import Tensor

from mlxc.xc.lak.interpolation import decaying, half_turns, share_of_slowly_varying
from mlxc.xc.mgga import A1, H0_EXCHANGE

# Coefficients of the expansion in 1 - alpha and in s^2 that give the fourth-order gradient expansion.
MU_ALPHA = -(97 + 3 * H0_EXCHANGE + ((3 * H0_EXCHANGE) ** 2 + 74166 * H0_EXCHANGE - 64175) ** 0.5) / 1200
NU_ALPHA = (73 - 50 * MU_ALPHA) / 5000
MU_S = (10 + 60 * MU_ALPHA) / 81
NU_S = -(1606 - 50 * MU_ALPHA) / 18225
# The enhancement of a slowly varying density for a large gradient.
A = 1.1
C1 = MU_ALPHA / (H0_EXCHANGE - 1)
C2 = (MU_ALPHA + NU_ALPHA) / (H0_EXCHANGE - 1)


def enhancement(s2: Tensor, alpha: Tensor) -> Tensor:
    """F_x, equation 2.

    Args:
        s2: The squared reduced gradient.
        alpha: The ratio (tau - tau_W) / tau_uniform.
    """
    single = H0_EXCHANGE * (1 - _large_gradient(s2))
    slowly_varying = _slowly_varying(s2)
    distance = alpha - 1
    switch = half_turns(distance * (C1 + C2 * alpha * distance), alpha)
    return single + (1 - switch) * (slowly_varying - H0_EXCHANGE) * share_of_slowly_varying(s2)


def _large_gradient(s2: Tensor) -> Tensor:
    """1 - g_x = exp(-b / s^(1/2)), equation 4."""
    return decaying(A1, s2, power=1 / 4)


def _slowly_varying(s2: Tensor) -> Tensor:
    """h_1, equations 8 to 10: the gradient expansion, held by the bound A for a large gradient."""
    expansion = 1 + MU_S * s2 + NU_S * s2**2 + H0_EXCHANGE * _large_gradient(s2)
    return expansion + decaying(A**2, s2 * (1 + s2)) * (A - expansion)
