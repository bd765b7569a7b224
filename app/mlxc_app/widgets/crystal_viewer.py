"""A crystal that can be turned with the mouse, behind an interface that does not depend on who draws it."""

from __future__ import annotations

from typing import Any

import nglview
import numpy as np
from ipywidgets import Widget
from numpy.typing import NDArray

from mlxc_app.widgets.crystal_picture import CrystalPicture, draw
from mlxc_app.widgets.ngl_canvas import NglCanvas
from mlxc_app.widgets.theme import Theme

BOND_RADIUS_ANG = 0.15
ATOM_PER_BOND_RADIUS = 3.2
FRAME_RADIUS_ANG = 0.04
FRAME_COLOUR = (0.337, 0.706, 0.914)
BACKGROUNDS = {False: "#ffffff", True: "#14191e"}


class StructureViewer:
    """Shows one crystal at a time in one WebGL canvas; browsers allow few of them."""

    def __init__(self, structure: dict[str, Any], theme: Theme, height: str = "210px") -> None:
        self._view = NglCanvas(height)
        self._components: list[Any] = []
        theme.observe(lambda change: self._colour(change["new"]), "dark")
        self.show(structure)

    @property
    def widget(self) -> Widget:
        """What to place on the page."""
        return self._view

    def _colour(self, dark: bool) -> None:
        self._view.background = BACKGROUNDS[dark]

    def show(self, structure: dict[str, Any], cell_only: bool = False) -> None:
        """Show several cells of the crystal, or one, and one unit cell as a frame; see :func:`draw`."""
        for component in reversed(self._components):
            self._view.remove_component(component)
        picture = draw(structure, cell_only)
        # The frame is there at once, the atoms are loaded: in this order the viewer counts them as we do.
        frame = self._view._add_shape(frame_shapes(picture.cell_edges), name="cell")
        atoms = self._view.add_component(
            nglview.TextStructure(pdb_text(picture), ext="pdb"), default_representation=False
        )
        atoms.add_representation("ball+stick", radius=BOND_RADIUS_ANG, aspect_ratio=ATOM_PER_BOND_RADIUS)
        atoms.center()
        self._components = [frame, atoms]


def frame_shapes(edges: NDArray[np.float64]) -> list[tuple[Any, ...]]:
    """Edges of the unit cell, ``(12, 2, 3)``, as the viewer's shapes describe them."""
    return [("cylinder", start, end, FRAME_COLOUR, FRAME_RADIUS_ANG) for start, end in edges.tolist()]


def pdb_text(picture: CrystalPicture) -> str:
    """The atoms in the format of the Protein Data Bank, in orthogonal coordinates and without a cell."""
    atoms = enumerate(zip(picture.symbols, picture.positions, strict=True), start=1)
    lines = [_atom_line(number, symbol, *position) for number, (symbol, position) in atoms]
    return "\n".join([*lines, "END", ""])


def _atom_line(number: int, symbol: str, x: float, y: float, z: float) -> str:
    place = f"{x:8.3f}{y:8.3f}{z:8.3f}"
    return f"HETATM{number % 100000:5d} {symbol:>2}   UNK A   1    {place}  1.00  0.00          {symbol:>2}"
