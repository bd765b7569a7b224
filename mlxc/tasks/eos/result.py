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

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.resizing import Variation
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.birch_murnaghan import BirchMurnaghan
from mlxc.properties.fitted_curve import fitted_curve


@dataclass
class EquationOfState:
    """Free energies at several volumes, or areas.

    Attributes:
        varied: ``volume``, or ``area`` at constant height of the cell.
        volumes_ang3: of the cell, ascending.
        areas_ang2: of the cell; None where the volume varied.
        energies_ev: F = E - TS per cell.
        fit: in electronvolt and cubic angstrom, or, with the area in the place of the volume, square angstrom; None
            where the points have no minimum.
        reference: the ground state whose volume is nearest to that of the given crystal.
        converged: whether all points did, and a fit was possible.
        message: one sentence when not.
        seconds: of all points together.
        calculation: the settings, as plain data.
    """

    varied: Variation
    volumes_ang3: NDArray[np.float64]
    areas_ang2: NDArray[np.float64] | None
    energies_ev: NDArray[np.float64]
    fit: BirchMurnaghan | None
    reference: GroundState
    converged: bool
    message: str
    seconds: float
    calculation: dict[str, Any]

    @property
    def curve(self) -> dict[str, Any]:
        """Points and fit as plain data."""
        return fitted_curve(self.reference.crystal, self.varied, self.volumes_ang3, self.energies_ev, self.fit)

    def summary(self) -> dict[str, Any]:
        """The result as plain data, the JSON object of the command line; what is not computed is None.

        For the figures of the curve see :func:`~mlxc.properties.fitted_curve.fitted_curve`.
        """
        return {
            "converged": self.converged,
            "message": self.message,
            **self.curve,
            "natoms": len(self.reference.crystal.species),
            "seconds": self.seconds,
            "calculation": self.calculation,
        }
