"""The magnetic orders of a crystal as a task, described by plain data. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from pydantic import Field, ValidationInfo, field_validator, model_validator

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.defaults import with_structure_defaults
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.magnetic_orders import MagneticOrder, magnetic_orders
from mlxc.crystal.magnetism import moments_by_element, often_magnetic
from mlxc.crystal.superlattices import Mesh, common_mesh, supercell_with_mesh
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.errors import InputError
from mlxc.kohn_sham.monitor import Monitor
from mlxc.tasks.task import CrystalTask, handing

if TYPE_CHECKING:
    from mlxc.tasks.orders.result import OrderedStates


class MagneticOrdersTask(CrystalTask):
    """The energies of the collinear magnetic orders of a crystal, see :mod:`mlxc.crystal.magnetic_orders`.

    Energies of different supercells differ by no error of the k mesh: all have the same k points. The mesh of the
    calculation is made finer, where that is needed, until its points are those of a mesh of each supercell; the
    non-magnetic state and the ferromagnet are computed in the given cell with that mesh, and each supercell takes the
    most compact lattice vectors whose mesh has these very points. The cutoff is that of the calculation.

    Attributes:
        calculation: The crystal, and how each order is computed; the moments of the crystal, where it has any, are the
            sizes from which each order starts.
        magnetic: The elements whose moments are up or down; by default those that often have one.
        max_cells: The largest number of cells in a supercell.
        max_atoms: The largest number of atoms in a supercell; None for any number.
        max_orders: The largest number of orders to compute; if there are more, none is.
        scheduler: The address of a Dask scheduler whose workers compute the orders at the same time; None to compute
            one after the other here.
    """

    magnetic: tuple[str, ...] = Field(default=(), validate_default=True)
    max_cells: int = Field(default=2, ge=1, le=8)
    max_atoms: int | None = Field(default=None, ge=1)
    max_orders: int = Field(default=20, ge=2, le=200)
    scheduler: str | None = None

    @field_validator("magnetic")
    @classmethod
    def _is_in_the_crystal(cls, magnetic: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        calculation = info.data.get("calculation")
        if calculation is None:
            return magnetic
        elements = tuple(dict.fromkeys(calculation.crystal.species))
        for symbol in magnetic:
            if symbol not in elements:
                raise InputError(f"magnetic: the structure has no {symbol}; it has {', '.join(elements)}.")
        found = tuple(symbol for symbol in elements if symbol in (magnetic or often_magnetic(elements)))
        if not found:
            raise InputError(
                f"magnetic: no element of {calculation.crystal.name} ({', '.join(elements)}) is often magnetic; name "
                f"those that may be, such as --magnetic {elements[0]}."
            )
        return found

    @model_validator(mode="after")
    def _can_be_computed(self) -> Self:
        if not self.calculation.spin:
            raise InputError("spin: magnetic orders need a spin-polarised calculation; switch spin on.")
        if self.calculation.total_moment is not None:
            raise InputError(
                f"total_moment: {self.calculation.total_moment:g} cannot be held, since each magnetic order finds its "
                "own moment; leave it out."
            )
        if len(self.orders) > self.max_orders:
            raise InputError(
                f"max_orders: there are {len(self.orders)} magnetic orders in up to {self.max_cells} cells, and at "
                f"most {self.max_orders} are allowed; allow more, or fewer cells or atoms."
            )
        return self

    @classmethod
    def defaults(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """Spin, and where a structure has fixed occupations by default a smearing, with which moments are free.

        Raises:
            InputError: occupations are to be fixed, and moments with them, or there is no structure.
        """
        given = data.get("calculation", {})
        if given.get("smearing") == "none":
            raise InputError(
                "smearing: 'none' is not allowed, since moments of magnetic orders find their own values; choose a "
                "smearing such as fermi-dirac."
            )
        is_fixed = with_structure_defaults(given).get("smearing") == "none"
        return {"spin": True} | ({"smearing": "fermi-dirac"} if is_fixed else {})

    @property
    def orders(self) -> list[MagneticOrder]:
        """The orders, see :func:`~mlxc.crystal.magnetic_orders.magnetic_orders`."""
        structure = json.dumps(self.calculation.structure, sort_keys=True)
        return _orders(structure, self.magnetic, self.max_cells, self.max_atoms)

    @property
    def kmesh(self) -> Mesh:
        """The k mesh of the given cell whose points all supercells have."""
        crystal = self.calculation.crystal
        group = SpaceGroup.of(Crystal(crystal.lattice, crystal.species, crystal.positions))
        return common_mesh(self.calculation.kmesh, [order.superlattice for order in self.orders], group)

    def calculation_of(self, order: MagneticOrder) -> Calculation:
        """The calculation of one of the orders.

        Raises:
            InputError: no compact supercell has the k points of the mesh.
        """
        crystal = self.calculation.crystal
        basis, mesh = supercell_with_mesh(crystal.lattice, order.superlattice, self.kmesh)
        ordered = order.in_supercell(crystal, basis, _sizes(crystal))
        calculation = self.calculation.with_crystal(ordered)
        if order.cells == 1:
            calculation = calculation.model_copy(update={"fft_grid": self.calculation.fft_grid})
        return calculation.model_copy(update={"kmesh": mesh, "spin": order.kind != "non-magnetic"})

    def calculations(self) -> list[Calculation]:
        """The calculation of each order, see :meth:`CrystalTask.calculations`."""
        return [self.calculation_of(order) for order in self.orders]

    def run(
        self, monitor: Monitor | None = None, on_order: Callable[[dict[str, Any]], None] | None = None
    ) -> OrderedStates:
        """Compute all orders.

        Args:
            monitor: A function that is called with one record per SCF step of every order that is computed here; it may
                stop the run.
            on_order: A function that is called after each order with its ``index``, how many ``orders`` there are, and
                what the result says of it.

        Raises:
            InputError: the calculation cannot be done, or the scheduler does not answer.
            MlxcError: a worker died again and again.
        """
        states: OrderedStates = self._compute(monitor, handing(order=on_order))
        return states


def _sizes(crystal: Crystal) -> list[float]:
    """The size of the moment of each atom at the start: the largest that its element has in the crystal, or usually."""
    given = dict.fromkeys(crystal.species, 0.0)
    for symbol, moment in zip(crystal.species, np.abs(crystal.moments).tolist(), strict=True):
        given[symbol] = max(given[symbol], moment)
    usual = moments_by_element(crystal.species).tolist()
    return [given[symbol] or moment for symbol, moment in zip(crystal.species, usual, strict=True)]


@lru_cache(maxsize=32)
def _orders(structure: str, magnetic: tuple[str, ...], max_cells: int, max_atoms: int | None) -> list[MagneticOrder]:
    """The orders, listed once: a task is described, checked and exported many times."""
    return magnetic_orders(Crystal.from_dict(json.loads(structure)), magnetic, max_cells, max_atoms)
