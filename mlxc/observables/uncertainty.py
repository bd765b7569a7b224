"""How uncertain observables are, for a functional that carries an ensemble.

Those of energies have their gradients by the variational principle, at the densities that are there. For the gap, the
magnetisation and each independent force of a state Dyson's equation is solved once, backwards; for its density along
each direction in which the functional may move. See :mod:`mlxc.xc.uncertainty` and :mod:`mlxc.response.perturbed`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from mlxc.errors import MlxcError
from mlxc.kohn_sham.state import GroundState
from mlxc.observables.catalogue import OBSERVABLES
from mlxc.observables.energy_curve import EnergyCurve
from mlxc.observables.observable import Observable
from mlxc.observables.of_curves import OF_CURVES
from mlxc.observables.of_states import PERCENT
from mlxc.properties.forces import forces_and_stress, ways_of_forces
from mlxc.response.dyson import ResponseError
from mlxc.response.perturbed import perturbations
from mlxc.xc.uncertainty import changes, standard_deviation

# At which the deviation of a fitted curve is told.
CURVE_POINTS = 61
GAP, MAGNETISATION = OBSERVABLES["gap"], OBSERVABLES["magnetisation"]


def uncertainty_of_curve(curve: EnergyCurve, functional: nn.Module) -> dict[str, Any]:
    """The standard deviations of what a curve says, by their names in results.

    That of the fitted curve itself stands there as ``curve_standard_deviation_ev`` at ``curve_volumes_ang3``. Energies
    count from the minimum, so that it is zero there: what it says is how uncertain the curve's shape is.

    Args:
        curve: Energies that are attached to the functional's parameters.
        functional: A functional with an ensemble.

    Raises:
        FitError: the curve has no minimum.
        InputError: the functional carries no ensemble.
    """
    values = {kind.deviation_column: kind.evaluate(curve) for kind in OF_CURVES if not kind.is_distance}
    told: dict[str, Any] = {
        column: standard_deviation(value, functional)
        for column, value in values.items()
        if column is not None and value is not None
    }
    return told | _of_shape(curve, functional)


def _of_shape(curve: EnergyCurve, functional: nn.Module) -> dict[str, list[float]]:
    """The standard deviation of E(V) - E(V0); V0 moves as well, but E is stationary there."""
    volumes = torch.as_tensor(curve.volumes_ang3, dtype=torch.float64)
    minimum = curve.fit.volume0.detach().cpu()
    fine = torch.linspace(float(volumes.min()), float(volumes.max()), CURVE_POINTS, dtype=torch.float64)
    # The fit is linear in the energies: a polynomial in V^(-2/3), see mlxc.properties.differentiable_fit.
    to_fine = _powers(fine / minimum) @ torch.linalg.pinv(_powers(volumes / minimum))
    to_minimum = _powers(torch.ones(1, dtype=torch.float64)) @ torch.linalg.pinv(_powers(volumes / minimum))
    moved = changes(curve.energies_ev, functional).cpu()
    deviations = ((to_fine - to_minimum) @ moved).norm(dim=1)
    return {"curve_volumes_ang3": fine.tolist(), "curve_standard_deviation_ev": deviations.tolist()}


def _powers(ratios: Tensor) -> Tensor:
    return torch.stack([(ratios ** (-2 / 3) - 1) ** power for power in range(4)], dim=1)


def with_uncertainty(ground: GroundState) -> GroundState:
    """The same state with the standard deviations of its free energy, gap, magnetisation, forces and density.

    A gap belongs to fixed occupations, a magnetisation that can change to smeared ones; what a state does not have, or
    whose response cannot be computed, is None. The gap itself is told beside.

    Args:
        ground: A state of a functional with an ensemble, to which an adjoint is attached.

    Raises:
        InputError: the functional carries no ensemble.
    """
    functional = ground.problem.functional
    found: dict[str, Any] = {"free_energy_standard_deviation_ha": standard_deviation(ground.energy, functional)}
    has_moment = len(ground.density) == 2 and ground.smearing is not None and ground.total_moment is None
    for kind, is_there in ((GAP, ground.smearing is None), (MAGNETISATION, has_moment)):
        value = _evaluated(kind, ground) if is_there and ground.converged else None
        if kind is GAP:
            found["gap_ev"] = None if value is None else float(value.detach())
        found[f"{kind.deviation_column}"] = None if value is None else _deviation(value, functional)
    found["forces_standard_deviation_ha_bohr"] = _known(_of_forces, ground)
    found["density_standard_deviation_percent"] = _known(_of_density, ground)
    return replace(ground, uncertainty=found)


def _of_forces(ground: GroundState) -> list[list[float]] | None:
    """The standard deviations of the forces, hartree/bohr, shape ``(natom, 3)``; None where there are no forces.

    There are only as many adjoints as ways in which the forces can change without breaking the crystal's symmetry.
    """
    if ground.forces is None:
        return None
    forces = forces_and_stress(ground)[0]
    ways = ways_of_forces(ground)
    if not len(ways):
        return torch.zeros_like(forces).tolist()
    along = changes(ways @ forces.flatten(), ground.problem.functional)
    return (ways.T @ along).norm(dim=1).view_as(forces).tolist()


def _of_density(ground: GroundState) -> float | None:
    """The root mean square of the density's standard deviation over that of the density, percent."""
    if not ground.converged:
        return None
    moved = perturbations(ground).fields[:, 0].square().sum(0)
    return float((moved.mean() / ground.density.detach().square().mean()).sqrt()) / PERCENT


def _known(of: Callable[[GroundState], Any], ground: GroundState) -> Any:
    try:
        return of(ground)
    except ResponseError:
        return None


def _evaluated(kind: Observable, ground: GroundState) -> Tensor | None:
    try:
        value: Tensor | None = kind.evaluate(ground)
    except MlxcError:
        return None
    # Bands that overlap have no gap.
    return None if value is None or (kind is GAP and float(value.detach()) <= 0) else value


def _deviation(value: Tensor, functional: nn.Module) -> float | None:
    try:
        return standard_deviation(value, functional)
    except MlxcError:  # Dyson's equation was not solved
        return None
