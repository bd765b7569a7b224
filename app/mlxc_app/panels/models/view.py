"""The panel in which functionals are compared on many solids: a list to tick, a table, and what is below it."""

from __future__ import annotations

import asyncio
from html import escape
from typing import Any

from ipywidgets import HTML, Button, HBox, ToggleButtons, VBox

from mlxc.structures.files import MAX_FILE_BYTES
from mlxc.xc.checkpoints.record import SUFFIX
from mlxc_app.choose.functional_picker import ERROR_BARS, LIMIT
from mlxc_app.panels.models.calibration_view import CalibrationView
from mlxc_app.panels.models.cell_view import CellView
from mlxc_app.panels.models.columns import QUANTITIES, Column, cell_content, solid_label, summary_content
from mlxc_app.panels.models.hand_view import HandView
from mlxc_app.panels.models.heat_table import HeatTable
from mlxc_app.panels.models.model import ModelsModel
from mlxc_app.panels.panel import MODELS, Page, Panel
from mlxc_app.widgets.choosing.grouped_ticks import GroupedTicks
from mlxc_app.widgets.choosing.upload import Upload
from mlxc_app.widgets.message import MessageArea, card

ABOUT = (
    "How well functionals do on 28 solids and two sheets, within a second each. Densities of PBE are stored at seven "
    "volumes of each solid; another functional is evaluated at these densities, so that its lattice constant and bulk "
    "modulus are those of a self-consistent calculation but for differences of second order. A cell has the error "
    "against what was measured, corrected for zero-point motion. Point at it for the numbers, press it for the "
    "equation of state and for the densities that make the difference."
)
PLACEHOLDER = (
    '<p class="mlxc-placeholder">Tick functionals on the left: each becomes a column, with its error for every solid. '
    "Try pbe, pbesol and solids-mgga.</p>"
)
STARTING = (
    '<p class="mlxc-placeholder">The stored densities are being loaded; this takes some seconds the first time …</p>'
)


def models_panel(page: Page) -> Panel:
    """The panel of functionals on many solids."""
    model = ModelsModel(page.run, page.choose)

    def make() -> VBox:
        model.look()
        return ModelsView(model, page.messages).widget

    return Panel("Models", f"<p>{ABOUT}</p>", make, group=MODELS, shows=("eos",), follow=model.follow)


class ModelsView:
    """Observes a :class:`ModelsModel`."""

    def __init__(self, model: ModelsModel, messages: MessageArea) -> None:
        self._model, self._messages = model, messages
        self._examination: asyncio.Task[None] | None = None
        self._ticks = GroupedTicks(description="Functionals to compare", remembered_as="mlxc-models")
        upload = Upload("Your checkpoint …", f"{LIMIT}; or drop it here", SUFFIX, MAX_FILE_BYTES, self._bring, messages)
        self._quantity = ToggleButtons(
            options=[(quantity.label, name) for name, quantity in QUANTITIES.items()],
            value=model.quantity,
            style={"button_width": "auto"},
        )
        self._save = Button(description="Save the table", tooltip="The table as CSV and JSON, and a figure")
        self._legend, self._words, self._files = HTML(), HTML(), HTML()
        self.table = HeatTable()
        bar = HBox([self._quantity, self._save, self._legend, self._files])
        bar.add_class("mlxc-panel-row")
        hand, cell = HandView(model, messages), CellView(model, messages)
        calibration = CalibrationView(model, messages)
        right = VBox([bar, hand.widget, self._words, self.table, cell.widget, calibration.widget])
        self.widget = HBox([VBox([self._ticks, upload]), right])
        self.widget.add_class("mlxc-models")
        self._observe()
        self._list()
        self._show()

    def _observe(self) -> None:
        guard, model = self._messages.guard, self._model
        self._ticks.observe(guard(self._ticked), "ticked")
        self._quantity.observe(guard(self._turn), "value")
        self._save.on_click(self._messages.starting(model.take_away))
        self.table.on_msg(guard(self._pressed))
        model.observe(guard(self._list), ["groups", "ticked"])
        model.observe(guard(self._show), ["solids", "columns", "quantity", "cell", "problem"])
        model.observe(guard(self._show_moved), "moved")
        model.confirming.observe(guard(self._show), "results")
        model.observe(guard(self._show_files), "files")

    def _ticked(self, change: Any) -> None:
        if tuple(self._ticks.listed) != self._model.ticked:
            self._messages.clear()
            self._model.tick(self._ticks.listed)

    def _turn(self, change: Any) -> None:
        self._model.quantity = change["new"]

    def _pressed(self, widget: HeatTable, content: dict[str, Any], buffers: object) -> None:
        self._model.choose_cell(str(content.get("column")), str(content.get("solid")))

    def _bring(self, name: str, content: bytes) -> None:
        self._messages.show("information", f"{name} is being examined …")
        self._examination = asyncio.get_running_loop().create_task(self._examine(name, content))

    async def _examine(self, name: str, content: bytes) -> None:
        before = self._model.ticked
        await self._messages.guarded(self._model.bring(name, content))
        if self._model.ticked != before:
            self._messages.clear()

    def _list(self, change: Any = None) -> None:
        self._ticks.show(self._model.groups, self._model.ticked)

    def _show(self, change: Any = None) -> None:
        model, quantity = self._model, QUANTITIES[self._model.quantity]
        self._show_words()
        self._legend.value = _legend(quantity.limit, quantity.label.lower())
        self.table.content = table_content(model)
        self.table.moved = moved_content(model)

    def _show_moved(self, change: Any) -> None:
        self._show_words()
        self.table.moved = moved_content(self._model)

    def _show_words(self) -> None:
        self._words.value = _words(self._model)

    def _show_files(self, change: Any) -> None:
        links = [
            f'<a download="{escape(name)}" href="data:application/octet-stream;base64,{data}">{escape(name)}</a>'
            for name, data in self._model.files.items()
        ]
        self._files.value = " &nbsp; ".join(links)


def shown_columns(model: ModelsModel) -> tuple[Column, ...]:
    """The functional under the hand, then those that are ticked."""
    return (*([] if model.moved is None else [model.moved]), *model.columns)


def table_content(model: ModelsModel) -> dict[str, Any]:
    """What the table shows of what is ticked, for the browser."""
    quantity = QUANTITIES[model.quantity]
    return {
        "limit": quantity.limit,
        "unit": quantity.shown_unit,
        "rows": [
            {
                "name": solid["name"],
                "label": solid_label(solid["name"]),
                "kind": solid["kind"],
                "measured": _measured(solid["references"].get(quantity.field), quantity.digits),
            }
            for solid in model.solids
        ],
        "columns": [_column_content(model, column) for column in model.columns],
        "chosen": [model.cell.functional, model.cell.solid] if model.cell is not None else [],
    }


def moved_content(model: ModelsModel) -> dict[str, Any]:
    """What the table shows of the functional under the hand; empty where there is none."""
    return {} if model.moved is None else _column_content(model, model.moved)


def _column_content(model: ModelsModel, column: Column) -> dict[str, Any]:
    quantity, results = QUANTITIES[model.quantity], model.confirming.results
    return {
        "name": column.name,
        "label": column.label,
        "problem": column.problem,
        "summary": summary_content(column, model.solids, quantity),
        "cells": {
            solid["name"]: cell_content(column, solid, quantity, results.get((column.name, solid["name"])))
            for solid in model.solids
        },
    }


def _measured(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"


def _words(model: ModelsModel) -> str:
    if model.problem:
        return card("error", model.problem)
    if not shown_columns(model):
        return PLACEHOLDER
    if not model.solids:
        return STARTING
    return "".join(card("error", column.problem) for column in shown_columns(model) if column.problem)


def _legend(limit: float, label: str) -> str:
    return (
        f'<span class="mlxc-hint" title="Error of the {label}">−{limit:g} %<i class="mlxc-heat-key"></i>+{limit:g} %'
        ' &nbsp; <i class="mlxc-heat-corner"></i> beyond training &nbsp; '
        f"{ERROR_BARS} has error bars</span>"
    )
