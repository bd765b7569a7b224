"""The equation of state: energies at several volumes, or areas of a sheet, and the curve through them.

A sheet has no pressure and no bulk modulus: divided by the volume of its cell, its energy would depend on how much
vacuum there is. Its equation of state is E(A) per cell of area A, the third-order Birch-Murnaghan form with the area in
the place of the volume: a cubic polynomial in A^(-2/3), which is the fit of E(V) with V = c A at any constant height c.
At its minimum

    B_2D = A d2E/dA2,    dB_2D/dPi = -1 - A (d3E/dA3) / (d2E/dA2),    Pi = -dE/dA,

the in-plane, or layer, modulus (N/m) under equal strain in both directions, and its derivative with respect to the
pressure in the plane. Neither depends on the height.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.resizing import Variation, area_ang2
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.properties.birch_murnaghan import BirchMurnaghan
from mlxc.properties.fitted_curve import FittedCurve, fitted_curve
from mlxc.properties.magnetic_branches import Branch, branches, described, told
from mlxc.units import BOHR_ANG, HARTREE_EV


@dataclass(frozen=True)
class EquationOfState:
    """Free energies at several volumes, or areas, computed here.

    Attributes:
        fitted: The points and the fit.
        reference: The ground state whose volume is nearest to that of the given crystal.
        converged: Whether all points converged, and a fit was possible.
        message: What a person should know: that points have not converged, that no fit was possible or it is a bad one,
            and what the points say themselves; empty if there is nothing.
        seconds: The time of all points together.
        calculation: The settings, as plain data.
        magnetic_branches: The points of each branch, see :func:`~mlxc.properties.magnetic_branches.described`; None
            where there is a single one.
        uncertainty: The standard deviations of what the curve says, by name, see
            :func:`mlxc.observables.uncertainty.uncertainty_of_curve`; None where nobody asked for them.
    """

    fitted: FittedCurve
    reference: SolvedState
    converged: bool
    message: str
    seconds: float
    calculation: dict[str, Any]
    magnetic_branches: list[dict[str, Any]] | None = None
    uncertainty: dict[str, Any] | None = None

    @property
    def varied(self) -> Variation:
        """``volume``, or ``area`` at constant height of the cell."""
        return self.fitted.varied

    @property
    def volumes_ang3(self) -> NDArray[np.float64]:
        """Volumes of the cell, ascending."""
        return self.fitted.volumes_ang3

    @property
    def areas_ang2(self) -> NDArray[np.float64] | None:
        """Areas of the cell; None where the volume varied."""
        return self.fitted.areas_ang2

    @property
    def energies_ev(self) -> NDArray[np.float64]:
        """F = E - TS per cell."""
        return self.fitted.energies_ev

    @property
    def fit(self) -> BirchMurnaghan | None:
        """The fit, see :class:`~mlxc.properties.fitted_curve.FittedCurve`; None where the points have no minimum."""
        return self.fitted.fit

    @property
    def curve(self) -> dict[str, Any]:
        """Points and fit as plain data."""
        return self.fitted.to_dict()

    def summary(self) -> dict[str, Any]:
        """The result as plain data, the JSON object of the command line; what is not computed is None.

        For the figures of the curve see :meth:`~mlxc.properties.fitted_curve.FittedCurve.to_dict`.
        """
        return {
            "converged": self.converged,
            "message": self.message,
            **self.curve,
            "natoms": len(self.reference.crystal.species),
            "magnetic_branches": self.magnetic_branches,
            "uncertainty": self.uncertainty,
            "seconds": self.seconds,
            "calculation": self.calculation,
        }


def equation_of_state(
    states: Sequence[SolvedState],
    varied: Variation,
    reference: SolvedState,
    calculation: dict[str, Any],
    followed: Branch = MappingProxyType({}),
) -> EquationOfState:
    """The equation of state that the states of one crystal at several volumes, or areas, make.

    Where they lie on several magnetic branches it is that of the branch with the lowest minimum.

    Args:
        states: ground states at all points, from the smallest to the largest volume.
        varied: what differs between them.
        reference: one of them, nearest to the given crystal.
        calculation: the settings, as plain data.
        followed: states of another branch, see :func:`~mlxc.properties.magnetic_branches.branches`.
    """
    found = branches(states, followed)
    curves = [_curve_of(list(branch.values()), varied) for branch in found]
    lowest = min((curve for curve in curves if curve.fit), key=_minimum, default=_curve_of(states, varied))
    unconverged = sum(not state.converged for state in states)
    of_points = f"{unconverged} of {len(states)} points did not converge." if unconverged else ""
    of_states = dict.fromkeys(state.message for state in states if state.converged)
    several = len(found) > 1
    return EquationOfState(
        fitted=lowest,
        reference=reference,
        converged=lowest.fit is not None and not unconverged,
        message=" ".join(filter(None, (of_points, told(found) if several else "", lowest.message, *of_states))),
        seconds=sum(state.seconds["total"] for state in (*states, *followed.values())),
        calculation=calculation,
        magnetic_branches=[described(branch) for branch in found] if several else None,
    )


def _curve_of(states: Sequence[SolvedState], varied: Variation) -> FittedCurve:
    points = [energy_point(state, varied) for state in states]
    volumes = np.array([point["volume_ang3"] for point in points], dtype=np.float64)
    energies = np.array([point["energy_ev"] for point in points], dtype=np.float64)
    return fitted_curve(states[0].crystal, varied, volumes, energies)


def _minimum(curve: FittedCurve) -> float:
    assert curve.fit is not None
    return curve.fit.energy0


def energy_point(state: SolvedState, varied: Variation) -> dict[str, float | None]:
    """One point of an equation of state as plain data: volume, area where it varied, and free energy of the cell."""
    return {
        "volume_ang3": state.crystal.volume * BOHR_ANG**3,
        "area_ang2": area_ang2(state.crystal) if varied == "area" else None,
        "energy_ev": float(state.energy.detach()) * HARTREE_EV,
    }
