"""The buttons of the panels, by the question that a panel answers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

from ipywidgets import HTML, HBox, ToggleButtons
from traitlets import HasTraits, Unicode

from mlxc_app.panels.panel import GROUPS, Panel


class Navigation(HasTraits):
    """A group of buttons for each question, of all of which one is pressed.

    A group whose only panel has its own name needs no heading.

    Attributes:
        chosen: The name of the panel whose button is pressed; empty as long as none is.
        widget: The buttons.
    """

    chosen = Unicode()

    def __init__(self, panels: Sequence[Panel]) -> None:
        super().__init__()
        groups: dict[str, list[str]] = {group: [] for group in GROUPS}
        for panel in panels:
            groups.setdefault(panel.group, []).append(panel.name)
        self._buttons = {group: _buttons(names) for group, names in groups.items() if names}
        self.widget = HBox([_group(name, buttons) for name, buttons in self._buttons.items()])
        self.widget.add_class("mlxc-tabs")
        for buttons in self._buttons.values():
            buttons.observe(self._pressed, "value")
        self.observe(self._show, "chosen")

    def _pressed(self, change: Any) -> None:
        if change["new"]:
            self.chosen = change["new"]

    def _show(self, change: Any) -> None:
        for buttons in self._buttons.values():
            buttons.value = self.chosen if self.chosen in buttons.options else None


def _buttons(names: Sequence[str]) -> ToggleButtons:
    return ToggleButtons(options=names, value=None, style={"button_width": "auto"})


def _group(name: str, buttons: ToggleButtons) -> HBox:
    heading = [] if buttons.options == (name,) else [HTML(f'<span class="mlxc-group-name">{escape(name)}</span>')]
    group = HBox([*heading, buttons])
    group.add_class("mlxc-group")
    return group
