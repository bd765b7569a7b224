"""Points and fit of an equation of state as plain data, whichever code has computed them. Imports no torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.resizing import Variation, height_ang, lattice_constant
from mlxc.properties.birch_murnaghan import BirchMurnaghan
from mlxc.units import EV_PER_ANG2_N_PER_M, EV_PER_ANG3_GPA


def fitted_curve(
    crystal: Crystal,
    varied: Variation,
    volumes_ang3: NDArray[np.float64],
    energies_ev: NDArray[np.float64],
    fit: BirchMurnaghan | None,
) -> dict[str, Any]:
    """Points and fit as plain data; what there is no fit for is None.

    Where the area varied, ``bulk_modulus_gpa`` is None, since it would depend on the height of the vacuum:
    ``in_plane_modulus_n_per_m`` is in its place, and ``bulk_modulus_derivative`` is the derivative of that. The lattice
    constant is what :func:`~mlxc.crystal.resizing.lattice_constant` says; ``volume0_ang3`` is the volume of the cell,
    vacuum included.

    Args:
        crystal: at any of the volumes.
        varied: what the fit is over.
        volumes_ang3: of the cell.
        energies_ev: F = E - TS per cell.
        fit: over volumes, or over areas.
    """
    of_sheet = varied == "area"
    height = height_ang(crystal) if of_sheet else 1.0
    volume0 = fit and fit.volume0 * height
    modulus = fit and fit.bulk_modulus * (EV_PER_ANG2_N_PER_M if of_sheet else EV_PER_ANG3_GPA)
    return {
        "varied": varied,
        "volumes_ang3": volumes_ang3.tolist(),
        "areas_ang2": (volumes_ang3 / height).tolist() if of_sheet else None,
        "energies_ev": energies_ev.tolist(),
        "energy0_ev": fit and fit.energy0,
        "volume0_ang3": volume0,
        "area0_ang2": fit and fit.volume0 if of_sheet else None,
        "lattice_constant_ang": volume0 and lattice_constant(crystal, volume0, varied),
        "bulk_modulus_gpa": None if of_sheet else modulus,
        "in_plane_modulus_n_per_m": modulus if of_sheet else None,
        "bulk_modulus_derivative": fit and fit.bulk_modulus_derivative,
    }
