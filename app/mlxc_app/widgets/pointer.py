"""Shows a person what to press: the browser scrolls to it and marks it until it has been pressed."""

from __future__ import annotations

from pathlib import Path

import anywidget


class Pointer(anywidget.AnyWidget):
    """An undisplayed widget."""

    _esm = Path(__file__).with_name("pointer.js").read_text(encoding="utf-8")

    def point(self, place: str, press: str) -> None:
        """Scroll to a place of the page and mark what is to be pressed, as soon as both are there.

        Args:
            place: The CSS selector of the place.
            press: The words of a button, or the label of a field, in the place or in the bar.
        """
        self.send({"place": place, "press": press})
