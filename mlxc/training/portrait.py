"""What a functional looks like while it learns, in few numbers: its enhancement factor along s, its parameters."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from mlxc.xc.analysis.probe import enhancement_at
from mlxc.xc.catalogue import functional
from mlxc.xc.functional import declared_ingredients

# Solids have s below 2.5 nearly everywhere; r_s is that of valence electrons, bohr.
S = tuple(round(0.1 * index, 1) for index in range(31))
RS = 2.0
# Of a functional that sees the density of kinetic energy: a single orbital, the uniform gas, between closed shells.
ALPHAS = (0.0, 1.0, 5.0)
# A network's many weights tell a person nothing.
MOST_PARAMETERS = 8
DIGITS = 6


def alphas_of(module: nn.Module) -> tuple[float, ...]:
    """The iso-orbital indicators at which a functional is drawn: one that does not see them is drawn once."""
    return ALPHAS if "tau" in declared_ingredients(module) else (1.0,)


@torch.no_grad()
def enhancement(module: nn.Module, alphas: tuple[float, ...]) -> list[list[float]]:
    """F_xc at r_s = 2 bohr along :data:`S`, a list for each alpha."""
    s = torch.tensor(S * len(alphas), dtype=torch.float64)
    alpha = torch.tensor(alphas, dtype=torch.float64).repeat_interleave(len(S))
    values = enhancement_at(module, torch.full_like(s, RS), None, s, alpha).view(len(alphas), -1)
    return [[round(value, DIGITS) for value in row] for row in values.tolist()]


def portrait(module: nn.Module) -> dict[str, Any]:
    """``enhancement``, see above, and ``parameters`` by name, if they are few numbers."""
    named = dict(module.named_parameters())
    few = sum(value.numel() for value in named.values()) <= MOST_PARAMETERS
    parameters = {name: value.item() for name, value in named.items() if value.numel() == 1} if few else {}
    return {"enhancement": enhancement(module, alphas_of(module)), "parameters": parameters}


def known_portraits(module: nn.Module) -> dict[str, list[list[float]]]:
    """The same curves of functionals that people know, by name: those beside which this one is drawn."""
    alphas = alphas_of(module)
    names = {"PBE": "pbe", "PBEsol": "pbesol"} | ({"SCAN": "scan"} if len(alphas) > 1 else {})
    return {label: enhancement(functional(name), alphas) for label, name in names.items()}
