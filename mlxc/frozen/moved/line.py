"""Functionals along a line in the space of their parameters, and what of a functional may be moved so."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.frozen.moved.move import DEVIATIONS, Move, weight_at
from mlxc.xc.analysis.probe import enhancement_at
from mlxc.xc.uncertainty import changes, directions_of, is_uncertain

# Where a direction of an ensemble is asked how much it bends F_xc: densities of valence electrons.
PROBED_RS = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
PROBED_S = torch.linspace(0, 3, 13, dtype=torch.float64)


@dataclass(frozen=True)
class Line:
    """Places between -1 and 1, with a functional at each.

    Attributes:
        functional: The functional at zero.
        shifts: By how much each parameter that moves does from zero to one, by its place among the parameters.
    """

    functional: nn.Module
    shifts: dict[int, Tensor]

    @torch.no_grad()
    def at(self, place: float) -> nn.Module:
        """The functional at a place."""
        moved = deepcopy(self.functional)
        parameters = list(moved.parameters())
        for index, shift in self.shifts.items():
            parameters[index].add_(place * shift)
        return moved

    @classmethod
    def of(cls, functional: nn.Module, move: Move) -> Line:
        """The line of a functional that is moved so.

        Raises:
            InputError: the functional has no such weight or direction.
        """
        return cls(functional, _direction(functional, move) if move.direction else _weight(functional, move))


def _weight(functional: nn.Module, move: Move) -> dict[int, Tensor]:
    for index, (name, parameter) in enumerate(functional.named_parameters()):
        if name == move.weight and move.element < parameter.numel():
            values = parameter.detach().flatten()
            value, typical = float(values[move.element]), float(values.square().mean().sqrt())
            shift = torch.zeros_like(values)
            shift[move.element] = weight_at(value, typical, 1.0) - value
            return {index: shift.view_as(parameter)}
    raise InputError(f"move: the functional has no weight {move.element + 1} in {move.weight[:60]!r}.")


def _direction(functional: nn.Module, move: Move) -> dict[int, Tensor]:
    """Two standard deviations along one direction of the ensemble, in the order in which they change F_xc.

    Any rotation of the factor L of C = L L^T makes independent directions. Here they are those of the singular values
    of dF/dtheta L: the first bends F_xc(s) most, the last not at all.
    """
    directions = directions_of(functional)
    count = directions.moves.shape[1]
    if move.direction > count:
        raise InputError(f"move: the ensemble has {count} directions, and none of number {move.direction}.")
    rs, s = (grid.flatten() for grid in torch.meshgrid(PROBED_RS, PROBED_S, indexing="ij"))
    with torch.enable_grad():
        bends = changes(enhancement_at(functional, rs, None, s, torch.ones_like(s)), functional)
    _, _, rotation = torch.linalg.svd(bends.detach())
    column = DEVIATIONS * directions.moves @ rotation[move.direction - 1]
    pieces = column.split([parameter.numel() for parameter in directions.parameters])
    places = {id(parameter): index for index, parameter in enumerate(functional.parameters())}
    return {
        places[id(own)]: piece.view_as(own).to(own) for own, piece in zip(directions.parameters, pieces, strict=True)
    }


def movable(functional: nn.Module) -> dict[str, Any]:
    """What a hand may move of a functional, as plain data.

    Returns:
        ``weights`` by name, each with its ``shape``, its ``values`` in one row and ``typical``, their root mean square;
        ``members``, the number of the ensemble's members, and ``directions``, that of its directions, zero where there
        is none.
    """
    weights = {
        name: {
            "shape": list(parameter.shape),
            "values": parameter.detach().flatten().tolist(),
            "typical": float(parameter.detach().square().mean().sqrt()),
        }
        for name, parameter in functional.named_parameters()
    }
    if not is_uncertain(functional):
        return {"weights": weights, "members": 0, "directions": 0}
    directions = directions_of(functional).moves.shape[1]
    ensemble = getattr(functional, "ensemble", None)
    return {"weights": weights, "members": 0 if ensemble is None else ensemble.count, "directions": directions}
