"""Choosing with keyboard and mouse in a real browser; nothing large is computed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ase.build import bulk
from ase.io import write
from browser import LOADING_MS, open_card, press, start, unfold, upload, wait_until_done
from support import poscar

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

REFUSED = Path(__file__).resolve().parents[2] / "data" / "structures" / "POSCAR_g8_vskewdup"

# Minutes in all: the main path is in test_browser.py.
pytestmark = [pytest.mark.browser, pytest.mark.slow]


def wait_for_text(page: Page, text: str) -> None:
    page.locator(".mlxc-left").get_by_text(text).first.wait_for(timeout=LOADING_MS)


def wait_until_chosen(page: Page, crystal: str) -> None:
    page.locator(".mlxc-choice-crystal .mlxc-choice-line", has_text=crystal).wait_for(timeout=LOADING_MS)


def enter(field: Locator, text: str) -> None:
    field.fill(text)
    field.press("Tab")


def test_a_crystal_is_found_and_its_cell_unfolded_with_the_keyboard_alone(page: Page) -> None:
    page.locator(".mlxc-choice-crystal .mlxc-change").focus()
    page.keyboard.press("Space")
    page.get_by_label("Search", exact=True).focus()
    page.keyboard.type("graph")
    page.wait_for_function("document.querySelectorAll('.mlxc-choice-crystal option').length == 2")
    assert page.get_by_label("Crystal", exact=True).input_value() == "al"
    page.keyboard.press("Enter")
    wait_until_chosen(page, "Graphene")
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
    page.wait_for_function("document.querySelector('.mlxc-supercell input').value == '1'")


def test_a_preset_shows_its_cost_and_fills_the_fields(page: Page) -> None:
    press(page, "quick look")
    open_card(page, "How fine")
    cutoff = page.get_by_label("Cutoff (Ha)", exact=True)
    wait_for_text(page, "Teaching settings, not converged")
    assert re.search(r"Run about \d+ s, .* on two cores; .* of memory", page.locator(".mlxc-estimate").inner_text())
    assert float(cutoff.input_value()) == pytest.approx(30.75)
    press(page, "balanced")
    page.wait_for_function("value => document.querySelector('.mlxc-mesh input').value == value", arg="9")
    assert float(cutoff.input_value()) == 41


def test_what_was_understood_of_a_file_is_seen_with_its_picture_and_a_refused_one_leaves_it(
    page: Page, tmp_path: Path
) -> None:
    cube = tmp_path / "POSCAR_cube"
    write(cube, bulk("NaCl", "rocksalt", a=5.64, cubic=True), format="vasp")
    for path in (cube, REFUSED):
        upload(page, "Crystal", path)
        wait_for_text(page, "8 atoms; the primitive cell has 2")
    sentence = "atoms 1 (Si) and 2 (Si) are on top of each other: they are 0.200 angstrom apart"
    page.locator(".mlxc-messages").get_by_text(sentence).wait_for(timeout=LOADING_MS)
    page.locator(".mlxc-left").evaluate("element => element.scrollIntoView()")
    picture, understood = (page.locator(f".mlxc-left {part}").first for part in ("canvas", ".mlxc-understood"))
    assert understood.bounding_box()["y"] + understood.bounding_box()["height"] <= 800
    assert picture.bounding_box()["y"] >= 0
    for words in ("Fm-3m (225)", "2.820 Å", "none given"):
        assert words in understood.inner_text()
    press(page, "Take the primitive cell")
    wait_for_text(page, "2 atoms in the cell that is computed")


def test_a_pasted_crystal_is_computed(page: Page) -> None:
    page.get_by_label("Search", exact=True).fill("")
    unfold(page, "Paste a text")
    page.get_by_label("Paste a structure").fill(poscar("Al"))
    press(page, "Use this text")
    wait_until_chosen(page, "Al, pasted")
    open_card(page, "How fine")
    enter(page.get_by_label("Cutoff (Ha)", exact=True), "5")
    for field in page.locator(".mlxc-mesh input").all():
        enter(field, "2")
    wait_for_text(page, "Your own settings")
    start(page, "Run")
    wait_until_done(page)
    page.wait_for_selector("h3:has-text('Al, pasted, pbe, 5 Ha')", timeout=LOADING_MS)


def test_gaussians_offer_the_sets_that_have_the_elements(page: Page) -> None:
    page.get_by_label("Basis", exact=True).select_option(label="Gaussian orbitals")
    sets = page.get_by_label("Basis set", exact=True)
    sets.wait_for(timeout=LOADING_MS)
    page.wait_for_function("document.querySelector('.mlxc-left').innerText.includes('Gaussian functions')")
    assert "gth-dzvp-molopt-sr" in sets.locator("option").all_inner_texts()
    page.get_by_label("Basis", exact=True).select_option(label="plane waves")
    wait_for_text(page, "plane waves for each")


def test_a_long_column_stays_in_its_place(page: Page) -> None:
    for words in ("Edit the cell", "Paste a text"):
        unfold(page, words)
        page.wait_for_timeout(500)
        assert page.evaluate("document.querySelector('.mlxc-left').scrollWidth") <= 384
        assert page.evaluate("document.documentElement.scrollWidth") <= 1280
