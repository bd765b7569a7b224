"""How fast the page is, in headless Chromium: opening, the first point of a run, blocked frames, memory.

    python benchmarks/page.py opening [--repeats 3]
    python benchmarks/page.py run [--repeats 3]
    python benchmarks/page.py memory [--runs 50]
    python benchmarks/page.py path
    python benchmarks/page.py train [--repeats 3]
    python benchmarks/page.py class [--visitors 5]

``opening`` loads the page and, in turn, a Voila page that has one button and nothing else; both have a kernel ready.
``run`` clicks on Run and waits for the first point of the plot, then for the end, and looks at the longest time that
the page was blocked (0: never for more than 50 ms). ``memory`` computes many runs in one visit. ``path`` is what a
visitor does first: aluminium, its equation of state beside references, the same with a neural functional, both
compared. ``train`` lets a functional learn, see ``page_train.py``, drawn by the processor as a browser without a card
draws it, and by the emulated card that pictures in three dimensions need; ``class`` opens the page for one visitor and
for many at once, see ``page_class.py``.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
from page_class import measure_class, memory_mib
from page_server import NOTEBOOK, chromium, served
from page_train import measure_training, print_columns
from tables import median, print_header, print_row

from browser import (  # isort: skip - found where page_server looks for it
    CONVERGENCE,
    EQUATION_OF_STATE,
    choose,
    choose_functional,
    plot,
    press,
    visit,
    wait_for_data,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

BUTTON = "import ipywidgets\nipywidgets.Button(description='One button')"
# Kernels are started one after the other; a visitor who comes later than this finds one ready.
PREHEATING_S = 12
LOADING_MS = 120_000
NEURAL = "pbe-proxy"
COMPARE = ".mlxc-panel-compare"
# What keeps the page from answering for more than 50 ms, as the browser's Long Tasks API reports it.
WATCH_TASKS = """() => {
    window.longest = 0;
    const longest = list => Math.max(window.longest, ...list.getEntries().map(entry => entry.duration));
    new PerformanceObserver(list => { window.longest = longest(list); }).observe({ entryTypes: ["longtask"] });
}"""


def open_page(browser: Browser, address: str) -> tuple[float, float]:
    """Seconds until there is something to read, and until there is a widget."""
    time.sleep(PREHEATING_S)
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    started = time.perf_counter()
    page.goto(address, wait_until="commit", timeout=LOADING_MS)
    page.wait_for_function("document.body?.innerText.trim().length > 0", timeout=LOADING_MS)
    readable = time.perf_counter() - started
    page.wait_for_selector(".jupyter-button:visible", timeout=LOADING_MS)
    widget = time.perf_counter() - started
    context.close()
    return readable, widget


def measure_opening(repeats: int) -> None:
    """Both pages in turn."""
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name) / "notebooks"
        folder.mkdir()
        button = folder / "button.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(BUTTON)]), button)
        with served(NOTEBOOK, folder) as (page, _), served(button, folder, "--preheat_kernel=True") as (single, _):
            found: dict[str, list[tuple[float, float]]] = {page: [], single: []}
            for _ in range(repeats):
                for address, times in found.items():
                    times.append(open_page(browser, address))
    readable, widget, other = (
        median(times[0] for times in found[page]),
        median(times[1] for times in found[page]),
        median(times[1] for times in found[single]),
    )
    print_header("something to read (s)", "first widget (s)", "one-button page (s)", "ratio")
    print_row([f"{readable:.2f}", f"{widget:.2f}", f"{other:.2f}", f"{widget / other:.2f}"])


@contextmanager
def visited(emulated_card: bool = True) -> Iterator[tuple[Page, subprocess.Popen[bytes]]]:
    """The page, open and drawn."""
    with (
        tempfile.TemporaryDirectory() as name,
        chromium(emulated_card) as browser,
        served(NOTEBOOK, Path(name)) as (address, server),
    ):
        yield visit(browser, address, [], []), server


def run_aluminium(page: Page) -> tuple[float, float]:
    """Seconds from the click to the first point, and to the end."""
    points = f"document.querySelector('{plot(CONVERGENCE)}').data[0].y.length"
    before = page.evaluate(points)
    started = time.perf_counter()
    press(page, "Run")
    page.wait_for_function(f"0 < {points} && {points} < {before or 1000}", polling=20, timeout=LOADING_MS)
    first = time.perf_counter() - started
    page.get_by_role("button", name="Stop", exact=True, disabled=True).wait_for(timeout=LOADING_MS)
    return first, time.perf_counter() - started


def measure_run(repeats: int) -> None:
    """A run of aluminium at the settings that the page opens with."""
    print_header("first point (s)", "end (s)", "longest blocked (ms)")
    with visited() as (page, _):
        page.wait_for_timeout(5000)
        page.evaluate(WATCH_TASKS)
        for _ in range(repeats):
            page.evaluate("window.longest = 0")
            first, end = run_aluminium(page)
            print_row([f"{first:.2f}", f"{end:.2f}", f"{page.evaluate('window.longest'):.0f}"])
            page.wait_for_timeout(1000)


def javascript_mib(page: Page) -> float:
    """What the page's JavaScript keeps."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used: float = session.send("Runtime.getHeapUsage")["usedSize"] / 2**20
    return used


def measure_memory(runs: int) -> None:
    """One row for every ten runs."""
    print_header("runs", "kernel (MiB)", "worker (MiB)", "JavaScript (MiB)")
    with visited() as (page, server):
        choose(page, "Aluminium (fcc)", 8, 2)
        for number in range(runs + 1):
            if number % 10 == 0:
                sizes = memory_mib(server.pid)
                largest = (max((size.part for size in sizes[kind]), default=0) for kind in ("kernel", "worker"))
                print_row([number, *(f"{size:.0f}" for size in (*largest, javascript_mib(page)))])
            # So quick that its points may be missed; the card goes with the click and comes with the end.
            press(page, "Run")
            page.locator(".mlxc-success").wait_for(state="hidden", timeout=LOADING_MS)
            page.locator(".mlxc-success").wait_for(timeout=LOADING_MS)


def measure_path() -> None:
    """What a visitor does first, step by step."""
    print_header("step", "after (s)")
    started = time.perf_counter()

    def done(step: str) -> None:
        print_row([step, f"{time.perf_counter() - started:.1f}"])

    def computed(name: str) -> None:
        press(page, name)
        page.get_by_role("button", name="Stop", exact=True, disabled=False).wait_for()
        page.get_by_role("button", name="Stop", exact=True, disabled=True).wait_for(timeout=LOADING_MS)

    with visited() as (page, _):
        started = time.perf_counter()
        page.reload(wait_until="commit")
        page.get_by_role("button", name="Run", exact=True).wait_for(timeout=LOADING_MS)
        page.wait_for_selector(f"{plot(CONVERGENCE)} .main-svg", timeout=LOADING_MS)
        done("the page is open")
        run_aluminium(page)
        done("aluminium has converged")
        computed("Run equation of state")
        press(page, "Equation of state")
        wait_for_data(page, EQUATION_OF_STATE)
        done("its equation of state is drawn beside references")
        choose_functional(page, NEURAL)
        computed("Run equation of state")
        done("that of the neural functional")
        press(page, "Compare")
        page.locator(f"{COMPARE} .mlxc-compare-choice select option").nth(1).wait_for(timeout=LOADING_MS)
        page.locator(f"{COMPARE} .mlxc-compare-choice select").select_option(index=[0, 1])
        page.wait_for_selector(f"{COMPARE} table", timeout=LOADING_MS)
        done("both are compared")


def main() -> None:
    """Measure one thing and print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["opening", "run", "memory", "path", "train", "class"])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--visitors", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.what == "opening":
        measure_opening(arguments.repeats)
    elif arguments.what == "run":
        measure_run(arguments.repeats)
    elif arguments.what == "memory":
        measure_memory(arguments.runs)
    elif arguments.what == "train":
        print_columns()
        for emulated_card in (False, True):
            with visited(emulated_card) as (page, _):
                measure_training(page, arguments.repeats, "emulated card" if emulated_card else "processor")
    elif arguments.what == "class":
        measure_class(arguments.visitors)
    else:
        measure_path()


if __name__ == "__main__":
    main()
