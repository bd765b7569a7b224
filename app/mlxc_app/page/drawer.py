"""The column of choices, which is a drawer where a window has no room for two columns."""

from __future__ import annotations

from typing import Any

from ipywidgets import ToggleButton, VBox, Widget

from mlxc_app.widgets.choosing.escape import ESCAPES


class Drawer:
    """Keeps a column; the style sheet decides whether it stands beside the results or is pulled out over them.

    Attributes:
        button: The button that opens and closes it; not seen where the column is.
        widget: The place of the column.
    """

    def __init__(self, column: Widget) -> None:
        self.button = ToggleButton(tooltip="Choose crystal, functional and settings")
        self.button.add_class("mlxc-drawer-button")
        self.button.add_class(ESCAPES)
        self.widget = VBox([column])
        self.widget.add_class("mlxc-drawer")
        self.button.observe(self._show, "value")
        self._show()

    def open(self) -> None:
        """Pull it out."""
        self.button.value = True

    def close(self) -> None:
        """Push it back."""
        self.button.value = False

    def _show(self, change: Any = None) -> None:
        self.button.description = "Close choices" if self.button.value else "Choices"
        if self.button.value:
            self.widget.add_class("mlxc-open")
        else:
            self.widget.remove_class("mlxc-open")
