"""Which densities make a lattice constant: its derivative with respect to the energy density, resolved.

A functional that gives e_xc (1 + x) instead of e_xc where the density has some r_s and s changes F at volume i by x
times the integral of e_xc over these points, and so the lattice constant a0, a function of all F_i, by

    d a0 / d ln e_xc (r_s, s) = sum_i (d a0 / d F_i) integral_{r_s, s} e_xc d3r.

Summed over all r_s and s this is the derivative for a functional that is scaled everywhere. With the difference of two
functionals in the place of e_xc it says which densities make their lattice constants differ, to first order.
"""

from __future__ import annotations

from dataclasses import dataclass

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

# Bounds of the intervals; whatever lies outside belongs to the nearest one, so that nothing is lost in a sum.
RS_EDGES = tuple((0.3 * (12 / 0.3) ** (torch.arange(25, dtype=torch.float64) / 24)).tolist())
S_EDGES = tuple(torch.linspace(0, 3, 25, dtype=torch.float64).tolist())
ALPHA_EDGES = tuple(torch.linspace(0, 5, 26, dtype=torch.float64).tolist())


@dataclass(frozen=True)
class ResolvedLength:
    """The derivative of a lattice constant, angstrom, in intervals of what a functional sees.

    Attributes:
        by_rs_and_s: The parts of ``RS_EDGES`` and ``S_EDGES``, shape ``(24, 24)``.
        by_alpha: The parts of ``ALPHA_EDGES``, shape ``(25,)``.
    """

    by_rs_and_s: Tensor
    by_alpha: Tensor

    @property
    def total(self) -> float:
        """The sum over all intervals."""
        return float(self.by_rs_and_s.sum())


def resolved_lattice_constant(
    curve: SolidCurve, functional: nn.Module, against: nn.Module | None = None
) -> ResolvedLength:
    """d a0 / d ln e_xc of a functional at frozen densities, or what makes it differ from another functional.

    Args:
        curve: The densities of a solid.
        functional: The functional.
        against: Another one, whose e_xc is subtracted, and at whose energies the derivative is taken.

    Raises:
        InputError: the crystal has no single lattice constant.
        FitError: the energies have no minimum.
    """
    slopes = _slopes(curve, functional if against is None else against)
    by_rs_and_s = torch.zeros(len(RS_EDGES) - 1, len(S_EDGES) - 1, dtype=torch.float64)
    by_alpha = torch.zeros(len(ALPHA_EDGES) - 1, dtype=torch.float64)
    with torch.no_grad():
        for slope, snapshot in zip(slopes, curve.snapshots, strict=True):
            density = _energy_density(snapshot, functional)
            if against is not None:
                density = density - _energy_density(snapshot, against)
            parts = slope * density * snapshot.volumes
            seen = reduced_variables(**snapshot.ingredients)
            rows, columns = _interval(seen["rs"], RS_EDGES), _interval(seen["s"], S_EDGES)
            by_rs_and_s.index_put_((rows, columns), parts, accumulate=True)
            by_alpha.index_put_((_interval(seen["alpha"], ALPHA_EDGES),), parts, accumulate=True)
    return ResolvedLength(by_rs_and_s, by_alpha)


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


def _interval(values: Tensor, edges: tuple[float, ...]) -> Tensor:
    """The number of the interval to which each value belongs."""
    inner = torch.tensor(edges[1:-1], dtype=values.dtype)
    return torch.bucketize(values, inner)
