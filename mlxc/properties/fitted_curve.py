"""Points and fit of an equation of state, whichever code has computed them. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.resizing import Variation, height_ang, lattice_constant
from mlxc.properties.birch_murnaghan import BirchMurnaghan, FitError, fit_birch_murnaghan
from mlxc.units import EV_PER_ANG2_N_PER_M, EV_PER_ANG3_GPA

# What the points of a smooth curve may be off it, as a share of the largest difference of their energies.
LARGEST_ERROR = 0.02
# The derivatives of the bulk modulus with respect to the pressure that crystals have, widely drawn.
USUAL_DERIVATIVES = (1.0, 9.0)
_SIZES = {"volume": "volumes_ang3", "area": "areas_ang2"}


@dataclass(frozen=True)
class FittedCurve:
    """Free energies at several volumes, or areas, and the curve through them.

    Attributes:
        crystal: The crystal at any of the volumes.
        varied: ``volume``, or ``area`` at constant height of the cell.
        volumes_ang3: Volumes of the cell, shape ``(npoint,)``.
        energies_ev: F = E - TS per cell, same shape.
        fit: The fit in electronvolt and cubic angstrom, or, with the area in the place of the volume, square angstrom;
            None where the points have no minimum.
        message: One sentence where there is no fit, or a bad one; else empty.
    """

    crystal: Crystal
    varied: Variation
    volumes_ang3: NDArray[np.float64]
    energies_ev: NDArray[np.float64]
    fit: BirchMurnaghan | None
    message: str

    @property
    def areas_ang2(self) -> NDArray[np.float64] | None:
        """Areas of the cell; None where the volume varied."""
        return self.volumes_ang3 / height_ang(self.crystal) if self.varied == "area" else None

    def to_dict(self) -> dict[str, Any]:
        """Points and fit as plain data; what would need a fit is None where there is none.

        Where the area varied, ``bulk_modulus_gpa`` is None, since it would depend on the height of the vacuum:
        ``in_plane_modulus_n_per_m`` is in its place, and ``bulk_modulus_derivative`` is the derivative of that. The
        lattice constant is what :func:`~mlxc.crystal.resizing.lattice_constant` says; ``volume0_ang3`` is the volume of
        the cell, vacuum included.
        """
        fit, areas, of_sheet = self.fit, self.areas_ang2, self.varied == "area"
        volume0 = fit and fit.volume0 * (height_ang(self.crystal) if of_sheet else 1.0)
        modulus = fit and fit.bulk_modulus * (EV_PER_ANG2_N_PER_M if of_sheet else EV_PER_ANG3_GPA)
        return {
            "varied": self.varied,
            "volumes_ang3": self.volumes_ang3.tolist(),
            "areas_ang2": None if areas is None else areas.tolist(),
            "energies_ev": self.energies_ev.tolist(),
            "energy0_ev": fit and fit.energy0,
            "volume0_ang3": volume0,
            "area0_ang2": fit and fit.volume0 if of_sheet else None,
            "lattice_constant_ang": volume0 and lattice_constant(self.crystal, volume0, self.varied),
            "bulk_modulus_gpa": None if of_sheet else modulus,
            "in_plane_modulus_n_per_m": modulus if of_sheet else None,
            "bulk_modulus_derivative": fit and fit.bulk_modulus_derivative,
        }


def fitted_curve(
    crystal: Crystal, varied: Variation, volumes_ang3: NDArray[np.float64], energies_ev: NDArray[np.float64]
) -> FittedCurve:
    """Fit a Birch-Murnaghan curve through energies at several volumes, or areas.

    Args:
        crystal: The crystal at any of the volumes.
        varied: What the fit is over.
        volumes_ang3: Volumes of the cell.
        energies_ev: F = E - TS per cell.
    """
    sizes = volumes_ang3 / height_ang(crystal) if varied == "area" else volumes_ang3
    try:
        fit = fit_birch_murnaghan(sizes, energies_ev)
        doubts = doubts_of_fit(fit, sizes, energies_ev, len(crystal.species))
        message = f"The fit is not to be trusted: {', and '.join(doubts)}." if doubts else ""
    except FitError as error:
        fit, message = None, str(error)
    return FittedCurve(crystal, varied, volumes_ang3, energies_ev, fit, message)


def doubts_of_fit(
    fit: BirchMurnaghan, sizes: NDArray[np.float64], energies_ev: NDArray[np.float64], natoms: int
) -> list[str]:
    """What speaks against a fit, in parts of a sentence; empty if nothing does.

    Args:
        fit: The fit through the points.
        sizes: Volumes, or areas.
        energies_ev: F = E - TS, same shape.
        natoms: How many atoms these are of, since what is told is told per atom.
    """
    doubts = []
    error, span = float(np.sqrt(np.mean((energies_ev - fit(sizes)) ** 2))), float(np.ptp(energies_ev))
    if error > LARGEST_ERROR * span:
        doubts.append(
            f"the points lie {1e3 * error / natoms:.2g} meV per atom off the curve on average, of a depth of "
            f"{1e3 * span / natoms:.3g} meV"
        )
    low, high = USUAL_DERIVATIVES
    if not low <= fit.bulk_modulus_derivative <= high:
        derivative = fit.bulk_modulus_derivative
        doubts.append(f"the derivative of the modulus is {derivative:.3g}, where crystals have {low:g} to {high:g}")
    return doubts


def has_bad_fit(summary: Mapping[str, Any]) -> bool:
    """Whether something speaks against the fit of an equation of state.

    Args:
        summary: What :meth:`FittedCurve.to_dict` says, or more.
    """
    if summary.get("energy0_ev") is None:
        return False
    sizes, energies = (np.array(summary[key]) for key in (_SIZES[summary["varied"]], "energies_ev"))
    return bool(doubts_of_fit(fit_birch_murnaghan(sizes, energies), sizes, energies, natoms=1))
