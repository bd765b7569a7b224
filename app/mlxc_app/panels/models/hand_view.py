"""The sliders of a functional that a hand moves, and its enhancement factor."""

from __future__ import annotations

from html import escape
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, Dropdown, FloatSlider, HBox, ToggleButtons, VBox

from mlxc.errors import InputError
from mlxc.xc.checkpoints.corrected import corrected_by
from mlxc_app.choose.words import functional_in_words
from mlxc_app.panels.models.hand import MIX, MODES, OFF, PARAMETERS, STRENGTH
from mlxc_app.panels.models.model import ModelsModel
from mlxc_app.widgets.binding import bind
from mlxc_app.widgets.live_figure import axis, live_figure, replace_data
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.palette import BLUE, GREY, VERMILLION

LABEL = {"description_width": "64px"}
# At most so many lines beside that of the functional under the hand.
BESIDE = 2


class HandView:
    """Observes a :class:`ModelsModel` and its :class:`~mlxc_app.panels.models.hand.Hand`."""

    def __init__(self, model: ModelsModel, messages: MessageArea) -> None:
        self._model, self._messages = model, messages
        self._mode = ToggleButtons(
            options=[(label, name) for name, label in MODES.items()],
            value=model.hand.mode,
            style={"button_width": "auto"},
        )
        self._controls = {
            "kappa": _slider("κ", 0.3, 1.6, 0.004, ".3f"),
            "mu": _slider("μ", 0.0, 0.4, 0.0005, ".4f"),
            "first": Dropdown(description="rest of", style=LABEL),
            "second": Dropdown(description="share of", style=LABEL),
            "network": Dropdown(description="network", style=LABEL),
            "share": _slider("share", 0.0, 1.0, 0.01, ".2f"),
        }
        self._list()
        bind(model.hand, "mode", self._mode, messages)
        for name, control in self._controls.items():
            bind(model.hand, name, control, messages)
        self._place = VBox()
        self._figure: go.FigureWidget | None = None
        row = HBox([HTML('<span class="mlxc-muted">Move by hand</span>'), self._mode])
        row.add_class("mlxc-panel-row")
        self._told = HTML()
        self.widget = VBox([row, self._place])
        self.widget.add_class("mlxc-hand")
        model.hand.observe(messages.guard(self._turn), "mode")
        model.observe(messages.guard(self._list), "groups")
        model.observe(messages.guard(self._draw), "beside")
        model.observe(messages.guard(self._draw_own), "moved")

    def _list(self, change: Any = None) -> None:
        """Offer what can be ticked, and of the networks those that correct something."""
        names = self._model.names
        options = [(label, name) for name, label in names.items()]
        for control in ("first", "second"):
            _offer(self._controls[control], options, getattr(self._model.hand, control))
        networks = [(label, name) for name, label in names.items() if _corrects(name)]
        _offer(self._controls["network"], networks, self._model.hand.network)

    def _turn(self, change: Any) -> None:
        """Show the controls of a mode; the figure stays where it is, or its updates would be lost."""
        shown = {
            OFF: (),
            PARAMETERS: ("kappa", "mu"),
            MIX: ("first", "second", "share"),
            STRENGTH: ("network", "share"),
        }[change["new"]]
        if self._figure is None:
            self._figure = _figure(self._traces())
            row = HBox([VBox([*self._controls.values(), self._told]), self._figure])
            row.add_class("mlxc-wrap")
            self._place.children = (row,)
        for name, control in self._controls.items():
            control.layout.display = "" if name in shown else "none"
        self._controls["share"].description = "strength" if change["new"] == STRENGTH else "share"
        if shown:
            self._place.remove_class("mlxc-folded")
        else:
            self._place.add_class("mlxc-folded")
        self._draw()

    def _draw(self, change: Any = None) -> None:
        if self._figure is not None:
            with self._figure.batch_update():
                replace_data(self._figure, self._traces())

    def _draw_own(self, change: Any = None) -> None:
        """Only what follows the hand, many times a second."""
        self._told.value = f'<p class="mlxc-hint">{escape(self._model.hand.moved.label)}</p>'
        if self._figure is not None:
            own = self._own_line()
            with self._figure.batch_update():
                self._figure.data[-1].update(x=own.x, y=own.y, visible=own.visible)

    def _traces(self) -> list[go.Scatter]:
        model = self._model
        beside = [(name, model.beside.get(name, {})) for name in model.hand.moved.beside]
        beside += [("", {})] * (BESIDE - len(beside))
        looks = ((GREY, "dot"), (BLUE, "dash"))
        lines = [
            _line(functional_in_words(name), curve, *look) for (name, curve), look in zip(beside, looks, strict=True)
        ]
        return [*lines, self._own_line()]

    def _own_line(self) -> go.Scatter:
        moved = self._model.moved
        return _line("by hand", moved.curve if moved is not None else {}, VERMILLION, "solid")


def _slider(label: str, low: float, high: float, step: float, digits: str) -> FloatSlider:
    return FloatSlider(
        description=label, min=low, max=high, step=step, readout_format=digits, style=LABEL, layout={"width": "280px"}
    )


def _offer(control: Dropdown, options: list[tuple[str, str]], value: str) -> None:
    control.options = options
    if value in [name for _, name in options]:
        control.value = value


def _corrects(name: str) -> bool:
    try:
        return corrected_by(name) is not None
    except InputError:
        return False


def _figure(traces: list[go.Scatter]) -> go.FigureWidget:
    return live_figure(
        traces,
        height=190,
        width=340,
        showlegend=True,
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0, "font": {"size": 12}},
        margin={"l": 60, "r": 5, "t": 30, "b": 45},
        xaxis=axis("reduced gradient s", range=[0, 4]),
        yaxis=axis("F<sub>xc</sub>, r<sub>s</sub> = 2"),
    )


def _line(name: str, curve: Any, colour: str, dash: str) -> go.Scatter:
    return go.Scatter(
        x=curve.get("s", []),
        y=curve.get("f_xc", []),
        name=name,
        mode="lines",
        line={"color": colour, "dash": dash, "width": 2},
        visible=bool(curve),
    )
