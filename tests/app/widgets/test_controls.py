"""Fields say what is not allowed, and keep what is."""

from __future__ import annotations

from mlxc_app.widgets.controls import whole_number
from mlxc_app.widgets.message import MessageArea
from traitlets import HasTraits, Int


class Steps(HasTraits):
    steps = Int(200)


def test_a_whole_number_that_is_not_allowed_is_told_and_does_not_stay() -> None:
    model, messages = Steps(), MessageArea()
    field = whole_number(model, "steps", messages, "Steps", (1, 100_000), tooltip="The most steps")
    assert field.tooltip == "The most steps (1 to 100000)"
    for wrong in (1e9, 0.0, 2.5, float("nan")):
        field.value = wrong
        assert "Steps" in messages.widget.value
        assert "a whole number from 1 to 100000" in messages.widget.value
        assert (model.steps, field.value) == (200, 200.0)
    field.value = 300.0
    assert (model.steps, messages.widget.value) == (300, "")
    model.steps = 8
    assert field.value == 8.0
