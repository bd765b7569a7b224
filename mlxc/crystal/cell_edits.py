"""Changes of a crystal's cell: its size, a strain, the height of a sheet's cell, a supercell. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite, prod

import numpy as np

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.resizing import area_ang2, lattice_constant, natural_variation, resized
from mlxc.crystal.symmetry import hexagonal_edge
from mlxc.crystal.vacuum import VACUUM_ANG, sheet_thickness, vacuum_directions
from mlxc.errors import InputError
from mlxc.units import BOHR_ANG

# Half and twice the size: beyond this, atoms do not know of each other or lie on top of each other.
SMALLEST_SCALE, LARGEST_SCALE = 0.5, 2.0
LARGEST_STRAIN_PERCENT = 50.0
LARGEST_HEIGHT_ANG = 100.0
# As many as a small machine may compute at a low cutoff.
MAX_SUPERCELL_ATOMS = 100
Three = tuple[float, float, float]


@dataclass(frozen=True)
class CellEdit:
    """What is to become of a crystal; the default leaves it as it is. Fractional positions are kept except by a height.

    Attributes:
        lattice_constant_ang: The lattice constant of a crystal that has one, see :func:`lattice_constant_ang`; a sheet
            keeps its height, and a hexagonal crystal its ratio c/a.
        scale_percent: The scale of all lengths, or of those in the plane of a sheet.
        strain_percent: The amount by which each lattice vector is lengthened.
        height_ang: The height of the cell of a sheet, whose atoms stay where they are.
        repeats: The number of repeats of the cell along each lattice vector, which makes a supercell.
    """

    lattice_constant_ang: float | None = None
    scale_percent: float = 100.0
    strain_percent: Three = (0.0, 0.0, 0.0)
    height_ang: float | None = None
    repeats: tuple[int, int, int] = (1, 1, 1)

    @property
    def deforms(self) -> bool:
        """Whether the crystal becomes another one, not merely larger or smaller, or described by another cell."""
        return self.strain_percent != (0.0, 0.0, 0.0)

    def apply(self, crystal: Crystal) -> Crystal:
        """The edited crystal: resized, then strained, then given its height, then repeated.

        Raises:
            InputError: the change is not possible; one sentence names the field, the value and what is allowed.
        """
        edited = self._resized(crystal)
        edited = self._strained(edited)
        if self.height_ang is not None:
            edited = with_height(edited, self.height_ang)
        return self._repeated(edited)

    def _resized(self, crystal: Crystal) -> Crystal:
        scale = _within("scale_percent", self.scale_percent, 100 * SMALLEST_SCALE, 100 * LARGEST_SCALE, " %") / 100
        if self.lattice_constant_ang is not None:
            own = lattice_constant_ang(crystal)
            if own is None:
                raise InputError(
                    f"lattice_constant_ang: {crystal.name} is neither cubic nor hexagonal, so it has no single lattice "
                    "constant; scale it instead."
                )
            limits = (round(SMALLEST_SCALE * own, 3), round(LARGEST_SCALE * own, 3))
            scale *= _within("lattice_constant_ang", self.lattice_constant_ang, *limits, " angstrom") / own
        vary = natural_variation(crystal)
        # The very same numbers where nothing is asked for.
        return crystal if scale == 1 else resized(crystal, scale ** (2 if vary == "area" else 3), vary)

    def _strained(self, crystal: Crystal) -> Crystal:
        limit = LARGEST_STRAIN_PERCENT
        strains = [_within("strain_percent", strain, -limit, limit, " %") for strain in self.strain_percent]
        if not self.deforms:
            return crystal
        lattice = crystal.lattice * (1 + np.array(strains) / 100)[:, None]
        return replace(crystal, lattice=lattice)

    def _repeated(self, crystal: Crystal) -> Crystal:
        shown = " x ".join(f"{n}" for n in self.repeats)
        if any(n < 1 for n in self.repeats):
            raise InputError(f"repeats: {shown} is not allowed: give three whole numbers from 1 on.")
        atoms = len(crystal.species) * prod(self.repeats)
        if self.repeats == (1, 1, 1):
            return crystal
        if atoms > MAX_SUPERCELL_ATOMS:
            raise InputError(
                f"repeats: {shown} cells hold {atoms} atoms, and at most {MAX_SUPERCELL_ATOMS} are allowed; "
                "give smaller numbers."
            )
        return crystal.supercell(*self.repeats)


def lattice_constant_ang(crystal: Crystal) -> float | None:
    """The length a of a cubic or hexagonal crystal, or of a hexagonal or square sheet; None for others, angstrom."""
    vary = natural_variation(crystal)
    constant = lattice_constant(crystal, crystal.volume * BOHR_ANG**3, vary)
    return hexagonal_edge(crystal) if constant is None and vary == "volume" else constant


def with_height(sheet: Crystal, height_ang: float) -> Crystal:
    """The sheet in a cell of another height; distances between its atoms are kept, and where its middle is in the cell.

    Args:
        sheet: A crystal with a vacuum along one lattice direction.
        height_ang: The height of the cell, perpendicular to the sheet.

    Raises:
        InputError: the crystal is no sheet, or the height leaves no vacuum, or is unreasonable.
    """
    directions = vacuum_directions(sheet)
    if len(directions) != 1:
        raise InputError(f"height_ang: only the cell of a sheet has a height; {sheet.name} is no sheet.")
    (direction,) = directions
    middle, thickness = sheet_thickness(sheet, direction)
    # A digit more than the vacuum that makes a sheet.
    lowest = np.ceil(10 * (thickness + VACUUM_ANG) + 1) / 10
    ratio = _within("height_ang", height_ang, float(lowest), LARGEST_HEIGHT_ANG, " angstrom")
    ratio /= sheet.volume * BOHR_ANG**3 / area_ang2(sheet)
    lattice, positions = sheet.lattice.copy(), sheet.positions.copy()
    lattice[direction] *= ratio
    from_middle = positions[:, direction] - middle
    positions[:, direction] = middle + (from_middle - from_middle.round()) / ratio
    return replace(sheet, lattice=lattice, positions=positions)


def _within(field: str, value: float, lowest: float, highest: float, unit: str) -> float:
    if not (isfinite(value) and lowest <= value <= highest):
        raise InputError(f"{field}: {value:g} is not allowed: give a number between {lowest:g} and {highest:g}{unit}.")
    return value
