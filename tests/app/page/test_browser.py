"""The page as a person meets it: Voila serves it, a headless Chromium shows it, and the real worker computes."""

from __future__ import annotations

import io
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from browser import (
    CONVERGENCE,
    DENSITY,
    EQUATION_OF_STATE,
    FUNCTIONAL,
    LOADING_MS,
    RUNNING_MS,
    choose,
    choose_functional,
    done,
    open_card,
    plot,
    plotted,
    press,
    start,
    upload,
    wait_for_data,
    wait_for_points,
    wait_until_done,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[3]


def test_the_crystal_is_drawn(page: Page) -> None:
    image = pytest.importorskip("PIL.Image")
    canvas = page.locator("canvas:visible").first
    for _ in range(20):
        drawn = image.open(io.BytesIO(canvas.screenshot())).convert("RGB")
        if len(drawn.getcolors(1_000_000)) > 50:
            return
        page.wait_for_timeout(500)
    pytest.fail("the canvas of the crystal stayed blank")


@pytest.mark.parametrize("width", [1280, 800])
def test_the_page_fits_its_window(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.wait_for_timeout(500)
    wide = page.evaluate(
        "[document.documentElement, document.getElementById('rendered_cells')].map(e => e.scrollWidth)"
    )
    drawn = page.evaluate(f"document.querySelector('{plot(CONVERGENCE)} .main-svg').getBoundingClientRect().right")
    page.set_viewport_size({"width": 1280, "height": 800})
    assert max(*wide, drawn) <= width


def test_only_the_panel_that_is_looked_at_has_been_made(page: Page) -> None:
    assert page.locator(".js-plotly-plot").count() == page.locator(plot(CONVERGENCE)).count() > 0


def test_the_panels_are_reached_with_the_arrow_keys(page: Page) -> None:
    page.get_by_role("button", name="Convergence", exact=True).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(f".mlxc-panel-{DENSITY}:not(.mlxc-folded)", timeout=LOADING_MS)
    page.keyboard.press("ArrowLeft")
    page.wait_for_selector(f".mlxc-panel-{CONVERGENCE}:not(.mlxc-folded)")
    assert page.evaluate("document.activeElement.innerText") == "Convergence"


def test_dark_is_dark_everywhere_and_light_again(page: Page) -> None:
    def lightness(selector: str, what: str) -> float:
        colour = page.evaluate(
            "([selector, what]) => getComputedStyle(document.querySelector(selector))[what].match(/[\\d.]+/g)",
            [selector, what],
        )
        return sum(float(part) for part in colour[:3]) / 765

    places = ["body", "#rendered_cells", ".mlxc-left input", ".mlxc-left select", ".mlxc-left canvas"]
    letters = f"{plot(CONVERGENCE)} .xtick text"
    open_card(page, "Crystal")
    assert min(lightness(place, "backgroundColor") for place in places) > 0.9
    assert lightness(letters, "fill") < 0.3
    press(page, "Light / Dark")
    page.wait_for_timeout(1000)
    assert max(lightness(place, "backgroundColor") for place in places) < 0.3
    assert lightness(letters, "fill") > 0.7
    press(page, "Light / Dark")
    page.wait_for_timeout(1000)
    assert min(lightness(place, "backgroundColor") for place in places) > 0.9


def test_aluminium_converges_before_ones_eyes(page: Page) -> None:
    choose(page, "Aluminium (fcc)", 10, 4)
    start(page, "Run")
    wait_for_points(page, "Aluminium")
    wait_until_done(page)
    residuals = plotted(page, CONVERGENCE, 0)
    assert len(residuals) >= 3
    assert residuals[-1] < plotted(page, CONVERGENCE, 1)[0] < residuals[0]
    assert "converged in" in done(page).inner_text()
    assert "Hartree" in page.locator(".mlxc-table:visible").first.inner_text()
    press(page, "Density")
    wait_for_data(page, DENSITY, axis="z")
    assert "Al" in plotted(page, DENSITY, 1, "text")


@pytest.mark.timed
def test_a_run_is_stopped_within_two_seconds_and_keeps_its_points(page: Page) -> None:
    choose(page, "Magnesium oxide (rock salt)", 60, 6)
    start(page, "Run")
    wait_for_points(page, "Magnesium oxide")
    clicked = time.monotonic()
    press(page, "Stop")
    page.wait_for_selector(".mlxc-information", timeout=10_000)
    assert time.monotonic() - clicked < 2
    assert "Stopped" in page.locator(".mlxc-card").inner_text()
    assert len(plotted(page, CONVERGENCE, 0)) >= 1


def test_a_worker_that_dies_is_reported_and_replaced(page: Page) -> None:
    choose(page, "Magnesium oxide (rock salt)", 60, 6)
    start(page, "Run")
    page.get_by_text(re.compile(r"Step \d+:")).first.wait_for(timeout=RUNNING_MS)
    for process in psutil.process_iter(["cmdline"]):
        if "mlxc.runs.worker" in (process.info["cmdline"] or []) and _is_child_of_this_test(process):
            process.kill()
    page.wait_for_selector(".mlxc-error", timeout=10_000)
    assert "ended unexpectedly" in page.locator(".mlxc-card").inner_text()
    assert page.get_by_role("button", name="Run", exact=True).is_enabled()


def _is_child_of_this_test(process: psutil.Process) -> bool:
    return os.getpid() in [parent.pid for parent in process.parents()]


def test_an_earlier_run_can_be_shown_again(page: Page) -> None:
    press(page, "Runs")
    runs = page.locator(".mlxc-runs-table tr")
    runs.filter(has_text="Aluminium").last.get_by_text("Open").click()
    wait_until_done(page, timeout=LOADING_MS)
    page.wait_for_selector("h3:has-text('Aluminium')", timeout=LOADING_MS)
    assert plotted(page, CONVERGENCE, 0)[-1] < plotted(page, CONVERGENCE, 1)[0]


def test_a_failed_run_opens_and_explains_itself(page: Page) -> None:
    press(page, "Runs")
    failed = page.locator(".mlxc-runs-table tr").filter(has_text="failed").first
    failed.get_by_text("Open").click()
    page.wait_for_selector(".mlxc-error", timeout=LOADING_MS)
    assert "ended unexpectedly" in page.locator(".mlxc-card").inner_text()
    wait_for_data(page, CONVERGENCE)


def test_a_run_is_renamed_and_deleted(page: Page) -> None:
    press(page, "Runs")
    run = page.locator(".mlxc-runs-table tr").filter(has_text="failed").first
    page.once("dialog", lambda dialog: dialog.accept("My <b>own</b> name"))
    run.get_by_text("Rename").click()
    renamed = page.locator(".mlxc-runs-table tr").filter(has_text="My <b>own</b> name")
    renamed.wait_for()
    page.once("dialog", lambda dialog: dialog.dismiss())
    renamed.get_by_text("Delete").click()
    page.wait_for_timeout(1500)
    assert renamed.count() == 1
    page.once("dialog", lambda dialog: dialog.accept())
    renamed.get_by_text("Delete").click()
    renamed.wait_for(state="detached")


def test_an_equation_of_state_is_drawn_beside_its_references(page: Page) -> None:
    choose(page, "Aluminium (fcc)", 10, 3)
    start(page, "Run equation of state")
    wait_until_done(page)
    assert len(plotted(page, EQUATION_OF_STATE, 0)) == 7
    assert len(plotted(page, EQUATION_OF_STATE, 1)) == 100
    assert len(plotted(page, EQUATION_OF_STATE, 2, "x")) > 1
    table = page.locator(".mlxc-table:visible").last.inner_text()
    assert "This run" in table
    assert "experiment" in table


def test_the_equation_of_state_of_a_sheet_has_an_axis_of_areas(page: Page) -> None:
    choose(page, "Graphene", 10, 2)
    start(page, "Run equation of state")
    figure = f"document.querySelector('{plot(EQUATION_OF_STATE)}')"
    page.wait_for_function(f"{figure}.data[0].x?.length > 0 && {figure}.data[0].x[0] < 3", timeout=RUNNING_MS)
    # Half the area of graphene's cell, of which 94 % is computed first, square angstrom.
    assert plotted(page, EQUATION_OF_STATE, 0, "x")[0] == pytest.approx(2.475, abs=1e-3)
    assert page.evaluate(f"{figure}.layout.xaxis.title.text") == "area per atom (Å²)"
    wait_until_done(page, "equation of state")


def test_bad_input_is_a_sentence_and_run_is_greyed(page: Page) -> None:
    choose(page, "Silicon (diamond structure)", -5, 4)
    page.wait_for_selector(".mlxc-blocker")
    assert "Cutoff" in page.locator(".mlxc-blocker").inner_text()
    assert page.get_by_role("button", name="Run", exact=True).is_disabled()
    choose(page, "Silicon (diamond structure)", 10, 2)
    page.wait_for_selector(".mlxc-blocker", state="detached")
    assert page.get_by_role("button", name="Run", exact=True).is_enabled()


def test_a_file_that_holds_no_crystal_is_a_sentence(page: Page, tmp_path: Path) -> None:
    bad = tmp_path / "notes<b>.cif"
    bad.write_text("this is not a crystal")
    upload(page, "Crystal", bad)
    page.wait_for_selector(".mlxc-error", timeout=LOADING_MS)
    assert "notes<b>.cif" in page.locator(".mlxc-card").inner_text()


def test_a_checkpoint_has_a_card_with_its_curves_beside_those_of_pbe(page: Page) -> None:
    choose_functional(page, "pbe-proxy")
    press(page, "About this functional")
    page.wait_for_selector("h3:has-text('Exact conditions')", timeout=LOADING_MS)
    own, pbe = (plotted(page, FUNCTIONAL, trace) for trace in (0, 1))
    assert len(own) == 201
    assert max(abs(a - b) for a, b in zip(own, pbe, strict=True)) < 1e-3
    card = page.locator(".mlxc-table:visible").first.inner_text()
    assert "MIT" in card
    assert "train_proxy.py" in card


def test_a_persons_own_checkpoint_is_listed_run_and_told_where_it_was_trained(page: Page, tmp_path: Path) -> None:
    own = tmp_path / "own <i>model.safetensors"
    own.write_bytes((ROOT / "assets/checkpoints/pbe-proxy.safetensors").read_bytes())
    upload(page, "Model", own)
    page.wait_for_function(
        "Array.from(document.querySelectorAll('option:checked')).some(option => option.text.includes('own-i-model'))"
    )
    choose(page, "Aluminium (fcc)", 8, 2)
    start(page, "Run")
    wait_until_done(page)
    assert "where this functional was trained" in done(page).inner_text()


def test_a_file_that_is_no_checkpoint_is_a_sentence(page: Page, tmp_path: Path) -> None:
    bad = tmp_path / "weights.safetensors"
    bad.write_bytes(b"\x80\x04cos\nsystem\n")
    upload(page, "Model", bad)
    page.wait_for_selector(".mlxc-error", timeout=LOADING_MS)
    assert "weights.safetensors" in page.locator(".mlxc-card").inner_text()


def test_no_request_leaves_the_machine(page: Page, address: str, requests: list[str]) -> None:
    assert requests
    assert not [url for url in requests if not url.startswith((address, "blob:", "data:"))]


def test_the_console_reports_no_error(page: Page, console: list[str]) -> None:
    assert not [line for line in console if "is not registered" in line or line.startswith("error")]
