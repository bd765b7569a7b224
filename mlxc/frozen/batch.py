"""Many snapshots together, so that a functional is evaluated for all their points in a few calls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.frozen.snapshot import Snapshot
from mlxc.utils.parallel import map_in_threads
from mlxc.xc.functional import declared_ingredients

# Points at which a functional is evaluated together: enough for operations to outweigh their calls, few enough to stay
# in a processor's cache.
POINTS = 4096

# Some points: their ingredients by name, the volume of each, and which snapshot it belongs to.
Portion = tuple[dict[str, Tensor], Tensor, Tensor]


@dataclass(frozen=True)
class Batch:
    """The points of several snapshots, of one number of spins each time.

    Attributes:
        rest_ha: F - E_xc of each snapshot, shape ``(nsnapshot,)``.
        portions: The points in portions for one call of a functional.
    """

    rest_ha: Tensor
    portions: tuple[Portion, ...]

    @classmethod
    def of(cls, snapshots: Sequence[Snapshot]) -> Batch:
        """Put snapshots together, those with spin and those without it in portions of their own."""
        rest = torch.tensor([snapshot.rest_ha for snapshot in snapshots], dtype=torch.float64)
        portions: list[Portion] = []
        kinds = {_kind(snapshot) for snapshot in snapshots}
        for kind in sorted(kinds):
            chosen = [index for index, snapshot in enumerate(snapshots) if _kind(snapshot) == kind]
            portions += _portions([snapshots[index] for index in chosen], chosen)
        return cls(rest, tuple(portions))

    def energies(self, functional: nn.Module) -> Tensor:
        """F of each snapshot, hartree per cell, shape ``(nsnapshot,)``, attached to the functional's parameters.

        Raises:
            InputError: the functional asks for an ingredient that a snapshot lacks.
        """
        names = declared_ingredients(functional)
        parts = map_in_threads(partial(_xc_energies, functional, names, len(self.rest_ha)), self.portions)
        return self.rest_ha + torch.stack(parts).sum(0)


def _kind(snapshot: Snapshot) -> tuple[int, tuple[str, ...]]:
    return len(snapshot.ingredients["rho"]), tuple(sorted(snapshot.ingredients))


def _portions(snapshots: Sequence[Snapshot], indices: Sequence[int]) -> list[Portion]:
    names = snapshots[0].ingredients
    ingredients = {name: torch.cat([one.ingredients[name] for one in snapshots], dim=-1) for name in names}
    volumes = torch.cat([one.volumes for one in snapshots])
    counts = torch.tensor([len(one.volumes) for one in snapshots])
    owners = torch.tensor(indices).repeat_interleave(counts)
    split = {name: values.split(POINTS, dim=-1) for name, values in ingredients.items()}
    pieces = zip(volumes.split(POINTS), owners.split(POINTS), strict=True)
    return [
        ({name: values[index].contiguous() for name, values in split.items()}, volume, owner)
        for index, (volume, owner) in enumerate(pieces)
    ]


def _xc_energies(functional: nn.Module, names: Sequence[str], nsnapshot: int, portion: Portion) -> Tensor:
    """What some points add to E_xc of each snapshot."""
    ingredients, volumes, owners = portion
    missing = [name for name in names if name not in ingredients]
    if missing:
        raise InputError(f"xc: the functional asks for {missing[0]!r}, which these stored densities lack.")
    energy = functional(**{name: ingredients[name] for name in names}) * volumes
    return energy.new_zeros(nsnapshot).index_add(0, owners, energy)
