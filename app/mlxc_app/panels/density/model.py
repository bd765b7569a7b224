"""What is looked at in the crystal of a finished run, from which side, and beside which other run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from traitlets import Float, HasTraits, Instance, Int, Tuple, Unicode, observe

from mlxc.errors import InputError
from mlxc.runs.folder import RunFolder
from mlxc_app.panels.density.axes_in_words import axes_in_words
from mlxc_app.panels.density.block import FieldBlock
from mlxc_app.panels.density.field import DENSITY, DIFFERENCE, CrystalField, quantities_in, read_field
from mlxc_app.panels.density.slice import (
    AXES,
    MILLER,
    PLANES,
    DensitySlice,
    PlanarAverage,
    cut,
    miller_orientation,
    planar_average,
)
from mlxc_app.run.model import RunModel
from mlxc_app.run.past_runs import finished_runs_beside, name_of, same_lattice

NOT_CONVERGED = "Not converged: not the density of the crystal"


class DensityModel(HasTraits):
    """Loads the density when a run has ended, and cuts it as asked.

    Attributes:
        title: Which run the field belongs to; empty as long as there is none.
        quantities: What can be looked at in this run.
        quantity: What is looked at.
        others: The (name, folder) of the runs whose density can be subtracted.
        other: The folder of the run whose density is subtracted.
        plane: A key of ``PLANES``, or ``MILLER``.
        miller: The indices of the Miller plane.
        height_ang: The distance of the plane from the first atom.
        axis: The lattice vector along which planar averages are shown.
        share: How high the level of the isosurface is, percent of the way from the lowest to the highest.
        field: What is looked at; None as long as there is no run.
        slice, average: The cuts through it.
        block: The part of it that is drawn in three dimensions.
    """

    title = Unicode()
    quantities = Tuple()
    quantity = Unicode(DENSITY)
    others = Tuple()
    other = Unicode()
    plane = Unicode(next(iter(PLANES)))
    miller = Tuple(Int(), Int(), Int(), default_value=(1, 1, 1))
    height_ang = Float(0.0)
    axis = Unicode(AXES[-1])
    share = Float(50.0)
    field = Instance(CrystalField, allow_none=True)
    slice = Instance(DensitySlice, allow_none=True)
    average = Instance(PlanarAverage, allow_none=True)
    block = Instance(FieldBlock, allow_none=True)

    def __init__(self, run: RunModel) -> None:
        super().__init__()
        self._run = run
        self._follow()
        run.observe(self._follow, "state")

    @property
    def doubt(self) -> str:
        """What is to be written on the pictures; empty if there is nothing to doubt."""
        return NOT_CONVERGED if self.field is not None and not self.field.has_converged else ""

    @property
    def axes_words(self) -> str:
        """Where x, y and z point in the crystal at hand, in a sentence; empty as long as there is none."""
        return axes_in_words(self.field.crystal) if self.field is not None else ""

    @property
    def level(self) -> float | None:
        """The level of the isosurface, in the unit of the field."""
        if self.block is None:
            return None
        low, high = self.block.levels
        return low + (high - low) * self.share / 100

    def _follow(self, change: Any = None) -> None:
        path, folder = self._run.ground_state_path, self._run.folder
        self.title = ""  # nothing is loaded before all is in place
        if path is None or folder is None:
            self.quantities, self.others, self.other = (), (), ""
        else:
            others = tuple((name_of(run), str(run.path)) for run in _subtractable(folder, self._run.owner))
            self.others, self.other = others, others[0][1] if others else ""
            self.quantities = quantities_in(path, bool(others))
            self.quantity = self.quantity if self.quantity in self.quantities else DENSITY
            self.title = self._run.title
        self._load()

    @observe("quantity", "other")
    def _load(self, change: Any = None) -> None:
        path = self._run.ground_state_path
        if path is None or not self.title:
            self.field = None
            return
        field = read_field(path, self.quantity)
        if self.quantity == DIFFERENCE:
            other = RunFolder(Path(self.other)).ground_state_path
            if not other.exists():
                raise InputError("The other run is not there any more: choose another one.")
            field = field.minus(read_field(other, DENSITY))
        self.field = field

    @observe("field", "plane", "miller", "height_ang")
    def _cut(self, change: Any = None) -> None:
        if self.field is None:
            self.slice = None
            return
        orientation = miller_orientation(self.field, self.miller) if self.plane == MILLER else PLANES[self.plane]
        self.slice = cut(self.field, orientation, self.height_ang)

    @observe("field", "axis")
    def _average(self, change: Any = None) -> None:
        self.average = planar_average(self.field, self.axis) if self.field else None

    @observe("field")
    def _fill_block(self, change: Any = None) -> None:
        block = FieldBlock.of(self.field) if self.field else None
        if block is not None:
            low, high = block.levels
            self.share = 100 * (block.first_level - low) / (high - low) if high > low else 50.0
        self.block = block


def _subtractable(folder: RunFolder, owner: str) -> list[RunFolder]:
    """Finished runs of the same cell whose density is kept."""
    return [
        run
        for run in finished_runs_beside(folder, owner)
        if run.ground_state_path.exists() and same_lattice(folder.structure, run.structure)
    ]
