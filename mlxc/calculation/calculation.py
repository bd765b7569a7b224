"""One serialisable description of a run, shared by the command line, the page, sweeps and saved results.

Nothing here imports torch: a page can describe, check and watch a run without computing it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

from mlxc.basis.kinds import DEFAULT_BASIS
from mlxc.calculation.defaults import with_structure_defaults
from mlxc.calculation.feasibility import check_calculation
from mlxc.calculation.given_cell import in_reduced_cell
from mlxc.calculation.setting import Setting
from mlxc.calculation.settings import CalculationSettings
from mlxc.calculation.validation import build_model
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.resizing import Variation, natural_variation, resized
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.grid.shape import choose_shape, grid_radius
from mlxc.utils.stages import stage
from mlxc.xc.catalogue import carries_ensemble, check_name, without_ensemble

if TYPE_CHECKING:
    from mlxc.kohn_sham.monitor import Monitor
    from mlxc.kohn_sham.solved_state import SolvedState
    from mlxc.kohn_sham.state import GroundState
    from mlxc.response.adjoint import Adjoint
    from mlxc.response.choice import AdjointName

# For energies at several volumes: a smoothed cutoff makes them smooth functions of the volume, and with this tolerance
# of the density, in whose error that of the energy is of second order, they are accurate to about 1e-9 Ha.
CURVE_DEFAULTS: dict[str, Any] = {"cutoff_smoothing_ha": 0.5, "tolerance": 1e-5}


class Calculation(CalculationSettings):
    """A self-consistent calculation: what to compute and how.

    Build it with :meth:`from_dict`, which fills what is missing with defaults that suit the structure, turns every
    mistake into one sentence, and takes the reduced cell where the given one is very skewed, see
    :mod:`mlxc.calculation.given_cell`.
    """

    uncertainty: Annotated[
        bool,
        Setting(
            option="--uncertainty",
            label="Standard deviations",
            help="standard deviations of the results, from the ensemble that the functional carries",
            on_page=False,
        ),
    ] = False

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Calculation:
        """Make a calculation from plain data; ``structure`` (name, file, or lists) is the only required field.

        Raises:
            InputError: the data make no calculation; one sentence names the field, the value and what is allowed.
        """
        return build_model(cls, with_structure_defaults(in_reduced_cell(data)))

    def with_crystal(self, crystal: Crystal) -> Calculation:
        """The same settings for another crystal in the cell that it has (the FFT grid is chosen anew)."""
        return self.model_copy(update={"structure": crystal.to_dict(), "fft_grid": None})

    def told_with_bars(self) -> Calculation:
        """The same calculation, which asks for standard deviations if its functional carries an ensemble."""
        return self.model_copy(update={"uncertainty": carries_ensemble(self.xc)})

    def at_volumes(self, ratios: Sequence[float], vary: Variation | None = None) -> list[Calculation]:
        """The same settings at several volumes, in units of the crystal's, all on the grid of the largest one.

        What a grid leaves out of E_xc is more than the differences between neighbouring volumes where a core is sharp,
        so a change of the grid between them would show as a step of the energy.

        Args:
            ratios: The ratios of the volumes to the crystal's.
            vary: What varies. With ``area`` the height of the cell stays, so that these are ratios of areas too; that
                is the default for sheets, see :mod:`mlxc.crystal.resizing`.

        Raises:
            InputError: an area is to vary, and the crystal is no sheet.
        """
        vary = vary or natural_variation(self.crystal)
        crystals = [resized(self.crystal, float(ratio), vary) for ratio in ratios]
        largest = max(crystals, key=lambda crystal: crystal.volume)
        group = SpaceGroup.of(largest)
        if self.basis == DEFAULT_BASIS:
            # As in PlaneWaveBasis; Gaussians make no use of it.
            group = group.with_exchanges(largest)
        grid = self.fft_grid or choose_shape(largest.lattice, grid_radius(self.ecut_ha), group)
        return [self.with_crystal(crystal).model_copy(update={"fft_grid": grid}) for crystal in crystals]

    def check(self) -> None:
        """Find what would stop the run before anything is computed: functional, pseudopotentials, electrons, memory.

        Raises:
            InputError: something would stop it; one sentence says what.
        """
        if self.uncertainty:
            check_name(self.xc)
            if not carries_ensemble(self.xc):
                raise without_ensemble(self.xc)
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
            monitor: A function that is called with one record per SCF step; it may stop the run.
            start: A result of a similar crystal whose density and orbitals are taken as the guess, or several of them.
            forces: Whether to compute forces and stress as well, once the state has converged and where the basis gives
                them.
            differentiate: The way to gradients of what is not an energy; None where nobody asks for them.

        Raises:
            InputError: the calculation cannot be done.
            RunStoppedError: the monitor stopped the run.
        """
        from mlxc.calculation.run import run_calculation

        self.check()
        if self.uncertainty:
            # A gap and a magnetisation need an adjoint.
            differentiate = differentiate or "implicit"
        ground = run_calculation(self, monitor, start, forces=forces, differentiate=differentiate)
        return self._with_uncertainty(ground) if self.uncertainty else ground

    def _with_uncertainty(self, ground: GroundState) -> GroundState:
        from mlxc.observables.uncertainty import with_uncertainty

        stage("Standard deviations")
        return with_uncertainty(ground)
