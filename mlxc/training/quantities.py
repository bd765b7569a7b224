"""What a functional can be trained to get right, and the unit in which it is wrong. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Source = Literal["curve", "difference", "state"]


@dataclass(frozen=True)
class Quantity:
    """A column of a table of solids.

    Attributes:
        source: energies at several ``curve`` volumes, a ``difference`` of energies, or a self-consistent ``state``.
        relative: whether errors are relative, and in percent, or in the unit that the name ends with.
        scale: error that counts as one, in that unit, unless a target says otherwise.
        is_distance: it measures how far two curves or densities are apart, so the reference value is zero.
    """

    source: Source
    relative: bool = False
    scale: float = 1.0
    is_distance: bool = False


# Those of curves and differences follow from energies alone, so they are exact by the variational principle.
QUANTITIES = {
    "lattice_constant_ang": Quantity("curve", relative=True),
    "volume_ang3": Quantity("curve", relative=True),
    "bulk_modulus_gpa": Quantity("curve", relative=True),
    # Root mean square over the volumes, per atom, from the curve with the table's volume, modulus and its derivative.
    "energy_curve_mev": Quantity("curve", is_distance=True),
    # Of a cell relative to other rows of the table; and of an atom of it, with the opposite sign.
    "energy_difference_ev": Quantity("difference", scale=0.1),
    "cohesive_energy_ev": Quantity("difference", scale=0.1),
    "gap_ev": Quantity("state", scale=0.1),
    "magnetisation_bohr_magneton": Quantity("state", scale=0.1),
    # Root mean square of n - n_reference over that of n_reference.
    "density_percent": Quantity("state", is_distance=True),
}
