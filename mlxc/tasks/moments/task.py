"""The energy at several total magnetic moments as a task, described by plain data. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import Field, field_validator, model_validator

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.feasibility import valence_electrons
from mlxc.errors import InputError
from mlxc.kohn_sham.monitor import Monitor
from mlxc.properties.moment_curve import Branch
from mlxc.tasks.moments.range import (
    FEWEST_POINTS,
    MOST_POINTS,
    USUAL_POINTS,
    check_moments,
    evenly_spaced,
    usual_highest_moment,
    whole_moments,
)
from mlxc.tasks.task import CrystalTask, handing

if TYPE_CHECKING:
    from mlxc.tasks.moments.result import MomentsResult

Moment = Annotated[float, Field(allow_inf_nan=False)]


class MomentsTask(CrystalTask):
    """The free energy of one crystal at several total moments that are held: the fixed-spin-moment method.

    Each moment starts from the state at the one before.

    Attributes:
        calculation: The crystal and the settings. Spin is on, whatever is given, and no total moment can be given.
        moments: The moments, Bohr magneton per cell, in any order; None for those of the range below.
        lowest_moment: The lowest moment of a range; None for 0.
        highest_moment: The highest one; None for the sum of the moments of free atoms.
        points: The number of moments at equal distances; None for 9, or with fixed occupations for all moments of the
            range that leave whole electrons in each spin.
        both_ways: Whether the way down again is computed as well, which shows other branches if there are some.
    """

    moments: tuple[Moment, ...] | None = Field(default=None, max_length=MOST_POINTS)
    lowest_moment: Moment | None = None
    highest_moment: Moment | None = None
    points: int | None = Field(default=None, ge=FEWEST_POINTS, le=MOST_POINTS)
    both_ways: bool = False

    @field_validator("calculation")
    @classmethod
    def _with_spin(cls, calculation: Calculation) -> Calculation:
        _refuse_total_moment(calculation.total_moment)
        return calculation.model_copy(update={"spin": True})

    @field_validator("moments")
    @classmethod
    def _ascending(cls, moments: tuple[float, ...] | None) -> tuple[float, ...] | None:
        if moments is None:
            return None
        if twice := [moment for moment in moments if moments.count(moment) > 1]:
            raise InputError(f"moments: {twice[0]:g} is given twice.")
        return tuple(sorted(moments))

    @model_validator(mode="after")
    def _make_a_range(self) -> Self:
        of_range = (self.lowest_moment, self.highest_moment, self.points)
        if self.moments is not None and any(value is not None for value in of_range):
            raise InputError("moments: give the moments themselves, or a range with --from, --to and --points.")
        return self

    @classmethod
    def defaults(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """Spin, without which there is no moment to hold."""
        return {"spin": True}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Make the task from plain data, see :meth:`mlxc.tasks.task.CrystalTask.from_dict`.

        Raises:
            InputError: the data make no task; one sentence names the field, the value and what is allowed.
        """
        given = data.get("calculation", {})
        _refuse_total_moment(given.get("total_moment"))
        # With spin, fixed occupations would ask for one total moment.
        return super().from_dict({**data, "calculation": {**given, "spin": False}})

    @property
    def electrons(self) -> int:
        """The number of valence electrons per cell.

        Raises:
            InputError: a pseudopotential is missing.
        """
        return valence_electrons(self.calculation)

    @property
    def curve(self) -> tuple[float, ...]:
        """The moments at which the energy is computed, ascending, Bohr magneton per cell.

        Raises:
            InputError: the highest moment is not above the lowest one, or a pseudopotential is missing.
        """
        if self.moments is not None:
            return self.moments
        lowest = self.lowest_moment or 0.0
        highest = self._usual_highest(lowest) if self.highest_moment is None else self.highest_moment
        if highest <= lowest:
            raise InputError(f"highest_moment: {highest:g} is not above the lowest one, {lowest:g}; give another --to.")
        if self.points is None and self.fixed_occupations:
            return whole_moments(lowest, highest, self.electrons)
        return evenly_spaced(lowest, highest, self.points or USUAL_POINTS)

    def _usual_highest(self, lowest: float) -> float:
        highest = usual_highest_moment(self.calculation.crystal.species, self.electrons)
        if self.points is None and self.fixed_occupations:  # every second whole number is a moment
            highest = min(max(highest, lowest + 2 * FEWEST_POINTS - 1), float(self.electrons))
        return highest

    @property
    def fixed_occupations(self) -> bool:
        """Whether each spin holds whole electrons."""
        return self.calculation.smearing == "none"

    @property
    def steps(self) -> list[tuple[float, Branch]]:
        """What is computed one after the other: the moments, and on which way each of them is met."""
        *below, highest = self.curve
        if not self.both_ways:
            return [(moment, "up") for moment in self.curve]
        way_up: list[tuple[float, Branch]] = [(moment, "up") for moment in below]
        return [*way_up, (highest, "both"), *((moment, "down") for moment in reversed(below))]

    def at(self, moment: float) -> Calculation:
        """The calculation that holds this moment, Bohr magneton per cell."""
        return self.calculation.model_copy(update={"total_moment": moment})

    def calculations(self) -> list[Calculation]:
        """The calculation at the largest moment, see :meth:`CrystalTask.calculations`; all have the same size."""
        return [self.at(max(self.curve, key=abs))]

    def check(self) -> None:
        """Find what would stop the run before anything is computed.

        Raises:
            InputError: the moments make no curve, or a calculation cannot be done; one sentence says why.
        """
        check_moments(self.curve, self.electrons, self.fixed_occupations)
        for calculation in self.calculations():
            calculation.check()

    def run(
        self, monitor: Monitor | None = None, on_point: Callable[[dict[str, Any]], None] | None = None
    ) -> MomentsResult:
        """Compute all points.

        Args:
            monitor: A function that is called with one record per SCF step of every point; it may stop the run.
            on_point: A function that is called after each point with its ``index``, how many ``points`` there are, and
                what :class:`~mlxc.properties.moment_curve.MomentPoint` has; it may stop the run.

        Raises:
            InputError: the moments make no curve, or a calculation cannot be done.
        """
        result: MomentsResult = self._compute(monitor, handing(moment=on_point))
        return result


def _refuse_total_moment(moment: float | None) -> None:
    if moment is not None:
        raise InputError(
            f"total_moment: {moment} cannot be held along a curve, where each point holds a moment of its own; give "
            "these with --moments, or --from and --to."
        )
