"""What would be computed now, in a few words, and what it costs or why it cannot be."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import HTML

from mlxc_app.choose.model import ChooseModel

# What the name of a run is made of.
NAMED = ("title", "xc", "basis", "gaussian_basis", "ecut_ha", "kmesh", "spin")


class SummaryView:
    """Observes a :class:`ChooseModel`; the words take two lines, whatever they say.

    Attributes:
        widget: The two lines.
    """

    def __init__(self, model: ChooseModel) -> None:
        self._model = model
        self.widget = HTML()
        self.widget.add_class("mlxc-summary")
        model.observe(self._show, [*NAMED, "estimate", "blocker"])
        self._show()

    def _show(self, change: Any = None) -> None:
        self.widget.value = summary_html(self._model)


def summary_html(model: ChooseModel) -> str:
    """HTML of the crystal with functional and settings, and the estimate; of the obstacle alone where there is one.

    What does not fit is read by pointing at it.
    """
    if model.blocker:
        words = escape(f"Run is not possible: {model.blocker}")
        return f'<div class="mlxc-blocker" role="alert" title="{words}">{words}</div>'
    chosen, cost = escape(model.run_title()), escape(model.estimate)
    return f'<div class="mlxc-chosen" title="{chosen}">{chosen}</div><div title="{cost}">{cost}</div>'
