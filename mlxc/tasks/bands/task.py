"""Bands and density of states as a task, described by plain data. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pydantic import Field

from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.task import CrystalTask, handing

if TYPE_CHECKING:
    from mlxc.properties.bands import BandStructure


class BandsTask(CrystalTask):
    """The bands of a crystal along the standard path, and the density of states of its k mesh.

    Attributes:
        calculation: The ground state, in whose potential the bands are computed.
        points: The approximate number of k points along the path.
        dos_width_ev: The standard deviation of the Gaussian that stands for each level in the density of states.
    """

    points: int = Field(default=100, ge=2, le=200)
    dos_width_ev: float = Field(default=0.2, ge=0.01, le=5, allow_inf_nan=False)

    @property
    def is_about_one_state(self) -> bool:
        """See :attr:`CrystalTask.is_about_one_state`."""
        return True

    def run(
        self, monitor: Monitor | None = None, on_portion: Callable[[dict[str, Any]], None] | None = None
    ) -> BandStructure:
        """Compute the ground state, then the bands.

        Args:
            monitor: A function that is called with one record per SCF step; it may stop the run.
            on_portion: A function that is called whenever some k points of the path are done, with how many are
                ``computed`` of ``points``, and with ``distances_per_bohr`` and ``bands_ev`` of the new ones, as in the
                result; it may stop the run.

        Raises:
            InputError: the calculation cannot be done, or the crystal has no bands.
        """
        bands: BandStructure = self._compute(monitor, handing(bands=on_portion))
        return bands
