"""The cell of a CIF. Imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mlxc.errors import InputError
from mlxc.structures.cif.document import Block

if TYPE_CHECKING:
    from mlxc.structures.cif.operations import Operations

LENGTHS = ("_cell_length_a", "_cell_length_b", "_cell_length_c")
ANGLES = ("_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma")
# How much a volume that is written beside the cell may differ from it: by rounding, and because of an old entry.
ROUNDED_VOLUME, OTHER_VOLUME = 0.01, 0.1


def lattice_of(block: Block) -> NDArray[np.float64]:
    """The lattice vectors in rows, angstrom: the first along x, the second in the plane of x and y.

    Angles that are not given are 90 degrees, as the CIF dictionary says; :func:`check_angles` decides whether that is
    safe.

    Raises:
        InputError: lengths are missing, or lengths and angles make no cell.
    """
    from ase.geometry.cell import cellpar_to_cell

    lengths = [block.number(tag) for tag in LENGTHS]
    missing = [tag for tag, length in zip(LENGTHS, lengths, strict=True) if length is None]
    if missing:
        raise InputError(f"The CIF has no {missing[0]}, and a cell needs three lengths.")
    angles = [90.0 if (angle := block.number(tag)) is None else angle for tag in ANGLES]
    cell = np.array([*lengths, *angles], dtype=np.float64)
    if cell[:3].min() <= 0 or cell[:3].max() > 1e4 or cell[3:].min() <= 0 or cell[3:].max() >= 180 or _flat(cell[3:]):
        written = ", ".join(f"{value:g}" for value in cell)
        raise InputError(
            f"The cell of the CIF ({written}) must have positive lengths in angstrom and angles in degrees "
            "that enclose a volume."
        )
    return np.asarray(cellpar_to_cell(cell))


def _flat(angles: NDArray[np.float64]) -> bool:
    """Whether vectors with such angles lie in a plane, or cannot exist."""
    alpha, beta, gamma = np.cos(np.radians(angles))
    return bool(1 - alpha**2 - beta**2 - gamma**2 + 2 * alpha * beta * gamma < 1e-6)


def check_angles(block: Block, operations: Operations) -> str | None:
    """What to tell of angles that were not given; None if all are.

    Raises:
        InputError: the symmetry allows other angles than 90 degrees where one is missing.
    """
    missing = [axis for axis, tag in enumerate(ANGLES) if block.number(tag) is None]
    for axis in missing:
        skewed = np.eye(3)
        first, second = [other for other in range(3) if other != axis]
        skewed[first, second] = skewed[second, first] = 0.1
        if operations.keep_metric(skewed):
            raise InputError(f"The CIF has no {ANGLES[axis]}, and its symmetry does not say what it is.")
    return f"{ANGLES[missing[0]]} is not given and is 90 degrees by symmetry." if missing else None


def check_volume(block: Block, lattice: NDArray[np.float64]) -> str | None:
    """What to tell of a volume in the file that is not quite that of its cell; None if it is.

    Raises:
        InputError: the two have nothing to do with each other.
    """
    written = block.number("_cell_volume")
    if not written:
        return None
    volume = float(np.linalg.det(lattice))
    difference = abs(written / volume - 1)
    if difference > OTHER_VOLUME:
        raise InputError(
            f"_cell_volume of the CIF is {written:g} cubic angstrom, but its lengths and angles give {volume:.6g}."
        )
    if difference > ROUNDED_VOLUME:
        return f"_cell_volume is {written:g} cubic angstrom, but the cell has {volume:.6g}, which is taken."
    return None
