"""Energies of many snapshots in few evaluations of a functional, for whoever needs them hundreds of times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from mlxc.frozen.batch import Batch
from mlxc.frozen.nodes import SharedNodes, fits_nodes
from mlxc.frozen.snapshot import Snapshot
from mlxc.xc.functional import declared_ingredients

# What nodes may change of an energy, hartree per cell.
LARGEST_CHANGE_HA = 1e-6


class _Part(Protocol):
    def energies(self, functional: nn.Module) -> Tensor: ...


class CondensedSnapshots:
    """Snapshots that are evaluated together, on nodes where these serve a functional, else at all of their points.

    Args:
        snapshots: The snapshots.
        functional: A functional of the kind that will be evaluated: a network as it is before it is trained. Nodes
            serve it if they keep its energies within 1e-6 Ha.
    """

    def __init__(self, snapshots: Sequence[Snapshot], functional: nn.Module) -> None:
        on_nodes = [one for one in snapshots if fits_nodes(one)]
        parts: list[tuple[list[Snapshot], _Part]] = []
        if on_nodes and (nodes := _serving_nodes(on_nodes, functional)) is not None:
            parts.append((on_nodes, nodes))
        known = {one for chosen, _ in parts for one in chosen}
        if others := [one for one in snapshots if one not in known]:
            parts.append((others, Batch.of(others)))
        self._snapshots, self._parts = snapshots, parts

    @property
    def are_on_nodes(self) -> bool:
        """Whether all of them are on nodes, so that an evaluation is little work."""
        return all(isinstance(part, SharedNodes) for _, part in self._parts)

    def energies(self, functional: nn.Module) -> Mapping[Snapshot, Tensor]:
        """F of each snapshot, hartree per cell, attached to the functional's parameters."""
        return {
            snapshot: energy
            for snapshots, part in self._parts
            for snapshot, energy in zip(snapshots, part.energies(functional).unbind(), strict=True)
        }

    def in_order(self, functional: nn.Module) -> Tensor:
        """The same in the order of the snapshots, shape ``(nsnapshot,)``."""
        known = self.energies(functional)
        return torch.stack([known[one] for one in self._snapshots])


@torch.no_grad()
def _serving_nodes(snapshots: Sequence[Snapshot], functional: nn.Module) -> SharedNodes | None:
    if "tau" in declared_ingredients(functional):
        return None
    nodes = SharedNodes.of(snapshots)
    try:
        change = (nodes.energies(functional) - Batch.of(snapshots).energies(functional)).abs().max()
    except Exception:  # a functional of a user may raise anything, and does so again where somebody hears it
        return None
    return nodes if float(change) <= LARGEST_CHANGE_HA else None  # a NaN serves nobody
