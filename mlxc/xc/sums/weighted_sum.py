"""Sums of functionals with weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mlxc.xc.functional import INGREDIENTS, Functional, declared_ingredients


class WeightedSum(Functional):
    """A sum of functionals, each times a fixed weight.

    Args:
        weights: The weight of each functional.
        functionals: The modules, which declare their ingredients.
    """

    weights: Tensor

    def __init__(self, weights: Sequence[float], functionals: Sequence[nn.Module]) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor(weights, dtype=torch.float64))
        self.functionals = nn.ModuleList(functionals)
        needed = {name for functional in functionals for name in declared_ingredients(functional)}
        self.ingredients = tuple(name for name in INGREDIENTS if name in needed)

    def forward(self, rho: Tensor, grad: Tensor | None = None, tau: Tensor | None = None) -> Tensor:
        """XC energy per volume, from those of the arguments that are its ingredients."""
        given = {"rho": rho, "grad": grad, "tau": tau}
        energies = [
            weight * functional(**{name: given[name] for name in declared_ingredients(functional)})
            for weight, functional in zip(self.weights, self.functionals, strict=True)
        ]
        return torch.stack(energies).sum(0)
