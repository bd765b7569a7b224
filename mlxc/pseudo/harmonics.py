"""Real spherical harmonics in Cartesian form, for l = 0 to 3."""

from __future__ import annotations

from math import pi, sqrt

import torch
from torch import Tensor


def solid_harmonics(angular_momentum: int, vectors: Tensor) -> Tensor:
    """r^l Y_lm(r) for all m, smooth at the origin.

    Args:
        angular_momentum: l.
        vectors: shape ``(..., 3)``.

    Returns:
        shape ``(2 l + 1, ...)``; the order of m does not matter for sums over all of them.

    Raises:
        ValueError: l > 3.
    """
    x, y, z = vectors.unbind(-1)
    r2 = x * x + y * y + z * z
    if angular_momentum == 0:
        return torch.full_like(x, sqrt(1 / (4 * pi)))[None]
    if angular_momentum == 1:
        return sqrt(3 / (4 * pi)) * torch.stack([x, y, z])
    if angular_momentum == 2:
        return sqrt(15 / (4 * pi)) * torch.stack(
            [x * y, y * z, z * x, (x * x - y * y) / 2, (3 * z * z - r2) / sqrt(12)]
        )
    if angular_momentum == 3:
        return sqrt(105 / (4 * pi)) * torch.stack(
            [
                x * y * z,
                z * (x * x - y * y) / 2,
                y * (3 * x * x - y * y) / sqrt(24),
                x * (x * x - 3 * y * y) / sqrt(24),
                y * (5 * z * z - r2) / sqrt(40),
                x * (5 * z * z - r2) / sqrt(40),
                z * (5 * z * z - 3 * r2) / sqrt(60),
            ]
        )
    raise ValueError(f"spherical harmonics are given for l = 0 to 3, not {angular_momentum}")
