"""The panels of convergence, density and equation of state as a person meets them, with one tiny crystal."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from browser import (
    CONVERGENCE,
    DENSITY,
    EQUATION_OF_STATE,
    LOADING_MS,
    RUNNING_MS,
    choose,
    choose_functional,
    plot,
    plotted,
    press,
    start,
    wait_for_data,
    wait_until_done,
)

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Minutes in all: the main path is in test_browser.py.
pytestmark = [pytest.mark.browser, pytest.mark.slow]

SILICON = "Silicon (diamond structure)"
# Names of the traces that are shown in the second plot of a panel.
SHOWN = """panel => Array.from(document.querySelectorAll(`.mlxc-panel-${panel} .js-plotly-plot`)[1].data)
    .filter(trace => trace.visible !== false && trace.x?.length).map(trace => trace.name)"""


@pytest.fixture(scope="module")
def silicon(page: Page) -> Page:
    """The page after a run of silicon in the local density approximation."""
    choose_functional(page, "lda")
    # On a mesh of two, the equation of state has no minimum in the range.
    choose(page, SILICON, 5, 3)
    start(page, "Run")
    page.wait_for_selector(f".mlxc-panel-{CONVERGENCE} h3:has-text('Silicon')", timeout=RUNNING_MS)
    wait_until_done(page)
    return page


def detail(page: Page, choice: str, trace: str) -> None:
    """Choose what the second plot of convergence shows, and wait for a trace of it."""
    page.locator(f".mlxc-panel-{CONVERGENCE}").get_by_label("Look at", exact=True).select_option(choice)
    page.wait_for_function(f"trace => ({SHOWN})('{CONVERGENCE}').includes(trace)", arg=trace, timeout=LOADING_MS)


def test_the_second_plot_of_convergence_shows_what_is_chosen(silicon: Page) -> None:
    detail(silicon, "Occupations", "states")
    scale = f"document.querySelectorAll('{plot(CONVERGENCE)}')[1]._fullLayout.yaxis"
    assert silicon.evaluate(f"{scale}.type") == "linear"
    detail(silicon, "Residual by wavelength", "shorter than 2.5 bohr")
    assert "states" not in silicon.evaluate(SHOWN, CONVERGENCE)
    detail(silicon, "Energy terms", "Hartree")
    silicon.wait_for_function(f"{scale}.type == 'log'", timeout=LOADING_MS)
    silicon.locator(f".mlxc-panel-{CONVERGENCE}").get_by_label("Look at", exact=True).select_option("Magnetic moment")
    silicon.get_by_text("no spin polarisation").wait_for()


def test_the_surface_of_the_density_is_drawn_and_moves_with_its_level(silicon: Page) -> None:
    image = pytest.importorskip("PIL.Image")
    press(silicon, "Density")
    wait_for_data(silicon, DENSITY, axis="z")
    canvas = silicon.locator(f".mlxc-panel-{DENSITY} canvas:visible").first

    def blue() -> int:
        """How many points of the canvas have the colour of the surface."""
        drawn = image.open(io.BytesIO(canvas.screenshot())).convert("RGB")
        return sum(count for count, (r, g, b) in drawn.getcolors(1_000_000) if b > r + 40 and b > g)

    def until(condition: str, limit: int) -> None:
        for _ in range(40):
            count = blue()
            if (count > limit) if condition == "more" else (count < limit):
                return
            silicon.wait_for_timeout(500)
        pytest.fail(f"{count} blue points, where {condition} than {limit} were expected")

    until("more", 2000)
    before = blue()
    slider = silicon.locator(f".mlxc-panel-{DENSITY} .noUi-handle:visible").first
    slider.focus()
    slider.press("End")
    until("less", before // 2)


def test_what_the_functional_does_differently_is_looked_at_in_a_miller_plane(silicon: Page) -> None:
    panel = silicon.locator(f".mlxc-panel-{DENSITY}")
    panel.get_by_label("Look at", exact=True).select_option("v_xc − v_xc of PBE")
    figure = f"document.querySelector('{plot(DENSITY)}')"
    silicon.wait_for_function(f"{figure}.data[0].colorbar.title.text.endsWith('eV')", timeout=LOADING_MS)
    panel.get_by_label("Plane", exact=True).select_option("Miller plane (h k l)")
    silicon.wait_for_function(f"{figure}.layout.xaxis.title.text.includes('(1 1 1)')", timeout=LOADING_MS)
    assert "Si" in plotted(silicon, DENSITY, 1, "text")
    press(silicon, "Box empty? Draw with plotly")
    silicon.wait_for_selector(f".mlxc-panel-{DENSITY} .gl-container canvas", timeout=LOADING_MS)
    press(silicon, "Draw with NGL")


def test_equations_of_state_of_two_functionals_are_overlaid(silicon: Page) -> None:
    for functional in ("rpbe", "pbe"):
        choose_functional(silicon, functional)
        silicon.wait_for_timeout(500)
        start(silicon, "Run equation of state")
        silicon.wait_for_selector(f".mlxc-panel-{EQUATION_OF_STATE} h3:has-text(', {functional},')", timeout=RUNNING_MS)
        wait_until_done(silicon)
    panel = silicon.locator(f".mlxc-panel-{EQUATION_OF_STATE}")
    table = panel.locator(".mlxc-table").inner_text()
    assert table.count(SILICON) == 2
    assert len(panel.get_by_label("Beside it", exact=True).locator("option:checked").all()) == 1
    titles = silicon.evaluate(f"document.querySelector('{plot(EQUATION_OF_STATE)}').data.map(trace => trace.name)")
    # What both have in common, the crystal and the settings, is in the heading.
    assert {"pbe", "rpbe"} <= set(titles)


def test_the_panels_fit_a_tablet_and_nothing_failed(silicon: Page, console: list[str]) -> None:
    silicon.set_viewport_size({"width": 800, "height": 800})
    for name in ("Convergence", "Density", "Equation of state"):
        press(silicon, name)
        silicon.wait_for_timeout(1000)
        assert silicon.evaluate("document.getElementById('rendered_cells').scrollWidth") <= 800, name
    silicon.set_viewport_size({"width": 1280, "height": 800})
    assert not [line for line in console if line.startswith("error")]
