"""Several runs and several visitors, in a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser import (
    CONVERGENCE,
    RUNNING_MS,
    choose,
    done,
    plotted,
    press,
    start,
    visit,
    wait_for_data,
    wait_for_points,
    wait_until_done,
    wait_until_drawn,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Minutes in all: the main path is in test_browser.py.
pytestmark = [pytest.mark.browser, pytest.mark.slow]

SLOW = ("Magnesium oxide (rock salt)", 60, 6)


def test_a_second_run_waits_for_the_first(page: Page) -> None:
    choose(page, *SLOW)
    page.get_by_role("button", name="Run", exact=True).dblclick()
    page.get_by_text("it is not computed twice").wait_for()
    assert page.get_by_text("1 waiting").count() == 0
    choose(page, "Silicon (diamond structure)", 5, 2)
    press(page, "Run")
    page.get_by_text("1 waiting").wait_for()
    press(page, "Run")
    page.get_by_text("it is not computed twice").wait_for()
    press(page, "Run equation of state")
    press(page, "2 waiting")
    page.get_by_role("button", name="Remove").last.click()
    page.get_by_text("1 waiting").wait_for()
    press(page, "Stop")
    wait_for_points(page, "Silicon")
    wait_until_done(page, "Silicon")
    page.get_by_text("waiting").first.wait_for(state="detached")


def test_a_reloaded_page_goes_on_with_the_run(page: Page) -> None:
    choose(page, *SLOW)
    start(page, "Run")
    wait_for_points(page, "Magnesium oxide")
    page.reload(wait_until="commit")
    wait_until_drawn(page)
    page.wait_for_selector("h3:has-text('Magnesium oxide')", timeout=RUNNING_MS)
    wait_for_data(page, CONVERGENCE)
    seen = len(plotted(page, CONVERGENCE, 0))
    page.get_by_text(f"Step {seen + 1}:").or_(done(page)).wait_for(timeout=RUNNING_MS)
    press(page, "Stop")
    page.wait_for_selector(".mlxc-information:has-text('Magnesium oxide')", timeout=RUNNING_MS)


def test_two_visitors_do_not_disturb_each_other(
    page: Page, chromium: Browser, address: str, console: list[str], requests: list[str]
) -> None:
    other = visit(chromium, address, console, requests)
    try:
        assert other.get_by_role("button", name="Stop", exact=True).is_disabled()
        choose(page, "Aluminium (fcc)", 8, 2)
        choose(other, "Silicon (diamond structure)", 5, 2)
        press(page, "Run")
        press(other, "Run")
        for visitor, own, foreign in ((page, "Aluminium", "Silicon"), (other, "Silicon", "Aluminium")):
            wait_until_done(visitor, own)
            assert len(plotted(visitor, CONVERGENCE, 0)) >= 3
            assert foreign not in visitor.locator(".mlxc-panel-convergence h3").inner_text()
    finally:
        other.context.close()
