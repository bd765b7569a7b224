"""What varies in an equation of state: the volume of a bulk crystal, or the area of a sheet. Imports no torch.

The volume of a cell that is mostly vacuum says nothing of the sheet in it, so that of a sheet the area of the cell
varies, A = |a x b|, and its height c = V / A does not. Shape and fractional positions are kept in both cases: atoms
keep their places across a sheet, however thick it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import cells_per_cube
from mlxc.crystal.vacuum import VACUUM_ANG, vacuum_directions
from mlxc.errors import InputError
from mlxc.units import BOHR_ANG

if TYPE_CHECKING:
    from torch import Tensor

Variation = Literal["volume", "area"]
Number = TypeVar("Number", float, "Tensor")

# Relative difference of lengths, or cosine of an angle, that counts as none.
_SAME = 1e-5


def natural_variation(crystal: Crystal) -> Variation:
    """The area of a sheet, which has a vacuum along exactly one lattice direction; the volume of everything else."""
    return "area" if len(vacuum_directions(crystal)) == 1 else "volume"


def check_variation(crystal: Crystal, vary: Variation) -> None:
    """Say why an area cannot vary.

    Raises:
        InputError: the crystal is no sheet.
    """
    if vary == "area" and natural_variation(crystal) != "area":
        directions = len(vacuum_directions(crystal))
        found = {0: "none", 2: "two, as a wire has", 3: "three, as a molecule has"}[directions]
        raise InputError(
            f"vary: only a sheet has an area, a crystal with more than {VACUUM_ANG:g} angstrom of vacuum along one "
            f"lattice direction; of these {crystal.name} has {found}: choose volume."
        )


def resized(crystal: Crystal, ratio: float, vary: Variation) -> Crystal:
    """The crystal with ``ratio`` times the volume, or, of a sheet, ``ratio`` times the area at the same height.

    Raises:
        InputError: an area is to vary, and the crystal is no sheet.
    """
    check_variation(crystal, vary)
    if vary == "volume":
        return crystal.scaled(ratio ** (1 / 3))
    (direction,) = vacuum_directions(crystal)
    return crystal.scaled_in_plane(ratio**0.5, direction)


def height_ang(sheet: Crystal) -> float:
    """Height c = V / A of the cell of a sheet, angstrom."""
    (direction,) = vacuum_directions(sheet)
    return float(2 * np.pi / np.linalg.norm(sheet.reciprocal[direction])) * BOHR_ANG


def area_ang2(sheet: Crystal) -> float:
    """Area of the cell of a sheet, square angstrom."""
    return sheet.volume * BOHR_ANG**3 / height_ang(sheet)


def lattice_constant(crystal: Crystal, volume_ang3: Number, vary: Variation) -> Number | None:
    """The one length that a crystal of this kind has when its cell has the given volume, angstrom.

    In a cubic crystal, whose volume varies, it is the edge of the conventional cube; in a sheet, whose area varies, the
    length of the two lattice vectors in the plane, if these are equal at an angle of 60, 90 or 120 degrees. It is None
    for others. A volume that is a tensor gives a tensor.
    """
    if vary == "volume":
        cells = cells_per_cube(crystal)
        return None if cells is None else (cells * volume_ang3) ** (1 / 3)
    edge = _edge_ang(crystal)
    return None if edge is None else edge * (volume_ang3 / (crystal.volume * BOHR_ANG**3)) ** 0.5


def _edge_ang(sheet: Crystal) -> float | None:
    """Length of the lattice vectors in the plane of a hexagonal or square sheet."""
    first, second = np.delete(sheet.lattice, vacuum_directions(sheet), axis=0)
    length = float(np.linalg.norm(first))
    cosine = abs(float(first @ second)) / length**2
    is_symmetric = min(cosine, abs(cosine - 0.5)) < _SAME
    return length * BOHR_ANG if is_symmetric and abs(np.linalg.norm(second) / length - 1) < _SAME else None
