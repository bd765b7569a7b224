"""Whether a browser shows the page.

Voila prepares a page before anybody asks for it, and ends kernels that have been idle for long without a browser. A
prepared page that waits for its first visitor would be ended while it is being handed out; so it says now and then that
it is alive, and it starts the process that computes only when somebody comes.
"""

from __future__ import annotations

import asyncio
from typing import Any

import anywidget
import traitlets

# Well below ``cull_idle_timeout`` in voila.json.
BEAT_SECONDS = 60.0


class Presence(anywidget.AnyWidget):
    """An undisplayed widget: the browser that loads it says that it is here, who it is, and by which address it came.

    A page that was prepared knows nothing of the address by which it is handed out, so the browser is asked.

    Attributes:
        visitor: A random name that the browser keeps, so that a reloaded page finds its runs; empty if it keeps none.
        setup: The value of ``?setup=`` in the address; empty if there is none.
        run: The name of the run that was shown before the page was reloaded; empty if none was.
        panel: The name of the panel that was unfolded before the page was reloaded, or which the address names as
            ``?panel=``; empty if there is none.
        shown: The name of the run that is shown, which the browser keeps until its tab is closed.
        unfolded: The name of the panel that is unfolded, likewise.
        visited: Whether a browser has loaded the page.
        signs: How many times the browser has said that somebody does something there.
    """

    _esm = """
function visitor() {
  try {
    const random = () => crypto.getRandomValues(new Uint32Array(4)).join("-");
    localStorage["mlxc-visitor"] ??= random();
    return localStorage["mlxc-visitor"];
  } catch {
    return "";
  }
}
function address(name) {
  return new URLSearchParams(window.location.search).get(name) ?? "";
}
// Who comes by another link than before comes for what is in it.
const link = { setup: address("setup"), linked: address("panel") };
function keep(run, panel) {
  try {
    sessionStorage["mlxc-run"] = JSON.stringify({ run, panel, ...link });
  } catch {}
}
function kept() {
  try {
    const before = JSON.parse(sessionStorage["mlxc-run"]);
    return before.setup === link.setup && before.linked === link.linked ? before : {};
  } catch {
    return {};
  }
}
// Who moves may soon press Run: it is said now and then.
const SIGN_MS = 20000;
function signs(send) {
  const ended = new AbortController();
  let last = performance.now();
  const stir = () => {
    if (document.hidden || performance.now() - last < SIGN_MS) return;
    last = performance.now();
    send();
  };
  for (const kind of ["pointermove", "pointerdown", "keydown", "wheel", "focus", "visibilitychange"]) {
    window.addEventListener(kind, stir, { capture: true, passive: true, signal: ended.signal });
  }
  return () => ended.abort();
}
export default {
  initialize({ model }) {
    const follow = () => keep(model.get("shown"), model.get("unfolded"));
    const { run = "", panel = "" } = kept();
    model.on("change:shown change:unfolded", follow);
    model.send({ visitor: visitor(), setup: link.setup, run, panel: panel || link.linked });
    const end = signs(() => model.send({ stirs: true }));
    return () => {
      model.off("change:shown change:unfolded", follow);
      end();
    };
  },
};
"""
    visitor = traitlets.Unicode("")
    setup = traitlets.Unicode("")
    run = traitlets.Unicode("")
    panel = traitlets.Unicode("")
    shown = traitlets.Unicode("").tag(sync=True)
    unfolded = traitlets.Unicode("").tag(sync=True)
    visited = traitlets.Bool(False)
    signs = traitlets.Int(0)
    beat = traitlets.Int(0).tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self.on_msg(self._hear)

    async def wait(self) -> None:
        """Stay alive until somebody comes."""
        while not self.visited:
            self.beat += 1
            await asyncio.sleep(BEAT_SECONDS)

    def _hear(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        if "stirs" in content:
            self.signs += 1
        else:
            self._greet(content)

    def _greet(self, content: dict[str, Any]) -> None:
        self.visitor = str(content.get("visitor", ""))
        self.setup = str(content.get("setup", ""))
        self.run = str(content.get("run", ""))
        self.panel = str(content.get("panel", ""))
        self.visited = True
