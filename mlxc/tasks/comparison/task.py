"""What is to be compared with other codes, as plain data. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import model_validator

from mlxc.calculation.calculation import CURVE_DEFAULTS, Calculation
from mlxc.crystal.resizing import Variation
from mlxc.errors import InputError
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.task import CrystalTask

if TYPE_CHECKING:
    from mlxc.tasks.comparison.result import Comparison

VOLUMES = ("points", "lowest_volume", "highest_volume", "vary")


class ComparisonTask(CrystalTask):
    """A calculation, or an equation of state, here and in other codes.

    Attributes:
        codes: Some of :data:`mlxc.codes.live.CODES`; None for all that are installed where it is computed.
        eos: Whether the equation of state is compared, not the ground state alone.
        points, lowest_volume, highest_volume, vary: The volumes of the equation of state, see
            :class:`mlxc.EquationOfStateTask`, whose defaults stand for what is None.
    """

    codes: tuple[str, ...] | None = None
    eos: bool = False
    points: int | None = None
    lowest_volume: float | None = None
    highest_volume: float | None = None
    vary: Variation | None = None

    @model_validator(mode="after")
    def _can_be_compared(self) -> Self:
        if not self.eos and any(getattr(self, name) is not None for name in VOLUMES):
            raise InputError("--points, --volume-range and --vary belong to an equation of state; give --eos as well.")
        _ = self.compared
        return self

    @property
    def compared(self) -> Calculation | EquationOfStateTask:
        """What each code computes.

        Raises:
            InputError: the volumes make no equation of state.
        """
        if not self.eos:
            return self.calculation
        volumes = self.model_dump(include=set(VOLUMES), exclude_none=True)
        return EquationOfStateTask.from_dict({"calculation": self.calculation.model_dump(), **volumes})

    @classmethod
    def defaults(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """The defaults of an equation of state, if one is compared."""
        return CURVE_DEFAULTS if data.get("eos") else {}

    def run(self, monitor: Monitor | None = None) -> Comparison:
        """Compute here, and then in each of the codes.

        Args:
            monitor: A function that is called with one record per SCF step here; it may stop the run.

        Raises:
            InputError: the task cannot be computed here, or a code is not installed.
        """
        comparison: Comparison = self._compute(monitor)
        return comparison
