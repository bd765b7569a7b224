"""The panel about the chosen functional: its record, its enhancement factor beside PBE's, and the exact conditions."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, VBox

from mlxc_app.functional_model import FunctionalModel
from mlxc_app.functional_report import Constraint, FunctionalReport
from mlxc_app.functional_words import record_table
from mlxc_app.live_figure import axis, live_figure, replace_data
from mlxc_app.message import card
from mlxc_app.palette import BLUE, MUTED

CURVES = (
    "F<sub>xc</sub> is the exchange-correlation energy at a point, divided by that of local exchange; s says how fast "
    "the density changes there (s = 0: not at all). Drawn for equal spins, r<sub>s</sub> = 2 bohr, α = 1."
)
CONDITIONS = (
    "The exact functional is not known, but some of its properties are. Each is tried on a grid of densities. "
    "A violated one is no mistake of the program: it says where to trust the functional less."
)
WAITING = '<p class="mlxc-placeholder">The functional is being asked; this takes some seconds …</p>'
VERDICTS = {True: "holds", False: "violated", None: "cannot be told"}


class FunctionalView:
    """Observes a :class:`FunctionalModel`."""

    def __init__(self, model: FunctionalModel) -> None:
        self._model = model
        self._description = HTML()
        self._state = HTML()
        self._conditions = HTML()
        self.figure = live_figure(
            _traces(None),
            height=260,
            showlegend=True,
            legend={"x": 0.02, "y": 0.98, "bgcolor": "rgba(255,255,255,0.8)"},
            margin={"l": 80, "r": 20, "t": 10, "b": 55},
            xaxis=axis("reduced gradient s", range=[0, 5]),
            yaxis=axis("F<sub>xc</sub>", rangemode="tozero"),
        )
        curves = HTML(f'<h3>Enhancement factor</h3><p class="mlxc-hint">{CURVES}</p>')
        self.widget = VBox([self._description, self._state, curves, self.figure, self._conditions])
        model.observe(self._show_description, "description")
        model.observe(self._show_report, ["report", "problem"])
        self._show_description()
        self._show_report()

    def _show_description(self, change: Any = None) -> None:
        description = self._model.description
        table = record_table(description.record) if description.record else ""
        self._description.value = f"<h3>{escape(description.title)}</h3><p>{escape(description.meaning)}</p>{table}"

    def _show_report(self, change: Any = None) -> None:
        report, problem = self._model.report, self._model.problem
        with self.figure.batch_update():
            replace_data(self.figure, _traces(report, self._model.description.title))
        waiting = card("error", problem) if problem else WAITING
        self._state.value = "" if report else waiting
        self._conditions.value = constraint_table(report.constraints) if report else ""


def _traces(report: FunctionalReport | None, title: str = "") -> list[go.Scatter]:
    s = report.s if report else ()
    return [
        go.Scatter(
            x=s,
            y=report.f_xc_pbe if report else (),
            mode="lines",
            name="PBE, for comparison",
            line={"color": MUTED, "width": 4, "dash": "dot"},
        ),
        go.Scatter(
            x=s,
            y=report.f_xc if report else (),
            mode="lines",
            name=escape(title) or "this functional",
            line={"color": BLUE, "width": 2},
        ),
    ]


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
