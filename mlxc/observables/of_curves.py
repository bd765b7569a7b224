"""Observables of energies at several volumes, or areas of a sheet. Imports no torch.

They follow from energies alone, so the variational principle makes their gradients exact without a response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.resizing import height_ang, natural_variation
from mlxc.crystal.resizing import lattice_constant as length_at
from mlxc.errors import InputError
from mlxc.observables.distance import root_mean_square
from mlxc.observables.energy_curve import EnergyCurve
from mlxc.observables.observable import Observable
from mlxc.units import EV_PER_ANG2_N_PER_M, EV_PER_ANG3_GPA

if TYPE_CHECKING:
    from torch import Tensor

    from mlxc.properties.birch_murnaghan import BirchMurnaghan

MILLI = 1e-3


def lattice_constant(curve: EnergyCurve) -> Tensor | None:
    """The one length of the crystal at the minimum, angstrom: see :func:`mlxc.crystal.resizing.lattice_constant`."""
    return length_at(curve.crystal, curve.fit.volume0, curve.varied)


def check_one_length(crystal: Crystal) -> None:
    """Say that a crystal has no single lattice constant.

    Raises:
        InputError: it has none.
    """
    if length_at(crystal, crystal.volume, natural_variation(crystal)) is None:
        raise InputError(
            f"loss: {crystal.name} has no single lattice constant; cubic crystals have, and hexagonal or square sheets."
        )


def volume(curve: EnergyCurve) -> Tensor:
    """Volume of the cell at the minimum, cubic angstrom."""
    return curve.fit.volume0


def area(curve: EnergyCurve) -> Tensor | None:
    """Area of the cell of a sheet at the minimum, square angstrom."""
    return curve.fit.volume0 / height_ang(curve.crystal) if curve.varied == "area" else None


def bulk_modulus(curve: EnergyCurve) -> Tensor | None:
    """V d2E/dV2 at the minimum, gigapascal; a sheet has none."""
    return curve.fit.bulk_modulus * EV_PER_ANG3_GPA if curve.varied == "volume" else None


def layer_modulus(curve: EnergyCurve) -> Tensor | None:
    """A d2E/dA2 of a sheet at the minimum, newton per metre: with V = c A the height c times V d2E/dV2."""
    if curve.varied == "volume":
        return None
    return curve.fit.bulk_modulus * height_ang(curve.crystal) * EV_PER_ANG2_N_PER_M


def bulk_modulus_derivative(curve: EnergyCurve) -> Tensor:
    """The derivative of the bulk or layer modulus with respect to the pressure, at the minimum."""
    return curve.fit.bulk_modulus_derivative


def energy_curve(curve: EnergyCurve, reference: BirchMurnaghan) -> Tensor:
    """Root mean square distance from a reference curve over the volumes, per atom, up to a constant, millielectronvolt.

    Args:
        curve: energies at several volumes.
        reference: E(V) of the cell, electronvolt and cubic angstrom.
    """
    expected = curve.energies_ev.new_tensor(reference(np.array(curve.volumes_ang3)))
    change = curve.energies_ev - expected
    return root_mean_square((change - change.mean()) / len(curve.crystal.species) / MILLI)


OF_CURVES = (
    Observable(
        name="lattice_constant",
        title="lattice constant a0",
        unit="ang",
        source="curve",
        evaluate=lattice_constant,
        column="lattice_constant_ang",
        relative=True,
        is_target=True,
        loss_label="lattice constant (Å), against the reference",
        check_crystal=check_one_length,
    ),
    Observable(
        name="volume",
        title="volume of the cell",
        unit="ang^3",
        source="curve",
        evaluate=volume,
        column="volume_ang3",
        relative=True,
        is_target=True,
    ),
    Observable(
        name="area",
        title="area of the cell of a sheet",
        unit="ang^2",
        source="curve",
        evaluate=area,
        column="area_ang2",
        relative=True,
    ),
    Observable(
        name="bulk_modulus",
        title="bulk modulus",
        unit="GPa",
        source="curve",
        evaluate=bulk_modulus,
        column="bulk_modulus_gpa",
        relative=True,
        is_target=True,
    ),
    Observable(
        name="layer_modulus",
        title="layer modulus of a sheet",
        unit="N/m",
        source="curve",
        evaluate=layer_modulus,
        column="in_plane_modulus_n_per_m",
        relative=True,
    ),
    Observable(
        name="bulk_modulus_derivative",
        title="derivative of the modulus with respect to the pressure",
        unit="",
        source="curve",
        evaluate=bulk_modulus_derivative,
        column="bulk_modulus_derivative",
        relative=True,
    ),
    Observable(
        name="energy_curve",
        title="distance of the curve of energies from that of the reference, per atom",
        unit="meV",
        source="curve",
        evaluate=energy_curve,
        column="energy_curve_mev",
        is_distance=True,
        is_target=True,
    ),
)
