"""The panel about the chosen functional: its record, its enhancement factor beside PBE's, and the exact conditions."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, VBox

from mlxc_app.panels.functional.model import FunctionalModel
from mlxc_app.panels.functional.report import Constraint, Curve, FunctionalReport
from mlxc_app.panels.functional.words import card_table, record_table
from mlxc_app.panels.panel import MODELS, Page, Panel
from mlxc_app.widgets.live_figure import axis, live_figure, replace_data
from mlxc_app.widgets.message import card
from mlxc_app.widgets.palette import BLUE, GREEN, VERMILLION

FUNCTIONAL = "Functional"
CURVES = (
    "F<sub>xc</sub> is the exchange-correlation energy at a point, divided by that of local exchange; s says how fast "
    "the density changes there (s = 0: not at all). Each dotted line is PBE's, for the same electrons as the line of "
    "its colour. r<sub>s</sub> is the distance between electrons, α the kind of bond (0: a single pair, 1: a metal)."
)
ABOUT = (
    "What the chosen model of exchange and correlation is, how it answers to densities that change more or less fast, "
    "and which properties of the exact functional it has."
)
COLOURS = (VERMILLION, BLUE, GREEN)
CONDITIONS = (
    "The exact functional is not known, but some of its properties are. Each is tried on a grid of densities. "
    "A violated one is no mistake of the program: it says where to trust the functional less."
)
WAITING = '<p class="mlxc-placeholder">The functional is being asked; this takes some seconds …</p>'
VERDICTS = {True: "holds", False: "violated", None: "cannot be told"}


def functional_panel(page: Page) -> Panel:
    """The panel about the chosen functional, which is asked when somebody looks."""
    model = FunctionalModel(page.choose)

    def look(shown: bool) -> None:
        model.shown = shown

    return Panel(
        FUNCTIONAL,
        f"<p>{ABOUT}</p>",
        lambda: FunctionalView(model).widget,
        group=MODELS,
        shown=look,
        follow=model.follow,
    )


class FunctionalView:
    """Observes a :class:`FunctionalModel`."""

    def __init__(self, model: FunctionalModel) -> None:
        self._model = model
        self._description, self._card, self._record = HTML(), HTML(), HTML()
        self._state = HTML()
        self._conditions = HTML()
        self.figure = live_figure(
            _traces(model.report),
            height=300,
            showlegend=True,
            legend={"x": 1.01, "y": 0.94},
            margin={"l": 80, "r": 170, "t": 10, "b": 55},
            xaxis=axis("reduced gradient s", range=[0, 5]),
            yaxis=axis("F<sub>xc</sub>", rangemode="tozero"),
        )
        curves = HTML(f'<p class="mlxc-hint">{CURVES}</p>')
        heading = HTML("<h3>Enhancement factor</h3>")
        self.widget = VBox(
            [self._description, self._card, self._state, heading, self.figure, curves, self._record, self._conditions]
        )
        model.observe(self._show_description, "description")
        model.observe(self._show_report, ["report", "problem"])
        self._show_description()
        self._show_words()

    def _show_description(self, change: Any = None) -> None:
        description = self._model.description
        self._description.value = f"<h3>{escape(description.title)}</h3><p>{escape(description.meaning)}</p>"
        self._record.value = record_table(description.record) if description.record else ""
        self._card.value = card_table(self._model.card) if self._model.card else ""

    def _show_report(self, change: Any) -> None:
        with self.figure.batch_update():
            replace_data(self.figure, _traces(self._model.report))
        self._show_words()

    def _show_words(self) -> None:
        report, problem = self._model.report, self._model.problem
        waiting = card("error", problem) if problem else WAITING
        self._state.value = "" if report else waiting
        self._conditions.value = constraint_table(report.constraints) if report else ""


def _traces(report: FunctionalReport | None) -> list[go.Scatter]:
    """The functional's curve and PBE's in each colour."""
    curves: Sequence[Curve | None] = report.curves if report else [None] * len(COLOURS)
    many_alphas = len({curve.alpha for curve in curves if curve}) > 1
    traces = []
    for curve, colour in zip(curves, COLOURS, strict=True):
        name = _name(curve, many_alphas) if curve else ""
        s, own, pbe = (curve.s, curve.f_xc, curve.f_xc_pbe) if curve else ((), (), ())
        traces += [
            go.Scatter(x=s, y=own, name=name, mode="lines", line={"color": colour, "width": 2}),
            go.Scatter(x=s, y=pbe, name="PBE", mode="lines", line={"color": colour, "width": 4, "dash": "dot"}),
        ]
    return traces


def _name(curve: Curve, many_alphas: bool) -> str:
    return f"α = {curve.alpha:g}" if many_alphas else f"r<sub>s</sub> = {curve.rs:g} bohr"


def constraint_table(constraints: Sequence[Constraint]) -> str:
    """HTML: how many exact conditions hold, and what came of each, the violated ones first."""
    order = [False, None, True]
    rows = [_row(constraint) for constraint in sorted(constraints, key=lambda c: order.index(c.satisfied))]
    count = sum(constraint.satisfied is True for constraint in constraints)
    heading = "<tr><th>Condition</th><th>answer</th><th>what was asked</th></tr>"
    return (
        f"<h3>Exact conditions: {count} of {len(constraints)} hold</h3>"
        f'<p class="mlxc-hint">{CONDITIONS}</p>'
        f'<table class="mlxc-table"><thead>{heading}</thead><tbody>{"".join(rows)}</tbody></table>'
    )


def _row(constraint: Constraint) -> str:
    verdict = VERDICTS[constraint.satisfied]
    style = ' class="mlxc-violated"' if constraint.satisfied is False else ""
    words = f'{escape(constraint.detail)} <span class="mlxc-nowrap">({escape(constraint.source)})</span>'
    return (
        f'<tr><td>{escape(constraint.name)}</td><td{style}><span class="mlxc-nowrap">{verdict}</span></td>'
        f'<td class="mlxc-muted">{words}</td></tr>'
    )
