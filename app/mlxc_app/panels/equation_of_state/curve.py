"""An equation of state as it is drawn: its points and the curve through them, per atom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.resizing import Variation
from mlxc.properties.birch_murnaghan import BirchMurnaghan, FitError, fit_birch_murnaghan
from mlxc.properties.fitted_curve import doubts_of_fit
from mlxc.units import EV_PER_ANG2_N_PER_M, EV_PER_ANG3_GPA

# In GPa and N/m.
MODULUS_UNITS = {"volume": EV_PER_ANG3_GPA, "area": EV_PER_ANG2_N_PER_M}
# What a result calls the standard deviations of the size and of the modulus.
DEVIATIONS = {
    "volume": ("volume_standard_deviation_ang3", "bulk_modulus_standard_deviation_gpa"),
    "area": ("area_standard_deviation_ang2", "in_plane_modulus_standard_deviation_n_per_m"),
}


@dataclass(frozen=True)
class EquationOfStateBars:
    """How uncertain a curve is, in standard deviations of what it says; nothing where the functional does not tell.

    Attributes:
        sizes: Where the curve's own deviation is known, cubic or square angstrom per atom.
        low, high: The curve less and plus its deviation, meV per atom; an energy above the minimum is never negative.
        size0: The deviation of the size at the minimum, cubic or square angstrom per atom.
        modulus: The deviation of the modulus, in its unit.
        modulus_derivative: The deviation of its derivative.
        lattice_constant_ang: The deviation of the lattice constant.
    """

    sizes: tuple[float, ...] = ()
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()
    size0: float | None = None
    modulus: float | None = None
    modulus_derivative: float | None = None
    lattice_constant_ang: float | None = None


@dataclass(frozen=True)
class EquationOfStateCurve:
    """One equation of state; all volumes, areas and energies are per atom.

    Attributes:
        title: The name of the run.
        sizes: The sizes of the finished points, cubic or square angstrom.
        energies: The energies of the finished points above the minimum of the curve, or the lowest of them, meV.
        residuals: How far the finished points lie above the curve, meV; empty if no curve can be fitted.
        curve_sizes, curve_energies: The fitted curve, likewise.
        size0: The size at which the curve has its minimum, cubic or square angstrom.
        modulus: The modulus of the fit: the bulk modulus in GPa, or the layer modulus in N/m.
        modulus_derivative: The derivative of the modulus with respect to pressure.
        lattice_constant_ang: The lattice constant, known when the run has ended, for cubic crystals and hexagonal or
            square sheets.
        branch_sizes, branch_energies: The points of other magnetic branches, likewise.
        branch_moments: The moments of these points, Bohr magneton per atom.
        note: What a person should know of a run that has ended: that a fit failed or is not to be trusted, or that
            there are several branches.
        is_bad: Whether something speaks against the fit of a run that has ended.
        missing: How many points a run that is computed has still to come.
        unconverged: How many points of the run in hand have not converged.
        bars: How uncertain it is.
    """

    title: str = ""
    sizes: tuple[float, ...] = ()
    energies: tuple[float, ...] = ()
    residuals: tuple[float, ...] = ()
    curve_sizes: tuple[float, ...] = ()
    curve_energies: tuple[float, ...] = ()
    size0: float | None = None
    modulus: float | None = None
    modulus_derivative: float | None = None
    lattice_constant_ang: float | None = None
    branch_sizes: tuple[float, ...] = ()
    branch_energies: tuple[float, ...] = ()
    branch_moments: tuple[float, ...] = ()
    note: str = ""
    is_bad: bool = False
    missing: int = 0
    unconverged: int = 0
    bars: EquationOfStateBars = EquationOfStateBars()

    @property
    def mark(self) -> str:
        """What is to be written on the figure; empty if there is nothing to doubt."""
        if self.unconverged:
            return f"{self.unconverged} of {len(self.sizes)} points not converged"
        if self.is_bad:
            return f"Bad fit: B₀′ = {self.modulus_derivative:.1f}, residual {self.rms_residual:.2g} meV/atom"
        return f"No fit through these {len(self.sizes)} points" if self.note and not self.curve_sizes else ""

    @property
    def rms_residual(self) -> float | None:
        """How far the points are from the curve, meV."""
        return float(np.sqrt(np.mean(np.square(self.residuals)))) if self.residuals else None


@dataclass(frozen=True)
class Points:
    """Points of an equation of state, per atom.

    Attributes:
        sizes: The volumes, cubic angstrom, or areas, square angstrom.
        energies: The free energies, electronvolt.
        moments: The moments of those of other magnetic branches, Bohr magneton.
    """

    sizes: NDArray[np.float64]
    energies: NDArray[np.float64]
    moments: tuple[float, ...] = ()


NO_POINTS = Points(np.zeros(0), np.zeros(0))


def fitted_curve(
    title: str,
    varied: Variation,
    points: Points,
    others: Points = NO_POINTS,
    lattice_constant_ang: float | None = None,
    message: str = "",
) -> EquationOfStateCurve:
    """The curve through points, if there is one.

    Args:
        title: The name of the run.
        varied: What the sizes are.
        points: The points of the curve.
        others: Those of other magnetic branches.
        lattice_constant_ang: What the result says of it; None as long as there is none.
        message: What the result says of itself.
    """
    sizes, energies = points.sizes, points.energies
    fit: BirchMurnaghan | None = None
    note = message
    if len(sizes) >= 4:
        try:
            fit = fit_birch_murnaghan(sizes, energies)
        except FitError as error:
            note = message or str(error)
    lowest = fit.energy0 if fit else energies.min()
    grid = np.linspace(sizes.min(), sizes.max(), 100) if fit else np.zeros(0)
    return EquationOfStateCurve(
        title=title,
        sizes=tuple(sizes.tolist()),
        energies=tuple((1000 * (energies - lowest)).tolist()),
        residuals=tuple((1000 * (energies - fit(sizes))).tolist()) if fit else (),
        curve_sizes=tuple(grid.tolist()),
        curve_energies=tuple((1000 * (fit(grid) - lowest)).tolist()) if fit else (),
        size0=fit.volume0 if fit else None,
        modulus=fit.bulk_modulus * MODULUS_UNITS[varied] if fit else None,
        modulus_derivative=fit.bulk_modulus_derivative if fit else None,
        lattice_constant_ang=lattice_constant_ang,
        branch_sizes=tuple(others.sizes.tolist()),
        branch_energies=tuple((1000 * (others.energies - lowest)).tolist()),
        branch_moments=others.moments,
        note=note,
        is_bad=fit is not None and bool(doubts_of_fit(fit, sizes, energies, natoms=1)),
    )


def curve_of_result(title: str, result: dict[str, Any], natoms: int) -> EquationOfStateCurve:
    """The curve of a result, and those points of magnetic branches that are not on it."""
    varied = varied_of(result)
    sizes = np.array(result["volumes_ang3" if varied == "volume" else "areas_ang2"]) / natoms
    points = Points(sizes, np.array(result["energies_ev"]) / natoms)
    # Of a sheet, whose branches tell their volumes as well, the height of the cell is the same everywhere.
    to_size = float(sizes[0] * natoms / result["volumes_ang3"][0])
    keys = ("volumes_ang3", "energies_ev", "moments_per_atom_bohr_magneton")
    found = [
        point
        for branch in result.get("magnetic_branches") or ()
        for point in zip(*(branch[key] for key in keys), strict=True)
        if point[1] not in result["energies_ev"]
    ]
    left = Points(
        np.array([volume * to_size for volume, _, _ in found]) / natoms,
        np.array([energy for _, energy, _ in found]) / natoms,
        tuple(moment for _, _, moment in found),
    )
    curve = fitted_curve(title, varied, points, left, result["lattice_constant_ang"], result.get("message", ""))
    return replace(curve, bars=_bars(curve, varied, result.get("uncertainty") or {}, natoms, to_size))


def _bars(
    curve: EquationOfStateCurve, varied: Variation, told: Mapping[str, Any], natoms: int, to_size: float
) -> EquationOfStateBars:
    """What a result tells of its uncertainty, per atom."""
    if "curve_volumes_ang3" not in told or not curve.curve_sizes:
        return EquationOfStateBars()
    sizes = np.array(told["curve_volumes_ang3"]) * to_size / natoms
    heights = np.interp(sizes, curve.curve_sizes, curve.curve_energies)
    deviations = 1000 * np.array(told["curve_standard_deviation_ev"]) / natoms
    size0, modulus = DEVIATIONS[varied]
    return EquationOfStateBars(
        sizes=tuple(sizes.tolist()),
        low=tuple(np.maximum(heights - deviations, 0).tolist()),
        high=tuple((heights + deviations).tolist()),
        size0=told[size0] / natoms,
        modulus=told[modulus],
        modulus_derivative=told["bulk_modulus_derivative_standard_deviation"],
        lattice_constant_ang=told.get("lattice_constant_standard_deviation_ang"),
    )


def varied_of(result: dict[str, Any]) -> Variation:
    """What a run has varied: the volume, if it is of an earlier version, which does not say it."""
    return result.get("varied", "volume")
