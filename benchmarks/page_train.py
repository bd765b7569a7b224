"""How fluent the page is while a functional learns: the first moved curve, and how long frames take.

``requestAnimationFrame`` tells when each frame is drawn. The browser's trace tells how long each task of the page took
by the clock, and how long the processor worked at it, which does not depend on what else runs on the machine.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from tables import print_header, print_row

if TYPE_CHECKING:
    from playwright.sync_api import Page

PANEL = ".mlxc-panel-train"
LOADING_MS = 120_000
STEPS = 300
CATEGORIES = ["disabled-by-default-devtools.timeline"]
# When each frame was drawn, and how long after the one before.
WATCH_FRAMES = """() => {
    window.frames_seen = [];
    let before = performance.now();
    const frame = now => { window.frames_seen.push([now, now - before]); before = now; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
}"""
# The functional has left its start, at s = 2.
MOVED = """() => {
    const named = {};
    for (const plot of document.querySelectorAll('.mlxc-train-plots .js-plotly-plot'))
        for (const trace of plot.data ?? [])
            if (trace.visible !== false) named[trace.name] = trace;
    return named.now && named.start && named.now.y[20] !== named.start.y[20];
}"""


def print_columns() -> None:
    """What :func:`measure_training` measures."""
    print_header(
        "drawn by", "training", "first moved curve (s)", f"{STEPS} steps (s)", "longest frame (ms)",
        "95 % of frames below (ms)", "longest task (ms)", "longest task, processor (ms)", "load of the machine before",
    )  # fmt: skip


def measure_training(page: Page, repeats: int, drawn_by: str) -> None:
    """A row for each training of two numbers of PBE on four solids."""
    page.get_by_role("button", name="Train", exact=True).click()
    page.locator(PANEL).get_by_role("button", name="Start", exact=True).wait_for(timeout=LOADING_MS)
    page.get_by_text("Ready to run.").wait_for(timeout=LOADING_MS)
    page.wait_for_timeout(5000)
    page.evaluate(WATCH_FRAMES)
    for number in range(repeats):
        # What has been computed before would only be shown: each training has a step more.
        _ask_for(page, STEPS + number)
        load = os.getloadavg()[0]
        print_row([drawn_by, number + 1, *_train(page), f"{load:.1f}"])


def _ask_for(page: Page, steps: int) -> None:
    field = page.locator(PANEL).get_by_label("Steps", exact=True)
    if not field.is_visible():
        page.locator(PANEL).get_by_role("button", name="▸ What to learn, from which solids").click()
    field.fill(str(steps))
    field.press("Tab")
    page.wait_for_timeout(1000)


def _train(page: Page) -> list[str]:
    tasks = _Tasks(page)
    began, clicked = time.perf_counter(), page.evaluate("performance.now()")
    page.locator(PANEL).get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("Finished: Train").wait_for(state="detached", timeout=LOADING_MS)
    page.wait_for_function(MOVED, polling=20, timeout=LOADING_MS)
    first = time.perf_counter() - began
    page.get_by_text("Finished: Train").wait_for(timeout=LOADING_MS)
    end = time.perf_counter() - began
    frames = sorted(length for at, length in page.evaluate("window.frames_seen") if at > clicked)
    milliseconds = (frames[-1], frames[int(0.95 * len(frames))], *tasks.longest())
    return [f"{first:.2f}", f"{end:.1f}", *(f"{value:.0f}" for value in milliseconds)]


class _Tasks:
    """The tasks of the page's main thread, from now on."""

    def __init__(self, page: Page) -> None:
        self._page = page
        browser = page.context.browser
        assert browser is not None
        self._session = browser.new_browser_cdp_session()
        self._events: list[dict[str, Any]] = []
        self._complete = False
        self._session.on("Tracing.dataCollected", lambda told: self._events.extend(told["value"]))
        self._session.on("Tracing.tracingComplete", self._end)
        config = {"includedCategories": CATEGORIES}
        self._session.send("Tracing.start", {"transferMode": "ReportEvents", "traceConfig": config})

    def _end(self, told: Any) -> None:
        self._complete = True

    def longest(self) -> tuple[float, float]:
        """The longest task by the clock, and the one at which the processor worked longest, both milliseconds."""
        self._session.send("Tracing.end")
        while not self._complete:
            self._page.wait_for_timeout(100)
        self._session.detach()
        renderers = {
            (event["pid"], event["tid"])
            for event in self._events
            if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
        }
        own = [
            event for event in self._events if event["name"] == "RunTask" and (event["pid"], event["tid"]) in renderers
        ]
        by_clock, worked = (max(event.get(key, 0) for event in own) / 1000 for key in ("dur", "tdur"))
        return by_clock, worked
