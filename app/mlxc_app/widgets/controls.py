"""Controls that look alike wherever a person chooses something."""

from __future__ import annotations

from typing import Any

from ipywidgets import HTML, FloatText, HBox, IntText

from mlxc_app.widgets.glossary import explained, meaning_of

LABEL: dict[str, Any] = {"description_width": "132px"}
# As plain values: a widget makes a layout of its own of them, which can be hidden alone.
WIDE = {"width": "100%"}
# Of three numbers in a row.
SHORT_LABEL: dict[str, Any] = {"description_width": "18px"}
SHORT = {"width": "72px"}


def number(label: str, step: float, **properties: Any) -> FloatText:
    """A field for a number, its label in front."""
    words = {"tooltip": meaning_of(label)} | properties
    return FloatText(description=label, step=step, style=LABEL, layout=WIDE, **words)


def three_numbers(label: str, names: tuple[str, str, str], kind: type[IntText | FloatText], style: str) -> HBox:
    """Three small fields in a row, each with its own label; they are the children after the first."""
    fields = [kind(description=name, style=SHORT_LABEL, layout=SHORT) for name in names]
    row = HBox([HTML(f'<div class="mlxc-label">{explained(label)}</div>'), *fields])
    row.add_class("mlxc-three")
    row.add_class(style)
    return row
