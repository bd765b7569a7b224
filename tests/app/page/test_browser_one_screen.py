"""The page as one screen: what is pressed and read stays in view, and nothing moves by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser import CONVERGENCE, DENSITY, LOADING_MS, RUNNING_MS, choose, open_card, plot, press, start

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

SILICON = "Silicon (diamond structure)"
# A window of 1280 x 800 at a zoom of 150 %, and one of 800 x 900, have as many CSS pixels as these.
WINDOWS = {"laptop": (1280, 800), "tablet": (800, 900), "laptop, 150 %": (853, 533), "tablet, 150 %": (533, 600)}
PANELS = {
    "Convergence": "convergence",
    "Density": "density",
    "Equation of state": "equation-of-state",
    "Moment": "moment",
    "Bands": "bands",
    "Magnetic orders": "magnetic-orders",
    "Functional": "functional",
    "Gradients": "gradients",
    "Compare": "compare",
}
# The part of an element that no other element covers and that is in the window, as a yes or no for its corners.
SEEN = """element => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const corners = [[left + 3, top + 3], [right - 3, top + 3], [left + 3, bottom - 3], [right - 3, bottom - 3]];
    return corners.every(([x, y]) => element.contains(document.elementFromPoint(x, y)));
}"""


@pytest.fixture(autouse=True)
def usual_window(page: Page) -> None:
    """The window of a laptop, at its top."""
    resize(page, 1280, 800)
    scroll(page, 0)


def resize(page: Page, width: int, height: int) -> None:
    if page.viewport_size != {"width": width, "height": height}:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(700)


def scroll(page: Page, down: int) -> None:
    cells = "document.getElementById('rendered_cells')"
    if page.evaluate(f"{cells}.scrollTop") != down:
        page.evaluate(f"{cells}.scrollTo(0, {down})")
        page.wait_for_timeout(200)


@pytest.mark.parametrize("window", WINDOWS)
def test_what_starts_and_stops_a_run_is_always_in_view(page: Page, window: str) -> None:
    resize(page, *WINDOWS[window])
    for down in (0, 400, 10_000):
        scroll(page, down)
        for name in ("Run", "Run equation of state", "Stop"):
            assert page.get_by_role("button", name=name, exact=True).evaluate(SEEN), (name, down)
        for style in ("mlxc-chosen", "mlxc-progress"):
            assert page.locator(f".{style}").evaluate(SEEN), (style, down)


def test_nothing_moves_when_a_run_ends(page: Page) -> None:
    choose(page, SILICON, 5, 2)
    scroll(page, 0)
    places = [plot(CONVERGENCE), ".mlxc-tabs", ".mlxc-choice-crystal"]

    def tops() -> list[float]:
        return [page.locator(place).first.evaluate("e => e.getBoundingClientRect().top") for place in places]

    before = tops()
    start(page, "Run")
    page.wait_for_selector(".mlxc-messages .mlxc-card", timeout=RUNNING_MS)
    page.wait_for_selector(f".mlxc-panel-{CONVERGENCE} h3:has-text('Silicon')", timeout=RUNNING_MS)
    assert tops() == pytest.approx(before, abs=1)


def test_a_result_that_is_longer_than_its_line_has_all_its_words_on_demand(page: Page) -> None:
    result, top = page.locator(".mlxc-result"), page.locator(plot(CONVERGENCE)).first
    before = top.bounding_box()
    assert result.bounding_box()["height"] == 40
    press(page, "More")
    words = page.locator(".mlxc-messages")
    page.wait_for_function("document.querySelector('.mlxc-messages').getBoundingClientRect().height > 40")
    assert "far below" in words.inner_text()
    assert words.evaluate("e => e.scrollWidth <= e.clientWidth")
    # Nothing of the page is covered, and the Escape key closes it.
    tabs = page.locator(".mlxc-tabs").bounding_box()
    assert tabs["y"] >= page.locator(".mlxc-result").bounding_box()["y"] + words.bounding_box()["height"]
    page.keyboard.press("Escape")
    page.wait_for_function("document.querySelector('.mlxc-messages').getBoundingClientRect().height < 40")
    assert top.bounding_box() == before


def test_what_can_be_taken_away_is_a_menu_that_closes_by_itself(page: Page) -> None:
    page.get_by_text("Take away", exact=True).click()
    page.get_by_role("button", name="Python script").wait_for()
    assert page.get_by_role("button", name="Python script").evaluate(SEEN)
    page.locator(".mlxc-choice-title").first.click()
    page.get_by_role("button", name="Python script").wait_for(state="hidden")


@pytest.mark.parametrize("name", PANELS)
def test_the_first_plot_of_a_panel_is_seen_whole(page: Page, name: str) -> None:
    press(page, name)
    first = page.locator(f"{plot(PANELS[name])} >> visible=true").first
    if name == "Compare":
        page.locator(".mlxc-compare-choice select").select_option(index=0, timeout=LOADING_MS)
    first.wait_for(timeout=LOADING_MS)
    page.wait_for_timeout(1500)
    box = first.bounding_box()
    assert box is not None
    assert box["y"] > page.locator(".mlxc-bar").bounding_box()["y"]
    assert box["y"] + box["height"] <= 800
    assert box["x"] + box["width"] <= 1280


def test_a_large_screen_is_used_to_its_edge(page: Page) -> None:
    press(page, "Convergence")
    resize(page, 1920, 1080)
    page.wait_for_function(
        f"document.querySelector('{plot(CONVERGENCE)} .main-svg').getBoundingClientRect().right > 1850"
    )


def test_a_run_comes_back_to_the_panel_from_which_it_was_started(page: Page) -> None:
    choose(page, SILICON, 14, 4)
    press(page, "Density")
    press(page, "Run")
    page.wait_for_selector(f".mlxc-panel-{CONVERGENCE}:not(.mlxc-folded)", timeout=LOADING_MS)
    # One panel opens a moment before the other one folds, so that only the fold says that the run has come back.
    page.wait_for_selector(f".mlxc-panel-{CONVERGENCE}.mlxc-folded", state="attached", timeout=RUNNING_MS)
    page.wait_for_selector(f".mlxc-panel-{DENSITY}:not(.mlxc-folded)", timeout=LOADING_MS)


def test_in_a_narrow_window_the_choices_are_a_drawer_and_the_results_come_first(page: Page) -> None:
    press(page, "Convergence")
    resize(page, 800, 900)
    column = page.locator(".mlxc-left")
    column.wait_for(state="hidden")
    # A busy browser takes a moment to draw what it has given another size, and may draw it as another element.
    page.wait_for_function(
        f"() => {{ const e = document.querySelector('{plot(CONVERGENCE)}'); return e && ({SEEN})(e); }}"
    )
    press(page, "Choices")
    column.wait_for()
    open_card(page, "How fine")
    cutoff = page.get_by_label("Cutoff (Ha)", exact=True)
    cutoff.fill("6")
    cutoff.press("Tab")
    page.locator(".mlxc-chosen", has_text="6 Ha").wait_for()
    press(page, "Close choices")
    column.wait_for(state="hidden")
    resize(page, 1280, 800)
    column.wait_for()


def test_the_tour_goes_stop_by_stop_and_marks_what_to_press(page: Page) -> None:
    press(page, "Learn")
    page.get_by_text("Stop 1 of 6").wait_for(timeout=LOADING_MS)
    assert page.get_by_role("button", name="Back", exact=True).is_disabled()
    press(page, "Try it")
    page.locator(".mlxc-left .mlxc-marked", has_text="Cutoff (Ha)").wait_for(timeout=LOADING_MS)
    press(page, "Next")
    page.get_by_text("Stop 2 of 6").wait_for()
    scroll(page, 10_000)
    press(page, "Try it")
    page.locator(".mlxc-bar .mlxc-marked", has_text="Run").wait_for(timeout=LOADING_MS)
    page.locator(".mlxc-left .mlxc-marked").first.wait_for(state="detached")
    assert page.locator(plot(CONVERGENCE)).first.evaluate(SEEN)
    press(page, "Run")
    page.locator(".mlxc-marked").wait_for(state="detached")
    press(page, "Learn")
    page.get_by_text("Stop 2 of 6").wait_for()


def test_runs_are_filtered_sorted_and_set_side_by_side(page: Page) -> None:
    for cutoff in (5, 6):
        choose(page, SILICON, cutoff, 2)
        start(page, "Run")
        page.wait_for_selector(f".mlxc-messages :text('{cutoff} Ha')", timeout=RUNNING_MS)
    press(page, "Runs")
    rows = page.locator(".mlxc-runs-table tr:has(td)")
    page.get_by_label("Filter runs", exact=True).fill("silicon 2×2×2")
    page.wait_for_function("document.querySelectorAll('.mlxc-runs-table tr:has(td)').length >= 2")
    assert all("2×2×2" in row for row in rows.all_inner_texts())
    page.locator(".mlxc-runs-table th", has_text="Run").get_by_role("button").click()
    titles = page.locator(".mlxc-runs-table td.mlxc-title")
    assert titles.all_inner_texts() == sorted(titles.all_inner_texts())
    rows.first.get_by_role("checkbox").check()
    rows.last.get_by_role("checkbox").check()
    press(page, "Compare 2 ticked")
    page.wait_for_selector(".mlxc-panel-compare table", timeout=LOADING_MS)
    assert "cutoff" in page.locator(".mlxc-panel-compare").inner_text()


def test_the_console_reports_no_error(page: Page, console: list[str]) -> None:
    assert not [line for line in console if "is not registered" in line or line.startswith("error")]
