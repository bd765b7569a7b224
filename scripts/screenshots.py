"""Takes the pictures of the page, light and dark, from runs that it computes for them.

python scripts/screenshots.py [--folder assets/screenshots] [--without-diagnosis]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[1]
sys.path += [str(ROOT / "tests" / "app"), str(ROOT / "benchmarks")]

from browser import LOADING_MS, choose, choose_crystal, choose_functional, open_card, press, wait_until_done  # noqa: E402
from page import COMPARE, visited  # noqa: E402

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Of the diagnosis of graphene, which takes longest.
RUNNING_MS = 900_000
LOOK_MS = 2_500
SILICON, NICKEL, GRAPHENE = "Silicon (diamond structure)", "Nickel (fcc)", "Graphene"


def compute(page: Page, name: str) -> None:
    """Press a button that starts a run, and wait for its end."""
    page.get_by_role("button", name=name, exact=True).last.click()
    page.get_by_role("button", name="Stop", exact=True, disabled=False).wait_for(timeout=LOADING_MS)
    page.get_by_role("button", name="Stop", exact=True, disabled=True).wait_for(timeout=RUNNING_MS)
    wait_until_done(page)


def take(page: Page, folder: Path, name: str) -> None:
    """The page as it is, in both themes, from its top on."""
    for theme in ("light", "dark"):
        page.mouse.move(0, 0)
        page.evaluate("document.getElementById('rendered_cells').scrollTo(0, 0)")
        page.wait_for_timeout(LOOK_MS)
        page.screenshot(path=folder / f"{name}-{theme}.png")
        press(page, "Light / Dark")
    page.wait_for_timeout(500)


def moment(page: Page) -> None:
    """Compute the energy of nickel against its moment, with a smearing that leaves no steps in the curve."""
    choose(page, NICKEL, 24, 6)
    open_card(page, "How fine")
    page.get_by_label("Smearing", exact=True).select_option(label="Gaussian")
    press(page, "Moment")
    highest = page.get_by_label("Up to (μB)", exact=True)
    highest.fill("1")
    highest.press("Tab")
    compute(page, "Run energy against moment")


def compare_models(page: Page) -> None:
    """Put three functionals side by side."""
    press(page, "Models")
    for name in ("pbe", "pbesol", "solids-mgga"):
        page.locator(f".mlxc-grouped-ticks input[value='{name}']").click()
    page.locator(".mlxc-heat-summary:nth-child(3) td", has_text=".").nth(2).wait_for(timeout=LOADING_MS)


def train(page: Page, folder: Path) -> None:
    """Choose what a network learns from, and let two numbers of PBE learn."""
    press(page, "Train")
    panel = page.locator(".mlxc-panel-train")
    panel.get_by_role("button", name="Start", exact=True).wait_for(timeout=LOADING_MS)
    take(page, folder, "train-choices")
    panel.get_by_role("button", name="Start", exact=True).click()
    wait_until_done(page, timeout=RUNNING_MS)
    take(page, folder, "train")


def take_all(page: Page, folder: Path, with_diagnosis: bool) -> None:
    """Every panel, in the order of the page."""
    take(page, folder, "first-view")
    choose(page, SILICON, 12, 4)
    compute(page, "Run")
    take(page, folder, "convergence")
    press(page, "Density")
    page.wait_for_timeout(LOOK_MS)
    take(page, folder, "density")
    press(page, "Bands")
    compute(page, "Run bands")
    take(page, folder, "bands")
    choose(page, NICKEL, 24, 4)
    press(page, "Magnetic orders")
    compute(page, "Run magnetic orders")
    take(page, folder, "magnetic-orders")
    choose(page, SILICON, 12, 4)
    for name in ("pbe", "pbe-proxy"):
        choose_functional(page, name)
        compute(page, "Run equation of state")
    press(page, "Equation of state")
    take(page, folder, "equation-of-state")
    moment(page)
    take(page, folder, "moment")
    choose(page, SILICON, 12, 4)
    press(page, "Compare")
    choice = f"{COMPARE} .mlxc-compare-choice select"
    page.locator(f"{choice} option").nth(1).wait_for(timeout=LOADING_MS)
    page.locator(choice).select_option(index=[0, 1])
    take(page, folder, "compare")
    choose_functional(page, "pbe-kappa-mu")
    press(page, "Gradients")
    compute(page, "Run gradient")
    take(page, folder, "gradients")
    press(page, "Functional")
    page.get_by_text("The functional is being asked").wait_for(timeout=LOADING_MS)
    page.get_by_text("The functional is being asked").wait_for(state="hidden", timeout=RUNNING_MS)
    take(page, folder, "functional")
    compare_models(page)
    take(page, folder, "models")
    train(page, folder)
    press(page, "Learn")
    take(page, folder, "learn")
    if with_diagnosis:
        choose_crystal(page, GRAPHENE)
        choose_functional(page, "bulk-unconstrained")
        press(page, "Diagnose")
        page.wait_for_timeout(LOOK_MS)
        compute(page, "Diagnose")
        take(page, folder, "diagnose")


def main() -> None:
    """Take them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=ROOT / "assets" / "screenshots")
    parser.add_argument("--without-diagnosis", action="store_true", help="leave out what takes minutes")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with visited() as (page, _):
        page.wait_for_timeout(LOOK_MS)
        take_all(page, arguments.folder, not arguments.without_diagnosis)


if __name__ == "__main__":
    main()
