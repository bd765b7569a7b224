"""One solid with one functional: both equations of state, and which densities make the lattice constant."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from mlxc.crystal.resizing import lattice_constant, natural_variation
from mlxc.errors import InputError
from mlxc.frozen.curve import RATIOS, SolidCurve
from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.resolved import ALPHA_NODES, RS_NODES, S_NODES, resolved_lattice_constant
from mlxc.frozen.screener import Candidate, Screener
from mlxc.properties.birch_murnaghan import FitError, fit_birch_murnaghan
from mlxc.units import HARTREE_EV
from mlxc.xc.functional import declared_ingredients
from mlxc.xc.identity import identity_of

# Of the curve that is drawn through seven points.
FINE_POINTS = 61
# What PBE itself is compared with.
BELOW_PBE = "lda"
MILLI = 1e-3


def cell(screener: Screener, candidate: Candidate, called: str, solid: str) -> dict[str, Any]:
    """What there is to see of one solid with one functional.

    Args:
        screener: The densities.
        candidate: The functional.
        called: Its name.
        solid: The name of the solid.

    Raises:
        InputError: there are no densities, or no energies.
    """
    curve, own_name = screener.library.curve(solid), screener.library.functional.name
    own = screener.candidate(own_name)
    is_own = identity_of(candidate.module) == identity_of(own.module)
    against_name = BELOW_PBE if is_own else own_name
    against = screener.candidate(against_name)
    sensitivity = resolved_lattice_constant(curve, candidate.module, around=own.module)
    difference = resolved_lattice_constant(curve, candidate.module, against.module, around=own.module)
    sees_tau = "tau" in declared_ingredients(candidate.module)
    return {
        "measured_ang": curve.solid.references.get("lattice_constant_ang"),
        "curves": {
            called: _curve(curve, candidate.energies(solid)),
            against_name: _curve(curve, against.energies(solid)),
        },
        "against": against_name,
        "rs_nodes": list(RS_NODES),
        "s_nodes": list(S_NODES),
        "alpha_nodes": list(ALPHA_NODES) if sees_tau else [],
        # For one percent more energy density: in units in which numbers are between 0.1 and 100.
        "sensitivity_milliang_per_percent": (sensitivity.by_rs_and_s * 10).tolist(),
        "difference_milliang": (difference.by_rs_and_s / MILLI).tolist(),
        "sensitivity_by_alpha": (sensitivity.by_alpha * 10).tolist() if sees_tau else [],
        "difference_by_alpha": (difference.by_alpha / MILLI).tolist() if sees_tau else [],
        "confirmation": _confirmation(screener, solid, called),
    }


def _curve(curve: SolidCurve, energies: Tensor | str) -> dict[str, list[float]]:
    """Energies less the lowest over the lattice constant, at the volumes of the library, and where there is a minimum
    in between as well.
    """
    if isinstance(energies, str):
        raise InputError(energies)
    volumes = np.array([snapshot.volume_ang3 for snapshot in curve.snapshots])
    points, fine = energies.numpy() * HARTREE_EV, np.linspace(volumes[0], volumes[-1], FINE_POINTS)
    try:
        fit = fit_birch_murnaghan(volumes, points)
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
