"""Which densities make a lattice constant, a bulk modulus or a cohesive energy: its derivative with respect to the
energy density, resolved.

A functional that gives e_xc (1 + x) instead of e_xc where the density has some r_s and s changes F at volume i by x
times the integral of e_xc over these points, and so the lattice constant a0, a function of all F_i, by

    d a0 / d ln e_xc (r_s, s) = sum_i (d a0 / d F_i) integral_{r_s, s} e_xc d3r.

The same holds for the bulk modulus, and for the cohesive energy with the atoms' F among the F_i.
Summed over all r_s and s this is the derivative for a functional that is scaled everywhere. With the difference of two
functionals in the place of e_xc it says which densities make their lattice constants differ, to first order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import TypeAlias

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.frozen.curve import SolidCurve
from mlxc.frozen.energy_difference import EnergyDifference
from mlxc.frozen.snapshot import Snapshot
from mlxc.observables.of_curves import bulk_modulus, lattice_constant
from mlxc.units import HARTREE_EV
from mlxc.xc.analysis.domain import reduced_variables
from mlxc.xc.functional import declared_ingredients

# Nodes along ln r_s, s and alpha, at equal distances. What lies outside belongs to the nearest node, so that nothing is
# lost in a sum.
RS_NODES = tuple((0.25 * (16 / 0.25) ** (torch.arange(17, dtype=torch.float64) / 16)).tolist())
S_NODES = tuple(torch.linspace(0, 3, 16, dtype=torch.float64).tolist())
ALPHA_NODES = tuple(torch.linspace(0, 5, 21, dtype=torch.float64).tolist())


# The derivative of a quantity with respect to the energy of a density, and the density.
Slope: TypeAlias = tuple[float, Snapshot]


@dataclass(frozen=True)
class Resolved:
    """The derivative of a quantity, in its unit, by what a functional sees.

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
) -> Resolved:
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
    return resolved(curve_slopes(curve, functional if around is None else around), functional, against)


def curve_slopes(curve: SolidCurve, functional: nn.Module, quantity: str = "lattice_constant") -> list[Slope]:
    """d q / d F of each volume, per hartree, with its density.

    Args:
        curve: The densities of a solid.
        functional: The functional at whose energies the derivative is taken.
        quantity: ``lattice_constant`` (angstrom) or ``bulk_modulus`` (gigapascal).

    Raises:
        InputError: the crystal has no such quantity.
        FitError: the energies have no minimum.
    """
    energies = _leaf(curve, functional)
    evaluate = lattice_constant if quantity == "lattice_constant" else bulk_modulus
    with torch.enable_grad():
        value = evaluate(curve.curve_of(energies))
        if value is None:
            raise InputError(f"{curve.solid.name} has no single {quantity.replace('_', ' ')}.")
        (slopes,) = torch.autograd.grad(value, energies)
    return list(zip(slopes.tolist(), curve.snapshots, strict=True))


def cohesive_slopes(difference: EnergyDifference, functional: nn.Module) -> list[Slope]:
    """d E_coh / d F of each volume and of each free atom, electronvolt per atom and hartree, with its density.

    Args:
        difference: The solid and its atoms.
        functional: The functional at whose energies the derivative is taken.

    Raises:
        FitError: the energies have no minimum.
    """
    natoms = len(difference.solid.crystal.species)
    energies = _leaf(difference.curve, functional)
    with torch.enable_grad():
        (slopes,) = torch.autograd.grad(-difference.curve.lowest_of(energies) / natoms, energies)
    found = list(zip(slopes.tolist(), difference.curve.snapshots, strict=True))
    for name, count in difference.solid.relative_to.items():
        found += [(count * HARTREE_EV / natoms, atom) for atom in difference.others[name].snapshots]
    return found


def resolved(slopes: Sequence[Slope], functional: nn.Module, against: nn.Module | None = None) -> Resolved:
    """The derivative of a quantity for a functional that is scaled, or what makes it differ from another one.

    Args:
        slopes: The derivative of the quantity with respect to the energy of each density, per hartree.
        functional: The functional.
        against: Another one, whose e_xc is subtracted.
    """
    by_rs_and_s = torch.zeros(len(RS_NODES), len(S_NODES), dtype=torch.float64)
    by_alpha = torch.zeros(len(ALPHA_NODES), dtype=torch.float64)
    with torch.no_grad():
        for slope, snapshot in slopes:
            density = _energy_density(snapshot, functional)
            if against is not None:
                density = density - _energy_density(snapshot, against)
            parts = slope * density * snapshot.volumes
            seen = reduced_variables(**snapshot.ingredients)
            along_rs = bumps(seen["rs"].log(), [log(radius) for radius in RS_NODES])
            by_rs_and_s += along_rs.T @ (parts[:, None] * bumps(seen["s"], S_NODES))
            by_alpha += parts @ bumps(seen["alpha"], ALPHA_NODES)
    return Resolved(by_rs_and_s, by_alpha)


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


def _leaf(curve: SolidCurve, functional: nn.Module) -> Tensor:
    """F at each volume, hartree per cell, for derivatives with respect to it."""
    with torch.no_grad():
        return curve.energies(functional).requires_grad_()


def _energy_density(snapshot: Snapshot, functional: nn.Module) -> Tensor:
    energy: Tensor = functional(**{name: snapshot.ingredients[name] for name in declared_ingredients(functional)})
    return energy
