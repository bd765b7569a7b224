"""Panels of which one is unfolded.

A folded panel keeps its width and is merely invisible and of no height: figures and canvases in a panel with
``display: none`` would measure themselves as empty.
"""

from __future__ import annotations

from typing import Any

from ipywidgets import HBox, ToggleButtons, VBox, Widget
from traitlets import HasTraits, Unicode


class Panes(HasTraits):
    """A row of buttons (and something ``beside`` them), and below it the panel that belongs to the pressed one.

    Attributes:
        unfolded: name of the panel that is shown.
    """

    unfolded = Unicode()

    def __init__(self, panels: dict[str, Widget], beside: Widget) -> None:
        super().__init__()
        self._panels = panels
        self._buttons = ToggleButtons(options=list(panels))
        self._buttons.add_class("mlxc-tabs")
        for panel in panels.values():
            panel.add_class("mlxc-pane")
        row = HBox([self._buttons, beside])
        row.add_class("mlxc-tab-row")
        self.widget = VBox([row, *panels.values()])
        self._buttons.observe(self._fold, "value")
        self._fold()

    def unfold(self, name: str) -> None:
        """Show one panel."""
        self._buttons.value = name

    def _fold(self, change: Any = None) -> None:
        for name, panel in self._panels.items():
            if name == self._buttons.value:
                panel.remove_class("mlxc-folded")
            else:
                panel.add_class("mlxc-folded")
        self.unfolded = self._buttons.value
