"""How fast the panel "Models" is, in headless Chromium: the first path, functionals on 30 solids, numbers under a hand.

    python benchmarks/page_models.py

The first path is what somebody does who opens the page for the first time: open "Models", tick PBE, PBEsol and
solids-mgga, bring a checkpoint, and see four columns. Then functionals are ticked one after the other, and sliders are
dragged to and fro for some seconds, each twice: at first what a line of functionals needs is still being prepared. An
update is all errors of a column, drawn anew.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "app"))

from browser import drag_and_count, press, tick, visit, wait_for_cells  # noqa: E402
from page import PREHEATING_S, chromium, served  # noqa: E402
from tables import print_header, print_row  # noqa: E402

from mlxc.xc.checkpoint import save_checkpoint  # noqa: E402
from mlxc.xc.gga import PBE  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Page

SOLIDS = 30
TICKED = ("lda", "r2scan", "mcml", "ms2-proxy", "pbe-proxy", "bulk-constrained", "hm-gga", "xcdiff", "pcnn")
# What is moved by hand, the label of the slider, and what is chosen in the list "along" before.
HANDS = (
    ("κ and μ of PBE", "κ", ""),
    ("κ and μ of PBE", "μ", ""),
    ("A mix of two", "share", ""),
    ("A network's strength", "strength", ""),
    ("One weight", "weight", ""),
    ("An ensemble", "member", ""),
    ("An ensemble", "σ", "direction 1 "),
    ("An ensemble", "σ", "direction 2 "),
)


def first_path(page: Page, checkpoint: Path) -> None:
    """Four columns, from the page that is drawn."""
    press(page, "Models")
    tick(page, "pbe", "pbesol", "solids-mgga")
    with page.expect_file_chooser() as chooser:
        page.locator(".mlxc-panel-models .mlxc-upload button").click()
    chooser.value.set_files(checkpoint)
    wait_for_cells(page, 4 * SOLIDS)


def measure_ticks(page: Page) -> None:
    """From the tick of a functional to its first cells and to its last."""
    print_header("functional", "first cells (s)", "all solids (s)")
    for number, name in enumerate(TICKED, start=4):
        started = time.perf_counter()
        tick(page, name)
        wait_for_cells(page, number * SOLIDS + 1)
        first = time.perf_counter() - started
        wait_for_cells(page, (number + 1) * SOLIDS)
        print_row([name, f"{first:.2f}", f"{time.perf_counter() - started:.2f}"])


def measure_hands(page: Page) -> None:
    """How often the errors of a column change while a slider is dragged."""
    print_header("moved by hand", "slider", "updates per second", "the second time")
    for mode, slider, along in HANDS:
        press(page, mode)
        if along:
            choices = page.get_by_label("along", exact=True)
            choices.select_option(choices.locator("option", has_text=along).first.get_attribute("value"))
        rates = [drag_and_count(page, slider) for _ in range(2)]
        print_row([f"{mode}, {along.strip()}" if along else mode, slider, *(f"{rate:.1f}" for rate in rates)])


def main() -> None:
    """Measure all and print Markdown tables."""
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        checkpoint = Path(name) / "mine.safetensors"
        save_checkpoint(PBE(kappa=0.9, mu=0.15, trainable=True), checkpoint, name="mine", description="", licence="MIT")
        runs = Path(name) / "runs"
        runs.mkdir()
        with served(ROOT / "app" / "dashboard.ipynb", runs) as (address, _):
            time.sleep(PREHEATING_S)
            started = time.perf_counter()
            page = visit(browser, address, [], [])
            drawn = time.perf_counter() - started
            first_path(page, checkpoint)
            print_header("the page is drawn (s)", "four columns (s)")
            print_row([f"{drawn:.1f}", f"{time.perf_counter() - started:.1f}"])
            print()
            measure_ticks(page)
            print()
            measure_hands(page)


if __name__ == "__main__":
    main()
