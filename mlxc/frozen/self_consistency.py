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

from collections.abc import Sequence
from contextlib import suppress
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


# de/d(grad n) at the points of all solids of one number of spins, for each such number; linear in the functional.
GradientPotential = tuple[Tensor, ...]


class SelfConsistencyEstimate:
    """W of many solids at once, each near the middle of its volumes.

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
        kinds = sorted({len(one.ingredients["rho"]) for one in snapshots.values()})
        self._groups = [
            {name: one for name, one in snapshots.items() if len(one.ingredients["rho"]) == nspin} for nspin in kinds
        ]
        self._together = [_together(list(group.values())) for group in self._groups]
        self._identity = library.functional

    @cached_property
    def _own(self) -> GradientPotential | None:
        """The potential of the functional that has made the densities; None where nobody knows it any more."""
        try:
            made_with = functional(self._identity.name)
        except InputError:
            return None
        return self.potential(made_with) if identity_of(made_with) == self._identity else None

    def potential(self, module: nn.Module) -> GradientPotential | None:
        """de/d(grad n) of a functional; None where it has no derivative."""
        try:
            return tuple(_gradient_potential(module, ingredients) for ingredients in self._together)
        except Exception:  # a functional of a user may raise anything
            return None

    def weights(self, potential: GradientPotential | None) -> dict[str, float]:
        """W by solid, hartree per cell, of what :meth:`potential` gives; empty where it gives nothing."""
        if potential is None or self._own is None:
            return {}
        found: dict[str, float] = {}
        for group, ingredients, ours, theirs in zip(self._groups, self._together, potential, self._own, strict=True):
            density = (ingredients["rho"] * (ours - theirs).square().sum(1)).sum(0)
            parts = density.split([len(one.volumes) for one in group.values()])
            found |= {name: float((part * group[name].volumes).sum()) for name, part in zip(group, parts, strict=True)}
        return found


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


def _together(snapshots: Sequence[Snapshot]) -> dict[str, Tensor]:
    return {name: torch.cat([one.ingredients[name] for one in snapshots], dim=-1) for name in INGREDIENTS}


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
