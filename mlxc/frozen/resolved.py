"""Which densities make a lattice constant: its derivative with respect to the energy density, resolved.

A functional that gives e_xc (1 + x) instead of e_xc where the density has some r_s and s changes F at volume i by x
times the integral of e_xc over these points, and so the lattice constant a0, a function of all F_i, by

    d a0 / d ln e_xc (r_s, s) = sum_i (d a0 / d F_i) integral_{r_s, s} e_xc d3r.

Summed over all r_s and s this is the derivative for a functional that is scaled everywhere. With the difference of two
functionals in the place of e_xc it says which densities make their lattice constants differ, to first order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.frozen.curve import SolidCurve
from mlxc.frozen.snapshot import Snapshot
from mlxc.observables.energy_curve import EnergyCurve
from mlxc.observables.of_curves import lattice_constant
from mlxc.units import HARTREE_EV
from mlxc.xc.analysis.domain import reduced_variables
from mlxc.xc.functional import declared_ingredients

# Nodes along ln r_s, s and alpha, at equal distances. What lies outside belongs to the nearest node, so that nothing is
# lost in a sum.
RS_NODES = tuple((0.25 * (16 / 0.25) ** (torch.arange(17, dtype=torch.float64) / 16)).tolist())
S_NODES = tuple(torch.linspace(0, 3, 16, dtype=torch.float64).tolist())
ALPHA_NODES = tuple(torch.linspace(0, 5, 21, dtype=torch.float64).tolist())


@dataclass(frozen=True)
class ResolvedLength:
    """The derivative of a lattice constant, angstrom, by what a functional sees.

    A part is the derivative for a functional that changes in a bump around a node. Bumps are cubic B-splines, which add
    up to one everywhere: with intervals instead, points near nuclei, where the density changes from one point of the
    grid to the next, would fall into one or the other by chance.

    Attributes:
        by_rs_and_s: The parts at ``RS_NODES`` and ``S_NODES``, shape ``(17, 16)``.
        by_alpha: The parts at ``ALPHA_NODES``, shape ``(21,)``.
    """

    by_rs_and_s: Tensor
    by_alpha: Tensor

    @property
    def total(self) -> float:
        """The sum of all parts."""
        return float(self.by_rs_and_s.sum())


def resolved_lattice_constant(
    curve: SolidCurve, functional: nn.Module, against: nn.Module | None = None, around: nn.Module | None = None
) -> ResolvedLength:
    """d a0 / d ln e_xc of a functional at frozen densities, or what makes it differ from another functional.

    Args:
        curve: The densities of a solid.
        functional: The functional.
        against: Another one, whose e_xc is subtracted.
        around: The functional at whose energies the derivative is taken; by default the functional itself.

    Raises:
        InputError: the crystal has no single lattice constant.
        FitError: the energies at which the derivative is taken have no minimum.
    """
    slopes = _slopes(curve, functional if around is None else around)
    by_rs_and_s = torch.zeros(len(RS_NODES), len(S_NODES), dtype=torch.float64)
    by_alpha = torch.zeros(len(ALPHA_NODES), dtype=torch.float64)
    with torch.no_grad():
        for slope, snapshot in zip(slopes, curve.snapshots, strict=True):
            density = _energy_density(snapshot, functional)
            if against is not None:
                density = density - _energy_density(snapshot, against)
            parts = slope * density * snapshot.volumes
            seen = reduced_variables(**snapshot.ingredients)
            along_rs = bumps(seen["rs"].log(), [log(radius) for radius in RS_NODES])
            by_rs_and_s += along_rs.T @ (parts[:, None] * bumps(seen["s"], S_NODES))
            by_alpha += parts @ bumps(seen["alpha"], ALPHA_NODES)
    return ResolvedLength(by_rs_and_s, by_alpha)


def bumps(values: Tensor, nodes: Sequence[float]) -> Tensor:
    """Cubic B-splines around nodes at equal distances, which add up to one, shape ``(nvalue, nnode)``.

    Args:
        values: Where they are wanted, shape ``(nvalue,)``; those beyond the last nodes count as there.
        nodes: The nodes, ascending.
    """
    last = len(nodes) - 1
    place = ((values - nodes[0]) / (nodes[1] - nodes[0])).clamp(0, last)
    # Two nodes more at either end make the sum one up to the ends; what they get goes to the last nodes.
    distance = (place[:, None] - torch.arange(-2, last + 3, dtype=values.dtype)).abs()
    inner = 2 / 3 - distance.square() * (1 - distance / 2)
    outer = (2 - distance).clamp(min=0) ** 3 / 6
    wide = torch.where(distance < 1, inner, outer)
    found = wide[:, 2:-2].clone()
    found[:, 0] += wide[:, :2].sum(1)
    found[:, -1] += wide[:, -2:].sum(1)
    return found


def _slopes(curve: SolidCurve, functional: nn.Module) -> Tensor:
    """d a0 / d F at each volume, angstrom per hartree."""
    with torch.no_grad():
        energies = curve.energies(functional)
    energies.requires_grad_()
    with torch.enable_grad():
        volumes = [snapshot.volume_ang3 for snapshot in curve.snapshots]
        length = lattice_constant(EnergyCurve(curve.solid.crystal, volumes, energies * HARTREE_EV))
        if length is None:
            raise InputError(f"{curve.solid.name} has no single lattice constant.")
        (slopes,) = torch.autograd.grad(length, energies)
    return slopes


def _energy_density(snapshot: Snapshot, functional: nn.Module) -> Tensor:
    energy: Tensor = functional(**{name: snapshot.ingredients[name] for name in declared_ingredients(functional)})
    return energy
