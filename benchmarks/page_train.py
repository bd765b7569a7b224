"""How fluent the page is while a functional learns: the first moved curve, and how long frames take.

A frame is late when the page was busy while it was due: ``requestAnimationFrame`` tells when each is drawn, the Long
Tasks API how long the page was blocked. Both count while the 300 steps of a training are drawn, which begins when its
curves have moved for the first time; what the click itself costs is told beside.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tables import print_header, print_row

if TYPE_CHECKING:
    from playwright.sync_api import Page

PANEL = ".mlxc-panel-train"
LOADING_MS = 120_000
STEPS = 300
# Frames are told from when somebody asks for the first; tasks of the browser that took more than 50 ms.
WATCH = """() => {
    const seen = window.seen = { frames: [], tasks: [] };
    let before = performance.now();
    const frame = now => { seen.frames.push([now, now - before]); before = now; requestAnimationFrame(frame); };
    requestAnimationFrame(frame);
    const note = list => seen.tasks.push(...list.getEntries().map(one => [one.startTime + one.duration, one.duration]));
    new PerformanceObserver(note).observe({ entryTypes: ["longtask"] });
}"""
# The trace of the functional has left that of its start, at s = 2.
MOVED = """() => {
    const named = {};
    for (const trace of document.querySelector('.mlxc-panel-train .js-plotly-plot')?.data ?? [])
        if (trace.visible !== false) named[trace.name] = trace;
    return named.now && named.start && named.now.y[20] !== named.start.y[20];
}"""


def measure_training(page: Page, repeats: int) -> None:
    """A row for each training of two numbers of PBE on four solids."""
    panel = page.locator(PANEL)
    page.get_by_role("button", name="Train", exact=True).click()
    start = panel.get_by_role("button", name="Start", exact=True)
    start.wait_for(timeout=LOADING_MS)
    page.get_by_text("Ready to run.").wait_for(timeout=LOADING_MS)
    page.wait_for_timeout(5000)
    page.evaluate(WATCH)
    print_header(
        "training", "first moved curve (s)", f"{STEPS} steps (s)", "longest frame, at the click (ms)",
        "longest frame (ms)", "95 % of frames below (ms)", "longest task (ms)",
    )  # fmt: skip
    for number in range(1, repeats + 1):
        # Another number of steps, another training: one that was computed before would only be shown.
        steps = panel.get_by_label("Steps", exact=True)
        if not steps.is_visible():
            panel.get_by_role("button", name="▸ What to learn, from which solids").click()
        steps.fill(str(STEPS + number - 1))
        steps.press("Tab")
        page.wait_for_timeout(1000)
        print_row([number, *_train(page)])


def _train(page: Page) -> list[str]:
    began, clicked = time.perf_counter(), page.evaluate("performance.now()")
    page.locator(PANEL).get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("Finished: Train").wait_for(state="detached", timeout=LOADING_MS)
    page.wait_for_function(MOVED, polling=20, timeout=LOADING_MS)
    first, moved = time.perf_counter() - began, page.evaluate("performance.now()")
    page.get_by_text("Finished: Train").wait_for(timeout=LOADING_MS)
    end = time.perf_counter() - began
    seen = page.evaluate("window.seen")
    early = [length for at, length in seen["frames"] if clicked < at <= moved]
    frames = sorted(length for at, length in seen["frames"] if at > moved)
    tasks = [length for at, length in seen["tasks"] if at > moved]
    usual = frames[int(0.95 * len(frames))]
    return [f"{first:.2f}", f"{end:.1f}", *(f"{value:.0f}" for value in (max(early), frames[-1], usual, max(tasks, default=0)))]
