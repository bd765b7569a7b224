"""What a person meets at the fields and figures of the page: mistakes, the keyboard, and no way out of the house."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser import CONVERGENCE, DENSITY, LOADING_MS, RUNNING_MS, choose, open_card, plot, press, start, wait_for_points

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


def test_the_first_key_leads_past_the_choices(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the results"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "mlxc-results"


def test_a_mistake_stands_at_its_field(page: Page) -> None:
    choose(page, "Silicon (diamond structure)", -5, 2)
    problem = page.locator(".mlxc-field-problem")
    problem.wait_for(timeout=LOADING_MS)
    field = page.get_by_label("Cutoff (Ha)", exact=True)
    assert 0 < problem.bounding_box()["y"] - field.bounding_box()["y"] < 60
    assert "-5" in problem.inner_text()
    field.fill("5")
    field.press("Tab")
    problem.wait_for(state="detached", timeout=LOADING_MS)


def test_a_whole_number_is_taken_as_it_is_typed(page: Page) -> None:
    def type_mesh(typed: str) -> None:
        first = page.locator(".mlxc-mesh input").first
        first.fill("")
        first.press_sequentially(typed)
        first.press("Tab")

    chosen = page.locator(".mlxc-chosen")
    refused = page.locator(".mlxc-messages", has_text="k mesh: 2.5 is not allowed: give a whole number.")
    type_mesh("1e1")
    chosen.filter(has_text="k mesh 10×2×2").wait_for(timeout=LOADING_MS)
    type_mesh("2.5")
    refused.wait_for(timeout=LOADING_MS)
    page.wait_for_function("document.querySelector('.mlxc-mesh input').value == '10'", timeout=LOADING_MS)
    type_mesh("2")
    chosen.filter(has_text="k mesh 2×2×2").wait_for(timeout=LOADING_MS)
    refused.wait_for(state="detached", timeout=LOADING_MS)


def test_enter_in_a_field_runs(page: Page) -> None:
    field = page.get_by_label("Cutoff (Ha)", exact=True)
    field.fill("-2")
    field.press("Enter")
    page.locator(".mlxc-field-problem").wait_for(timeout=LOADING_MS)
    page.wait_for_timeout(1000)
    assert page.get_by_role("button", name="Stop", exact=True).is_disabled()
    field.fill("6")
    field.press("Enter")
    wait_for_points(page, "Silicon")
    assert "6 Ha" in page.locator(f".mlxc-panel-{CONVERGENCE} h3").first.inner_text()


@pytest.mark.parametrize("panel", ["Bands", "Moment", "Sweep"])
def test_what_a_panel_would_compute_has_its_cost_beside_the_button(page: Page, panel: str) -> None:
    press(page, panel)
    cost = page.locator(f".mlxc-panel-{panel.lower()} .mlxc-cost", has_text="on two cores")
    cost.wait_for(timeout=LOADING_MS)
    before = cost.inner_text()
    first = page.locator(".mlxc-mesh input").first
    for mesh in ("9", "2"):
        first.fill(mesh)
        first.press("Tab")
        page.locator(".mlxc-chosen", has_text=f"k mesh {mesh}×2×2").wait_for(timeout=LOADING_MS)
        page.wait_for_function(
            "([panel, before, same]) => (document.querySelector(panel).innerText == before) == same",
            arg=[f".mlxc-panel-{panel.lower()} .mlxc-cost", before, mesh == "2"],
            timeout=LOADING_MS,
        )


def test_no_figure_offers_to_upload_its_data(page: Page) -> None:
    titles = "Array.from(document.querySelectorAll('.modebar-btn')).map((b) => b.dataset.title ?? b.ariaLabel)"
    buttons = page.evaluate(titles)
    assert any("PNG" in (title or "") for title in buttons)
    assert not [title for title in buttons if title and ("Share" in title or "cloud" in title.lower())]


def test_a_density_that_has_not_converged_says_so_on_its_pictures(page: Page) -> None:
    open_card(page, "How fine")
    steps = page.get_by_label("Most SCF steps", exact=True)
    steps.fill("2")
    steps.press("Tab")
    page.wait_for_timeout(500)
    start(page, "Run")
    page.locator(".mlxc-messages .mlxc-warning").wait_for(timeout=RUNNING_MS)
    press(page, "Density")
    page.wait_for_selector(f"{plot(DENSITY)} .main-svg", timeout=LOADING_MS)
    page.locator(f"{plot(DENSITY)} .annotation-text", has_text="Not converged").first.wait_for(timeout=LOADING_MS)
    page.locator(f".mlxc-panel-{DENSITY} .mlxc-mark span").wait_for(timeout=LOADING_MS)


def test_the_console_reports_no_error(page: Page, console: list[str]) -> None:
    assert not [line for line in console if "is not registered" in line or line.startswith("error")]
