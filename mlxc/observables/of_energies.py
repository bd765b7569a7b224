"""Observables of the free energy of one crystal, and of differences between crystals. Imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlxc.observables.observable import Observable
from mlxc.units import HARTREE_EV

if TYPE_CHECKING:
    from torch import Tensor

    from mlxc.kohn_sham.state import GroundState


def energy(ground: GroundState) -> Tensor:
    """F = E - TS per atom, electronvolt."""
    return ground.energy / len(ground.crystal.species) * HARTREE_EV


def energy_difference(difference_ev: Tensor, natoms: int) -> Tensor:
    """The energy of a cell relative to other crystals, electronvolt."""
    return difference_ev


def cohesive_energy(difference_ev: Tensor, natoms: int) -> Tensor:
    """What an atom of the cell gains, electronvolt: the difference per atom with the opposite sign."""
    return -difference_ev / natoms


ENERGY = Observable(
    name="energy",
    title="free energy F = E - TS per atom",
    unit="eV",
    source="energy",
    evaluate=energy,
    loss_label="free energy (eV per atom)",
)
OF_DIFFERENCES = (
    Observable(
        name="energy_difference",
        title="energy of the cell relative to other crystals",
        unit="eV",
        source="difference",
        evaluate=energy_difference,
        column="energy_difference_ev",
        scale=0.1,
        is_target=True,
    ),
    Observable(
        name="cohesive_energy",
        title="cohesive energy per atom",
        unit="eV",
        source="difference",
        evaluate=cohesive_energy,
        column="cohesive_energy_ev",
        scale=0.1,
        is_target=True,
    ),
)
