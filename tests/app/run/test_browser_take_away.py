"""A person takes a run away, comes back by a link, and sets runs side by side, in a real browser."""

from __future__ import annotations

import base64
import csv
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import CONVERGENCE, LOADING_MS, choose, choose_functional, plot, press, start, visit, wait_until_done

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Minutes in all: the main path is in test_browser.py.
pytestmark = [pytest.mark.browser, pytest.mark.slow]

COMPARE = ".mlxc-panel-compare"
CHOICE = f"{COMPARE} .mlxc-compare-choice select"


@pytest.fixture(scope="module")
def own(chromium: Browser, address: str, console: list[str], requests: list[str]) -> Page:
    """The page of a visitor who has run silicon with two functionals, which share their pseudopotentials."""
    page = visit(chromium, address, console, requests)
    for functional in ("rpbe", "pbe"):
        choose_functional(page, functional)
        choose(page, "Silicon (diamond structure)", 5, 2)
        start(page, "Run")
        wait_until_done(page)
        page.wait_for_selector(f".mlxc-command:has-text('--xc {functional}')", state="attached", timeout=LOADING_MS)
    return page


def download(page: Page, button: str, folder: Path) -> Path:
    """Press a button in the fold “Take away” and keep the file."""
    page.evaluate("document.querySelector('.mlxc-take-away').open = true")
    with page.expect_download(timeout=LOADING_MS) as waiting:
        press(page, button)
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def test_the_exported_script_computes_the_same_energy(own: Page, tmp_path: Path) -> None:
    script = download(own, "Python script", tmp_path)
    result = json.loads(download(own, "Result (JSON)", tmp_path).read_text())
    command = [sys.executable, str(script)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    energy = float(printed.split("TS:")[1].split()[0])
    assert energy == pytest.approx(result["free_energy_ha"], abs=1e-8)


def test_everything_comes_in_one_archive(own: Page, tmp_path: Path) -> None:
    with zipfile.ZipFile(download(own, "Everything (ZIP)", tmp_path)) as archive:
        names = {Path(name).name for name in archive.namelist()}
        assert archive.testzip() is None
    assert {"README.txt", "run.py", "run.sh", "result.json", "result.h5", "density.cube", "si.cif"} <= names


def test_a_link_opens_the_page_with_the_same_choices_in_the_same_panel(
    own: Page, chromium: Browser, console: list[str], requests: list[str]
) -> None:
    own.evaluate("document.querySelector('.mlxc-take-away').open = false")
    press(own, "Bands")
    own.wait_for_selector(".mlxc-take-away a[href*='panel=Bands']", state="attached", timeout=LOADING_MS)
    link = own.locator(".mlxc-take-away a").evaluate("link => link.href")
    press(own, "Convergence")
    other = visit(chromium, link, console, requests)
    chosen = "Silicon (diamond structure), pbe, 5 Ha, k mesh 2×2×2"
    other.locator(".mlxc-chosen", has_text=chosen).wait_for(timeout=LOADING_MS)
    assert other.get_by_role("button", name="Run", exact=True).is_enabled()
    other.locator(".mlxc-panel-bands:not(.mlxc-folded)").wait_for()
    other.context.close()


@pytest.mark.parametrize("setup", ["%3Cscript%3Ealert(1)%3C/script%3E", "", "path"])
def test_a_hostile_link_is_a_sentence_and_the_usual_page(
    setup: str, chromium: Browser, address: str, console: list[str], requests: list[str]
) -> None:
    if setup == "path":
        text = json.dumps({"structure": "/etc/passwd"}).encode()
        setup = base64.urlsafe_b64encode(zlib.compress(text)).decode()
    other = visit(chromium, f"{address}?setup={setup}", console, requests)
    if setup:
        other.wait_for_selector(".mlxc-error", timeout=LOADING_MS)
        assert "link" in other.locator(".mlxc-card").inner_text()
    assert other.locator(".mlxc-chosen").inner_text() == "Aluminium (fcc), pbe, 20 Ha, k mesh 8×8×8"
    assert other.get_by_role("button", name="Run", exact=True).is_enabled()
    other.context.close()


@pytest.mark.parametrize("form", ["png", "svg"])
def test_a_plot_is_saved(form: str, own: Page, tmp_path: Path) -> None:
    press(own, "Convergence")
    own.locator(plot(CONVERGENCE)).first.hover()
    with own.expect_download(timeout=LOADING_MS) as waiting:
        own.locator(f"{plot(CONVERGENCE)} [data-title='Save as {form.upper()}']").first.click()
    path = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(path)
    assert path.suffix == f".{form}"
    if form == "svg":
        text = "".join(ElementTree.parse(path).getroot().itertext())
        assert "density residual" in text
    else:
        image = pytest.importorskip("PIL.Image").open(path)
        assert image.width >= 3 * own.locator(f"{plot(CONVERGENCE)} .main-svg").first.bounding_box()["width"] - 3


def test_two_runs_are_set_side_by_side(own: Page, tmp_path: Path) -> None:
    press(own, "Compare")
    own.wait_for_selector(CHOICE, timeout=LOADING_MS)
    # The list writes its blanks as such that do not break.
    labels = [label.replace("\xa0", " ") for label in own.locator(f"{CHOICE} option").all_inner_texts()]
    mine = [index for index, label in enumerate(labels) if "Silicon" in label and ", 5 Ha" in label]
    own.locator(CHOICE).select_option(index=mine[:2])
    own.wait_for_selector(f"{COMPARE} table", timeout=LOADING_MS)
    assert "B differs from A in functional: pbe → rpbe." in own.locator(COMPARE).inner_text()
    steps = f"{COMPARE} .js-plotly-plot >> nth=1"
    own.wait_for_function(
        f"document.querySelectorAll('{COMPARE} .js-plotly-plot')[1]?.data?.[1].y?.length > 2", timeout=LOADING_MS
    )
    own.locator(steps).wait_for()
    # No equation of state has been chosen, so there is no empty plot of one.
    assert not own.locator(f"{COMPARE} .js-plotly-plot >> nth=0").is_visible()
    with own.expect_download() as waiting:
        own.get_by_text("Download this table (CSV)").click()
    path = tmp_path / "comparison.csv"
    waiting.value.save_as(path)
    first, second = csv.DictReader(path.read_text().splitlines())
    difference = float(second["free_energy_per_atom_ha"]) - float(first["free_energy_per_atom_ha"])
    assert float(second["difference_mha_per_atom"]) == pytest.approx(1000 * difference)


def test_another_code_starts_and_is_stopped_at_once(own: Page) -> None:
    press(own, "Run the same in PySCF")
    own.get_by_text("PySCF is starting").or_(own.get_by_text("PySCF: step")).wait_for(timeout=LOADING_MS)
    press(own, "Stop the other code")
    own.get_by_text("PySCF was stopped.").wait_for(timeout=10_000)
    assert own.get_by_role("button", name="Run the same in PySCF", exact=True).is_enabled()


def test_nothing_went_wrong_in_the_browser(console: list[str], requests: list[str], address: str) -> None:
    assert not [line for line in console if line.startswith("error") and "is not registered" in line]
    assert not [line for line in console if line.startswith("error: ")]
    assert all(url.startswith((address, "data:", "blob:")) for url in requests)
