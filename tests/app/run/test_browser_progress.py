"""What a person sees of a run while it is computed: what it does, for how long it will go on, and what waits."""

from __future__ import annotations

import re
import time
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from browser import RUNNING_MS, choose, done, press, start, wait_until_done

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MAGNESIUM_OXIDE = "Magnesium oxide (rock salt)", 40, 4
# Times are told in tens of seconds.
ROUNDING_S = 5
SILENT_S = 3


@pytest.fixture(scope="module")
def told(page: Page) -> list[tuple[float, str]]:
    """What the bar says during an equation of state, each with the time at which it first said so; the end is last."""
    choose(page, *MAGNESIUM_OXIDE)
    started = time.monotonic()
    start(page, "Run equation of state")
    words = page.locator(".mlxc-progress")
    said: list[tuple[float, str]] = []
    while done(page).count() == 0:
        now, text = time.monotonic() - started, words.inner_text()
        if not said or said[-1][1] != text:
            said.append((now, text))
        assert now < RUNNING_MS / 1000
        page.wait_for_timeout(100)
    return [*said, (time.monotonic() - started, "")]


def test_nothing_is_silent_for_more_than_three_seconds(told: list[tuple[float, str]]) -> None:
    times = [0.0, *(seconds for seconds, _ in told)]
    assert max(later - earlier for earlier, later in pairwise(times)) < SILENT_S


def test_the_stages_before_the_first_step_are_told(told: list[tuple[float, str]]) -> None:
    first = [text for _, text in told if "Volume 1 of 7" in text and "Step" not in text]
    assert any("first SCF step" in text for text in first)


def test_the_time_left_is_that_of_all_volumes_and_true_within_a_factor_of_two(told: list[tuple[float, str]]) -> None:
    end = told[-1][0]
    guessed = [(end - now, re.search(r"about (\d+) s left", text)) for now, text in told]
    known = [(true, float(found[1])) for true, found in guessed if found]
    assert known, "the time left was never told"
    assert all(true / 2 - ROUNDING_S <= left <= 2 * true + ROUNDING_S for true, left in known), known
    first = next(text for _, text in told if "left" in text)
    assert "Step 3" in first or "Step 4" in first


def test_a_run_that_waits_says_its_number_and_what_it_waits_for(page: Page, told: list[tuple[float, str]]) -> None:
    start(page, "Run equation of state")
    choose(page, "Silicon (diamond structure)", 5, 2)
    press(page, "Run")
    press(page, "1 waiting")
    page.locator(".mlxc-queue").get_by_text("Number 1 in line, behind “Magnesium oxide").wait_for()
    press(page, "Stop")
    wait_until_done(page, "Silicon")
