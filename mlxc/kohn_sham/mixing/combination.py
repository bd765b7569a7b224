"""The best combination of past steps, if what comes out is a linear function of what goes in."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor


def best_combination(
    fields: Sequence[Tensor],
    residuals: Sequence[Tensor],
    vector: Callable[[Tensor], Tensor],
    independent: float = 1e-8,
) -> tuple[Tensor, Tensor]:
    """Fields and residual whose residual would be the smallest if it were a linear function of the fields.

    Args:
        fields: The fields that went into each step.
        residuals: The residuals that came out, of the same shape.
        vector: A linear function of a residual: a real vector whose length is what is to be small.
        independent: The smallest share by which differences of residuals differ from each other where they are used.
    """
    *before, last = residuals
    if not before:
        return fields[-1], last
    gamma = _least_squares(torch.stack([vector(past - last) for past in before]), vector(last), independent)
    return _combine(gamma, fields), _combine(gamma, residuals)


def _least_squares(rows: Tensor, target: Tensor, independent: float) -> Tensor:
    """Coefficients of the rows that come closest to the target; nearly dependent rows are damped, not trusted."""
    scale = rows.norm(dim=1, keepdim=True).clamp(min=1e-300)
    matrix, right = (rows / scale).T.cpu(), target[:, None].cpu()
    solution = torch.linalg.lstsq(matrix, right, rcond=independent, driver="gelsd").solution
    return (solution.to(rows.device) / scale)[:, 0]


def _combine(gamma: Tensor, values: Sequence[Tensor]) -> Tensor:
    """The last of some values, less its differences from those before it times their coefficients."""
    *before, last = values
    combined = last.clone()
    for factor, past in zip(gamma.to(last.dtype), before, strict=True):
        combined -= factor * (past - last)
    return combined
