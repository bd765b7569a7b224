"""Error bars where a functional carries an ensemble, and none where it does not, as a person sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser import (
    EQUATION_OF_STATE,
    LOADING_MS,
    MODELS,
    RUNNING_MS,
    choose,
    choose_functional,
    plot,
    press,
    start,
    tick,
    wait_for_cells,
    wait_until_done,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

# The main path is in test_browser_models.py.
pytestmark = [pytest.mark.browser, pytest.mark.slow]

SOLIDS = 30
BANDS = "bands"
# The largest extent of what is filled and shown in a plot.
SHADED = """selector => Array.from(document.querySelector(selector)?.data ?? [])
    .filter(trace => trace.visible !== false && trace.fill === 'toself' && trace.y?.length)
    .map(trace => Array.from(trace.y).length)"""


def shaded(page: Page, panel: str) -> list[int]:
    found: list[int] = page.evaluate(SHADED, plot(panel))
    return found


def test_cells_have_bars_and_below_stands_whether_they_hold(page: Page) -> None:
    press(page, "Models")
    tick(page, "pbe")
    wait_for_cells(page, SOLIDS)
    assert page.locator(f"{MODELS} .mlxc-heat-spread").count() == 0
    tick(page, "solids-gga")
    page.get_by_role("heading", name="Do the error bars hold?").wait_for(timeout=RUNNING_MS)
    page.locator(f"{MODELS} .mlxc-heat-spread").nth(SOLIDS - 1).wait_for(state="attached")
    assert page.locator(f"{MODELS} .mlxc-heat-spread").count() == SOLIDS
    assert page.locator(f"{MODELS} .mlxc-heat-bar").count() > SOLIDS / 2
    assert "on solids it has not seen within one standard deviation" in page.locator(MODELS).inner_text()
    page.locator(f"{MODELS} .js-plotly-plot").last.scroll_into_view_if_needed()


def test_an_equation_of_state_is_shaded(page: Page) -> None:
    choose(page, "Aluminium (fcc)", 10, 4)
    choose_functional(page, "solids-gga")
    press(page, "Equation of state")
    page.wait_for_selector(f"{plot(EQUATION_OF_STATE)} .main-svg", timeout=LOADING_MS)
    start(page, "Run equation of state")
    card = wait_until_done(page, "B =")
    assert card.count("±") == 2
    page.locator(".mlxc-panel-equation-of-state td", has_text="±").first.wait_for(timeout=LOADING_MS)
    assert shaded(page, EQUATION_OF_STATE)
    page.get_by_text("one standard deviation over the functional").first.wait_for()


def test_bands_are_shaded(page: Page) -> None:
    choose(page, "Silicon (diamond structure)", 5, 2)
    choose_functional(page, "solids-gga")
    press(page, "Bands")
    page.wait_for_selector(f"{plot(BANDS)} .main-svg", timeout=LOADING_MS)
    start(page, "Run bands")
    wait_until_done(page, "bands computed")
    page.wait_for_function(f"selector => ({SHADED})(selector).length > 0", arg=plot(BANDS), timeout=LOADING_MS)
    assert shaded(page, BANDS)[0] > 8 * 100


def test_the_console_has_nothing_to_complain_of(page: Page, console: list[str]) -> None:
    page.wait_for_timeout(500)
    assert not [line for line in console if line.startswith("error") and "favicon" not in line]
