"""How uncertain observables are, for a functional that carries an ensemble.

Those of energies have their gradients by the variational principle, at the densities that are there. For the gap and
the magnetisation of a state Dyson's equation is solved once each. See :mod:`mlxc.xc.uncertainty`.
"""

from __future__ import annotations

from dataclasses import replace

from torch import Tensor, nn

from mlxc.errors import MlxcError
from mlxc.kohn_sham.state import GroundState
from mlxc.observables.catalogue import OBSERVABLES
from mlxc.observables.energy_curve import EnergyCurve
from mlxc.observables.observable import Observable
from mlxc.observables.of_curves import OF_CURVES
from mlxc.xc.uncertainty import standard_deviation

GAP, MAGNETISATION = OBSERVABLES["gap"], OBSERVABLES["magnetisation"]


def uncertainty_of_curve(curve: EnergyCurve, functional: nn.Module) -> dict[str, float]:
    """The standard deviations of what a curve says, by their names in results.

    Args:
        curve: Energies that are attached to the functional's parameters.
        functional: A functional with an ensemble.

    Raises:
        FitError: the curve has no minimum.
        InputError: the functional carries no ensemble.
    """
    values = {kind.deviation_column: kind.evaluate(curve) for kind in OF_CURVES if not kind.is_distance}
    return {
        column: standard_deviation(value, functional)
        for column, value in values.items()
        if column is not None and value is not None
    }


def with_uncertainty(ground: GroundState) -> GroundState:
    """The same state with the standard deviations of its free energy, hartree, its gap and its magnetisation.

    A gap belongs to fixed occupations, a magnetisation that can change to smeared ones; what a state does not have, or
    whose response cannot be computed, is None. The gap itself is told beside.

    Args:
        ground: A state of a functional with an ensemble, to which an adjoint is attached.

    Raises:
        InputError: the functional carries no ensemble.
    """
    functional = ground.problem.functional
    found: dict[str, float | None] = {
        "free_energy_standard_deviation_ha": standard_deviation(ground.energy, functional)
    }
    has_moment = len(ground.density) == 2 and ground.smearing is not None and ground.total_moment is None
    for kind, is_there in ((GAP, ground.smearing is None), (MAGNETISATION, has_moment)):
        value = _evaluated(kind, ground) if is_there and ground.converged else None
        if kind is GAP:
            found["gap_ev"] = None if value is None else float(value.detach())
        found[f"{kind.deviation_column}"] = None if value is None else _deviation(value, functional)
    return replace(ground, uncertainty=found)


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
