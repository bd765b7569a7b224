"""Observables of two magnetic orders of one cell. Imports no torch.

They follow from energies alone: each of the two states is stationary, so their gradients are exact without a response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlxc.crystal.magnetism import check_opposite_moments
from mlxc.observables.observable import Observable
from mlxc.units import HARTREE_EV

if TYPE_CHECKING:
    from torch import Tensor

HARTREE_MEV = 1000 * HARTREE_EV


def magnetic_order_energy(given_ha: Tensor, parallel_ha: Tensor, natoms: int) -> Tensor:
    """F of the moments as they are given minus F with all of them parallel, per atom, millielectronvolt.

    Args:
        given_ha: F of the cell whose moments start as they are given.
        parallel_ha: F of the cell whose moments start parallel.
        natoms: the number of atoms in the cell.
    """
    return (given_ha - parallel_ha) / natoms * HARTREE_MEV


OF_ORDERS = (
    Observable(
        name="magnetic_order_energy",
        title="free energy of the given moments relative to that of parallel ones, per atom",
        unit="meV",
        source="orders",
        evaluate=magnetic_order_energy,
        column="magnetic_order_energy_mev",
        scale=10.0,
        is_target=True,
        hint="antiferromagnet relative to ferromagnet",
        loss_label="antiferromagnet, relative to the ferromagnet (meV per atom), with spin",
        needs_spin=True,
        held_by="total_moment",
        check_crystal=check_opposite_moments,
    ),
)
