"""What three kinds of visitors come for, each from the first view to the answer, with the time and the clicks.

``pytest -m slow -s tests/app/page/test_browser_paths.py`` prints both. A click is a press of the pointer, a choice in a
list, or a file that is chosen.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browser import (
    LOADING_MS,
    press,
    start,
    upload,
    visit,
    wait_until_done,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# A diagnosis begins nothing new after two and a half minutes.
DIAGNOSIS_MS = 400_000
COUNT_CLICKS = """
window.clicks = 0;
addEventListener("pointerdown", event => { window.clicks += event.isTrusted; }, { capture: true });
addEventListener("change", event => {
  if (event.target.matches("select, input[type=file]")) window.clicks += 1;
}, { capture: true });
"""
CHECKPOINT = Path(__file__).parents[3] / "assets" / "checkpoints" / "pbe-proxy.safetensors"
# Iron, bcc, as a database writes it: the whole symmetry, and nothing of moments.
IRON = """data_Fe
_cell_length_a 2.866
_cell_length_b 2.866
_cell_length_c 2.866
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'I m -3 m'
_space_group_IT_number 229
loop_
_space_group_symop_operation_xyz
'x, y, z'
'x+1/2, y+1/2, z+1/2'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Fe1 Fe 0 0 0 1
"""


@pytest.fixture
def visitor(chromium: Browser, address: str) -> Iterator[Page]:
    """Somebody who has just come, and has a page that is drawn."""
    console: list[str] = []
    page = visit(chromium, address, console, [])
    page.evaluate(COUNT_CLICKS)
    yield page
    page.context.close()
    assert not [line for line in console if line.startswith("error")]


@pytest.fixture
def walk(visitor: Page, request: pytest.FixtureRequest) -> Iterator[Callable[[], int]]:
    """How many clicks there were so far; the time and all clicks are printed in the end."""
    started = time.monotonic()

    def clicks() -> int:
        count: int = visitor.evaluate("window.clicks")
        return count

    yield clicks
    print(f"\n{request.node.name}: {time.monotonic() - started:.0f} s, {clicks()} clicks")


def test_a_student_mends_graphene(visitor: Page, walk: Callable[[], int]) -> None:
    press(visitor, "New here? “Learn”: six stops, ten minutes")
    for stop in range(1, 6):
        visitor.get_by_text(f"Stop {stop} of 6").wait_for(timeout=LOADING_MS)
        press(visitor, "Next")
    press(visitor, "Try it")
    panel = visitor.locator(".mlxc-panel-diagnose")
    panel.get_by_role("button", name="Diagnose", exact=True).click()
    panel.locator(".verdict").wait_for(timeout=DIAGNOSIS_MS)
    assert panel.locator(".verdict").inner_text().startswith("Model: there is no answer.")
    panel.get_by_role("button", name="Try: bulk-constrained, constrained by its form").click()
    result = wait_until_done(visitor, "equation of state", timeout=DIAGNOSIS_MS)
    # The measured lattice constant of graphite's sheets is 2.46 angstrom.
    assert lattice_constant(result) == pytest.approx(2.46, abs=0.1)
    assert walk() <= 9


def test_a_developer_compares_the_lattice_constants_of_a_checkpoint(visitor: Page, walk: Callable[[], int]) -> None:
    start(visitor, "Run equation of state")
    wait_until_done(visitor, "pbe,")
    upload(visitor, "Model", CHECKPOINT)
    visitor.locator(".mlxc-chosen", has_text="pbe-proxy").wait_for(timeout=LOADING_MS)
    start(visitor, "Run equation of state")
    wait_until_done(visitor, "pbe-proxy")
    press(visitor, "Compare")
    table = visitor.locator(".mlxc-panel-compare table")
    table.wait_for(timeout=LOADING_MS)
    (row,) = (line for line in table.inner_text().splitlines() if line.startswith("a₀ (Å)"))
    own, pbe = (float(number) for number in row.split()[-2:])
    # The network has learned PBE; aluminium has 4.04 angstrom in it.
    assert own == pytest.approx(pbe, rel=0.01)
    assert pbe == pytest.approx(4.04, abs=0.02)
    assert walk() <= 6


def test_a_scientist_takes_a_magnet_from_a_file_away_and_opens_it_again(
    visitor: Page, walk: Callable[[], int], tmp_path: Path
) -> None:
    file, archive = tmp_path / "iron.cif", tmp_path / "iron.zip"
    file.write_text(IRON)
    upload(visitor, "Crystal", file)
    visitor.locator(".mlxc-chosen", has_text=", spin").wait_for(timeout=LOADING_MS)
    press(visitor, "quick look")
    start(visitor, "Run")
    result = wait_until_done(visitor, "absolute", timeout=DIAGNOSIS_MS)
    # Two atoms, each of which has a measured moment of 2.2 Bohr magnetons.
    assert moment(result) / 2 == pytest.approx(2.2, abs=0.2)
    visitor.get_by_text("Take away").click()
    with visitor.expect_download(timeout=LOADING_MS) as waiting:
        press(visitor, "Everything (ZIP)")
    waiting.value.save_as(archive)
    visitor.keyboard.press("Escape")
    press(visitor, "Runs")
    with visitor.expect_file_chooser(timeout=LOADING_MS) as chooser:
        visitor.get_by_role("button", name="Open an archive (ZIP) …").click()
    chooser.value.set_files(archive)
    visitor.wait_for_selector(".mlxc-panel-convergence:not(.mlxc-folded)", timeout=LOADING_MS)
    assert moment(wait_until_done(visitor, "absolute")) == moment(result)
    assert walk() <= 10
    press(visitor, "Runs")
    visitor.locator(".mlxc-runs-table td.mlxc-title", has_text="iron").nth(1).wait_for(timeout=LOADING_MS)


def lattice_constant(words: str) -> float:
    """The lattice constant that a result's line tells, angstrom."""
    found = re.search(r"a₀ = ([\d.]+) Å", words)
    assert found is not None, words
    return float(found[1])


def moment(words: str) -> float:
    """The moment that a result's line tells, Bohr magnetons."""
    found = re.search(r"moment ([\d.]+) μB", words)
    assert found is not None, words
    return float(found[1])
