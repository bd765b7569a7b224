"""What is wrong with a field, said where the field is."""

from __future__ import annotations

from html import escape
from typing import Any

from ipywidgets import HTML, VBox, Widget

from mlxc_app.choose.model import ChooseModel


def with_problem(model: ChooseModel, field: str, widget: Widget) -> VBox:
    """The widget of a setting, marked and with a sentence below it as long as that setting stands in the way of a run.

    Args:
        model: The choices.
        field: The name of the setting.
        widget: Where a person enters it.
    """
    sentence = HTML()

    def show(change: Any = None) -> None:
        is_wrong = model.blocked_field == field
        widget.remove_class("mlxc-wrong")
        if is_wrong:
            widget.add_class("mlxc-wrong")
        sentence.value = f'<p class="mlxc-field-problem" role="alert">{escape(model.blocker)}</p>' if is_wrong else ""

    model.observe(show, ["blocked_field", "blocker"])
    show()
    return VBox([widget, sentence])
