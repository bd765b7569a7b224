"""What the browser tests do with the page, in a person's words."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from math import cos
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, FloatRect, Locator, Page

# A graphics card that the processor emulates: without one there are no pictures in three dimensions.
EMULATED_CARD = ["--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-sync",
    "--disable-component-update",
    "--no-first-run",
]
LOADING_MS = 120_000
RUNNING_MS = 180_000
CONVERGENCE, DENSITY, EQUATION_OF_STATE, FUNCTIONAL = "convergence", "density", "equation-of-state", "functional"


def wait_for_server(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "Voila ended at once"
        try:
            urllib.request.urlopen(url, timeout=5)
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
        else:
            return
    pytest.fail("Voila did not answer within a minute")


def visit(browser: Browser, address: str, console: list[str], requests: list[str], **settings: Any) -> Page:
    """Open the page as a visitor of one's own, and wait until it is drawn."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, **settings)
    page = context.new_page()
    page.on("console", lambda message: console.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: console.append(f"error: {error}"))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(address, wait_until="commit", timeout=LOADING_MS)
    wait_until_drawn(page)
    return page


def wait_until_drawn(page: Page) -> None:
    page.wait_for_selector(".mlxc-head", timeout=LOADING_MS)
    page.get_by_role("button", name="Run", exact=True).wait_for(timeout=LOADING_MS)
    # The first panel, or the one that was open before, or that the address names.
    unfolded = ".mlxc-pane:not(.mlxc-folded)"
    page.wait_for_selector(f"{unfolded} .mlxc-about", timeout=LOADING_MS)
    if page.locator(f"{unfolded}.mlxc-panel-{CONVERGENCE}").count():
        page.wait_for_selector(f"{plot(CONVERGENCE)} .main-svg", timeout=LOADING_MS)


def plot(panel: str) -> str:
    """The selector of a panel's first plot."""
    return f".mlxc-panel-{panel} .js-plotly-plot"


def plotted(page: Page, panel: str, trace: int, axis: str = "y") -> list[Any]:
    """The data inside a plot."""
    values: list[Any] = page.evaluate(
        "([plot, trace, axis]) => Array.from(document.querySelector(plot).data[trace][axis] ?? [])",
        [plot(panel), trace, axis],
    )
    return values


def wait_for_data(page: Page, panel: str, trace: int = 0, axis: str = "y", timeout: float = RUNNING_MS) -> None:
    page.wait_for_function(
        "([plot, trace, axis]) => document.querySelector(plot)?.data?.[trace][axis]?.length > 0",
        arg=[plot(panel), trace, axis],
        timeout=timeout,
    )


def open_card(page: Page, title: str) -> None:
    """Open a card of the choices, unless it is open; the others close."""
    card = f".mlxc-choice-{title.lower().replace(' ', '-')}"
    if not page.locator(f"{card}.mlxc-opened").count():
        page.locator(f"{card} .mlxc-change").click()
        page.locator(f"{card}.mlxc-opened").wait_for()


def choose_crystal(page: Page, crystal: str) -> None:
    """Choose a crystal in the list."""
    open_card(page, "Crystal")
    for drawer in page.locator(".mlxc-fold-button", has_text="▾").all():
        drawer.click()
    page.get_by_label("Crystal", exact=True).select_option(label=crystal)
    page.wait_for_timeout(500)


def choose_functional(page: Page, functional: str) -> None:
    """Choose a functional in the list."""
    open_card(page, "Model")
    page.get_by_label("XC functional", exact=True).select_option(functional)
    page.wait_for_timeout(500)


def choose(page: Page, crystal: str, cutoff_ha: float, mesh: int) -> None:
    """Fill the form."""
    choose_crystal(page, crystal)
    open_card(page, "How fine")
    fields = [page.get_by_label("Cutoff (Ha)", exact=True), *page.locator(".mlxc-mesh input").all()]
    for field, value in zip(fields, [cutoff_ha, mesh, mesh, mesh], strict=True):
        field.fill(f"{value:g}")
        field.press("Tab")
    page.wait_for_timeout(500)


def upload(page: Page, card: str, file: Path) -> None:
    """Bring a file to a card of the choices."""
    open_card(page, card)
    with page.expect_file_chooser() as chooser:
        page.locator(f".mlxc-choice-{card.lower()} .mlxc-upload button").click()
    chooser.value.set_files(file)


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def unfold(page: Page, words: str) -> None:
    """Unfold what the card of the crystal hides behind a button, unless it is unfolded."""
    open_card(page, "Crystal")
    button = page.locator(".mlxc-fold-button", has_text=words)
    if button.inner_text().startswith("▸"):
        button.click()
        page.locator(".mlxc-fold-button", has_text=f"▾ {words}").wait_for()


# A quick run may be over before a question that is asked twice a second is asked again.
_WATCH_STOP = """() => {
  const stop = [...document.querySelectorAll(".mlxc-run button")].find(button => button.textContent.trim() === "Stop");
  const look = () => { window.mlxcTaken ||= !stop.disabled; };
  window.mlxcTaken = false;
  new MutationObserver(look).observe(stop, { attributes: true });
  look();
}"""


def start(page: Page, name: str) -> None:
    """Press Run or Run equation of state, and wait until the page has taken it: Stop can be pressed."""
    page.evaluate(_WATCH_STOP)
    press(page, name)
    page.wait_for_function("window.mlxcTaken")


def done(page: Page, words: str = "") -> Locator:
    """The card of a run that is done, with or without something to doubt, as runs with low cutoffs have."""
    doubted = page.locator(".mlxc-messages .mlxc-warning", has_text="Done, but please note")
    return page.locator(".mlxc-messages .mlxc-success").or_(doubted).filter(has_text=words)


def wait_until_done(page: Page, words: str = "", timeout: float = RUNNING_MS) -> str:
    """Wait for the card of a run that is done, and read it."""
    card = done(page, words)
    card.wait_for(timeout=timeout)
    return card.inner_text()


def wait_for_points(page: Page, crystal: str) -> None:
    """Wait until the plot shows the first steps of a run of this crystal."""
    page.wait_for_selector(f"h3:has-text('{crystal}')", timeout=RUNNING_MS)
    wait_for_data(page, CONVERGENCE)


MODELS = ".mlxc-panel-models"
# Keeps what the mean of the first column says, and when it came.
# All errors of a column are marks on one line, which shows more digits than its numbers.
_WATCH_MARKS = """selector => {
  window.mlxcSeen = [];
  const look = () => {
    const drawn = document.querySelector(selector)?.innerHTML;
    if (drawn !== window.mlxcSeen.at(-1)?.[0]) window.mlxcSeen.push([drawn, performance.now()]);
  };
  new MutationObserver(look).observe(document.querySelector(".mlxc-panel-models"), { childList: true, subtree: true });
}"""


def tick(page: Page, *names: str) -> None:
    """Tick functionals in the panel Models."""
    for name in names:
        page.locator(f"{MODELS} .mlxc-grouped-ticks input[value='{name}']").click()


def wait_for_cells(page: Page, count: int) -> None:
    """Wait until so many cells of the panel Models have a number, or a reason why there is none."""
    page.wait_for_function(
        "([selector, count]) => count <= "
        "[...document.querySelectorAll(selector)].filter(cell => cell.textContent !== '…').length",
        arg=[f"{MODELS} .mlxc-heat-cell button", count],
        polling=20,
        timeout=RUNNING_MS,
    )


def settled_box(page: Page, place: Locator) -> FloatRect:
    """Where something is in view, once the page has come to rest around it."""
    before = None
    for _ in range(20):
        page.evaluate("document.getElementById('rendered_cells').scrollTo(0, 0)")
        page.wait_for_timeout(500)
        box = place.bounding_box()
        if box is not None and box == before and box["y"] > 0:
            return box
        before = box
    raise AssertionError("the page does not come to rest")


def drag_and_count(page: Page, slider: str) -> float:
    """Drag a slider of the panel Models to and fro, and count how often a second the first column changes."""
    row = page.locator(f"{MODELS} .widget-slider").filter(has=page.locator(".widget-label", has_text=slider))
    handle = settled_box(page, row.locator(".noUi-handle"))
    page.evaluate(_WATCH_MARKS, f"{MODELS} .mlxc-heat thead tr:last-child td")
    x, y = handle["x"] + handle["width"] / 2, handle["y"] + handle["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    began = page.evaluate("performance.now()")
    for step in range(60):
        page.mouse.move(x + 25 * (1 - cos(step / 5)), y)
        page.wait_for_timeout(50)
    ended = page.evaluate("performance.now()")
    page.mouse.up()
    seen: list[Any] = page.evaluate("window.mlxcSeen")
    return sum(began <= at <= ended for _, at in seen) / (ended - began) * 1000
