"""One crystal at several values of one setting as a task, described by plain data. Imports no torch."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, ValidationInfo, field_validator

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.sweep.varied import VARIED, Varied
from mlxc.tasks.task import CrystalTask

FEWEST, MOST = 2, 20
# Enough for the minimum of a smooth curve, and fewer than an equation of state of its own has.
VOLUMES: dict[str, float] = {"points": 5, "lowest_volume": 0.94, "highest_volume": 1.06}
# What every volume of a curve decides for itself, see mlxc.calculation.calculation.CURVE_DEFAULTS.
DECIDED_BY_CURVE = {"cutoff_smoothing_ha", "fft_grid"}


class SweepTask(CrystalTask):
    """The energy, and if wanted the lattice constant, of a crystal at several cutoffs, k meshes or functionals.

    Each value is computed afresh, so that none leans on the one before.

    Attributes:
        calculation: The crystal, and all settings but the one that is varied.
        vary: What is varied, one of :data:`~mlxc.tasks.sweep.varied.VARIED`.
        values: The values as texts, such as ``20``, ``4x4x4`` or ``pbe``, from the coarsest to the finest; by default
            the usual ones around that of the calculation.
        lattice_constant: Whether each value gets an equation of state as well.
        points: The number of volumes of each equation of state, 5 by default; None without any.
        lowest_volume: The lowest volume, in units of the crystal's, 0.94 by default; None without any.
        highest_volume: The highest one, 1.06 by default; None without any.
        energy_tolerance_mev: An energy is converged if no larger value changes it by more, meV per atom.
        size_tolerance_percent: A lattice constant is converged if no larger value changes it by more, per cent.
    """

    # What the usual ones are depends on the calculation, and on the version.
    always_told: ClassVar[tuple[str, ...]] = ("values", *VOLUMES)
    vary: str = "cutoff"
    values: tuple[str, ...] = Field(default=(), validate_default=True)
    lattice_constant: bool = False
    points: int | None = Field(default=None, ge=4, le=50, validate_default=True)
    lowest_volume: float | None = Field(default=None, gt=0.3, lt=1, allow_inf_nan=False, validate_default=True)
    highest_volume: float | None = Field(default=None, gt=1, lt=3, allow_inf_nan=False, validate_default=True)
    energy_tolerance_mev: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    size_tolerance_percent: float = Field(default=0.1, gt=0, allow_inf_nan=False)

    @field_validator("vary")
    @classmethod
    def _is_known(cls, vary: str) -> str:
        if vary not in VARIED:
            raise InputError(f"vary: '{vary}' cannot be varied; there are {', '.join(VARIED)}.")
        return vary

    @field_validator("values", mode="before")
    @classmethod
    def _are_values(cls, values: Any, info: ValidationInfo) -> tuple[str, ...]:
        if "calculation" not in info.data or "vary" not in info.data:
            return ()
        varied, calculation = VARIED[info.data["vary"]], info.data["calculation"]
        found = [_read(varied, str(value)) for value in values] or list(varied.usual(calculation))
        found = sorted(dict.fromkeys(found), key=varied.order) if varied.order else list(dict.fromkeys(found))
        if not FEWEST <= len(found) <= MOST:
            raise InputError(f"values: a sweep needs {FEWEST} to {MOST} different values, not {len(found)}.")
        return tuple(varied.write(value) for value in found)

    @field_validator("points", "lowest_volume", "highest_volume", mode="before")
    @classmethod
    def _usual_volumes(cls, value: Any, info: ValidationInfo) -> Any:
        """Written down where they are used, so that whoever reads a task sees them."""
        if not info.data.get("lattice_constant"):
            return None
        return VOLUMES[str(info.field_name)] if value is None else value

    @property
    def volumes(self) -> int:
        """The number of volumes of each equation of state; zero without any."""
        return self.points or 0

    @property
    def varied(self) -> Varied:
        """What is varied."""
        return VARIED[self.vary]

    @property
    def varies_basis(self) -> bool:
        """See :attr:`CrystalTask.varies_basis`."""
        return self.varied.setting == "ecut_ha"

    @property
    def settings(self) -> list[Any]:
        """The values as the calculation takes them."""
        return [self.varied.read(value) for value in self.values]

    @property
    def labels(self) -> list[str]:
        """The values as a person reads them."""
        return [self.varied.label(value) for value in self.settings]

    def calculations(self) -> list[Calculation]:
        """The calculation of each value, see :meth:`CrystalTask.calculations`."""
        given = self.calculation.model_dump(exclude={"fft_grid"})
        return [Calculation.from_dict(given | {self.varied.setting: value}) for value in self.settings]

    def curve(self, calculation: Calculation) -> EquationOfStateTask:
        """The equation of state of one of the calculations."""
        settings = calculation.model_dump(exclude=DECIDED_BY_CURVE)
        volumes = {name: getattr(self, name) for name in ("points", "lowest_volume", "highest_volume")}
        return EquationOfStateTask.from_dict({"calculation": settings, **volumes})


def _read(varied: Varied, text: str) -> Any:
    try:
        return varied.read(text)
    except ValueError:
        raise InputError(f"values: '{text}' is no {varied.title}; write one as {varied.example}.") from None
