"""A field in a box along x, y and z: what a three-dimensional picture of a density shows."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlxc_app.panels.density.box import Box
from mlxc_app.panels.density.field import CrystalField

# A browser draws no more than this at once without halting.
MOST_POINTS = 64
# Outliers, as of a potential in a vacuum, do not stretch the range of levels.
OUTLIERS = 0.002
# Share of the box inside the surface that is shown first.
INSIDE = 0.2


@dataclass(frozen=True, eq=False)
class FieldBlock:
    """A field in a box.

    Attributes:
        box: The box with its atoms; coordinates are counted from its corner.
        values: The values on points that include all faces of the box, ``(n1, n2, n3)``.
        unit: The unit of the values.
        is_signed: Whether the values are about zero, so that there is a surface for each sign.
    """

    box: Box
    values: NDArray[np.float64]
    unit: str
    is_signed: bool

    @classmethod
    def of(cls, field: CrystalField, most_points: int = MOST_POINTS) -> FieldBlock:
        """The box in which the crystal is drawn, with as many points as the field's own grid has, or fewer."""
        box = Box.of(field.crystal)
        spacing = np.linalg.norm(field.lattice, axis=1).min() / max(field.values.shape)
        counts = np.clip(np.ceil(box.lengths / spacing).astype(int) + 1, 2, most_points)
        axes = [np.linspace(0, length, n) for length, n in zip(box.lengths, counts, strict=True)]
        points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
        return cls(box, field.at(points + box.corner), field.unit, field.is_signed)

    def signs(self, level: float) -> tuple[int, ...]:
        """The signs of the surfaces that there are at a level: the browser fails at one without points."""
        wanted = (1, -1) if self.is_signed else (1,)
        return tuple(sign for sign in wanted if (sign * self.values).max() > level > (sign * self.values).min())

    @property
    def levels(self) -> tuple[float, float]:
        """The lowest and the highest level that is offered; for a signed field those of its absolute value."""
        values = np.abs(self.values) if self.is_signed else self.values
        low, high = np.quantile(values, [OUTLIERS, 1 - OUTLIERS])
        return (0.0 if self.is_signed else float(low)), float(high)

    @property
    def first_level(self) -> float:
        """A level at which there is something to see."""
        values = np.abs(self.values) if self.is_signed else self.values
        return float(np.quantile(values, 1 - INSIDE))

    def ccp4(self) -> bytes:
        """The values as a file in the format of CCP4 maps, with x as the fastest index, in angstrom.

        A. Cheng et al., J. Struct. Biol. 192, 146 (2015).
        """
        shape = self.values.shape
        # A map's cell is as many spacings long as it has points.
        cell = [length * n / (n - 1) for length, n in zip(self.box.lengths, shape, strict=True)]
        values = self.values.astype("<f4")
        statistics = (float(values.min()), float(values.max()), float(values.mean()))
        header = struct.pack("<10i6f3i3f2i", *shape, 2, 0, 0, 0, *shape, *cell, 90, 90, 90, 1, 2, 3, *statistics, 1, 0)
        header = header.ljust(208, b"\0") + b"MAP " + bytes([0x44, 0x44, 0, 0]) + struct.pack("<f", float(values.std()))
        return header.ljust(1024, b"\0") + values.tobytes(order="F")
