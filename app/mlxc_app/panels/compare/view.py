"""Runs side by side: a list to choose from, a table, and the curves of all of them in one plot."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, Layout, SelectMultiple, VBox

from mlxc.tasks.kinds import title_of
from mlxc_app.panels.compare.compared_run import ComparedRun
from mlxc_app.panels.compare.live_view import LiveView
from mlxc_app.panels.compare.model import (
    MOST_RUNS,
    RESULT_ROWS,
    SETTING_ROWS,
    CompareModel,
    Comparison,
    comparison_csv,
    error_labels,
    error_percent,
    signed,
)
from mlxc_app.panels.panel import MODELS, Page, Panel
from mlxc_app.widgets.live_figure import axis, live_figure, replace_data
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.palette import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION

COMPARE = "Compare"
ABOUT = (
    "Finished runs side by side. The first one that you choose from the top is A; the others are compared with it. "
    "Errors are those against what other codes or experiments find; the darker a field, the larger the error."
)
CHOOSE = f"Hold Ctrl (or ⌘) to choose several runs, up to {MOST_RUNS}."
_PLACEHOLDER = '<p class="mlxc-placeholder">Choose two or more runs above; a table and plots appear here.</p>'
# Of each run in plots: told apart by colour, dashes and markers, so that no colour need be seen.
STYLES = (
    (BLUE, "solid", "circle"),
    (VERMILLION, "dash", "square"),
    (GREEN, "dot", "diamond"),
    (ORANGE, "dashdot", "cross"),
    (PURPLE, "longdash", "x"),
    (SKY, "solid", "triangle-up"),
    (GREY, "dash", "triangle-down"),
    (BLUE, "dot", "star"),
)
# Percent up to which an error has a shade: of lattice constants, and of bulk moduli, which are ten times as hard.
SHADES = {"a₀": (0.1, 0.5, 1.0), "B": (1.0, 5.0, 10.0)}
AXES = {"volume": "volume per atom (Å³)", "area": "area per atom (Å²)"}


def compare_panel(page: Page) -> Panel:
    """The panel of finished runs side by side."""
    model = CompareModel(page.run)

    def look(shown: bool) -> None:
        if shown:
            model.refresh()
            model.begin(page.choose.structure)

    def compare(change: Any) -> None:
        if change["new"]:
            model.refresh()
            model.choose(change["new"])

    page.side_by_side.observe(compare, "folders")
    return Panel(
        COMPARE,
        f"<p>{escape(ABOUT)}</p>",
        lambda: CompareView(model, page.messages).widget,
        group=MODELS,
        shows=("scf", "eos"),
        shown=look,
        follow=model.live.follow,
    )


class CompareView:
    """Observes a :class:`CompareModel`."""

    def __init__(self, model: CompareModel, messages: MessageArea) -> None:
        self._model = model
        self._listing = False
        self._choice = SelectMultiple(
            description="Runs", rows=6, style={"description_width": "50px"}, layout=Layout(width="99%")
        )
        self._choice.add_class("mlxc-compare-choice")
        self._table, self._words = HTML(), HTML()
        self._table.add_class("mlxc-compare-table")
        self.curves = live_figure(
            curve_traces(model.comparison),
            height=330,
            barmode="group",
            showlegend=True,
            legend={"orientation": "h", "y": 1.04, "yanchor": "bottom", "x": 0},
            margin={"l": 80, "r": 20, "t": 60, "b": 55},
            xaxis=axis("", domain=[0, 0.34], type="category"),
            yaxis=axis("error of a₀ (%)", zeroline=True),
            xaxis2=axis(_size_axis(model.comparison), domain=[0.47, 1], anchor="y2"),
            yaxis2=axis("F above its minimum (meV per atom)", anchor="x2"),
        )
        self.steps = live_figure(
            step_traces(model.comparison),
            height=290,
            showlegend=True,
            legend={"orientation": "h", "y": 1.04, "yanchor": "bottom", "x": 0},
            margin={"l": 80, "r": 20, "t": 50, "b": 55},
            xaxis=axis("SCF step", tickformat="d"),
            yaxis=axis("density residual (per electron)", type="log", exponentformat="power"),
        )
        self._places = {name: VBox([figure]) for name, figure in (("curves", self.curves), ("steps", self.steps))}
        live = LiveView(model, messages).widget
        self.widget = VBox([self._choice, HTML(_hint(CHOOSE)), *self._places.values(), self._words, self._table, live])
        self._list()
        self._choice.observe(messages.guard(self._choose), "value")
        model.observe(messages.guard(self._list), ["available", "chosen"])
        model.observe(messages.guard(lambda change: self._show(change["new"])), "comparison")
        self._show(model.comparison)

    def _list(self, change: Any = None) -> None:
        """Show which runs there are, and which of them are chosen; a new list alone chooses nothing."""
        self._listing = True
        try:
            there = {folder for _, folder in self._model.available}
            if self._choice.options != self._model.available:
                # The browser may only be told of chosen options that it has.
                self._choice.value = ()
                self._choice.options = self._model.available
            self._choice.value = tuple(folder for folder in self._model.chosen if folder in there)
        finally:
            self._listing = False

    def _choose(self, change: Any) -> None:
        if not self._listing:
            self._model.choose(change["new"])

    def _show(self, comparison: Comparison) -> None:
        self._table.value = comparison_table(comparison)
        self._words.value = "".join(f"<p>{escape(sentence)}</p>" for sentence in comparison.sentences)
        with self.curves.batch_update():
            replace_data(self.curves, curve_traces(comparison))
            self.curves.layout.xaxis2.title.text = _size_axis(comparison)
        with self.steps.batch_update():
            replace_data(self.steps, step_traces(comparison))
        self._fold("curves", not any(run.curve for run in comparison.runs))
        self._fold("steps", not any(run.residuals for run in comparison.runs))

    def _fold(self, name: str, folded: bool) -> None:
        place: Any = self._places[name]
        if folded:
            place.add_class("mlxc-folded")
        else:
            place.remove_class("mlxc-folded")


def comparison_table(comparison: Comparison) -> str:
    """HTML: a column per run, the settings, the results and the errors, and a link to the same as CSV."""
    runs = comparison.runs
    if not runs:
        return _PLACEHOLDER
    heads = "".join(f'<th class="mlxc-number" title="{escape(run.title)}">{_head(run)}</th>' for run in runs)
    rows = []
    for entry in (*SETTING_ROWS, *RESULT_ROWS):
        cells = [entry.text(run, runs[0]) for run in runs]
        if set(cells) - {"", "–"}:
            rows.append(_row(entry.label, [f'<td class="mlxc-number">{escape(cell)}</td>' for cell in cells]))
    errors = error_labels(runs)
    for quantity, reference in errors:
        cells = [_error_cell(quantity, error_percent(run, quantity, reference)) for run in runs]
        rows.append(_row(f"{quantity} against {reference}", cells))
    body = f"<thead><tr><th>Run</th>{heads}</tr></thead><tbody>{''.join(rows)}</tbody>"
    legend = _legend() if errors else ""
    return f'<div class="mlxc-wide"><table class="mlxc-table">{body}</table></div>{legend}{_download(comparison)}'


def _head(run: ComparedRun) -> str:
    kind = title_of(run.kind)
    state = "" if run.state == "finished" else f"<br>({escape(run.state)})"
    return f"{escape(run.letter)}<br>{escape(kind)}{state}"


def _row(label: str, cells: list[str]) -> str:
    return f"<tr><th>{escape(label)}</th>{''.join(cells)}</tr>"


def _error_cell(quantity: str, percent: float | None) -> str:
    if percent is None:
        return '<td class="mlxc-number">–</td>'
    number = f'<span class="mlxc-shade-{shade(quantity, percent)}">{signed(percent, "+.2f")} %</span>'
    return f'<td class="mlxc-number">{number}</td>'


def shade(quantity: str, percent: float) -> int:
    """How large an error is: 0 (as small as codes agree) to 3."""
    return sum(abs(percent) > limit for limit in SHADES[quantity])


def _legend() -> str:
    names = []
    for index in range(4):
        ranges = []
        for quantity, limits in SHADES.items():
            bound = f"≤ {limits[index]:g} %" if index < 3 else f"> {limits[2]:g} %"
            ranges.append(f"{quantity} {bound}")
        names.append(f'<span class="mlxc-shade-{index}">{", ".join(ranges)}</span>')
    return f'<p class="mlxc-hint">Size of an error: {" ".join(names)}</p>'


def _download(comparison: Comparison) -> str:
    data = b64encode(comparison_csv(comparison).encode()).decode()
    return f'<p><a download="comparison.csv" href="data:text/csv;base64,{data}">Download this table (CSV)</a></p>'


def curve_traces(comparison: Comparison) -> list[Any]:
    """The errors as bars, the points, and the fit, for each place of a run."""
    references = [reference for quantity, reference in error_labels(comparison.runs) if quantity == "a₀"]
    traces: list[Any] = []
    for index, (colour, dash, symbol) in enumerate(STYLES):
        run = comparison.runs[index] if index < len(comparison.runs) else None
        curve = run.curve if run else None
        errors = [error_percent(run, "a₀", reference) for reference in references] if run else []
        has_errors = any(error is not None for error in errors)
        name, group = _name(run), f"run {index}"
        traces.append(
            go.Bar(
                x=[_short(reference) for reference in references] if has_errors else [],
                y=errors if has_errors else [],
                name=name,
                visible=has_errors,
                showlegend=False,
                legendgroup=group,
                marker_color=colour,
                texttemplate="%{y:+.2f}",
            )
        )
        traces.append(
            go.Scatter(
                x=curve.sizes if curve else [],
                y=curve.energies if curve else [],
                name=name,
                visible=curve is not None,
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 9},
                legendgroup=group,
                xaxis="x2",
                yaxis="y2",
            )
        )
        traces.append(
            go.Scatter(
                x=curve.fit_sizes if curve else [],
                y=curve.fit_energies if curve else [],
                name=name,
                visible=curve is not None,
                showlegend=False,
                mode="lines",
                line={"color": colour, "dash": dash},
                legendgroup=group,
                xaxis="x2",
                yaxis="y2",
            )
        )
    return traces


def step_traces(comparison: Comparison) -> list[go.Scatter]:
    """The residuals of the SCF, for each place of a run."""
    traces = []
    for index, (colour, dash, symbol) in enumerate(STYLES):
        run = comparison.runs[index] if index < len(comparison.runs) else None
        residuals = run.residuals if run else ()
        traces.append(
            go.Scatter(
                x=tuple(range(1, len(residuals) + 1)),
                y=residuals,
                name=_name(run),
                visible=bool(residuals),
                mode="lines+markers",
                line={"color": colour, "dash": dash},
                marker={"symbol": symbol, "size": 7},
            )
        )
    return traces


def _name(run: ComparedRun | None) -> str:
    return f"{run.letter}: {run.settings['structure']}, {run.settings['functional']}" if run else ""


def _short(reference: str) -> str:
    return reference.split(" (")[0]


def _size_axis(comparison: Comparison) -> str:
    varied = {run.curve.varied for run in comparison.runs if run.curve}
    return " or ".join(AXES[name] for name in AXES if name in varied) or AXES["volume"]


def _hint(text: str) -> str:
    return f'<p class="mlxc-hint">{escape(text)}</p>'
