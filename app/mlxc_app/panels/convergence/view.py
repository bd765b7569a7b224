"""The plot of free energy and density against the SCF step, and the table of energy terms."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, Button, Dropdown, HBox, VBox

from mlxc_app.panels.convergence.advice import Advice, Suggestion
from mlxc_app.panels.convergence.detail import DETAILS, detail_ranges, detail_traces, last_step
from mlxc_app.panels.convergence.model import ConvergenceModel, ConvergencePicture
from mlxc_app.panels.panel import Page, Panel
from mlxc_app.widgets.glossary import explained
from mlxc_app.widgets.live_figure import axis, live_figure, replace_data
from mlxc_app.widgets.message import MessageArea, card
from mlxc_app.widgets.palette import BLUE, GREY, VERMILLION
from mlxc_app.widgets.typeset import typeset_html

ABOUT = (
    "The electrons feel a potential that depends on their own density, so the density is found step by step. "
    "Both curves should fall, roughly along straight lines; the run ends when the density residual is below the target."
)
# Powers of ten that are always in view.
RESIDUAL_DECADES, CHANGE_DECADES = (-8, 0), (-12, 0)
# Name of the term, and what it is in plain words.
TERMS = {
    "kinetic": ("Kinetic", "motion of the valence electrons"),
    "local": ("Local pseudopotential", "attraction by the ions, the same for all electrons"),
    "nonlocal": ("Nonlocal pseudopotential", "attraction by the ions, depends on s, p, d character"),
    "hartree": ("Hartree", "repulsion of the density with itself"),
    "xc": ("Exchange-correlation", "the model that was chosen"),
    "ewald": ("Ewald", "ions with each other"),
    "pseudopotential_core": ("Pseudopotential core", "constant: ions are not points"),
    "entropy": ("Entropy, −TS", "of the smeared occupations"),
}


def convergence_panel(page: Page) -> Panel:
    """The panel at whose place a run is watched."""
    model = ConvergenceModel(page.run, page.choose)
    return Panel("Convergence", f"<p>{ABOUT}</p>", lambda: ConvergenceView(model, page.messages).widget, kinds=("scf",))


class ConvergenceView:
    """Observes a :class:`ConvergenceModel`."""

    def __init__(self, model: ConvergenceModel, messages: MessageArea) -> None:
        self.figure = live_figure(
            _traces(model.picture),
            height=310,
            margin={"l": 80, "r": 20, "t": 10, "b": 55},
            xaxis=axis("SCF step", domain=[0, 0.44], tickformat="d", range=_steps(model.picture)),
            yaxis=axis("density residual (per electron)", **_residual_axis(model.picture)),
            xaxis2=axis("SCF step", domain=[0.58, 1], anchor="y2", tickformat="d", range=_steps(model.picture)),
            yaxis2=axis("change of F from the step before (Ha)", anchor="x2", **_change_axis(model.picture)),
        )
        self._caption = HTML()
        self._caption.add_class("mlxc-caption")
        self.notes, self._table, self._moments = HTML(), HTML(), HTML()
        advice = AdviceView(model, messages)
        detail = DetailView(model, messages)
        below = HBox([detail.widget, VBox([self._moments, self._table])])
        below.add_class("mlxc-side-by-side")
        self.widget = VBox([self._caption, self.figure, self.notes, advice.widget, below])
        self._show_words(model.picture)
        model.observe(messages.guard(self._show), "picture")

    def _show(self, change: Any) -> None:
        picture: ConvergencePicture = change["new"]
        layout = self.figure.layout
        with self.figure.batch_update():
            replace_data(self.figure, _traces(picture))
            layout.xaxis.range = layout.xaxis2.range = _steps(picture)
            layout.yaxis.range = _residual_axis(picture)["range"]
            layout.yaxis2.range = _change_axis(picture)["range"]
        self._show_words(picture)

    def _show_words(self, picture: ConvergencePicture) -> None:
        self._caption.value = f"<h3>{escape(picture.caption)}</h3>" if picture.steps else _PLACEHOLDER
        self.notes.value = second_start_words(picture)
        self._moments.value = moments_table(picture)
        self._table.value = energy_table(picture)


class DetailView:
    """One more plot of a :class:`ConvergenceModel`, of what a person chooses."""

    def __init__(self, model: ConvergenceModel, messages: MessageArea) -> None:
        self._model = model
        self.choice = Dropdown(options=list(DETAILS), description="Look at", layout={"width": "330px"})
        detail = DETAILS[self.choice.value]
        x_range, y_range = detail_ranges(self.choice.value, model.picture, model.fillings)
        self.figure = live_figure(
            detail_traces(self.choice.value, model.picture, model.fillings),
            height=300,
            showlegend=True,
            barmode="stack",
            legend={"x": 1.01, "y": 0.94},
            margin={"l": 80, "r": 210, "t": 10, "b": 55},
            xaxis=axis(detail.x_title, range=x_range),
            yaxis=axis(detail.y_title, range=y_range, **_scale(detail.logarithmic)),
        )
        self._about = HTML()
        self.widget = VBox([self.choice, self._about, self.figure])
        self._show_words()
        model.observe(messages.guard(self._show), ["picture", "fillings"])
        self.choice.observe(messages.guard(self._show), "value")

    def _show(self, change: Any = None) -> None:
        name, picture, fillings = self.choice.value, self._model.picture, self._model.fillings
        detail, layout = DETAILS[name], self.figure.layout
        with self.figure.batch_update():
            replace_data(self.figure, detail_traces(name, picture, fillings))
            layout.xaxis.range, y_range = detail_ranges(name, picture, fillings)
            layout.yaxis.update(_scale(detail.logarithmic), range=y_range, autorange=y_range is None)
            layout.xaxis.title.text, layout.yaxis.title.text = detail.x_title, detail.y_title
        self._show_words()

    def _show_words(self) -> None:
        detail = DETAILS[self.choice.value]
        drawn = any(trace.visible for trace in self.figure.data)
        missing = "" if drawn else f'<p class="mlxc-placeholder">{escape(detail.missing)}</p>'
        self._about.value = f'<p class="mlxc-hint">{explained(typeset_html(escape(detail.about)))}</p>{missing}'


class AdviceView:
    """Says why a :class:`ConvergenceModel` converges slowly, with buttons that fill in what may help."""

    def __init__(self, model: ConvergenceModel, messages: MessageArea) -> None:
        self._model, self._messages = model, messages
        self._words = HTML()
        self._buttons = HBox()
        self._shown = Advice()
        self.widget = VBox([self._words, self._buttons])
        self._show()
        model.observe(messages.guard(self._show), "picture")

    def _show(self, change: Any = None) -> None:
        advice = self._model.picture.advice
        self._words.value = card("warning", advice.sentence) if advice.sentence else ""
        if advice.suggestions != self._shown.suggestions:
            self._buttons.children = [self._button(suggestion) for suggestion in advice.suggestions]
        self._shown = advice

    def _button(self, suggestion: Suggestion) -> Button:
        button = Button(description=f"Try: {suggestion.label}", tooltip="Fill this into the form on the left")
        button.add_class("mlxc-try")
        button.on_click(self._messages.guard(lambda _: self._take(suggestion)))
        return button

    def _take(self, suggestion: Suggestion) -> None:
        self._model.take(suggestion)
        self._messages.show("information", f"{suggestion.label}: filled in on the left. Press Run to try it.")


def _scale(logarithmic: bool) -> dict[str, Any]:
    return {"type": "log", "exponentformat": "power"} if logarithmic else {"type": "linear", "exponentformat": "none"}


def _traces(picture: ConvergencePicture) -> list[go.Scatter]:
    return [
        go.Scatter(
            x=picture.steps, y=picture.residuals, mode="lines+markers", line_color=BLUE, name="density residual"
        ),
        go.Scatter(
            x=_steps(picture),
            y=[picture.target] * 2,
            mode="lines",
            line={"color": GREY, "dash": "dot"},
            name="target",
        ),
        go.Scatter(
            x=[picture.second_start] * 2,
            y=[10.0**decade for decade in RESIDUAL_DECADES],
            visible=picture.second_start is not None,
            mode="lines",
            line={"color": VERMILLION, "dash": "dash"},
            name="second start",
        ),
        go.Scatter(
            x=picture.steps[1:],
            y=picture.energy_changes,
            mode="lines+markers",
            marker_symbol="square",
            line_color=VERMILLION,
            name="change of F",
            xaxis="x2",
            yaxis="y2",
        ),
    ]


def _steps(picture: ConvergencePicture) -> list[int]:
    return [0, last_step(picture) + 1]


def _residual_axis(picture: ConvergencePicture) -> dict[str, Any]:
    return _decades((*picture.residuals, picture.target), RESIDUAL_DECADES)


def _change_axis(picture: ConvergencePicture) -> dict[str, Any]:
    return _decades(picture.energy_changes, CHANGE_DECADES)


def _decades(values: Sequence[float], always: tuple[int, int]) -> dict[str, Any]:
    """A logarithmic axis that holds the values, and at least the powers of ten that are ``always`` in view."""
    logarithms = [log10(value) for value in values if value > 0]
    low, high = min([*logarithms, always[0]]), max([*logarithms, always[1]])
    return {"type": "log", "exponentformat": "power", "range": [floor(low) - 0.3, ceil(high) + 0.3]}


_PLACEHOLDER = explained('<p class="mlxc-placeholder">After Run, a point appears here for each SCF step.</p>')


def second_start_words(picture: ConvergencePicture) -> str:
    """HTML of a sentence about a second start; empty if there is none."""
    if picture.second_start is None:
        return ""
    return card(
        "information",
        "The first start may have missed the lowest state: it lost its moment on the way, did not come to rest, or "
        f"filled the open shell of a free atom in one of several ways. With step {picture.second_start} (dashed line) "
        "the calculation begins again, from larger moments or with other orbitals filled; of two states that have "
        "converged the one with the lower energy is kept.",
    )


def moments_table(picture: ConvergencePicture) -> str:
    """HTML table of the moments of the atoms, those that are alike in one row; empty without spin."""
    alike: dict[tuple[str, str], list[str]] = {}
    for number, (symbol, moment) in enumerate(picture.atomic_moments, start=1):
        # Adding zero makes a zero of what rounds to minus zero.
        words = f"{round(moment, 2) + 0.0:.2f}".replace("-", "−")
        alike.setdefault((symbol, words), []).append(str(number))
    if not alike:
        return ""
    rows = "".join(
        f'<tr><td>{escape(symbol)}</td><td class="mlxc-muted">{", ".join(numbers)}</td>'
        f'<td class="mlxc-number">{words}</td></tr>'
        for (symbol, words), numbers in alike.items()
    )
    heading = '<tr><th>Element</th><th>atoms</th><th class="mlxc-number">moment (μB), by Hirshfeld</th></tr>'
    return f'<table class="mlxc-table mlxc-moments"><thead>{heading}</thead><tbody>{rows}</tbody></table>'


def energy_table(picture: ConvergencePicture) -> str:
    """HTML table of the terms of the free energy, Ha."""
    if picture.free_energy is None:
        return ""
    rows = [_row(*TERMS.get(name, (name, "")), value) for name, value in picture.energies.items()]
    total = _row("The free energy F", "the sum; the quantity that is minimised", picture.free_energy)
    heading = '<tr><th>Energy term</th><th>what it is</th><th class="mlxc-number">energy (Ha)</th></tr>'
    body = f"<tbody>{''.join(rows)}</tbody><tfoot>{total}</tfoot>"
    return explained(f'<table class="mlxc-table"><thead>{heading}</thead>{body}</table>')


def _row(name: str, meaning: str, value: float) -> str:
    number = f"{value:.6f}".replace("-", "−")
    words = f'<td>{escape(name)}</td><td class="mlxc-muted">{escape(meaning)}</td>'
    return f'<tr>{words}<td class="mlxc-number">{number}</td></tr>'
