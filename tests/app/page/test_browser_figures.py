"""What is drawn, as a person sees it: the crystal, bands to their end, sweeps, and words that are explained."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from browser import LOADING_MS, RUNNING_MS, choose, choose_crystal, plot, press, start, unfold, wait_until_done

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

BANDS, SWEEP = "bands", "sweep"
SALT, SILICON = "Sodium chloride (rock salt)", "Silicon (diamond structure)"


def test_the_picture_of_a_crystal_has_a_legend_and_its_bonds_can_be_left_out(page: Page) -> None:
    image = pytest.importorskip("PIL.Image")
    choose_crystal(page, SALT)
    page.locator(".mlxc-element", has_text="Cl").wait_for(timeout=LOADING_MS)
    assert page.locator(".mlxc-element").all_inner_texts() == ["Na", "Cl"]
    canvas = page.locator("canvas:visible").first

    def green() -> int:
        """How many points of the canvas have the colour of chlorine."""
        drawn = image.open(io.BytesIO(canvas.screenshot())).convert("RGB")
        return sum(count for count, (r, g, b) in drawn.getcolors(1_000_000) if g > r + 40 and g > b + 40)

    page.wait_for_timeout(2000)
    with_bonds = green()
    assert with_bonds > 200
    press(page, "Bonds")
    page.wait_for_timeout(2000)
    assert 50 < green() < with_bonds
    press(page, "Bonds")
    seen = canvas.screenshot()
    press(page, "a")
    page.wait_for_timeout(1500)
    assert canvas.screenshot() != seen
    press(page, "a")


def test_a_search_in_databases_asks_nobody_before_it_is_asked_to(page: Page) -> None:
    unfold(page, "Databases")
    page.get_by_label("Formula", exact=True).fill("no formula")
    page.get_by_label("Formula", exact=True).press("Tab")
    press(page, "Search the database")
    page.get_by_text("no chemical formula").wait_for(timeout=LOADING_MS)


def test_bands_end_where_their_density_of_states_ends_and_bend_smoothly(page: Page) -> None:
    choose(page, SILICON, 8, 3)
    press(page, "Bands")
    start(page, "Run bands")
    wait_until_done(page, "bands")
    figure = f"document.querySelector('{plot(BANDS)}')"
    page.wait_for_function(f"{figure}.data[4].y?.length > 0", timeout=RUNNING_MS)
    top = page.evaluate(f"{figure}._fullLayout.yaxis.range[1]")
    assert top <= page.evaluate(f"Math.max(...{figure}.data[4].y)") + 0.01
    assert top > 2
    ticks = page.evaluate(f"{figure}._fullLayout.xaxis.tickvals")
    places = page.evaluate(f"Array.from({figure}.data[0].x)")
    first_band = places[: next(n for n, place in enumerate(places) if place is None or place != place)]
    for begin, end in pairwise(ticks):
        assert sum(begin + 1e-6 < place < end - 1e-6 for place in first_band) >= 7


def test_a_sweep_is_one_click_and_its_converged_value_another(page: Page) -> None:
    choose(page, "Aluminium (fcc)", 16, 3)
    press(page, "Sweep")
    start(page, "Vary the cutoff")
    wait_until_done(page, "values of the cutoff")
    figure = f"document.querySelector('{plot(SWEEP)}')"
    page.wait_for_function(f"{figure}.data[3].x?.length == 1", timeout=LOADING_MS)
    converged = page.evaluate(f"{figure}.data[3].x[0]")
    page.get_by_text(f"from {converged:g} Ha on").first.wait_for()
    page.get_by_role("button", name=f"Take {converged:g} Ha (energy)").click()
    page.wait_for_function(
        "value => [...document.querySelectorAll('.mlxc-left input')].some(field => field.value == value)",
        arg=f"{converged:g}",
        timeout=LOADING_MS,
    )


def test_a_word_is_explained_where_it_stands(page: Page) -> None:
    press(page, "Sweep")
    word = page.locator(".mlxc-panel-sweep .mlxc-word:visible", has_text="Ha").first
    word.hover()
    shown = "word => getComputedStyle(word, '::after').content"
    assert "27.2114" in word.evaluate(shown)
    page.mouse.move(0, 0)
    word.focus()  # as the Tab key and a tap do
    assert "27.2114" in word.evaluate(shown)


def test_nothing_failed(page: Page, console: list[str]) -> None:
    assert not [line for line in console if line.startswith("error")]
