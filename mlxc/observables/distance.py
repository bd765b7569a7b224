"""How far two functions are apart. Imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

# Keeps the slope of a square root finite.
TINY = 1e-24


def root_mean_square(values: Tensor) -> Tensor:
    """The root of the mean square, which has a gradient everywhere."""
    return (values.square().mean() + TINY).sqrt()
