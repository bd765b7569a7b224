"""Penalties that keep a functional physical where no solid of the training set looks.

All of them look at F_xc on a grid of (r_s, s, alpha) without spin: spin scaling takes care of the rest.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mlxc.training.config import Regularisation
from mlxc.xc.analysis.constraints import LIEB_OXFORD
from mlxc.xc.analysis.probe import enhancement_at
from mlxc.xc.functional import declared_ingredients

# The range of valence electrons in solids.
RS = torch.tensor([0.3, 0.6, 1.2, 2.0, 3.5, 6.0], dtype=torch.float64)
S = torch.linspace(0, 4, 41, dtype=torch.float64)
ALPHA = torch.tensor([0.0, 0.5, 1.0, 2.0, 5.0], dtype=torch.float64)


class Penalty:
    """The sum of the penalties on a functional.

    Args:
        weights: The weight of each penalty.
        start: The functional that training starts from, as it is now.
    """

    def __init__(self, weights: Regularisation, start: nn.Module) -> None:
        self._weights = weights
        self._axes = (RS, S, ALPHA if "tau" in declared_ingredients(start) else ALPHA[2:3])
        with torch.no_grad():
            self._start = self._enhancement(start)

    def __call__(self, functional: nn.Module) -> Tensor:
        """The penalty, a tensor without dimensions, attached to the functional's parameters."""
        weights = self._weights
        if not (weights.stay_near or weights.smooth or weights.bound):
            return torch.zeros((), dtype=torch.float64)
        f = self._enhancement(functional)
        change = f - self._start
        curvature = change[:, 2:] - 2 * change[:, 1:-1] + change[:, :-2]
        step = float(S[1] - S[0])
        return (
            weights.stay_near * change.square().mean()
            + weights.smooth * (curvature / step**2).square().mean()
            + weights.bound * torch.relu(f - LIEB_OXFORD).square().mean()
        )

    def _enhancement(self, functional: nn.Module) -> Tensor:
        """F_xc, shape ``(nrs, ns, nalpha)``."""
        rs, s, alpha = (grid.flatten() for grid in torch.meshgrid(*self._axes, indexing="ij"))
        values = enhancement_at(functional, rs, None, s, alpha)
        return values.view(*(len(axis) for axis in self._axes))
