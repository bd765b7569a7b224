"""The runs that wait for their turn, each with its number in line and a button that removes it; and one for all."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import HTML, Button, HBox, ToggleButton, VBox

from mlxc_app.run.line import WaitingRun
from mlxc_app.run.model import RunModel
from mlxc_app.widgets.choosing.escape import ESCAPES
from mlxc_app.widgets.message import MessageArea

SHOWN = 4
NONE_WAITING = "Compute none of the runs that wait; what is computed goes on"
NONE_NEXT = "Compute none of the runs that come after the one that was stopped"


class QueueView:
    """Observes the waiting runs of a :class:`RunModel`: a button says how many they are and opens their list.

    After a stop another button offers to compute none of those that come next.

    Attributes:
        widget: The buttons and the list, which lies over what is below it; empty while no run waits, nor comes next
            after a stop.
    """

    def __init__(self, run: RunModel, messages: MessageArea) -> None:
        self._run, self._messages = run, messages
        self._button = ToggleButton(tooltip="Runs that wait for their turn: see or remove them")
        self._empty = Button(description="Empty the line")
        self._empty.add_class("mlxc-empty-line")
        self._empty.on_click(messages.starting(run.empty_line))
        self._button.add_class(ESCAPES)
        self._list = VBox()
        self._list.add_class("mlxc-menu")
        self.widget = VBox()
        self.widget.add_class("mlxc-queue")
        self._button.observe(messages.guard(self._show), "value")
        run.observe(messages.guard(self._show), ["waiting", "stopped_before_others"])
        self._show()

    def _show(self, change: Any = None) -> None:
        waiting, comes_next = self._run.waiting, self._run.stopped_before_others
        self._button.description = f"{len(waiting)} waiting"
        self._button.value = self._button.value and bool(waiting)
        rows = [self._row(entry) for entry in waiting[:SHOWN]]
        if len(waiting) > SHOWN:
            rows.append(HTML(f'<span class="mlxc-muted">and {len(waiting) - SHOWN} more</span>'))
        self._empty.tooltip = NONE_NEXT if comes_next else NONE_WAITING
        # Where a person looks for it: beside the button that has stopped a run, or below the list.
        self._list.children = rows if comes_next else [*rows, self._empty]
        shown = [self._button, self._list] if self._button.value else [self._button]
        self.widget.children = [*([self._empty] if comes_next else []), *(shown if waiting else [])]

    def _row(self, entry: WaitingRun) -> HBox:
        remove = Button(description="Remove", tooltip=f"Do not compute {entry.title}")
        remove.on_click(self._messages.guard(lambda button: self._run.remove(entry.name)))
        words = f'{escape(entry.title)}<br><span class="mlxc-muted">{escape(entry.words)}</span>'
        return HBox([HTML(words), remove])
