"""Functions that are known on one grid, on another one of the same cell."""

from __future__ import annotations

import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.grid.grid import Grid


def interpolated_coefficients(grid: Grid, values: Tensor | NDArray) -> Tensor:
    """Fourier coefficients, on a grid's sphere, of the smoothest function through given values.

    A wave with two points per period is known but for its phase, so half of it goes either way.

    Args:
        grid: The grid to interpolate on.
        values: The values at points that divide the cell evenly, in any numbers, shape ``(m1, m2, m3)``.

    Returns:
        shape ``(ngvector,)``.
    """
    given = torch.as_tensor(values, dtype=torch.float64, device=grid.device)
    if given.shape == grid.shape:
        return grid.fourier(given)
    coefficients = torch.fft.fftn(given, norm="forward")
    for axis, count in enumerate(grid.shape):
        coefficients = _resized(coefficients.movedim(axis, 0), count).movedim(0, axis)
    return coefficients.flatten()[grid.sphere]


def _resized(coefficients: Tensor, count: int) -> Tensor:
    """The first axis with room for ``count`` frequencies, in the order of an FFT."""
    common = min(len(coefficients), count)
    positive, negative = (common + 1) // 2, (common - 1) // 2
    resized = coefficients.new_zeros(count, *coefficients.shape[1:])
    resized[:positive] = coefficients[:positive]
    resized[count - negative :] = coefficients[len(coefficients) - negative :]
    if common % 2 == 0:
        half = common // 2
        if len(coefficients) > count:
            resized[half] = coefficients[half] + coefficients[-half]
        elif len(coefficients) < count:
            resized[half] = resized[-half] = coefficients[half] / 2
        else:
            resized[half] = coefficients[half]
    return resized
