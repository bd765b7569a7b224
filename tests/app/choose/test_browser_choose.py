"""Choosing with keyboard and mouse in a real browser; nothing large is computed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from browser import LOADING_MS, press, start, unfold, wait_until_done
from support import poscar

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

# Minutes in all: the main path is in test_browser.py.
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def wait_for_text(page: Page, text: str) -> None:
    page.locator(".mlxc-left").get_by_text(text).first.wait_for(timeout=LOADING_MS)


def enter(field: Locator, text: str) -> None:
    field.fill(text)
    field.press("Tab")


def test_a_crystal_is_found_and_its_cell_unfolded_with_the_keyboard_alone(page: Page) -> None:
    page.get_by_label("Search", exact=True).focus()
    page.keyboard.type("graph")
    page.wait_for_function("document.querySelectorAll('.mlxc-left select[size] option').length == 1")
    page.keyboard.press("Enter")
    wait_for_text(page, "Graphene: 2 atoms")
    page.locator(".mlxc-fold-button", has_text="Edit the cell").focus()
    page.keyboard.press("Space")
    page.get_by_label("Height of cell (Å)").wait_for()
    assert page.get_by_label("Height of cell (Å)").input_value() == "10"


def test_a_supercell_is_drawn_counted_and_refused_when_it_is_too_large(page: Page) -> None:
    unfold(page, "Edit the cell")
    canvas = page.locator(".mlxc-left canvas").first
    before = canvas.screenshot()
    numbers = page.locator(".mlxc-supercell input")
    enter(numbers.nth(0), "2")
    wait_for_text(page, "4 atoms in the cell")
    page.wait_for_timeout(1000)
    assert canvas.screenshot() != before
    enter(numbers.nth(0), "1000")
    page.wait_for_selector(".mlxc-blocker:has-text('Supercell: 1000 x 1 x 1')")
    assert page.get_by_role("button", name="Run", exact=True).is_disabled()
    press(page, "Back to the original cell")
    page.wait_for_selector(".mlxc-blocker", state="detached")
    assert numbers.nth(0).input_value() == "1"


def test_a_preset_shows_its_cost_and_fills_the_fields(page: Page) -> None:
    cutoff = page.get_by_label("Cutoff (Ha)", exact=True)
    press(page, "quick look")
    wait_for_text(page, "Teaching settings, not converged")
    assert re.search(r"Run about \d+ s, .* on two cores; .* of memory", page.locator(".mlxc-estimate").inner_text())
    assert float(cutoff.input_value()) == pytest.approx(30.75)
    press(page, "balanced")
    page.wait_for_function("value => document.querySelector('.mlxc-mesh input').value == value", arg="9")
    assert float(cutoff.input_value()) == 41


def test_a_pasted_crystal_is_computed(page: Page) -> None:
    page.get_by_label("Search", exact=True).fill("")
    unfold(page, "Your own structure")
    page.get_by_label("Paste a structure").fill(poscar("Al"))
    press(page, "Use this text")
    wait_for_text(page, "Al, pasted: 1 atom")
    enter(page.get_by_label("Cutoff (Ha)", exact=True), "5")
    for field in page.locator(".mlxc-mesh input").all():
        enter(field, "2")
    wait_for_text(page, "Your own settings")
    start(page, "Run")
    wait_until_done(page)
    assert page.locator("h3:has-text('Al, pasted, pbe, 5 Ha')").count()


def test_gaussians_offer_the_sets_that_have_the_elements(page: Page) -> None:
    page.get_by_label("Basis", exact=True).select_option(label="Gaussian orbitals")
    sets = page.get_by_label("Basis set", exact=True)
    sets.wait_for(timeout=LOADING_MS)
    page.wait_for_function("document.querySelector('.mlxc-left').innerText.includes('Gaussian functions')")
    assert "gth-dzvp-molopt-sr" in sets.locator("option").all_inner_texts()
    page.get_by_label("Basis", exact=True).select_option(label="plane waves")
    wait_for_text(page, "plane waves for each")


def test_a_long_column_stays_in_its_place(page: Page) -> None:
    for words in ("Edit the cell", "Your own structure", "Smearing and spin", "Advanced"):
        unfold(page, words)
    page.wait_for_timeout(500)
    assert page.evaluate("document.querySelector('.mlxc-left').scrollWidth") <= 384
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    for words in ("Edit the cell", "Your own structure", "Smearing and spin", "Advanced"):
        page.locator(".mlxc-fold-button", has_text=words).click()
