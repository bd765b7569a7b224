"""Panels of which one is unfolded, each made when it is unfolded for the first time.

A figure costs megabytes and time, so a page on which nobody looks at it does not have it. A folded panel keeps its
width and is merely invisible and of no height: figures and canvases in a panel with ``display: none`` would measure
themselves as empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ipywidgets import HTML, VBox, Widget
from traitlets import HasTraits, Unicode

from mlxc_app.page.navigation import Navigation
from mlxc_app.panels.panel import Panel
from mlxc_app.widgets.glossary import explained
from mlxc_app.widgets.message import MessageArea


class Accordion(HasTraits):
    """The buttons of all panels, group by group, then the panel that belongs to the pressed one.

    Args:
        panels: The panels.
        messages: Where mistakes are told.
        line: What stands between the buttons and the panel.

    Attributes:
        unfolded: The name of the panel that is shown; empty before :meth:`unfold` is called for the first time.
    """

    unfolded = Unicode()

    def __init__(self, panels: Sequence[Panel], messages: MessageArea, line: Widget | None = None) -> None:
        super().__init__()
        self._panels = {panel.name: panel for panel in panels}
        self._places = {panel.name: _place(panel) for panel in panels}
        self.navigation = Navigation(panels)
        lines = [] if line is None else [line]
        self.widget = VBox([self.navigation.widget, *lines, *self._places.values()])
        self.navigation.observe(messages.guard(lambda change: self._show(change["new"])), "chosen")

    def unfold(self, name: str) -> None:
        """Show one panel."""
        self.navigation.chosen = name
        self._show(name)

    def _show(self, name: str) -> None:
        if name == self.unfolded:
            return
        if self.unfolded:
            self._places[self.unfolded].add_class("mlxc-folded")
            self._tell(self.unfolded, False)
        self._fill(name)
        self._places[name].remove_class("mlxc-folded")
        self.unfolded = name
        self._tell(name, True)

    def _fill(self, name: str) -> None:
        panel, place = self._panels[name], self._places[name]
        if not place.children:
            about = f"<summary>What am I looking at?</summary>{explained(panel.about)}"
            place.children = [HTML(f'<details class="mlxc-about">{about}</details>'), panel.make()]

    def _tell(self, name: str, shown: bool) -> None:
        tell = self._panels[name].shown
        if tell is not None:
            tell(shown)


def _place(panel: Panel) -> VBox:
    """Where the panel will be."""
    place: Any = VBox()
    for style in ("mlxc-pane", "mlxc-folded", panel.style_class):
        place.add_class(style)
    return place
