"""A table of solids and functionals whose cells are coloured by their errors."""

from __future__ import annotations

from pathlib import Path

import anywidget
import traitlets


class HeatTable(anywidget.AnyWidget):
    """Draws a table, and sends ``{"column": ..., "solid": ...}`` when a cell is pressed.

    Attributes:
        content: ``limit``, the error at which colours are full, percent; ``rows``, the solids with ``name``, ``label``,
            ``kind`` and ``measured``; ``columns``, the functionals with ``name``, ``label``, ``problem``, ``summary``
            and ``cells``, see :func:`~mlxc_app.panels.models.columns.cell_content`; ``chosen``, the column and the
            solid that are looked at.
        moved: The column of the functional under the hand, before all others; empty where there is none. It changes
            many times a second, so it travels alone.
    """

    _here = Path(__file__)
    _esm = _here.with_name("heat_table.js").read_text(encoding="utf-8")
    _css = _here.with_name("models.css").read_text(encoding="utf-8")
    content = traitlets.Dict().tag(sync=True)
    moved = traitlets.Dict().tag(sync=True)
