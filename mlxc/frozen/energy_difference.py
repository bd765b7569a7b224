"""The energy of a solid relative to that of others: cohesive and formation energies, differences of structures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from mlxc.frozen.curve import SolidCurve
from mlxc.frozen.snapshot import NONE_KNOWN, Snapshot
from mlxc.observables.catalogue import targets_of
from mlxc.observables.observable import Source
from mlxc.solids.table import Solid


@dataclass(frozen=True)
class EnergyDifference:
    """A solid and those that its energy is compared with.

    Attributes:
        curve: The curve of the solid.
        others: The curve of each of ``solid.relative_to``.
    """

    curve: SolidCurve
    others: Mapping[str, SolidCurve]
    source: ClassVar[Source] = "difference"

    @property
    def solid(self) -> Solid:
        """The solid whose energy is compared."""
        return self.curve.solid

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """The densities of all curves."""
        return sum((curve.snapshots for curve in self.others.values()), self.curve.snapshots)

    def predictions(self, functional: nn.Module, known: Mapping[Snapshot, Tensor] = NONE_KNOWN) -> dict[str, Tensor]:
        """What a difference of energies says, see :mod:`mlxc.observables.of_energies`, by column.

        Args:
            functional: The functional.
            known: Energies of snapshots with this functional, as far as they were computed before.

        Raises:
            FitError: a curve has no minimum.
        """
        energy = self.curve.lowest_energy(functional, known)
        for name, count in self.solid.relative_to.items():
            energy = energy - count * self.others[name].lowest_energy(functional, known)
        natoms = len(self.solid.crystal.species)
        return {column: kind.evaluate(energy, natoms) for column, kind in targets_of("difference").items()}
