"""The Escape key closes what a button has opened."""

from __future__ import annotations

import anywidget

# The class of buttons whose press opens something, and whose second press closes it.
ESCAPES = "mlxc-escapes"


class Escape(anywidget.AnyWidget):
    """An undisplayed widget: the browser presses the buttons of the class :data:`ESCAPES` that are pressed down."""

    _esm = """
const close = ({ key }) => {
  if (key === "Escape") document.querySelectorAll(".mlxc-escapes.mod-active").forEach((button) => button.click());
};
export default {
  initialize() {
    document.addEventListener("keydown", close);
    return () => document.removeEventListener("keydown", close);
  },
};
"""
