"""The energies of magnetic orders as a plot, and a table with the moments of each."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

import plotly.graph_objects as go
from ipywidgets import HTML, Button, Dropdown, HBox, VBox

from mlxc.tasks.orders.presentation import figure, mean_moments, order_note
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.orders.model import OrdersModel, OrdersPicture
from mlxc_app.panels.panel import Page, Panel
from mlxc_app.panels.starting import Start, StartingView
from mlxc_app.widgets.live_figure import axis, live_figure, replace_data
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.palette import BLUE, GREEN, GREY, VERMILLION
from mlxc_app.widgets.typeset import told

ABOUT = (
    "In a magnetic crystal each atom has a moment, up (↑) or down (↓). All up is a ferromagnet; up and down in equal "
    "numbers is an antiferromagnet, and there are as many of those as ways to arrange them that symmetry does not make "
    "equal. Each arrangement is computed with the same k points; the one of lowest energy is what the functional "
    "predicts. Layers are the planes of atoms in which all moments are parallel."
)
_PLACEHOLDER = (
    '<p class="mlxc-placeholder">Choose a crystal with magnetic atoms and press “Run magnetic orders”: the energy of '
    "each order appears here as soon as it is computed.</p>"
)
# Told apart by their markers as well as by colour.
LOOKS = {
    "non-magnetic": (GREY, "circle-open"),
    "ferromagnetic": (VERMILLION, "triangle-up"),
    "antiferromagnetic": (BLUE, "diamond"),
    "ferrimagnetic": (GREEN, "triangle-down"),
}
ARROW_COLOURS = {"↑": VERMILLION, "↓": BLUE}
COLUMNS = (
    "moments",
    "cells",
    "F (meV per atom)",
    "moment per cell (μB)",
    "of atoms (μB)",
    "gap (eV)",
    "remark",
)
CELLS = (1, 2, 3, 4)


def orders_panel(page: Page) -> Panel:
    """The panel of magnetic orders."""
    model = OrdersModel(page.run, page.choose)
    return Panel(
        "Magnetic orders",
        f"<p>{ABOUT}</p>",
        lambda: OrdersView(model, page.choose, page.messages).widget,
        kinds=("orders",),
    )


class OrdersView:
    """Observes an :class:`OrdersModel`."""

    def __init__(self, model: OrdersModel, choose: ChooseModel, messages: MessageArea) -> None:
        self._model = model
        start = Button(
            description="Run magnetic orders",
            button_style="primary",
            tooltip="Orders of what is chosen",
            layout={"width": "auto"},
        )
        self._cells = Dropdown(
            options=CELLS,
            value=model.max_cells,
            description="Cells at most",
            style={"description_width": "105px"},
            layout={"width": "200px"},
        )
        self._words, self._table = HTML(), HTML()
        self.figure = live_figure(
            traces(model.picture),
            height=330,
            showlegend=True,
            legend={"orientation": "h", "y": 1.04, "yanchor": "bottom", "x": 0},
            margin={"l": 330, "r": 40, "t": 50, "b": 55},
            xaxis=axis("F above the lowest (meV per atom)", zeroline=True, range=_energies(model.picture)),
            yaxis=axis("", type="category", **_names(model.picture)),
        )
        cost = StartingView(choose, [Start(start, model.task)], model, ["max_cells"])
        row = HBox([start, self._cells, cost.widget])
        row.add_class("mlxc-panel-row")
        self.widget = VBox([row, self._words, self.figure, self._table])
        start.on_click(messages.starting(model.start))
        self._cells.observe(messages.guard(self._chosen), "value")
        model.observe(messages.guard(self._show), "picture")
        self._show_words(model.picture)

    def _chosen(self, change: Any) -> None:
        self._model.max_cells = change["new"]

    def _show(self, change: Any) -> None:
        picture: OrdersPicture = change["new"]
        with self.figure.batch_update():
            replace_data(self.figure, traces(picture))
            self.figure.layout.yaxis.update(_names(picture))
            self.figure.layout.xaxis.range = _energies(picture)
        self._show_words(picture)

    def _show_words(self, picture: OrdersPicture) -> None:
        words = f"<h3>{escape(picture.title)}</h3><p>{told(picture.words)}</p>"
        self._words.value = words if picture.title else _PLACEHOLDER
        self._table.value = orders_table(picture)


def traces(picture: OrdersPicture) -> list[go.Scatter]:
    """The energy of each order, a trace for each kind of order; those without a reference of energy are left out."""
    found = []
    for kind, (colour, symbol) in LOOKS.items():
        orders = [
            order
            for order in picture.orders
            if order["order_kind"] == kind and order["relative_mev_per_atom"] is not None
        ]
        energies = [order["relative_mev_per_atom"] for order in orders]
        found.append(
            go.Scatter(
                x=energies,
                y=[order["name"] for order in orders],
                name=kind,
                text=[f" {energy:.1f}" for energy in energies],
                textposition="middle right",
                mode="markers+text",
                visible=bool(orders),
                marker={"color": colour, "symbol": symbol, "size": 14, "line": {"width": 2}},
                hovertemplate="%{y}: %{x:.2f} meV per atom<extra></extra>",
            )
        )
    return found


def _names(picture: OrdersPicture) -> dict[str, Any]:
    """The orders from top to bottom as they were computed."""
    names = [order["name"] for order in picture.orders]
    return {"categoryorder": "array", "categoryarray": names, "range": [max(len(names), 1) - 0.5, -0.5]}


def _energies(picture: OrdersPicture) -> list[float]:
    """The range of energies, with room for the markers, and for the figures on their right."""
    found = [order["relative_mev_per_atom"] for order in picture.orders]
    energies = [0.0, *(energy for energy in found if energy is not None)]
    width = max(energies) - min(energies) or 1.0
    return [min(energies) - 0.06 * width, max(energies) + 0.2 * width]


def orders_table(picture: OrdersPicture) -> str:
    """HTML table: a row for each order, its moments as arrows."""
    if not picture.orders:
        return ""
    heads = "".join(f'<th class="mlxc-number">{column}</th>' for column in COLUMNS[1:-1])
    heading = f"<tr><th>order</th><th>{COLUMNS[0]}</th>{heads}<th>{COLUMNS[-1]}</th></tr>"
    rows = "".join(_row(order) for order in picture.orders)
    table = f'<table class="mlxc-table"><thead>{heading}</thead><tbody>{rows}</tbody></table>'
    return f'<div class="mlxc-orders">{table}</div>'


def _row(order: Mapping[str, Any]) -> str:
    lowest = order["relative_mev_per_atom"] == 0
    numbers = [
        str(order["cells"]),
        figure(order["relative_mev_per_atom"], 2),
        figure(order["magnetisation_bohr_magneton"], 2),
        mean_moments(order) or "-",
        figure(order["gap_ev"], 2),
    ]
    cells = "".join(f'<td class="mlxc-number">{escape(cell.replace("-", "−"))}</td>' for cell in numbers)
    name, style = escape(order["name"]), ' class="mlxc-strong"' if lowest else ""
    remark = escape(order_note(order) or ("the lowest" if lowest else ""))
    return f"<tr{style}><td>{name}</td><td>{arrows(order['pattern'])}</td>{cells}<td>{remark}</td></tr>"


def arrows(pattern: str) -> str:
    """HTML of the moments of magnetic atoms, such as ``Mn↑ Mn↓``, with arrows in two colours."""
    moments = [word for word in pattern.split() if word[-1] in ARROW_COLOURS]
    drawn = [
        f'{escape(word[:-1])}<span style="color: {ARROW_COLOURS[word[-1]]}; font-weight: bold">{word[-1]}</span>'
        for word in moments
    ]
    return " ".join(drawn) or "none"
