"""The page as a person meets it: Voila serves it, a headless Chromium shows it, and the real worker computes."""

from __future__ import annotations

import io
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--no-first-run",
]
LOADING_MS = 120_000
RUNNING_MS = 180_000
CONVERGENCE, DENSITY, EQUATION_OF_STATE, FUNCTIONAL = range(4)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Voila, started as the README says, on a port of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("runs")
    command = [sys.executable, "-m", "voila", "app/dashboard.ipynb", "--no-browser", f"--port={port}"]
    with open(folder / "voila.log", "w") as log:
        server = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, "MLXC_RUNS": str(folder)}, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait_for_server(f"http://localhost:{port}/voila/static/voila.js", server)
        yield f"http://localhost:{port}/"
    finally:
        server.terminate()
        server.wait()


def _wait_for_server(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "Voila ended at once"
        try:
            urllib.request.urlopen(url, timeout=5)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    pytest.fail("Voila did not answer within a minute")


@pytest.fixture(scope="module")
def console() -> list[str]:
    """What the browser's console says while the tests run."""
    return []


@pytest.fixture(scope="module")
def page(address: str, console: list[str]) -> Iterator[Page]:
    """The page, loaded and drawn."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("no Chromium on this machine; `apt-get install chromium` brings one")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.on("console", lambda message: console.append(message.text))
        page.on("pageerror", lambda error: console.append(f"page error: {error}"))
        page.goto(address, wait_until="commit", timeout=LOADING_MS)
        page.wait_for_selector(".mlxc-head", timeout=LOADING_MS)
        page.get_by_role("button", name="Run", exact=True).wait_for(timeout=LOADING_MS)
        page.wait_for_function("document.querySelectorAll('.js-plotly-plot').length == 4", timeout=LOADING_MS)
        yield page
        browser.close()


def plotted(page: Page, figure: int, trace: int, axis: str = "y") -> list[Any]:
    """The data inside a plot."""
    values: list[Any] = page.evaluate(
        "([figure, trace, axis]) => "
        "Array.from(document.querySelectorAll('.js-plotly-plot')[figure].data[trace][axis] ?? [])",
        [figure, trace, axis],
    )
    return values


def choose(page: Page, crystal: str, cutoff_ha: float, mesh: int) -> None:
    """Fill the form."""
    page.get_by_label("Crystal", exact=True).select_option(label=crystal)
    page.wait_for_timeout(500)
    fields = [page.get_by_label("Cutoff (Ha)", exact=True), *page.locator(".mlxc-mesh input").all()]
    for field, value in zip(fields, [cutoff_ha, mesh, mesh, mesh], strict=True):
        field.fill(f"{value:g}")
        field.press("Tab")
    page.wait_for_timeout(500)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def start(page: Page, name: str) -> None:
    """Press Run or Run equation of state, and wait until the page has taken it."""
    press(page, name)
    page.get_by_role("button", name=name, exact=True, disabled=True).wait_for()


def wait_for_points(page: Page, crystal: str) -> None:
    """Wait until the plot shows the first steps of a run of this crystal."""
    page.wait_for_selector(f"h3:has-text('{crystal}')", timeout=RUNNING_MS)
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot')[0].data[0].y.length > 0", timeout=RUNNING_MS)


def test_the_crystal_is_drawn(page: Page) -> None:
    image = pytest.importorskip("PIL.Image")
    canvas = page.locator("canvas:visible").first
    for _ in range(20):
        drawn = image.open(io.BytesIO(canvas.screenshot())).convert("RGB")
        if len(drawn.getcolors(1_000_000)) > 50:
            return
        page.wait_for_timeout(500)
    pytest.fail("the canvas of the crystal stayed blank")


def test_the_page_fits_its_window(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert page.evaluate("document.getElementById('rendered_cells').scrollWidth") <= 1280


def test_aluminium_converges_before_ones_eyes(page: Page) -> None:
    choose(page, "Aluminium (fcc)", 10, 4)
    start(page, "Run")
    wait_for_points(page, "Aluminium")
    page.wait_for_selector(".mlxc-success", timeout=RUNNING_MS)
    residuals = plotted(page, CONVERGENCE, 0)
    assert len(residuals) >= 3
    assert residuals[-1] < plotted(page, CONVERGENCE, 1)[0] < residuals[0]
    assert "Converged in" in page.locator(".mlxc-card").inner_text()
    assert "Hartree" in page.locator(".mlxc-table:visible").first.inner_text()
    press(page, "Density")
    page.wait_for_function("document.querySelectorAll('.js-plotly-plot')[1].data[0].z?.length > 0", timeout=LOADING_MS)
    assert "Al" in plotted(page, DENSITY, 1, "text")


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
    page.get_by_text("Starting …").wait_for(state="detached", timeout=RUNNING_MS)
    for process in psutil.process_iter(["cmdline"]):
        if "mlxc.runs.worker" in (process.info["cmdline"] or []) and _is_child_of_this_test(process):
            process.kill()
    page.wait_for_selector(".mlxc-error", timeout=10_000)
    assert "ended unexpectedly" in page.locator(".mlxc-card").inner_text()
    assert page.get_by_role("button", name="Run", exact=True).is_enabled()


def _is_child_of_this_test(process: psutil.Process) -> bool:
    return os.getpid() in [parent.pid for parent in process.parents()]


def test_an_earlier_run_can_be_shown_again(page: Page) -> None:
    earlier = page.locator(".mlxc-tab-row select")
    label = next(text for text in earlier.locator("option").all_inner_texts() if "Aluminium" in text)
    earlier.select_option(label=label)
    page.wait_for_selector(".mlxc-success", timeout=LOADING_MS)
    page.wait_for_selector("h3:has-text('Aluminium')", timeout=LOADING_MS)
    assert plotted(page, CONVERGENCE, 0)[-1] < plotted(page, CONVERGENCE, 1)[0]


def test_an_equation_of_state_is_drawn_beside_its_references(page: Page) -> None:
    choose(page, "Aluminium (fcc)", 10, 3)
    start(page, "Run equation of state")
    page.wait_for_selector(".mlxc-success", timeout=RUNNING_MS)
    assert len(plotted(page, EQUATION_OF_STATE, 0)) == 7
    assert len(plotted(page, EQUATION_OF_STATE, 1)) == 100
    assert len(plotted(page, EQUATION_OF_STATE, 2, "x")) == 2
    table = page.locator(".mlxc-table:visible").last.inner_text()
    assert "This run" in table
    assert "experiment" in table


def test_the_equation_of_state_of_a_sheet_has_an_axis_of_areas(page: Page) -> None:
    choose(page, "Graphene", 10, 2)
    start(page, "Run equation of state")
    plot = f"document.querySelectorAll('.js-plotly-plot')[{EQUATION_OF_STATE}]"
    page.wait_for_function(f"{plot}.data[0].x?.length > 0 && {plot}.data[0].x[0] < 3", timeout=RUNNING_MS)
    # Half the area of graphene's cell, of which 94 % is computed first, square angstrom.
    assert plotted(page, EQUATION_OF_STATE, 0, "x")[0] == pytest.approx(2.475, abs=1e-3)
    assert page.evaluate(f"{plot}.layout.xaxis.title.text") == "area per atom (Å²)"
    press(page, "Stop")
    page.wait_for_selector(".mlxc-information", timeout=RUNNING_MS)


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
    with page.expect_file_chooser() as chooser:
        page.locator(".mlxc-upload").click()
    chooser.value.set_files(bad)
    page.wait_for_selector(".mlxc-error", timeout=LOADING_MS)
    assert "notes<b>.cif" in page.locator(".mlxc-card").inner_text()


def test_a_checkpoint_has_a_card_with_its_curves_beside_those_of_pbe(page: Page) -> None:
    page.get_by_label("XC functional", exact=True).select_option("pbe-proxy")
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
    _upload(page, own)
    page.wait_for_function(
        "Array.from(document.querySelectorAll('option:checked')).some(option => option.text.includes('own-i-model'))"
    )
    choose(page, "Aluminium (fcc)", 8, 2)
    start(page, "Run")
    page.wait_for_selector(".mlxc-success", timeout=RUNNING_MS)
    assert "where this functional was trained" in page.locator(".mlxc-card").inner_text()


def test_a_file_that_is_no_checkpoint_is_a_sentence(page: Page, tmp_path: Path) -> None:
    bad = tmp_path / "weights.safetensors"
    bad.write_bytes(b"\x80\x04cos\nsystem\n")
    _upload(page, bad)
    page.wait_for_selector(".mlxc-error", timeout=LOADING_MS)
    assert "weights.safetensors" in page.locator(".mlxc-card").inner_text()


def _upload(page: Page, file: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.locator(".mlxc-upload-functional").click()
    chooser.value.set_files(file)


def test_the_console_reports_no_missing_widget(page: Page, console: list[str]) -> None:
    assert not [line for line in console if "is not registered" in line or line.startswith("page error")]
