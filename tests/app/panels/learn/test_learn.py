"""The guided tour, without a browser."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.gradients.model import GradientModel
from mlxc_app.panels.learn.stops import STOPS, Stop
from mlxc_app.panels.learn.view import BEHIND, GO_ON, LearnView, stop_html, try_stop
from mlxc_app.panels.panel import Page
from mlxc_app.panels.registry import PANELS
from mlxc_app.run.model import RunModel
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.theme import Theme

MATHML = {"math", "mrow", "mi", "mn", "mo", "mtext", "msub", "msup", "mfrac"}
CHILDREN = {"msub": 2, "msup": 2, "mfrac": 2}


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.title)
def test_what_a_stop_fills_in_can_be_run(stop: Stop, run: RunModel) -> None:
    unfolded: list[str] = []
    page = Page(ChooseModel("ni"), run, MessageArea(), Theme(), unfolded.append)
    try_stop(stop, page)
    assert page.choose.blocker == ""
    assert page.choose.shipped_name == stop.set_up.crystal
    assert page.choose.xc == stop.set_up.xc
    assert page.choose.preset == stop.set_up.preset
    # The page does not warn of what it has chosen itself.
    assert page.choose.basis_note == ""
    assert unfolded == ([stop.panel] if stop.panel else [])
    assert stop.then in page.messages.widget.value
    if stop.panel == "Gradients":
        GradientModel(run, page.choose).task()


@pytest.mark.parametrize("stop", STOPS, ids=lambda stop: stop.title)
def test_what_is_marked_is_what_the_words_tell_to_press(
    stop: Stop, run: RunModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked: list[tuple[str, str]] = []
    page = Page(ChooseModel("ni"), run, MessageArea(), Theme(), lambda name: None)
    monkeypatch.setattr(page.pointer, "point", lambda place, press: marked.append((place, press)))
    try_stop(stop, page)
    panels = {make(page).name: make(page).style_class for make in PANELS}
    assert marked == [(f".{panels[stop.panel]}" if stop.panel else ".mlxc-left", stop.press)]
    assert stop.press.lower().removesuffix(" (ha)") in stop.then.lower()


def test_the_tour_goes_forth_and_back_and_tries_the_stop_that_is_shown(run: RunModel) -> None:
    unfolded: list[str] = []
    page = Page(ChooseModel("ni"), run, MessageArea(), Theme(), unfolded.append)
    text, row = LearnView(page).widget.children
    back, try_it, forth = row.children
    assert (back.disabled, forth.description) == (True, "Next")
    for stop in STOPS[1:]:
        forth.click()
        assert stop.title in text.value
    assert (back.disabled, forth.description) == (False, GO_ON)
    assert unfolded == []
    forth.click()
    assert unfolded == [BEHIND]
    assert STOPS[-1].title in text.value
    back.click()
    assert forth.description == "Next"
    try_it.click()
    assert STOPS[-2].then in page.messages.widget.value
    assert page.choose.xc == STOPS[-2].set_up.xc


def test_every_stop_leads_to_a_panel_that_there_is(run: RunModel) -> None:
    page = Page(ChooseModel("si"), run, MessageArea(), Theme(), lambda name: None)
    names = [make(page).name for make in PANELS]
    assert names[-1] == "Learn"
    assert {BEHIND, *(stop.panel for stop in STOPS if stop.panel)} <= set(names)


@pytest.mark.parametrize("formula", [formula for stop in STOPS for _, formula in stop.formulas])
def test_a_formula_is_well_formed_mathml(formula: str) -> None:
    for element in ElementTree.fromstring(formula).iter():
        assert element.tag in MATHML
        assert len(element) == CHILDREN.get(element.tag, len(element))


def test_a_stop_says_what_to_look_for() -> None:
    assert "Look for:" in stop_html(1, STOPS[0])
    assert len(STOPS) == 6
