"""Controls that are rarely needed, folded behind a button."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ipywidgets import ToggleButton, VBox, Widget
from traitlets import Bool, HasTraits

from mlxc_app.widgets.message import MessageArea


class Disclosure(HasTraits):
    """A button, which the keyboard reaches, and what it unfolds; that is made when it is unfolded for the first time.

    Attributes:
        unfolded: Whether the content is shown.
    """

    unfolded = Bool(False)

    def __init__(self, title: str, make: Callable[[], Sequence[Widget]], messages: MessageArea) -> None:
        super().__init__()
        self._title, self._make = title, make
        self._button = ToggleButton()
        self._button.add_class("mlxc-fold-button")
        self._content = VBox()
        self._content.add_class("mlxc-fold-content")
        self.widget = VBox([self._button, self._content])
        self.widget.add_class("mlxc-fold")
        self._button.observe(messages.guard(lambda change: self._show(change["new"])), "value")
        self._show(False)

    def fold(self) -> None:
        """Hide the content."""
        self._button.value = False

    def unfold(self) -> None:
        """Show the content."""
        self._button.value = True

    def _show(self, unfolded: bool) -> None:
        if unfolded and not self._content.children:
            self._content.children = list(self._make())
        self._content.layout.display = "" if unfolded else "none"
        self._button.description = f"{'▾' if unfolded else '▸'} {self._title}"
        self._button.tooltip = f"{'Hide' if unfolded else 'Show'}: {self._title}"
        self.unfolded = unfolded
