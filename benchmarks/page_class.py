"""What a class costs: visitors who open the page at the same moment, and the memory that each of them takes.

A visitor can read when the page shows a text, and work when Run can be pressed: both are noted by the browser itself,
from the moment at which it leaves for the address. The memory is that of all processes behind the server, what they
share counted in parts (proportional set size), per visitor, after a while in which nobody does anything.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import psutil
from page_server import EMULATED_CARD, FLAGS, NOTEBOOK, chromium_path, served
from tables import print_header, print_row

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

# What the server has prepared is there; everybody has looked and does nothing.
PREPARED_S, IDLE_S = 20, 20
LOADING_MS = 300_000
NOTE_TIMES = """
window.seen = { longest: 0 };
const button = () => Array.from(document.querySelectorAll("button")).find(one => one.innerText.trim() === "Run");
const note = (name, there) => { if (!(name in window.seen) && there) window.seen[name] = performance.now() / 1000; };
const look = setInterval(() => {
    note("readable", document.body?.innerText.trim());
    const run = document.body && button();
    note("usable", run?.offsetParent && !run.disabled);
    if ("usable" in window.seen) clearInterval(look);
}, 20);
const longest = list => Math.max(window.seen.longest, ...list.getEntries().map(entry => entry.duration));
new PerformanceObserver(list => { window.seen.longest = longest(list); }).observe({ type: "longtask", buffered: true });
"""


def measure_class(most: int) -> None:
    """One row for one visitor, and one for many at once."""
    print_header(
        "visitors at once", "can read (s)", "can work (s)", "longest blocked (ms)", "kernel (MiB)", "workers (MiB)",
        "per visitor (MiB)",
    )  # fmt: skip
    for visitors in (1, most):
        print_row([visitors, *(f"{value:.{digits}f}" for value, digits in _measure(visitors))])


def _measure(visitors: int) -> list[tuple[float, int]]:
    """What the last of the visitors waits for, and what all take, with the digits that are meant."""
    with tempfile.TemporaryDirectory() as name, served(NOTEBOOK, Path(name)) as (address, server):
        seen, sizes = asyncio.run(_visit(address, visitors, server.pid))
    # The smallest one is prepared for who comes next; without it, others would have what they share with it.
    kernels = sum(size.part for size in sizes["kernel"] + sizes["origin"]) - min(sizes["kernel"]).own
    workers = sum(size.part for size in sizes["worker"])
    last = {name: max(one[name] for one in seen) for name in ("readable", "usable", "longest")}
    return [
        (last["readable"], 2),
        (last["usable"], 1),
        (last["longest"], 0),
        (kernels / visitors, 0),
        (workers, 0),
        ((kernels + workers) / visitors, 0),
    ]


async def _visit(address: str, visitors: int, server: int) -> tuple[list[dict[str, float]], dict[str, list[Memory]]]:
    from playwright.async_api import async_playwright

    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium_path(), args=FLAGS + EMULATED_CARD)
        pages = [await _blank(browser) for _ in range(visitors)]
        await asyncio.sleep(PREPARED_S)
        seen = await asyncio.gather(*(_open(page, address) for page in pages))
        await asyncio.sleep(IDLE_S)
        sizes = memory_mib(server)
        await browser.close()
    return list(seen), sizes


async def _blank(browser: Browser) -> Page:
    """A visitor of one's own, who has opened nothing yet."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    await page.add_init_script(NOTE_TIMES)
    return page


async def _open(page: Page, address: str) -> dict[str, Any]:
    """What this visitor's browser has noted until Run can be pressed."""
    await page.goto(address, wait_until="commit", timeout=LOADING_MS)
    await page.wait_for_function("'usable' in window.seen", timeout=LOADING_MS, polling=200)
    seen: dict[str, Any] = await page.evaluate("window.seen")
    return seen


class Memory(NamedTuple):
    """What a process has in memory, MiB.

    Attributes:
        part: The proportional set size: what it has for itself, and its part of what it shares.
        own: What it has for itself.
    """

    part: float
    own: float


def memory_mib(server: int) -> dict[str, list[Memory]]:
    """The memory of the processes behind a server's pages: kernels, workers, and what kernels are split off from."""
    sizes: dict[str, list[Memory]] = {"kernel": [], "worker": [], "origin": []}
    for process in psutil.Process(server).children(recursive=True):
        memory = process.memory_full_info()
        sizes[_kind(process, server)].append(Memory(memory.pss / 2**20, memory.uss / 2**20))
    return sizes


def _kind(process: psutil.Process, server: int) -> str:
    command = process.cmdline()
    if "mlxc.runs.worker" in command:
        return "worker"
    # Kernels have the command line of what they are split off from.
    return "origin" if "mlxc_app.kernels.origin" in command and process.ppid() == server else "kernel"
