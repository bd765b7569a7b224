"""One solid with one functional: both equations of state, and which densities make what it is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mlxc.crystal.resizing import lattice_constant, natural_variation
from mlxc.errors import InputError
from mlxc.frozen.curve import RATIOS, SolidCurve
from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.resolved import (
    ALPHA_NODES,
    RS_NODES,
    S_NODES,
    Slope,
    cohesive_slopes,
    curve_slopes,
    resolved,
)
from mlxc.frozen.screener import Candidate, Screener
from mlxc.frozen.screening_row import LARGEST_SCATTER, QUANTITIES
from mlxc.properties.birch_murnaghan import FitError, fit_birch_murnaghan
from mlxc.units import HARTREE_EV
from mlxc.xc.functional import declared_ingredients
from mlxc.xc.identity import identity_of

# Of the curve that is drawn through seven points.
FINE_POINTS = 61
# What PBE itself is compared with.
BELOW_PBE = "lda"
MILLI = 1e-3


@dataclass(frozen=True)
class Explained:
    """How a quantity is told.

    Attributes:
        unit: The unit of its parts.
        scale: How many of them its own unit has.
    """

    unit: str
    scale: float


# In units in which numbers are between 0.1 and 1000.
EXPLAINED = {
    "lattice_constant": Explained("mÅ", 1000),
    "bulk_modulus": Explained("GPa", 1),
    "cohesive_energy": Explained("meV per atom", 1000),
}


def cell(screener: Screener, candidate: Candidate, called: str, solid: str, quantity: str) -> dict[str, Any]:
    """What there is to see of one solid with one functional.

    Args:
        screener: The densities.
        candidate: The functional.
        called: Its name.
        solid: The name of the solid.
        quantity: What is resolved, one of :data:`EXPLAINED`.

    Returns:
        Both equations of state; and which densities make the quantity, unless ``missing`` says why there is none.

    Raises:
        InputError: there are no densities, or no energies.
    """
    curve, own_name = screener.library.curve(solid), screener.library.functional.name
    own = screener.candidate(own_name)
    is_own = identity_of(candidate.module) == identity_of(own.module)
    against_name = BELOW_PBE if is_own else own_name
    against = screener.candidate(against_name)
    told = {
        "measured_ang": curve.solid.references.get("lattice_constant_ang"),
        "curves": {
            called: _curve(curve, candidate.energies(solid)),
            against_name: _curve(curve, against.energies(solid)),
        },
        "against": against_name,
        "quantity": quantity,
        "confirmation": _confirmation(screener, solid, called),
    }
    row = screener.row(candidate, solid, called)
    if getattr(row, f"{quantity}_{QUANTITIES[quantity]}") is None:
        return told | {"missing": row.message or f"Nothing is stored that gives this of {solid}."}
    return told | _resolved(_slopes(screener, solid, quantity, own.module), candidate.module, against.module, quantity)


def _slopes(screener: Screener, solid: str, quantity: str, around: nn.Module) -> list[Slope]:
    if quantity != "cohesive_energy":
        return curve_slopes(screener.library.curve(solid), around, quantity)
    difference = screener.library.difference(solid)
    assert difference is not None  # else there would be no cohesive energy
    return cohesive_slopes(difference, around)


def _resolved(slopes: Sequence[Slope], module: nn.Module, against: nn.Module, quantity: str) -> dict[str, Any]:
    """Which densities make a quantity, and which make it differ from that of another functional."""
    explained = EXPLAINED[quantity]
    sensitivity, difference = resolved(slopes, module), resolved(slopes, module, against)
    # For one percent more energy density.
    per_percent = explained.scale / 100
    sees_tau = "tau" in declared_ingredients(module)
    return {
        "unit": explained.unit,
        "rs_nodes": list(RS_NODES),
        "s_nodes": list(S_NODES),
        "alpha_nodes": list(ALPHA_NODES) if sees_tau else [],
        "sensitivity": (sensitivity.by_rs_and_s * per_percent).tolist(),
        "difference": (difference.by_rs_and_s * explained.scale).tolist(),
        "sensitivity_by_alpha": (sensitivity.by_alpha * per_percent).tolist() if sees_tau else [],
        "difference_by_alpha": (difference.by_alpha * explained.scale).tolist() if sees_tau else [],
    }


def _curve(curve: SolidCurve, energies: Tensor | str) -> dict[str, list[float]]:
    """Energies less the lowest over the lattice constant, at the volumes of the library, and where there is a sound
    fit in between as well.
    """
    if isinstance(energies, str):
        raise InputError(energies)
    volumes = np.array([snapshot.volume_ang3 for snapshot in curve.snapshots])
    points, fine = energies.numpy() * HARTREE_EV, np.linspace(volumes[0], volumes[-1], FINE_POINTS)
    try:
        fit = fit_birch_murnaghan(volumes, points)
        if fit.scatter(volumes, points) > LARGEST_SCATTER:
            raise FitError("No equation of state goes through the points.")
        lowest, between = fit.energy0, fit(fine)
    except FitError:
        lowest, fine, between = points.min(), fine[:0], fine[:0]
    per_atom = MILLI * len(curve.solid.crystal.species)
    return {
        "lengths_ang": _lengths(curve, volumes),
        "energies_mev": ((points - lowest) / per_atom).tolist(),
        "fine_lengths_ang": _lengths(curve, fine),
        "fine_energies_mev": ((between - lowest) / per_atom).tolist(),
    }


def _lengths(curve: SolidCurve, volumes: Any) -> list[float]:
    crystal = curve.solid.crystal
    found = lattice_constant(crystal, torch.as_tensor(volumes), natural_variation(crystal))
    if found is None:
        raise InputError(f"{curve.solid.name} has no single lattice constant.")
    return [float(length) for length in found]


def recorded_settings(library: FrozenLibrary, solid: str) -> dict[str, Any]:
    """The settings of a calculation with which the densities of a solid were made; empty where the library does not
    say.
    """
    settings: dict[str, Any] = library.record["solids"][solid].get("settings", {}).get("calculation", {})
    return settings


def _confirmation(screener: Screener, solid: str, xc: str) -> dict[str, Any]:
    """The equation of state that a self-consistent calculation finds, as plain data of a task."""
    library = screener.library
    calculation = library.solids[solid].calculation(xc).model_dump(mode="json")
    return {
        "calculation": calculation | recorded_settings(library, solid) | {"xc": xc},
        "points": len(RATIOS),
        "lowest_volume": RATIOS[0],
        "highest_volume": RATIOS[-1],
    }
