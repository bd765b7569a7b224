"""Bands, magnetic orders, gradients, the diagnosis and the tour as a person meets them, computed by the real worker."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from browser import (
    LOADING_MS,
    RUNNING_MS,
    choose,
    choose_functional,
    plot,
    plotted,
    press,
    start,
    wait_for_data,
    wait_until_done,
)
from mlxc_app.choose.model import ChooseModel

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Minutes in all: the main path is in test_browser.py.
pytestmark = [pytest.mark.browser, pytest.mark.slow]

SILICON = "Silicon (diamond structure)"
NICKEL = "Nickel (fcc)"
BANDS, ORDERS, GRADIENTS, DIAGNOSE = "bands", "magnetic-orders", "gradients", "diagnose"
LEARN, MOMENT = "learn", "moment"


def test_the_first_stop_of_the_tour_fills_the_form(page: Page) -> None:
    press(page, "Learn")
    page.locator(f".mlxc-panel-{LEARN} math").first.wait_for(timeout=LOADING_MS)
    formula = page.locator(f".mlxc-panel-{LEARN} math").first.bounding_box()
    assert formula is not None
    assert formula["height"] > 15
    page.locator(f".mlxc-panel-{LEARN}").get_by_role("button", name="Try it").first.click()
    page.wait_for_selector(".mlxc-information", timeout=LOADING_MS)
    assert page.locator(".mlxc-choice-crystal .mlxc-choice-line").inner_text() == SILICON
    assert page.get_by_label("Cutoff (Ha)", exact=True).input_value() == f"{ChooseModel('si').ecut_ha:g}"


def test_a_magnet_tells_its_moments_and_what_its_cutoff_is_worth(page: Page) -> None:
    choose(page, NICKEL, 12, 2)
    page.get_by_text("Spin is on; each atom starts with").wait_for()
    page.locator(".mlxc-caution", has_text="far below").wait_for()
    start(page, "Run")
    card = wait_until_done(page, "absolute")
    assert card.startswith("Done, but please note")
    assert "not to be trusted" in card
    press(page, "Convergence")
    row = page.locator(".mlxc-moments tbody tr")
    row.wait_for(timeout=LOADING_MS)
    assert row.inner_text().startswith("Ni")
    page.get_by_label("Look at", exact=True).first.select_option("Magnetic moment")
    page.get_by_text("absolute moment").wait_for(timeout=LOADING_MS)


def test_magnetic_orders_are_drawn_with_their_moments(page: Page) -> None:
    choose(page, NICKEL, 12, 2)
    press(page, "Magnetic orders")
    page.wait_for_selector(f"{plot(ORDERS)} .main-svg", timeout=LOADING_MS)
    page.get_by_label("Cells at most", exact=True).select_option("1")
    start(page, "Run magnetic orders")
    wait_for_data(page, ORDERS, 1)
    assert plotted(page, ORDERS, 0, "y") == ["non-magnetic"]
    assert plotted(page, ORDERS, 1, "y") == ["ferromagnetic"]
    page.locator(f".mlxc-panel-{ORDERS} td", has_text="the lowest").wait_for(timeout=RUNNING_MS)
    assert "Ni↑" in page.locator(f".mlxc-panel-{ORDERS} table").inner_text()


def test_bands_are_drawn_with_their_gap_in_words(page: Page) -> None:
    choose(page, SILICON, 5, 2)
    press(page, "Bands")
    page.wait_for_selector(f"{plot(BANDS)} .main-svg", timeout=LOADING_MS)
    start(page, "Run bands")
    wait_until_done(page)
    assert len(plotted(page, BANDS, 0)) > 8 * 60
    assert len(plotted(page, BANDS, 4)) > 100  # the density of states
    assert page.locator(f"{plot(BANDS)} .xtick text").first.text_content() == "Γ"
    assert page.locator(f"{plot(BANDS)} .shapelayer path").count() == 2  # the Fermi level across both plots
    assert "Indirect gap" in page.locator(f".mlxc-panel-{BANDS} p").last.inner_text()


def test_the_energy_against_the_moment_is_drawn_with_its_minimum(page: Page) -> None:
    choose(page, SILICON, 5, 2)
    press(page, "Moment")
    page.wait_for_selector(f"{plot(MOMENT)} .main-svg", timeout=LOADING_MS)
    start(page, "Run energy against moment")
    wait_until_done(page)
    assert plotted(page, MOMENT, 1, "x") == [0, 2, 4]
    assert plotted(page, MOMENT, 3, "x") == [0]
    assert "Si wants no moment" in page.locator(f".mlxc-panel-{MOMENT} p").last.inner_text()


def test_a_gradient_is_drawn_as_bars_and_a_step_lowers_the_loss(page: Page) -> None:
    press(page, "Gradients")
    run = page.get_by_role("button", name="Run gradient", exact=True)
    run.wait_for(timeout=LOADING_MS)
    page.wait_for_selector(f"{plot(GRADIENTS)} .main-svg", timeout=LOADING_MS)
    assert run.is_disabled()
    assert "choose pbe-kappa-mu" in page.locator(f".mlxc-panel-{GRADIENTS} .mlxc-blocker").inner_text()
    choose_functional(page, "pbe-kappa-mu")
    page.get_by_role("button", name="Run gradient", exact=True, disabled=False).wait_for()
    assert page.get_by_label("Loss", exact=True).input_value() == "lattice constant (Å), against the reference"
    page.get_by_label("Loss", exact=True).select_option(label="free energy (eV per atom)")
    start(page, "Run gradient")
    wait_for_data(page, GRADIENTS, 1)
    page.get_by_text("a free energy is no error").wait_for(timeout=RUNNING_MS)
    assert page.get_by_role("button", name="Take one step and run again", exact=True).is_disabled()
    page.get_by_label("Loss", exact=True).select_option(label="gap (eV), with fixed occupations")
    target = page.get_by_label("Target", exact=True)
    target.fill("1.17")
    target.press("Tab")
    page.wait_for_timeout(500)
    start(page, "Run gradient")
    page.get_by_text("(target 1.17)").first.wait_for(timeout=RUNNING_MS)
    assert plotted(page, GRADIENTS, 1, "x") == ["kappa", "mu"]
    assert min(plotted(page, GRADIENTS, 1)) > 0
    start(page, "Take one step and run again")
    page.get_by_text("the loss fell from").first.wait_for(timeout=RUNNING_MS)
    page.get_by_label("Show", exact=True).select_option("Pull over rₛ and s")
    heat = page.locator(f".mlxc-panel-{GRADIENTS} .js-plotly-plot .heatmaplayer image:visible")
    heat.wait_for(timeout=LOADING_MS)


def test_a_diagnosis_ends_with_a_verdict(page: Page) -> None:
    choose_functional(page, "lda")
    press(page, "Diagnose")
    # The tab has the same name.
    page.locator(f".mlxc-panel-{DIAGNOSE} button").click()
    page.get_by_role("button", name="Stop", exact=True, disabled=False).wait_for()
    page.wait_for_selector(f".mlxc-panel-{DIAGNOSE} .verdict", timeout=RUNNING_MS)
    # Its figures are those of all panels, with the colours of the page.
    page.wait_for_selector(f"{plot(DIAGNOSE)} .main-svg", timeout=LOADING_MS)
    assert page.locator(f".mlxc-panel-{DIAGNOSE} svg:not(.js-plotly-plot svg)").count() == 0


def test_the_console_reports_no_error(page: Page, console: list[str]) -> None:
    assert not [line for line in console if "is not registered" in line or line.startswith("error")]
