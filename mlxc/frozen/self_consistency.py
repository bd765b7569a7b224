"""How much a self-consistent calculation may differ from one at frozen densities.

What self-consistency changes of F is of second order, F2 = 1/2 <dv|chi|dv>, dv the difference of the potentials. Its
gradient part, -div of d(e' - e)/d(grad n), displaces electrons against each other, and for GGAs and meta-GGAs F2 is
measured to be

    W = integral of n |d(e' - e)/d(grad n)|^2,

hartree, within a factor of five. A part of F that varies with the volume as V^p moves the lattice constant by the share
p F2 / (3 B V) of itself. ``SHARE`` stands for p / 3 and the factor between F2 and W; with it the estimate is above the
change that self-consistent calculations find in four of five cases, see ``benchmarks/frozen.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.snapshot import Snapshot
from mlxc.units import EV_PER_ANG3_GPA, HARTREE_EV
from mlxc.xc.catalogue import functional
from mlxc.xc.functional import INGREDIENTS, declared_ingredients
from mlxc.xc.identity import identity_of

SHARE = 0.4
# Points of each solid: an estimate needs no more.
POINTS = 400
# Solids whose points a functional is evaluated at together: who asks for one solid waits for no more than these, and
# operations still outweigh their calls.
SOLIDS = 4


class GradientPotential:
    """de/d(grad n) of a functional at the points of each group of solids, evaluated when it is asked for.

    Args:
        find: The potential at a group, by its number, shape ``(nspin, 3, npoint)``; None where there is none.
    """

    def __init__(self, find: Callable[[int], Tensor | None]) -> None:
        self._find = find
        self._known: dict[int, Tensor | None] = {}

    @classmethod
    def of_sum(cls, shares: Sequence[float], parts: Sequence[GradientPotential]) -> GradientPotential:
        """The potential of a weighted sum of functionals, in which it is linear."""

        def find(group: int) -> Tensor | None:
            found = [part.at(group) for part in parts]
            known = [share * potential for share, potential in zip(shares, found, strict=True) if potential is not None]
            return torch.stack(known).sum(0) if len(known) == len(parts) else None

        return cls(find)

    def at(self, group: int) -> Tensor | None:
        """The potential at a group; None where the functional has no derivative."""
        if group not in self._known:
            self._known[group] = self._find(group)
        return self._known[group]


class SelfConsistencyEstimate:
    """W of many solids, each near the middle of its volumes.

    Args:
        library: The densities.
        names: The solids; those that cannot be read have no estimate.
    """

    def __init__(self, library: FrozenLibrary, names: Sequence[str]) -> None:
        snapshots: dict[str, Snapshot] = {}
        for name in names:
            with suppress(InputError):
                curve = library.curve(name).snapshots
                snapshots[name] = _thinned(curve[len(curve) // 2])
        self._groups = _grouped(snapshots)
        self._group_of = {name: index for index, group in enumerate(self._groups) for name in group.places}
        self._identity = library.functional

    @cached_property
    def _own(self) -> GradientPotential | None:
        """The potential of the functional that has made the densities; None where nobody knows it any more."""
        try:
            made_with = functional(self._identity.name)
        except InputError:
            return None
        return self.potential(made_with) if identity_of(made_with) == self._identity else None

    def potential(self, module: nn.Module) -> GradientPotential:
        """de/d(grad n) of a functional."""
        return GradientPotential(lambda group: _potential_or_none(module, self._groups[group].ingredients))

    def weight(self, potential: GradientPotential, solid: str) -> float | None:
        """W of a solid, hartree per cell; None where it cannot be told.

        Args:
            potential: What :meth:`potential` gives of a functional.
            solid: The name of the solid.
        """
        index = self._group_of.get(solid)
        if self._own is None or index is None:
            return None
        theirs, ours = potential.at(index), self._own.at(index)
        if theirs is None or ours is None:
            return None
        group = self._groups[index]
        there = group.places[solid]
        square = (theirs[..., there] - ours[..., there]).square().sum(1)
        return float((group.ingredients["rho"][:, there] * square).sum(0) @ group.volumes[there])


def percent_of_lattice_constant(weight: float, modulus_gpa: float, volume_ang3: float) -> float:
    """By how many percent self-consistency may change a lattice constant.

    Args:
        weight: W, hartree per cell.
        modulus_gpa: The bulk modulus.
        volume_ang3: The volume of the cell.
    """
    return 100 * SHARE * weight * HARTREE_EV / (modulus_gpa / EV_PER_ANG3_GPA * volume_ang3)


def _thinned(snapshot: Snapshot) -> Snapshot:
    """Some of the points of a snapshot, evenly, for as many electrons."""
    density = snapshot.ingredients["rho"].sum(0)
    chosen = slice(None, None, max(1, len(density) // POINTS))
    electrons, kept = (density * snapshot.volumes).sum(), (density * snapshot.volumes)[chosen].sum()
    ingredients = {name: values[..., chosen] for name, values in snapshot.ingredients.items()}
    return Snapshot(snapshot.volume_ang3, snapshot.rest_ha, ingredients, snapshot.volumes[chosen] * (electrons / kept))


@dataclass(frozen=True)
class _Group:
    """Some solids of one number of spins, at whose points a functional is evaluated together.

    Attributes:
        ingredients: Those of all solids, one after the other.
        volumes: The volume of each point.
        places: Which points are those of a solid.
    """

    ingredients: dict[str, Tensor]
    volumes: Tensor
    places: dict[str, slice]

    @classmethod
    def of(cls, snapshots: Sequence[tuple[str, Snapshot]]) -> _Group:
        places, count = {}, 0
        for name, one in snapshots:
            places[name] = slice(count, count + len(one.volumes))
            count += len(one.volumes)
        together = {name: torch.cat([one.ingredients[name] for _, one in snapshots], dim=-1) for name in INGREDIENTS}
        return cls(together, torch.cat([one.volumes for _, one in snapshots]), places)


def _grouped(snapshots: dict[str, Snapshot]) -> list[_Group]:
    groups = []
    for nspin in sorted({len(one.ingredients["rho"]) for one in snapshots.values()}):
        alike = [(name, one) for name, one in snapshots.items() if len(one.ingredients["rho"]) == nspin]
        groups += [_Group.of(alike[first : first + SOLIDS]) for first in range(0, len(alike), SOLIDS)]
    return groups


def _potential_or_none(module: nn.Module, ingredients: dict[str, Tensor]) -> Tensor | None:
    try:
        return _gradient_potential(module, ingredients)
    except Exception:  # a functional of a user may raise anything
        return None


def _gradient_potential(module: nn.Module, ingredients: dict[str, Tensor]) -> Tensor:
    """de/d(grad n), shape ``(nspin, 3, npoint)``."""
    gradient = ingredients["grad"].detach().clone().requires_grad_()
    names = declared_ingredients(module)
    if "grad" not in names:
        return torch.zeros_like(gradient)
    seen = ingredients | {"grad": gradient}
    with torch.enable_grad():
        (potential,) = torch.autograd.grad(module(**{name: seen[name] for name in names}).sum(), gradient)
    return potential
