"""The panel of the density: isosurfaces, a cut with the atoms in it, and planar averages."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import HTML, Button, Dropdown, FloatSlider, HBox, VBox

from mlxc_app.panels.density.field import DIFFERENCE, MEANINGS
from mlxc_app.panels.density.figures import AverageFigure, SliceFigure
from mlxc_app.panels.density.isosurface_viewer import DrawsIsosurfaces, NglIsosurfaces, PlotlyIsosurfaces
from mlxc_app.panels.density.model import DensityModel
from mlxc_app.panels.density.slice import AXES, IN_PLANE_ANG, MILLER, PLANES
from mlxc_app.panels.panel import Page, Panel
from mlxc_app.widgets.binding import bind
from mlxc_app.widgets.controls import three_whole_numbers
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.theme import Theme

ABOUT = (
    "Where the electrons are, or where they differ. On the left, a surface on which the density has one value; turn it "
    "with the mouse. On the right, a cut through the crystal: brighter means more, circles are nuclei. Look for the "
    "bonds in diamond and the even sea of electrons in sodium."
)
WIDE: dict[str, Any] = {"style": {"description_width": "90px"}, "layout": {"width": "330px"}}
WIDER: dict[str, Any] = {"style": {"description_width": "90px"}, "layout": {"width": "400px"}}
_PLACEHOLDER = '<p class="mlxc-placeholder">The density appears here when a run has ended.</p>'
MILLER_HINT = "Indices refer to the conventional cell, for instance the cube."
HEIGHT_HINT = f"Distance of the plane from the first atom. Atoms within {IN_PLANE_ANG:g} Å of the plane are drawn."
OTHER_WAY = ("Box empty? Draw with plotly", "Draw with NGL")


def density_panel(page: Page) -> Panel:
    """The panel of the density; its file is read when somebody looks."""
    views: list[DensityView] = []

    def make() -> VBox:
        views.append(DensityView(DensityModel(page.run), page.messages, page.theme))
        return views[0].widget

    def tell(shown: bool) -> None:
        for view in views if shown else ():
            view.surface.unfolded()

    return Panel("Density", f"<p>{ABOUT}</p>", make, shows=("scf",), shown=tell)


class DensityView:
    """Observes a :class:`DensityModel`, and offers what to look at."""

    def __init__(self, model: DensityModel, messages: MessageArea, theme: Theme) -> None:
        self._model = model
        self._offering = False
        self._caption = HTML()
        self._quantity = Dropdown(description="Look at", **WIDER)
        self._other = Dropdown(description="Other run", **WIDER)
        self._choice = HBox([self._quantity, self._other])
        self._choice.add_class("mlxc-wrap")
        self.surface = SurfaceView(model, messages, theme)
        self.cut = SliceFigure(model, messages)
        self.average = AverageFigure(model, messages)
        cut = VBox([self.cut.figure, *self._plane(messages)])
        cut.add_class("mlxc-half")
        axis = Dropdown(options=list(AXES), description="Along", **WIDE)
        bind(model, "axis", axis, messages)
        average = VBox([HTML("<h3>Planar average</h3>"), axis, self.average.figure])
        average.add_class("mlxc-average")
        pictures = HBox([self.surface.widget, cut, average])
        pictures.add_class("mlxc-wrap")
        self._body = VBox([self._choice, pictures])
        self.widget = VBox([self._caption, self._body])
        self._offer()
        self._quantity.observe(messages.guard(self._choose_quantity), "value")
        self._other.observe(messages.guard(self._choose_other), "value")
        model.observe(messages.guard(self._offer), ["title", "quantities", "others", "quantity", "other"])

    def _plane(self, messages: MessageArea) -> list[Any]:
        plane = Dropdown(options=[*PLANES, MILLER], description="Plane", **WIDE)
        self._miller = three_whole_numbers(
            "Indices", ("h", "k", "l"), "mlxc-indices", lambda: self._model.miller, self._choose_miller, messages
        )
        height = FloatSlider(
            min=-5, max=5, step=0.1, description="Height (Å)", readout_format=".1f", continuous_update=False, **WIDE
        )
        self._hint = HTML()
        bind(self._model, "plane", plane, messages)
        bind(self._model, "height_ang", height, messages)
        self._model.observe(messages.guard(self._show_plane), ["plane", "field"])
        self._show_plane()
        return [plane, self._miller, height, self._hint]

    def _show_plane(self, change: Any = None) -> None:
        is_miller = self._model.plane == MILLER
        self._miller.layout.display = "flex" if is_miller else "none"
        self._hint.value = _hint(f"{MILLER_HINT if is_miller else self._model.axes_words} {HEIGHT_HINT}")

    def _choose_miller(self, indices: tuple[int, ...]) -> None:
        self._model.miller = indices

    def _choose_quantity(self, change: Any) -> None:
        if not self._offering:
            self._model.quantity = change["new"]

    def _choose_other(self, change: Any) -> None:
        if not self._offering:
            self._model.other = change["new"]

    def _offer(self, change: Any = None) -> None:
        """New options make a list choose its first one by itself, which is no choice of a person."""
        model = self._model
        self._offering = True
        try:
            _fill(self._quantity, tuple((name, name) for name in model.quantities), model.quantity)
            _fill(self._other, model.others, model.other)
        finally:
            self._offering = False
        self._other.layout.display = "flex" if model.quantity == DIFFERENCE else "none"
        self._body.layout.display = "flex" if model.title else "none"
        meaning = _hint(MEANINGS[model.quantity])
        self._caption.value = f"<h3>{escape(model.title)}</h3>{meaning}" if model.title else _PLACEHOLDER


class SurfaceView:
    """The isosurfaces of a :class:`DensityModel` with a slider for the level, and a way out if nothing is seen."""

    def __init__(self, model: DensityModel, messages: MessageArea, theme: Theme) -> None:
        self._model = model
        self._ngl = NglIsosurfaces(theme)
        self._viewer: DrawsIsosurfaces = self._ngl
        # A canvas has no annotations: what there is to doubt lies over it.
        self._mark = HTML()
        self._mark.add_class("mlxc-mark")
        self._place = VBox([self._ngl.widget, self._mark])
        self._place.add_class("mlxc-with-mark")
        self._level = FloatSlider(
            min=0, max=100, step=1, description="Level (%)", readout_format=".0f", continuous_update=False, **WIDE
        )
        self._words = HTML()
        self._other_way = Button(description=OTHER_WAY[0], tooltip="Another way to draw the same surfaces")
        self._other_way.add_class("mlxc-try")
        self.widget = VBox([self._place, self._level, self._words, self._other_way])
        self.widget.add_class("mlxc-half")
        bind(model, "share", self._level, messages)
        self._other_way.on_click(messages.guard(self._switch))
        self._show()
        model.observe(messages.guard(self._show), "block")
        model.observe(messages.guard(self._move), "share")

    def unfolded(self) -> None:
        """The panel is seen again."""
        self._ngl.resize()

    def _switch(self, button: Button) -> None:
        to_plotly = self._viewer is self._ngl
        self._viewer.show(None, None)
        self._viewer = PlotlyIsosurfaces() if to_plotly else self._ngl
        self._place.children = [self._viewer.widget, self._mark]
        self._other_way.description = OTHER_WAY[to_plotly]
        self._show()

    def _show(self, change: Any = None) -> None:
        self._viewer.show(self._model.block, self._model.level)
        self._say()

    def _move(self, change: Any = None) -> None:
        level = self._model.level
        if level is not None:
            self._viewer.move(level)
        self._say()

    def _say(self) -> None:
        block, level, doubt = self._model.block, self._model.level, self._model.doubt
        self._mark.value = f"<span>{escape(doubt)}</span>" if doubt else ""
        if block is None or level is None:
            self._words.value = ""
        elif block.is_signed:
            self._words.value = _hint(f"Blue: +{level:.3g} {block.unit}, orange: −{level:.3g} {block.unit}.")
        else:
            self._words.value = _hint(f"Surface at {level:.3g} {block.unit}; more inside it, less outside.")


def _fill(dropdown: Dropdown, options: tuple[tuple[str, str], ...], value: str) -> None:
    """While a model changes, its value may not be among the options yet."""
    if tuple(dropdown.options) != options:
        dropdown.options = options
    if value in dict(options).values():
        dropdown.value = value


def _hint(text: str) -> str:
    return f'<p class="mlxc-hint">{escape(text)}</p>'
