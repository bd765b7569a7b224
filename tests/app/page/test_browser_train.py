"""A functional learns in a browser: from the first click to a functional that is kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from browser import LOADING_MS, press

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.thorough]

# What scripts/training/kappa-mu.yaml ends with, see docs/evidence.md.
KAPPA, MU = 0.5214, 0.2259
PANEL = ".mlxc-panel-train"
# The traces of all figures by name, as far as they are shown.
TRACES = """() => Object.fromEntries(Array.from(
    document.querySelectorAll('.mlxc-train-plots .js-plotly-plot')).flatMap(plot => Array.from(plot.data ?? []))
    .filter(trace => trace.visible !== false && trace.mode === 'lines')
    .map(trace => [trace.name, Array.from(trace.y ?? [])]))"""

LAST_STEP = "() => document.querySelector('.mlxc-train-plots .js-plotly-plot').data[0].x.at(-1)"


def traces(page: Page) -> dict[str, list[float]]:
    found: dict[str, list[float]] = page.evaluate(TRACES)
    return found


def test_kappa_and_mu_learn_before_ones_eyes(page: Page) -> None:
    press(page, "Train")
    start = page.locator(PANEL).get_by_role("button", name="Start", exact=True)
    start.wait_for(timeout=LOADING_MS)
    page.get_by_text("Ready to run.").wait_for(timeout=LOADING_MS)
    page.locator(PANEL).get_by_label("Steps", exact=True).fill("300")
    page.locator(PANEL).get_by_label("Steps", exact=True).press("Tab")
    began = time.monotonic()
    start.click()
    page.wait_for_function(
        f"() => {{ const f = ({TRACES})(); return f.now && f.start && f.now[20] !== f.start[20]; }}",
        timeout=LOADING_MS,
    )
    print(f"from the click to the first moved curve {time.monotonic() - began:.2f} s")
    page.get_by_text("Finished: Train").wait_for(timeout=120_000)
    words = page.locator(PANEL).get_by_text("Mean errors").first.inner_text()
    print(f"300 steps {time.monotonic() - began:.2f} s: {words}")
    kappa, mu = (float(words.split(f"{name} = ")[1].split(",")[0].split(". ")[0]) for name in ("kappa", "mu"))
    assert kappa == pytest.approx(KAPPA, abs=0.01)
    assert mu == pytest.approx(MU, abs=0.01)
    losses = traces(page)["training"]
    assert losses[-1] < losses[0] / 2


def test_a_person_goes_back_to_any_step(page: Page) -> None:
    last = traces(page)["now"]
    slider = page.locator(f"{PANEL} .mlxc-train-scrubber [role=slider]").first
    slider.focus()
    slider.press("Home")
    page.wait_for_function(f"() => {{ const f = ({TRACES})(); return f.now[20] === f.start[20]; }}", timeout=LOADING_MS)
    page.locator(PANEL).get_by_role("button", name="Latest", exact=True).click()
    page.wait_for_function(f"last => ({TRACES})().now[20] === last", arg=last[20], timeout=LOADING_MS)


def test_what_was_learned_is_kept_and_chosen(page: Page) -> None:
    name = page.locator(PANEL).get_by_label("Call it", exact=True)
    name.fill("mine")
    name.press("Tab")
    page.locator(PANEL).get_by_role("button", name="Keep this functional").click()
    page.get_by_text("mine is kept and chosen on the left").wait_for(timeout=LOADING_MS)


def test_a_rate_of_a_hundred_says_that_it_diverged(page: Page) -> None:
    page.locator(PANEL).get_by_role("button", name="▸ What to learn, from which solids").click()
    rate = page.locator(PANEL).get_by_label("Rate", exact=True)
    rate.fill("100")
    rate.press("Tab")
    page.locator(PANEL).get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("The training diverged").first.wait_for(timeout=LOADING_MS)
    page.locator(PANEL).get_by_role("button", name="▸ What to learn, from which solids").click()
    rate.fill("0.01")
    rate.press("Tab")


def test_a_training_is_paused_and_stopped(page: Page) -> None:
    steps = page.locator(PANEL).get_by_label("Steps", exact=True)
    steps.fill("100000")
    steps.press("Tab")
    page.locator(PANEL).get_by_role("button", name="Start", exact=True).click()
    page.wait_for_function(f"() => (({TRACES})().training ?? []).length > 3", timeout=LOADING_MS)
    page.locator(PANEL).get_by_role("button", name="Pause", exact=True).click()
    page.locator(PANEL).get_by_text("Paused before step").wait_for(timeout=LOADING_MS)
    page.wait_for_timeout(1000)
    before = page.evaluate(LAST_STEP)
    page.wait_for_timeout(1500)
    assert page.evaluate(LAST_STEP) == before
    page.locator(PANEL).get_by_role("button", name="Go on", exact=True).click()
    page.wait_for_function(f"before => ({LAST_STEP})() > before", arg=before, timeout=LOADING_MS)
    page.locator(PANEL).get_by_role("button", name="Stop training", exact=True).click()
    page.get_by_text("Stopped: Train").wait_for(timeout=LOADING_MS)
    page.locator(PANEL).get_by_role("button", name="Keep this functional").wait_for(timeout=LOADING_MS)


def test_a_page_that_is_loaded_again_takes_the_training_up(page: Page) -> None:
    page.locator(PANEL).get_by_role("button", name="Start", exact=True).click()
    # The steps of the training before are drawn until this one has begun.
    page.locator(PANEL).get_by_role("button", name="Stop training", exact=True).wait_for(timeout=LOADING_MS)
    page.locator(PANEL).get_by_text("of at most 100000").wait_for(timeout=LOADING_MS)
    before = page.evaluate(LAST_STEP)
    page.reload(wait_until="commit")
    page.wait_for_selector(".mlxc-head", timeout=LOADING_MS)
    page.locator(PANEL).get_by_role("button", name="Stop training", exact=True).wait_for(timeout=LOADING_MS)
    page.wait_for_function(
        f"before => {{ const f = ({TRACES})(); return f.training && f.now && f.kappa && ({LAST_STEP})() > before; }}",
        arg=before,
        timeout=LOADING_MS,
    )
    page.locator(PANEL).get_by_role("button", name="Stop training", exact=True).click()
    page.get_by_text("Stopped: Train").wait_for(timeout=LOADING_MS)


@pytest.mark.slow
def test_forces_of_a_teacher_are_learned_with_the_adjoint_in_view(page: Page) -> None:
    panel = page.locator(PANEL)
    press(page, "Train")
    panel.get_by_role("button", name="Start", exact=True).wait_for(timeout=LOADING_MS)
    page.get_by_text("Ready to run.").wait_for(timeout=LOADING_MS)
    if not panel.get_by_label("Forces", exact=True).is_visible():
        panel.get_by_role("button", name="▸ What to learn, from which solids").click()
    for which, solids in (("learn from", ("Al", "V", "NaCl")), ("test on", ("Cu", "C", "MgO", "GaAs"))):
        panel.get_by_role("button", name=which, exact=True).click()
        for solid in solids:
            panel.get_by_role("button", name=solid, exact=True).click()
    for label, value in (("a₀", 0), ("Forces", 1), ("Rate", 0.05), ("Steps", 2)):
        panel.get_by_label(label, exact=True).fill(str(value))
        panel.get_by_label(label, exact=True).press("Tab")
    panel.get_by_label("Teacher", exact=True).select_option("pbesol")
    page.get_by_text("learns from pbesol's forces of 1 solid").wait_for(timeout=LOADING_MS)
    panel.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("Finished: Train").wait_for(timeout=600_000)
    residuals = page.evaluate("Array.from(document.querySelector('.mlxc-train-adjoints .js-plotly-plot').data[0].y)")
    assert len(residuals) > 3
    assert residuals[-1] < 1e-6
    losses = traces(page)["training"]
    assert losses[-1] < losses[0]
