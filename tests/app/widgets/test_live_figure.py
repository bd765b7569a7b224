"""A figure is shown pictures no faster than the browser draws them, and the last one in any case."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import pytest
from mlxc_app.widgets.live_figure import MOST_BEFORE_FIRST, MOST_BETWEEN, InStep, live_figure, replace_data


class Browser:
    """Says that it has drawn a figure, and keeps what there was to draw."""

    def __init__(self) -> None:
        self.figure = live_figure([go.Scatter(y=[])], height=100)
        self.shown: list[int] = []
        self.in_step = InStep(self.figure, self.shown.append, lambda handler: handler)

    def draws(self) -> None:
        told: Any = {"trace_deltas": [], "trace_edit_id": -1}
        self.figure._js2py_traceDeltas = told


@pytest.fixture
def browser() -> Browser:
    return Browser()


def test_a_figure_that_is_not_drawn_yet_gets_the_last_picture_when_it_is(browser: Browser) -> None:
    for number in range(5):
        browser.in_step.show(number, others_follow=False)
    assert browser.shown == []
    browser.draws()
    assert browser.shown == [4]


def test_pictures_that_come_while_the_browser_draws_do_not_pile_up(browser: Browser) -> None:
    browser.draws()
    for number in range(3):
        browser.in_step.show(number, others_follow=True)
    assert browser.shown == [0]
    browser.draws()
    assert browser.shown == [0, 2]


def test_the_last_picture_is_shown_whatever_the_browser_says(browser: Browser) -> None:
    browser.draws()
    browser.in_step.show(0, others_follow=True)
    browser.in_step.show(1, others_follow=False)
    assert browser.shown == [0, 1]


def test_the_last_picture_comes_though_the_browser_has_never_said_anything(browser: Browser) -> None:
    for number in range(MOST_BEFORE_FIRST + 1):
        browser.in_step.show(number, others_follow=True)
    browser.in_step.show(-1, others_follow=False)
    assert browser.shown == [MOST_BEFORE_FIRST, -1]


def test_a_browser_that_says_nothing_is_not_waited_for(browser: Browser) -> None:
    browser.draws()
    for number in range(MOST_BETWEEN + 2):
        browser.in_step.show(number, others_follow=True)
    assert browser.shown == [0, MOST_BETWEEN + 1]


def test_a_picture_and_what_changes_of_the_layout_travel_together_so_that_the_browser_draws_once() -> None:
    figure = live_figure([go.Scatter(y=[]), go.Scatter(y=[1, 2], name="other")], height=100)
    messages: list[Any] = []
    figure.observe(lambda change: messages.append(change["new"]), "_py2js_update")
    with figure.batch_update():
        replace_data(figure, [go.Scatter(y=[3, 4], name="one"), go.Scatter(y=[1, 2], name="other")])
        figure.layout.xaxis.title.text = "step"
    (message,) = [message for message in messages if message]
    assert message["layout_data"] == {"xaxis.title.text": "step"}
    # What the second trace shows stays, and goes along.
    assert message["style_data"]["name"] == ["one", "other"]
    assert figure.data[0].y == (3, 4)
