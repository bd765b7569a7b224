"""The runs that wait for their turn, each with a button that removes it."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import HTML, Button, HBox, VBox

from mlxc_app.run.model import RunModel, WaitingRun
from mlxc_app.widgets.message import MessageArea

SHOWN = 4


class QueueView:
    """Observes the waiting runs of a :class:`RunModel`."""

    def __init__(self, run: RunModel, messages: MessageArea) -> None:
        self._run, self._messages = run, messages
        self.widget = VBox()
        self.widget.add_class("mlxc-queue")
        run.observe(messages.guard(self._show), "waiting")
        self._show()

    def _show(self, change: Any = None) -> None:
        waiting = self._run.waiting
        rows = [HTML(f"<strong>{len(waiting)} waiting</strong>")] if waiting else []
        rows += [self._row(entry) for entry in waiting[:SHOWN]]
        if len(waiting) > SHOWN:
            rows.append(HTML(f'<span class="mlxc-muted">and {len(waiting) - SHOWN} more</span>'))
        self.widget.children = rows

    def _row(self, entry: WaitingRun) -> HBox:
        remove = Button(description="Remove", tooltip=f"Do not compute {entry.title}")
        remove.on_click(self._messages.guard(lambda button: self._run.remove(entry.name)))
        return HBox([HTML(escape(entry.title)), remove])
