"""Surfaces on which a field has one value, among the atoms: drawn with NGL, or with plotly where that shows nothing."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Protocol

import nglview
import numpy as np
import plotly.graph_objects as go
from ipywidgets import Widget
from numpy.typing import NDArray

from mlxc_app.panels.density.block import FieldBlock
from mlxc_app.widgets.crystal_picture import screen_axes
from mlxc_app.widgets.crystal_shapes import (
    ATOM_RADIUS_ANG,
    BOND_RADIUS_ANG,
    FRAME_RADIUS_ANG,
    TO_VIEWER,
    bond_shapes,
    frame_shapes,
    pdb_text,
)
from mlxc_app.widgets.crystal_viewer import BACKGROUNDS
from mlxc_app.widgets.live_figure import live_figure
from mlxc_app.widgets.ngl_canvas import NglCanvas
from mlxc_app.widgets.palette import BLUE, GREY, VERMILLION
from mlxc_app.widgets.theme import Theme

HEIGHT = 370
OPACITY = 0.55
# Atoms, bonds and frame around a surface, beside those of a picture of their own.
SMALLER = 0.4
# Plotly computes its surfaces on every change, from so many points along each edge at most.
PLOTLY_POINTS = 32
TITLES = {"x": "x (Å)", "y": "y (Å)", "z": "z (Å)"}


class DrawsIsosurfaces(Protocol):
    """What the page needs of a viewer."""

    @property
    def widget(self) -> Widget:
        """What to place on the page."""

    def show(self, block: FieldBlock | None, level: float | None) -> None:
        """Show another field, or nothing."""

    def move(self, level: float) -> None:
        """Show the same field at another level."""


class NglIsosurfaces:
    """One WebGL canvas, in which the surfaces can be turned with the mouse; browsers allow few of them."""

    def __init__(self, theme: Theme) -> None:
        self._view = NglCanvas(f"{HEIGHT}px")
        self._view.background = BACKGROUNDS[theme.dark]
        theme.observe(self._colour, "dark")
        self._components: list[Any] = []
        self._block: FieldBlock | None = None
        self._view.control.rotate(_quaternion(np.diag(TO_VIEWER) @ screen_axes()))

    @property
    def widget(self) -> Widget:
        return self._view

    def _colour(self, change: Any) -> None:
        self._view.background = BACKGROUNDS[change["new"]]

    def show(self, block: FieldBlock | None, level: float | None) -> None:
        for component in reversed(self._components):
            self._view.remove_component(component)
        self._components = []
        if block is None or level is None:
            return
        box = block.box
        shapes = frame_shapes(box.cell_edges, SMALLER * FRAME_RADIUS_ANG)
        shapes += bond_shapes(box.symbols, box.positions, SMALLER * BOND_RADIUS_ANG)
        # Shapes are there at once, what is loaded is not: in this order the viewer counts them as we do.
        frame = self._view._add_shape(shapes, name="cell and bonds")
        self._view.fit()
        text = nglview.TextStructure(pdb_text(box.symbols, box.positions), ext="pdb")
        atoms = self._view.add_component(text, default_representation=False)
        atoms.add_representation("spacefill", radius_type="size", radius_size=SMALLER * ATOM_RADIUS_ANG)
        # The volume is long in coming; until then the atoms would be tiny.
        self._view.fit()
        volume = self._view.add_component(BytesIO(block.ccp4()), ext="ccp4", default_representation=False)
        self._view.fit()
        self._components, self._block = [frame, atoms, volume], block
        self._add_surfaces(level)

    def move(self, level: float) -> None:
        if self._components:
            self._components[-1].clear_representations()
            self._add_surfaces(level)

    def _add_surfaces(self, level: float) -> None:
        assert self._block is not None
        for sign in self._block.signs(level):
            self._components[-1].add_representation(
                "surface",
                isolevel_type="value",
                isolevel=sign * level,
                opacity=OPACITY,
                color=BLUE if sign > 0 else VERMILLION,
                side="double",
            )

    def resize(self) -> None:
        """A canvas that was folded away has to be told its size."""
        self._view.handle_resize()


class PlotlyIsosurfaces:
    """A figure with the same surfaces, coarser."""

    def __init__(self) -> None:
        self._block: FieldBlock | None = None
        axes = {f"{name}axis": {"title": {"text": title}} for name, title in TITLES.items()}
        self.figure = live_figure(
            self._traces(None), height=HEIGHT, width=410, scene={**axes, "aspectmode": "data"},
            margin={"l": 0, "r": 0, "t": 0, "b": 0},
        )  # fmt: skip

    @property
    def widget(self) -> Widget:
        return self.figure

    def show(self, block: FieldBlock | None, level: float | None) -> None:
        self._block = block
        with self.figure.batch_update():
            for trace, new in zip(self.figure.data, self._traces(level), strict=True):
                trace.update(new)

    def move(self, level: float) -> None:
        self.show(self._block, level)

    def _traces(self, level: float | None) -> list[Any]:
        if self._block is None or level is None:
            empty: dict[str, Any] = {"x": [], "y": [], "z": []}
            return [_surface(sign, 1.0).update(empty, value=[]) for sign in (1, -1)] + [_nuclei().update(empty)]
        block, box = self._block, self._block.box
        steps = [slice(None, None, int(np.ceil(n / PLOTLY_POINTS))) for n in block.values.shape]
        axes = [np.linspace(0, length, n) for length, n in zip(box.lengths, block.values.shape, strict=True)]
        grid = np.meshgrid(*[axis[step] for axis, step in zip(axes, steps, strict=True)], indexing="ij")
        points = dict(zip("xyz", (part.ravel() for part in grid), strict=True))
        values = block.values[tuple(steps)].ravel()
        surfaces = [
            _surface(sign, level).update(points, value=values, visible=sign in block.signs(level)) for sign in (1, -1)
        ]
        x, y, z = box.positions.T
        return [*surfaces, _nuclei().update(x=x, y=y, z=z, text=box.symbols)]


def _quaternion(rotation: NDArray[np.float64]) -> list[float]:
    from scipy.spatial.transform import Rotation  # takes a while to load

    components: list[float] = Rotation.from_matrix(rotation).as_quat().tolist()
    return components


def _surface(sign: int, level: float) -> Any:
    colour = BLUE if sign > 0 else VERMILLION
    return go.Isosurface(
        isomin=sign * level,
        isomax=sign * level,
        surface_count=1,
        opacity=OPACITY,
        showscale=False,
        colorscale=[[0, colour], [1, colour]],
        caps={"x_show": False, "y_show": False, "z_show": False},
    )


def _nuclei() -> Any:
    return go.Scatter3d(mode="markers+text", marker={"size": 6, "color": GREY}, hovertemplate="%{text}<extra></extra>")
