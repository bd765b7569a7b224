"""The sliders of a functional that a hand moves, and its enhancement factor."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, Dropdown, FloatSlider, HBox, IntSlider, ToggleButtons, VBox

from mlxc.errors import InputError
from mlxc.frozen.moved.move import DEVIATIONS
from mlxc.xc.catalogue import carries_ensemble
from mlxc.xc.checkpoints.corrected import corrected_by
from mlxc.xc.checkpoints.files import checkpoint_of
from mlxc_app.choose.words import functional_in_words
from mlxc_app.panels.models.hand import ENSEMBLE, MEMBERS, MIX, MODES, OFF, PARAMETERS, STRENGTH, WEIGHT, Hand
from mlxc_app.panels.models.model import ModelsModel
from mlxc_app.widgets.binding import bind
from mlxc_app.widgets.controls import WholeNumber
from mlxc_app.widgets.live_figure import axis, live_figure, replace_data
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.palette import BLUE, GREY, VERMILLION

LABEL = {"description_width": "64px"}
# Controls whose lists follow what is known of a network, and what these depend on.
LISTED = ("weight", "direction")
# The others hardly move anything.
MOST_DIRECTIONS = 8
MOVABLE = ("movable", "weighted", "weight", "element", "uncertain", "direction")
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
            "weighted": Dropdown(description="network", style=LABEL),
            "weight": Dropdown(description="layer", style=LABEL),
            "place": _slider("weight", -1.0, 1.0, 0.01, ".2f"),
            "uncertain": Dropdown(description="of", style=LABEL),
            "direction": Dropdown(description="along", style=LABEL),
            "member": IntSlider(description="member", min=0, max=1, style=LABEL, layout={"width": "280px"}),
            "deviations": _slider("σ", -DEVIATIONS, DEVIATIONS, 0.05, ".2f"),
        }
        # People count from one.
        self._element = WholeNumber("number", (1, 1), description="number", style=LABEL, layout={"width": "280px"})
        self._filling = False
        self._list()
        self._list_movable()
        bind(model.hand, "mode", self._mode, messages)
        for name, control in self._controls.items():
            if name not in LISTED:
                bind(model.hand, name, control, messages)
        for name in LISTED:
            self._controls[name].observe(messages.guard(self._part_chosen), "value")
        self._element.connect(lambda: model.hand.element + 1, self._element_chosen, messages)
        self._place = VBox()
        self._figure: go.FigureWidget | None = None
        row = HBox([HTML('<span class="mlxc-muted">Move by hand</span>'), self._mode])
        row.add_class("mlxc-panel-row")
        self._told = HTML()
        self.widget = VBox([row, self._place])
        self.widget.add_class("mlxc-hand")
        model.hand.observe(messages.guard(self._turn), "mode")
        model.hand.observe(
            messages.guard(self._list_movable), ["movable", "weighted", "weight", "element", "uncertain"]
        )
        model.hand.observe(messages.guard(self._show_controls), ["direction"])
        model.observe(messages.guard(self._tell), "progress")
        model.observe(messages.guard(self._list), "groups")
        model.observe(messages.guard(self._draw), "beside")
        model.observe(messages.guard(self._draw_own), "moved")

    def _list(self, change: Any = None) -> None:
        """Offer what can be ticked, and of the networks those that correct something."""
        names = self._model.names
        options = [(label, name) for name, label in names.items()]
        for control in ("first", "second"):
            _offer(self._controls[control], options, getattr(self._model.hand, control))
        networks = [(label, name) for name, label in names.items() if _has(name, _corrects)]
        _offer(self._controls["network"], networks, self._model.hand.network)
        weighted = [(label, name) for name, label in names.items() if _has(name, _is_checkpoint)]
        _offer(self._controls["weighted"], weighted, self._model.hand.weighted)
        uncertain = [(label, name) for name, label in names.items() if _has(name, carries_ensemble)]
        _offer(self._controls["uncertain"], uncertain, self._model.hand.uncertain)

    def _list_movable(self, change: Any = None) -> None:
        """Offer what is known of a network: its weights, the members and the directions of its ensemble."""
        hand = self._model.hand
        weights = [(f"{name} ({'×'.join(map(str, held['shape']))})", name) for name, held in hand.weights.items()]
        members = [(f"its {hand.members} members", MEMBERS)] if hand.members else []
        directions = [
            (f"direction {n} of {hand.directions}", n) for n in range(1, min(MOST_DIRECTIONS, hand.directions) + 1)
        ]
        self._filling = True
        try:
            _offer(self._controls["weight"], weights, hand.weight)
            _offer(self._controls["direction"], [*members, *directions], hand.direction)
        finally:
            self._filling = False
        self._element.limits = 1, max(1, len(hand.weights.get(hand.weight, {}).get("values", ())))
        self._element.value = hand.element + 1
        self._controls["member"].max = max(1, hand.members)

    def _part_chosen(self, change: Any) -> None:
        """Lists are renewed as more is known; in between, a widget believes that the first entry was chosen."""
        if not self._filling and change["new"] is not None:
            hand = self._model.hand
            hand.weight = self._controls["weight"].value or hand.weight
            hand.direction = self._controls["direction"].value or MEMBERS

    def _element_chosen(self, number: int) -> None:
        self._model.hand.element = number - 1

    def _turn(self, change: Any) -> None:
        """Show the controls of a mode; the figure stays where it is, or its updates would be lost."""
        shown = change["new"] != OFF
        if self._figure is None:
            self._figure = _figure(self._traces())
            controls = list(self._controls.values())
            controls.insert(controls.index(self._controls["place"]), self._element)
            row = HBox([VBox([*controls, self._told]), self._figure])
            row.add_class("mlxc-wrap")
            self._place.children = (row,)
        self._show_controls()
        self._controls["share"].description = "strength" if change["new"] == STRENGTH else "share"
        self._tell()
        if shown:
            self._place.remove_class("mlxc-folded")
        else:
            self._place.add_class("mlxc-folded")
        self._draw()

    def _show_controls(self, change: Any = None) -> None:
        shown = _controls_of(self._model.hand)
        for name, control in self._controls.items():
            control.layout.display = "" if name in shown else "none"
        self._element.layout.display = "" if "place" in shown else "none"

    def _tell(self, change: Any = None) -> None:
        """What is under the hand, and how far it is where that takes long."""
        told = [self._model.hand.moved.label, self._model.progress]
        self._told.value = "".join(f'<p class="mlxc-hint">{escape(words)}</p>' for words in told if words)

    def _draw(self, change: Any = None) -> None:
        if self._figure is not None:
            with self._figure.batch_update():
                replace_data(self._figure, self._traces())

    def _draw_own(self, change: Any = None) -> None:
        """Only what follows the hand, many times a second."""
        self._tell()
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


def _offer(control: Dropdown, options: list[tuple[str, Any]], value: Any) -> None:
    control.options = options
    if value in [name for _, name in options]:
        control.value = value


def _controls_of(hand: Hand) -> tuple[str, ...]:
    """The names of the controls of a mode."""
    return {
        OFF: (),
        PARAMETERS: ("kappa", "mu"),
        MIX: ("first", "second", "share"),
        STRENGTH: ("network", "share"),
        WEIGHT: ("weighted", "weight", "place"),
        ENSEMBLE: ("uncertain", "direction", "member" if hand.direction == MEMBERS else "deviations"),
    }[hand.mode]


def _is_checkpoint(name: str) -> bool:
    return checkpoint_of(name) is not None


def _corrects(name: str) -> bool:
    return corrected_by(name) is not None


def _has(name: str, property_of: Callable[[str], bool]) -> bool:
    """Whether a functional has a property; one whose file is damaged has none."""
    try:
        return property_of(name)
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
        # Whether labels fit is not asked at every step of a hand, which would take a quarter of the drawing.
        xaxis=axis("reduced gradient s", range=[0, 4], ticklabeloverflow="allow"),
        yaxis=axis("F<sub>xc</sub>, r<sub>s</sub> = 2", ticklabeloverflow="allow"),
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
