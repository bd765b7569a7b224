"""Whether the error bars of functionals hold: how many errors lie within them, and how many should."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, VBox

from mlxc_app.choose.words import WHAT_A_BAR_IS
from mlxc_app.panels.models.columns import QUANTITIES, Column
from mlxc_app.panels.models.model import ModelsModel
from mlxc_app.widgets.live_figure import axis, live_figure
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.palette import BLUE, GREEN, GREY, PURPLE, VERMILLION

LOOKS = (BLUE, VERMILLION, GREEN, PURPLE)
HEADING = "<h3>Do the error bars hold?</h3>"
MEANING = (
    f"A ± in the table is {WHAT_A_BAR_IS} On the dashed line bars are what they say: of the errors as many lie within "
    "them as should. Below it they are too narrow, above it too wide. What counts are solids that the functional has "
    "not seen, the full line; all solids are dotted."
)
UNSEEN, ALL = "unseen", "all"


class CalibrationView:
    """Observes the columns of a :class:`ModelsModel`; empty without a functional that has error bars."""

    def __init__(self, model: ModelsModel, messages: MessageArea) -> None:
        self._model = model
        self._shown: list[tuple[str, Mapping[str, Any]]] = []
        self._words = HTML()
        self.widget = VBox()
        model.observe(messages.guard(self._show), "columns")
        self._show()

    def _show(self, change: Any = None) -> None:
        """Make the figure anew where there is something new: one that is there cannot get traces."""
        columns = [column for column in self._model.columns if column.calibration][: len(LOOKS)]
        shown = [(column.name, column.calibration) for column in columns]
        if shown == self._shown:
            return
        self._shown = shown
        gone = self.widget.children
        self._words.value = HEADING + "".join(f"<p>{escape(words)}</p>" for words in calibration_in_words(columns))
        hint = HTML(f'<p class="mlxc-hint">{MEANING}</p>')
        self.widget.children = (self._words, calibration_figure(columns), hint) if columns else ()
        for widget in gone:
            if widget is not self._words:
                widget.close()


def calibration_in_words(columns: Sequence[Column]) -> list[str]:
    """A sentence for each functional: how many errors are within one standard deviation, of each quantity."""
    return [
        f"{column.label}: {'; '.join(parts)}. 68 % of all should be."
        for column in columns
        if (
            parts := [
                part for quantity in QUANTITIES.values() if (part := _part(column, quantity.name, quantity.label))
            ]
        )
    ]


def _part(column: Column, name: str, label: str) -> str:
    told = column.calibration.get(name, {})
    found, which = (told[UNSEEN], "solids it has not seen") if told.get(UNSEEN) else (told.get(ALL), "solids")
    if not found:
        return ""
    inside = round(found["within_one"] * found["count"])
    return f"{label.lower()}, {inside} of {found['count']} errors on {which} within one standard deviation"


def calibration_figure(columns: Sequence[Column]) -> go.FigureWidget:
    """The fraction inside against the nominal one, of each quantity beside the other."""
    places = {name: str(number) if number > 1 else "" for number, name in enumerate(QUANTITIES, start=1)}
    traces: list[go.Scatter] = []
    for name, place in places.items():
        axes = {"xaxis": f"x{place}", "yaxis": f"y{place}", "mode": "lines"}
        traces.append(
            go.Scatter(
                x=[0, 1], y=[0, 1], name="bars that hold", showlegend=not place, hoverinfo="skip",
                line={"color": GREY, "dash": "dash"}, **axes,
            )
        )  # fmt: skip
        for column, colour in zip(columns, LOOKS, strict=False):
            traces += _curves(column, name, colour, axes, is_first=not place)
    layout = {
        f"{letter}axis{place}": _axis(letter, number, QUANTITIES[name].label)
        for number, (name, place) in enumerate(places.items())
        for letter in "xy"
    }
    return live_figure(
        traces,
        height=330,
        width=760,
        showlegend=True,
        legend={"orientation": "h", "y": 1.04, "yanchor": "bottom", "x": 0},
        margin={"l": 70, "r": 20, "t": 40, "b": 55},
        **layout,
    )


def _axis(letter: str, number: int, label: str) -> dict[str, Any]:
    suffix = str(number + 1) if number else ""
    if letter == "x":
        domain = [0.0, 0.44] if number == 0 else [0.56, 1.0]
        title = f"{label.lower()}: share that should be inside"
        return axis(title, domain=domain, range=[0, 1], anchor=f"y{suffix}")
    return axis("fraction inside" if number == 0 else "", range=[0, 1], anchor=f"x{suffix}")


def _curves(column: Column, name: str, colour: str, axes: dict[str, str], is_first: bool) -> list[go.Scatter]:
    told, nominal = column.calibration.get(name, {}), column.calibration["nominal"]
    found = []
    for which, dash in ((UNSEEN, "solid"), (ALL, "dot")):
        if told.get(which):
            words = f"{escape(column.label)}{', all solids' if which == ALL else ', unseen solids'}"
            found.append(
                go.Scatter(
                    x=nominal, y=told[which]["inside"], name=words, showlegend=is_first,
                    line={"color": colour, "dash": dash, "shape": "hv"},
                    hovertemplate=f"{words}: %{{y:.0%}} inside, %{{x:.0%}} should be<extra></extra>", **axes,
                )
            )  # fmt: skip
    return found
