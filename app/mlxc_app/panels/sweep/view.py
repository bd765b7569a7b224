"""The plots of a sweep, the buttons that start one, and those that take the value from which on it has converged."""

from __future__ import annotations

from functools import partial
from html import escape
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, Button, Checkbox, HBox, VBox

from mlxc.tasks.sweep.varied import VARIED
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.panel import Page, Panel
from mlxc_app.panels.starting import Start, StartingView
from mlxc_app.panels.sweep.model import ENERGY, SIZE, Converged, SweepModel, SweepPicture
from mlxc_app.widgets.binding import bind
from mlxc_app.widgets.live_figure import axis, live_figure, replace_data
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.palette import BLUE, GREEN, GREY, VERMILLION
from mlxc_app.widgets.typeset import told

ABOUT = (
    "A result counts only if a finer calculation does not change it. Here one setting is varied and all others stay: "
    "on the left how far each energy is from that of the last value, on the right the lattice constant. The green "
    "diamond is the first value from which on nothing changes by more than is tolerable: 1 meV per atom, or 0.1 %. "
    "Functionals have no such limit; they are compared."
)
_PLACEHOLDER = (
    '<p class="mlxc-placeholder">Press one of the buttons: what is chosen on the left is computed at several values of '
    "that setting, and each appears here.</p>"
)
# What decides which values would be computed.
PLANNED = ["blocker", "structure", "xc", "basis", "ecut_ha", "kmesh"]
# Small differences are noise of the convergence, and a logarithm knows no zero.
LEAST_MEV = 1e-3


def sweep_panel(page: Page) -> Panel:
    """The panel of sweeps."""
    model = SweepModel(page.run, page.choose)
    return Panel(
        "Sweep",
        f"<p>{ABOUT}</p>",
        lambda: SweepView(model, page.choose, page.messages).widget,
        kinds=("sweep",),
    )


class SweepView:
    """Observes a :class:`SweepModel`."""

    def __init__(self, model: SweepModel, choose: ChooseModel, messages: MessageArea) -> None:
        self._model, self._messages = model, messages
        buttons = {name: self._start(name) for name in VARIED}
        starts = [Start(button, partial(model.task, name), VARIED[name].title) for name, button in buttons.items()]
        cost = StartingView(choose, starts, model, ["lattice_constant"])
        sizes = Checkbox(
            description="lattice constant as well",
            indent=False,
            tooltip="An equation of state for each value: five times as long",
            layout={"width": "200px"},
        )
        bind(model, "lattice_constant", sizes, messages)
        picture = model.picture
        self._words, self._table, self._takes = HTML(), HTML(), HBox()
        self._takes.add_class("mlxc-panel-row")
        self.figure = live_figure(
            traces(picture),
            height=330,
            showlegend=True,
            legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
            margin={"l": 80, "r": 20, "t": 50, "b": 55},
            xaxis=axis(_x_title(picture), domain=_energy_domain(picture), type=_x_type(picture)),
            yaxis=axis("distance of F from the last (meV/atom)", type="log", exponentformat="power", dtick=1),
            xaxis2=axis(
                _x_title(picture), domain=[0.58, 1], anchor="y2", type=_x_type(picture), visible=_has_sizes(picture)
            ),
            yaxis2=axis(_size_title(picture), anchor="x2", tickformat=".3f", visible=_has_sizes(picture)),
        )
        row = HBox([*buttons.values(), sizes, cost.widget])
        row.add_class("mlxc-panel-row")
        self.widget = VBox([row, self._words, self._takes, self.figure, self._table])
        choose.observe(self._show_plans, PLANNED)
        model.observe(self._show_plans, "lattice_constant")
        model.observe(messages.guard(self._show), "picture")
        self._show_words(picture)

    def _start(self, name: str) -> Button:
        title = VARIED[name].title
        button = Button(
            description=f"Vary the {title}",
            button_style="primary",
            tooltip=f"Computes what is chosen at several values of the {title}",
        )
        button.on_click(self._messages.starting(lambda: self._model.start(name)))
        return button

    def _show_plans(self, change: Any = None) -> None:
        if not self._model.picture.title:
            self._words.value = self._placeholder()

    def _placeholder(self) -> str:
        """What each of the buttons would compute."""
        plans = "".join(f"<li>{escape(plan)}</li>" for plan in self._model.plans().values())
        return f"{_PLACEHOLDER}<ul>{plans}</ul>" if plans else _PLACEHOLDER

    def _show(self, change: Any) -> None:
        picture: SweepPicture = change["new"]
        layout = self.figure.layout
        with self.figure.batch_update():
            replace_data(self.figure, traces(picture))
            for x_axis in (layout.xaxis, layout.xaxis2):
                x_axis.type, x_axis.title.text, x_axis.autorange = _x_type(picture), _x_title(picture), True
            layout.yaxis2.title.text = _size_title(picture)
            layout.xaxis.domain = _energy_domain(picture)
            layout.xaxis2.visible = layout.yaxis2.visible = _has_sizes(picture)
        self._show_words(picture)

    def _show_words(self, picture: SweepPicture) -> None:
        words = (
            f"<h3>{escape(picture.title)}</h3><p>{told(picture.words)}</p>"
            f'<p class="mlxc-hint">{escape(picture.settings)}</p>'
        )
        self._words.value = words if picture.title else self._placeholder()
        self._takes.children = [self._take(converged) for converged in picture.converged]
        self._table.value = sweep_table(picture)

    def _take(self, converged: Converged) -> Button:
        button = Button(
            description=f"Take {converged.label} ({converged.what})",
            tooltip="Choose what was computed, with this value",
        )
        button.add_class("mlxc-try")
        button.on_click(self._messages.guard(lambda _: self._taken(converged)))
        return button

    def _taken(self, converged: Converged) -> None:
        self._model.take(converged)
        self._messages.show("information", f"{converged.label} is chosen on the left. Press Run to compute with it.")


def traces(picture: SweepPicture) -> list[go.Scatter]:
    """Energies with what is tolerable of them, lattice constants, and where both have converged."""
    x, varied = picture.places, picture.varied
    energies = [max(abs(energy), LEAST_MEV) for energy in picture.energies]
    sizes = _sizes(picture)
    # The last value has no distance from itself.
    shown = slice(None, -1)
    tolerable = {"x": x[shown], "y": [picture.tolerance_mev] * len(x[shown])}
    hover = "%{x}: %{y:.3f}"
    look: dict[str, Any] = {"mode": "lines+markers", "cliponaxis": False}
    return [
        go.Scatter(
            x=x[shown], y=energies[shown], name="energy", line_color=BLUE, marker_size=9,
            hovertemplate=f"{hover} meV/atom<extra></extra>", visible=len(x) > 1, **look,
        ),
        go.Scatter(
            **tolerable, name=f"{picture.tolerance_mev:g} meV per atom", mode="lines",
            line={"color": GREY, "dash": "dot"}, visible=len(x) > 1 and varied.has_limit,
        ),
        go.Scatter(
            x=x, y=sizes, name="lattice constant", xaxis="x2", yaxis="y2", line_color=VERMILLION, marker_size=9,
            marker_symbol="square", hovertemplate="%{x}: %{y:.4f} Å<extra></extra>",
            visible=any(size is not None for size in sizes), **look,
        ),
        # One of both is in the legend, for both.
        _mark(x, energies, picture.index_of(ENERGY), "x", "y", visible=bool(picture.converged)),
        _mark(x, sizes, picture.index_of(SIZE), "x2", "y2", showlegend=False),
    ]  # fmt: skip


def _mark(x: list[Any], y: list[Any], index: int | None, x_axis: str, y_axis: str, **look: Any) -> go.Scatter:
    return go.Scatter(
        x=[x[index]] if index is not None else [],
        y=[y[index]] if index is not None else [],
        name="converged from here on",
        xaxis=x_axis,
        yaxis=y_axis,
        mode="markers",
        cliponaxis=False,
        marker={"color": GREEN, "size": 15, "symbol": "diamond"},
        hoverinfo="skip",
        **look,
    )


def _has_sizes(picture: SweepPicture) -> bool:
    """Whether there is a second plot: without equations of state it would stay empty."""
    return picture.has_sizes or not picture.title


def _energy_domain(picture: SweepPicture) -> list[float]:
    return [0, 0.44] if _has_sizes(picture) else [0, 1]


def _sizes(picture: SweepPicture) -> list[float | None]:
    """Lattice constants, or where the crystal has none, lengths per atom."""
    own = [point.lattice_constant_ang for point in picture.points]
    return own if any(size is not None for size in own) else [point.size_ang for point in picture.points]


def _size_title(picture: SweepPicture) -> str:
    has_constant = any(point.lattice_constant_ang is not None for point in picture.points)
    has_size = any(point.size_ang is not None for point in picture.points)
    return "lattice constant a₀ (Å)" if has_constant or not has_size else "length per atom (Å)"


def _x_title(picture: SweepPicture) -> str:
    return {"cutoff": "cutoff (Ha)"}.get(picture.varied.name, picture.varied.title)


def _x_type(picture: SweepPicture) -> str:
    return "linear" if picture.varied.is_number else "category"


def sweep_table(picture: SweepPicture) -> str:
    """HTML table of all values; empty before the first."""
    if not picture.points:
        return ""
    heads = ("F (Ha/atom)", "F − last (meV/atom)", "a₀ (Å)", "B₀ (GPa)", "SCF steps")
    numbers = "".join(f'<th class="mlxc-number">{head}</th>' for head in heads)
    rows = "".join(_row(point, energy) for point, energy in zip(picture.points, picture.energies, strict=True))
    heading = f"<tr><th>{escape(picture.varied.title)}</th>{numbers}</tr>"
    return f'<table class="mlxc-table"><thead>{heading}</thead><tbody>{rows}</tbody></table>'


def _row(point: Any, energy: float) -> str:
    cells = [
        f"{point.free_energy_per_atom_ha:.6f}",
        f"{energy:.2f}",
        _number(point.lattice_constant_ang, ".4f"),
        _number(point.bulk_modulus_gpa, ".1f"),
        str(point.iterations),
    ]
    words = "".join(f'<td class="mlxc-number">{cell.replace("-", "−")}</td>' for cell in cells)
    doubt = "" if point.converged else f' <span class="mlxc-muted">{escape(point.message)}</span>'
    return f"<tr><td>{escape(point.label)}{doubt}</td>{words}</tr>"


def _number(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
