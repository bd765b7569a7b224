"""A crystal that can be turned with the mouse, behind an interface that does not depend on who draws it."""

from __future__ import annotations

from html import escape
from typing import Any

import nglview
import numpy as np
from ipywidgets import HTML, Button, HBox, ToggleButton, VBox, Widget

from mlxc_app.widgets.crystal_picture import draw
from mlxc_app.widgets.crystal_shapes import (
    ATOM_RADIUS_ANG,
    AXES,
    TO_VIEWER,
    Colour,
    axis_shapes,
    bond_shapes,
    element_colour,
    frame_shapes,
    pdb_text,
)
from mlxc_app.widgets.ngl_canvas import NglCanvas
from mlxc_app.widgets.theme import Theme

BACKGROUNDS = {False: "#ffffff", True: "#14191e"}
UNTURNED = [0.0, 0.0, 0.0, 1.0]


class StructureViewer:
    """Shows one crystal at a time in one WebGL canvas; browsers allow few of them.

    Attributes:
        widget: The canvas, and below it a legend of the elements, and buttons for what is seen and from where.
    """

    def __init__(self, structure: dict[str, Any], theme: Theme, height: str = "210px") -> None:
        self._view = NglCanvas(height)
        self._colour(theme.dark)
        self._components: list[Any] = []
        self._structure, self._cell_only = structure, False
        self._along: int | None = None
        self._legend = HTML()
        self._legend.add_class("mlxc-elements")
        self._bonds = ToggleButton(value=True, description="Bonds", tooltip="Show or hide the bonds")
        looks = [self._look(letter, index) for index, letter in enumerate(AXES)]
        row = HBox([self._legend, self._bonds, HTML('<span class="mlxc-muted">along</span>'), *looks])
        row.add_class("mlxc-viewer-row")
        self.widget: Widget = VBox([self._view, row])
        self._bonds.observe(lambda change: self._draw(), "value")
        theme.observe(lambda change: self._colour(change["new"]), "dark")
        self.show(structure)

    def _look(self, letter: str, index: int) -> Button:
        button = Button(description=letter, tooltip=f"Look along {letter}; once more for the usual view")
        button.on_click(lambda _: self._turn(index))
        return button

    def _turn(self, index: int) -> None:
        self._along = None if self._along == index else index
        # Whatever the mouse has turned is turned back.
        self._view.control.rotate(UNTURNED)
        self._draw()

    def _colour(self, dark: bool) -> None:
        self._view.background = BACKGROUNDS[dark]

    def show(self, structure: dict[str, Any], cell_only: bool = False) -> None:
        """Show several cells of the crystal, or one, and one unit cell as a frame; see :func:`draw`."""
        self._structure, self._cell_only = structure, cell_only
        self._draw()

    def _draw(self) -> None:
        for component in reversed(self._components):
            self._view.remove_component(component)
        picture = draw(self._structure, self._cell_only, self._along)
        positions, edges = picture.positions * TO_VIEWER, picture.cell_edges * TO_VIEWER
        drawn_places = np.concatenate([positions, edges.reshape(-1, 3)])
        shapes = [*frame_shapes(edges), *axis_shapes(picture.axes * TO_VIEWER, drawn_places)]
        if self._bonds.value:
            shapes += bond_shapes(picture.symbols, positions)
        # Shapes are there at once, the atoms are loaded: in this order the viewer counts them as we do.
        drawn = self._view._add_shape(shapes, name="cell, axes and bonds")
        self._view.fit()
        text = nglview.TextStructure(pdb_text(picture.symbols, positions), ext="pdb")
        atoms = self._view.add_component(text, default_representation=False)
        atoms.add_representation("spacefill", radius_type="size", radius_size=ATOM_RADIUS_ANG)
        self._view.fit()
        self._components = [drawn, atoms]
        self._legend.value = legend_html(picture.symbols)


def legend_html(symbols: tuple[str, ...]) -> str:
    """The elements, each beside a dot in its colour."""
    return " ".join(
        f'<span class="mlxc-element"><i style="background: {_css(element_colour(symbol))}"></i>{escape(symbol)}</span>'
        for symbol in dict.fromkeys(symbols)
    )


def _css(colour: Colour) -> str:
    red, green, blue = (round(255 * part) for part in colour)
    return f"rgb({red}, {green}, {blue})"
