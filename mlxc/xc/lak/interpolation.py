"""What exchange and correlation of LAK share: how they go between their limits, and how they end in a vacuum."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor

# Beyond this, exp(-x) is zero in double precision, with all its derivatives.
LARGEST_EXPONENT = 700.0
# The s beyond which the single-orbital energy takes over whatever alpha is.
LARGE_S = 5.0


def half_turns(numerator: Tensor, denominator: Tensor) -> Tensor:
    """2/pi arctan(pi/2 numerator / denominator), equations 5 and 19, with the denominator proportional to alpha.

    The angle of both goes on smoothly where alpha is zero, and below zero, where rounding may bring it.
    """
    return 2 / pi * torch.atan2(pi / 2 * numerator, denominator)


def decaying(coefficient: float, value: Tensor, power: float = 1.0) -> Tensor:
    """exp(-coefficient / value^power) for a value that may be zero, where it vanishes with all derivatives."""
    large = value > (coefficient / LARGEST_EXPONENT) ** (1 / power)
    return torch.exp(-coefficient * value.where(large, 1.0) ** -power).where(large, 0.0)


def share_of_slowly_varying(s2: Tensor) -> Tensor:
    """g_num, equation 11: one but for large gradients, where it vanishes."""
    return 1 - decaying(LARGE_S**2, s2)
