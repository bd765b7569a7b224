"""One serialisable description of a run, shared by the command line, the page, sweeps and saved results.

Nothing here imports torch: a page can describe, check and watch a run without computing it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from mlxc.calculation.defaults import with_structure_defaults
from mlxc.calculation.feasibility import check_calculation
from mlxc.calculation.settings import CalculationSettings
from mlxc.calculation.validation import build_model
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.resizing import Variation, check_variation, natural_variation, resized
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.grid.shape import choose_shape, grid_radius

if TYPE_CHECKING:
    from mlxc.kohn_sham.monitor import Monitor
    from mlxc.kohn_sham.solved_state import SolvedState
    from mlxc.kohn_sham.state import GroundState
    from mlxc.properties.eos import EquationOfState
    from mlxc.response.adjoint import Adjoint
    from mlxc.response.choice import AdjointName

# For energies at several volumes: a smoothed cutoff makes them smooth functions of the volume, and with this tolerance
# of the density, in whose error that of the energy is of second order, they are accurate to about 1e-9 Ha.
CURVE_DEFAULTS: dict[str, Any] = {"cutoff_smoothing_ha": 0.5, "tolerance": 1e-5}


class Calculation(CalculationSettings):
    """A self-consistent calculation: what to compute and how.

    Build it with :meth:`from_dict`, which fills what is missing with defaults that suit the structure and turns every
    mistake into one sentence.
    """

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Calculation:
        """Make a calculation from plain data; ``structure`` (name, file, or lists) is the only required field.

        Raises:
            InputError: with one sentence that names the field, the value and what is allowed.
        """
        return build_model(cls, with_structure_defaults(data))

    def with_crystal(self, crystal: Crystal) -> Calculation:
        """The same settings for another crystal (the FFT grid chosen anew)."""
        return self.model_copy(update={"structure": crystal.to_dict(), "fft_grid": None})

    def at_volumes(self, ratios: Sequence[float], vary: Variation | None = None) -> list[Calculation]:
        """The same settings at several volumes, in units of the crystal's, all on the grid of the largest one.

        What a grid leaves out of E_xc is more than the differences between neighbouring volumes where a core is sharp,
        so a change of the grid between them would show as a step of the energy.

        Args:
            ratios: of the volumes to the crystal's.
            vary: ``area``: the height of the cell stays, so that these are ratios of areas too; by default that of
                sheets, see :mod:`mlxc.crystal.resizing`.

        Raises:
            InputError: an area is to vary, and the crystal is no sheet.
        """
        vary = vary or natural_variation(self.crystal)
        crystals = [resized(self.crystal, float(ratio), vary) for ratio in ratios]
        largest = max(crystals, key=lambda crystal: crystal.volume)
        grid = self.fft_grid or choose_shape(largest.lattice, grid_radius(self.ecut_ha), SpaceGroup.of(largest))
        return [self.with_crystal(crystal).model_copy(update={"fft_grid": grid}) for crystal in crystals]

    def check(self) -> None:
        """Find what would stop the run before anything is computed: functional, pseudopotentials, electrons, memory.

        Raises:
            InputError: with one sentence.
        """
        check_calculation(self)

    def run(
        self,
        monitor: Monitor | None = None,
        start: SolvedState | Sequence[SolvedState] = (),
        *,
        forces: bool = True,
        differentiate: AdjointName | Adjoint | None = "implicit",
    ) -> GroundState:
        """Check the calculation and compute the ground state, see :func:`mlxc.scf`.

        Args:
            monitor: called with one record per SCF step; may stop the run.
            start: a result of a similar crystal whose density and orbitals are taken as the guess, or several of them.
            forces: compute forces and stress as well, once the state has converged and where the basis gives them.
            differentiate: the way to gradients of what is not an energy; None where nobody asks for them.

        Raises:
            InputError: the calculation cannot be done.
            RunStoppedError: the monitor stopped the run.
        """
        from mlxc.calculation.run import run_calculation

        self.check()
        return run_calculation(self, monitor, start, forces=forces, differentiate=differentiate)


class EquationOfStateTask(BaseModel):
    """Energies of one crystal at several volumes, fixed cell shape and fractional positions.

    Of a sheet, which has a vacuum along exactly one lattice direction, the area of the cell varies and its height
    stays, unless ``vary`` says ``volume``. The lowest and the highest volume are in units of the given one, or of the
    given area.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    calculation: Calculation
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
    def from_dict(cls, data: dict[str, Any]) -> EquationOfStateTask:
        """Make the task from plain data; the key ``calculation`` is filled as in :meth:`Calculation.from_dict`.

        What is not given there is first taken from ``CURVE_DEFAULTS``.
        """
        calculation = Calculation.from_dict(CURVE_DEFAULTS | data.get("calculation", {}))
        return build_model(cls, {**data, "calculation": calculation})

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
            monitor: called with one record per SCF step of every point.
            on_point: called after each point with its ``index``, ``points``, ``volume_ang3``, ``energy_ev``, and, where
                the area varies, ``area_ang2``, else None.
        """
        from mlxc.tasks.eos.run import run_equation_of_state

        self.calculation.check()
        return run_equation_of_state(self, monitor=monitor, on_point=on_point)
