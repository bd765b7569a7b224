"""Two magnetic orders of one solid in snapshots, and what a functional makes of the difference of their energies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from mlxc.calculation.magnetic_pair import compute_magnetic_pair
from mlxc.frozen.curve import TOLERANCE, SolidError
from mlxc.frozen.snapshot import NONE_KNOWN, Snapshot, energies_of
from mlxc.observables.catalogue import targets_of
from mlxc.observables.observable import Source
from mlxc.solids.table import Solid


@dataclass(frozen=True)
class MagneticOrders:
    """A solid with its moments as they are given, and with all of them parallel.

    Attributes:
        solid: The solid whose orders they are.
        given: The snapshot of the given moments.
        parallel: The snapshot of parallel moments.
    """

    solid: Solid
    given: Snapshot
    parallel: Snapshot
    source: ClassVar[Source] = "orders"

    @classmethod
    def of(cls, solid: Solid, xc: str | nn.Module) -> MagneticOrders:
        """Converge both orders.

        Args:
            solid: The solid, whose crystal has moments of both signs.
            xc: The name of a functional, or a module that is one.

        Raises:
            SolidError: an order does not converge, or does not keep its moments.
            InputError: the moments of the crystal are not of both signs.
        """
        calculation = solid.calculation(tolerance=TOLERANCE)
        for observable in targets_of("orders").values():
            observable.check_crystal(calculation.crystal)
        pair = compute_magnetic_pair(calculation, xc)
        if pair.message:
            raise SolidError(f"{solid.name}: {pair.message}")
        return cls(solid, Snapshot.of(pair.given), Snapshot.of(pair.parallel))

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """The densities of both orders."""
        return self.given, self.parallel

    def predictions(self, functional: nn.Module, known: Mapping[Snapshot, Tensor] = NONE_KNOWN) -> dict[str, Tensor]:
        """What two orders say, see :mod:`mlxc.observables.of_orders`, by column.

        Args:
            functional: The functional.
            known: Energies of snapshots with this functional, as far as they were computed before.
        """
        given, parallel = energies_of(self.snapshots, functional, known).unbind()
        natoms = len(self.solid.crystal.species)
        return {column: kind.evaluate(given, parallel, natoms) for column, kind in targets_of("orders").items()}
