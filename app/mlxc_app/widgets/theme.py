"""Light or dark: the page's style sheet does most of it; this widget does the rest.

Plotly writes its colours into each drawing, and a WebGL canvas knows no style sheet. In the browser the widget gives
every figure, present and to come, the colours of the page; the kernel learns whether the page is dark.
"""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets


class Theme(anywidget.AnyWidget):
    """An undisplayed widget.

    Attributes:
        dark: Whether the page has light letters on dark ground.
    """

    _esm = Path(__file__).with_name("theme.js").read_text(encoding="utf-8")
    dark = traitlets.Bool(False).tag(sync=True)
