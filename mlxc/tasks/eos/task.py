"""An equation of state as a task, described by plain data. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from mlxc.calculation.calculation import CURVE_DEFAULTS
from mlxc.crystal.resizing import Variation, check_variation, natural_variation
from mlxc.errors import InputError
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.task import CrystalTask, handing

if TYPE_CHECKING:
    from mlxc.properties.eos import EquationOfState


class EquationOfStateTask(CrystalTask):
    """Energies of one crystal at several volumes, fixed cell shape and fractional positions.

    For a sheet, which has a vacuum along exactly one lattice direction, the area of the cell varies and its height
    stays, unless ``vary`` says ``volume``. The lowest and the highest volume are in units of the given one, or of the
    given area.

    Attributes:
        calculation: The crystal, and how each volume is computed.
        points: The number of volumes.
        lowest_volume: The lowest one.
        highest_volume: The highest one.
        vary: What varies, ``volume`` or ``area``.
        scheduler: The address of a Dask scheduler whose workers compute the volumes at the same time, each from free
            atoms; None to compute them here, each from the one before.
    """

    points: int = Field(default=7, ge=4, le=50)
    lowest_volume: float = Field(default=0.94, gt=0.3, lt=1, allow_inf_nan=False)
    highest_volume: float = Field(default=1.06, gt=1, lt=3, allow_inf_nan=False)
    vary: Variation = Field(default=None, validate_default=True)
    scheduler: str | None = None

    @field_validator("vary", mode="before")
    @classmethod
    def _suits_the_structure(cls, vary: Any, info: ValidationInfo) -> Any:
        calculation = info.data.get("calculation")
        if vary is None and calculation is not None:
            return natural_variation(calculation.crystal)
        if vary == "area" and calculation is not None:
            check_variation(calculation.crystal, vary)
        return vary

    @model_validator(mode="after")
    def _can_be_computed_elsewhere(self) -> Self:
        if self.scheduler is not None and self.calculation.uncertainty:
            raise InputError(
                "scheduler: standard deviations need the states of all volumes in one process; leave out one of "
                "scheduler and uncertainty."
            )
        return self

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
        """Compute all points: here, each starting from the density and orbitals of the one before, or elsewhere.

        Args:
            monitor: A function that is called with one record per SCF step of every point that is computed here.
            on_point: A function that is called after each point with its ``index``, ``points``, ``volume_ang3``,
                ``energy_ev``, and, where the area varies, ``area_ang2``, else None.

        Raises:
            InputError: the calculation cannot be done, or the scheduler does not answer.
            MlxcError: a worker died again and again.
        """
        equation: EquationOfState = self._compute(monitor, handing(point=on_point))
        return equation
