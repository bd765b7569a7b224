"""Fields say what is not allowed, and keep what is."""

from __future__ import annotations

from pathlib import Path

import mlxc_app
from mlxc_app.widgets.controls import three_whole_numbers, whole_number
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


def test_three_whole_numbers_belong_together() -> None:
    mesh, messages = [(4, 4, 2)], MessageArea()
    row = three_whole_numbers("k mesh", ("n₁", "n₂", "n₃"), "mesh", lambda: mesh[-1], mesh.append, messages)
    first, second, third = row.children[1:]
    assert (first.value, second.value, third.value) == (4.0, 4.0, 2.0)
    second.value = 6.0
    assert mesh[-1] == (4, 6, 2)
    third.value = 2.5
    assert "k mesh: 2.5 is not allowed: give a whole number." in messages.widget.value
    assert (mesh[-1], third.value) == ((4, 6, 2), 2.0)


def test_no_field_of_the_page_drops_what_a_person_types() -> None:
    """The fields for integers of ipywidgets leave out the "e" of 1e9 and the point of 2.5."""
    files = Path(mlxc_app.__file__).parent.rglob("*.py")
    assert not [file for file in files if "IntText" in file.read_text()]
