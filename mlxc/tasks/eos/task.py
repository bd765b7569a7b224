"""An equation of state as a task, described by plain data. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationInfo, field_validator

from mlxc.calculation.calculation import CURVE_DEFAULTS
from mlxc.crystal.resizing import Variation, check_variation, natural_variation
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.task import CrystalTask, handing

if TYPE_CHECKING:
    from mlxc.properties.eos import EquationOfState


class EquationOfStateTask(CrystalTask):
    """Energies of one crystal at several volumes, fixed cell shape and fractional positions.

    For a sheet, which has a vacuum along exactly one lattice direction, the area of the cell varies and its height
    stays, unless ``vary`` says ``volume``. The lowest and the highest volume are in units of the given one, or of the
    given area.
    """

    points: int = Field(default=7, ge=4, le=50)
    lowest_volume: float = Field(default=0.94, gt=0.3, lt=1, allow_inf_nan=False)
    highest_volume: float = Field(default=1.06, gt=1, lt=3, allow_inf_nan=False)
    vary: Variation = Field(default=None, validate_default=True)

    @field_validator("vary", mode="before")
    @classmethod
    def _suits_the_structure(cls, vary: Any, info: ValidationInfo) -> Any:
        calculation = info.data.get("calculation")
        if vary is None and calculation is not None:
            return natural_variation(calculation.crystal)
        if vary == "area" and calculation is not None:
            check_variation(calculation.crystal, vary)
        return vary

    @classmethod
    def defaults(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """``CURVE_DEFAULTS``, with which energies are smooth functions of the volume."""
        return CURVE_DEFAULTS

    @property
    def ratios(self) -> list[float]:
        """The volumes, ascending, in units of the crystal's."""
        step = (self.highest_volume - self.lowest_volume) / (self.points - 1)
        return [self.lowest_volume + index * step for index in range(self.points)]

    def run(
        self, monitor: Monitor | None = None, on_point: Callable[[dict[str, Any]], None] | None = None
    ) -> EquationOfState:
        """Compute all points, each starting from the density and orbitals of the one before.

        Args:
            monitor: A function that is called with one record per SCF step of every point.
            on_point: A function that is called after each point with its ``index``, ``points``, ``volume_ang3``,
                ``energy_ev``, and, where the area varies, ``area_ang2``, else None.

        Raises:
            InputError: the calculation cannot be done.
        """
        equation: EquationOfState = self._compute(monitor, handing(point=on_point))
        return equation
