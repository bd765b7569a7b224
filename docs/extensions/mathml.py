"""Formulas as MathML, which browsers draw without any script and without a network."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx

UPRIGHT = re.compile(r"\\mathrm\s*(?:\{([A-Za-z]+)\}|([A-Za-z]))")
BOLD = re.compile(r'<mi mathvariant="bold">([A-Za-z])</mi>')
# Bars and slashes, which belong to what stands beside them.
TIGHT = re.compile(r'<mo(?: stretchy="false")?>(?=&#x0007C;|&#x0002F;)')


def mathml(latex: str, display: str = "inline") -> str:
    """A formula in MathML Core, which knows no upright or bold letters but those of Unicode, and text."""
    upright = UPRIGHT.sub(lambda found: rf"\text{{{found[1] or found[2]}}}", latex)
    drawn = BOLD.sub(lambda found: f"<mi>{_bold(found[1])}</mi>", convert(upright, display=display))
    return TIGHT.sub('<mo stretchy="false" lspace="0" rspace="0">', drawn)


def _bold(letter: str) -> str:
    """The mathematical bold letter of Unicode."""
    return chr(ord(letter) - ord("a") + 0x1D41A if letter.islower() else ord(letter) - ord("A") + 0x1D400)


def _inline(writer: Any, node: nodes.math) -> None:
    writer.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(f'<div class="math">{mathml(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Draw formulas in HTML this way."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.config.html_math_renderer = "mathml"  # type: ignore[attr-defined]
    return {"parallel_read_safe": True, "parallel_write_safe": True}
