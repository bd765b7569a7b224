"""The runs that wait for their turn, each with its number in line and a button that removes it."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import HTML, Button, HBox, ToggleButton, VBox

from mlxc_app.run.model import RunModel, WaitingRun
from mlxc_app.widgets.choosing.escape import ESCAPES
from mlxc_app.widgets.message import MessageArea

SHOWN = 4


class QueueView:
    """Observes the waiting runs of a :class:`RunModel`: a button says how many they are and opens their list.

    Attributes:
        widget: The button and the list, which lies over what is below it; empty while no run waits.
    """

    def __init__(self, run: RunModel, messages: MessageArea) -> None:
        self._run, self._messages = run, messages
        self._button = ToggleButton(tooltip="Runs that wait for their turn: see or remove them")
        self._button.add_class(ESCAPES)
        self._list = VBox()
        self._list.add_class("mlxc-menu")
        self.widget = VBox()
        self.widget.add_class("mlxc-queue")
        self._button.observe(messages.guard(self._show), "value")
        run.observe(messages.guard(self._show), "waiting")
        self._show()

    def _show(self, change: Any = None) -> None:
        waiting = self._run.waiting
        self._button.description = f"{len(waiting)} waiting"
        self._button.value = self._button.value and bool(waiting)
        rows = [self._row(entry) for entry in waiting[:SHOWN]]
        if len(waiting) > SHOWN:
            rows.append(HTML(f'<span class="mlxc-muted">and {len(waiting) - SHOWN} more</span>'))
        self._list.children = rows
        shown = [self._button, self._list] if self._button.value else [self._button]
        self.widget.children = shown if waiting else []

    def _row(self, entry: WaitingRun) -> HBox:
        remove = Button(description="Remove", tooltip=f"Do not compute {entry.title}")
        remove.on_click(self._messages.guard(lambda button: self._run.remove(entry.name)))
        words = f'{escape(entry.title)}<br><span class="mlxc-muted">{escape(entry.words)}</span>'
        return HBox([HTML(words), remove])
