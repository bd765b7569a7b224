"""Plotly's five megabytes of JavaScript travel to the browser once a page, not once a figure.

A plain ``FigureWidget`` carries the whole bundle in its own state, and the browser evaluates it anew for each, two to
three seconds each time. Here one undisplayed widget carries the bundle, and every figure waits for that one.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import anywidget
import plotly
import plotly.graph_objects as go
import traitlets

_GATE = "const gate = globalThis.mlxcPlotly ??= Promise.withResolvers();\n"

# Buttons of every figure that save it as a file, on the ground that it is seen on; made in the browser, since what a
# button does cannot be told from here. Plotly's own camera offers one format only; its logo leads out of the house, and
# its cloud takes the data there.
_PICTURES = """
const icon = (format) => ({ svg:
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 36 18"><text x="18" y="15" text-anchor="middle"
   font-family="sans-serif" font-size="15" font-weight="bold">${format.toUpperCase()}</text></svg>` });
const save = (format) => (figure) => {
  const paper_bgcolor = getComputedStyle(document.body).backgroundColor;
  const { width, height } = figure._fullLayout;
  window.Plotly.downloadImage(
    { data: figure.data, layout: { ...figure.layout, paper_bgcolor } },
    { format, filename: "mlxc-plot", width, height, scale: format === "png" ? 3 : 1 },
  );
};
const picture = (format) => ({
  name: `save-${format}`,
  title: `Save as ${format.toUpperCase()}`,
  icon: icon(format),
  click: save(format),
});
const pictures = {
  displaylogo: false,
  // What marks points has no use here, and a drag zooms in and a double click out; fewer hide less of a legend.
  modeBarButtonsToRemove: [
    "toImage", "sendChartToCloud", "sendDataToCloud", "select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d",
  ],
  plotlyServerURL: "",
  modeBarButtonsToAdd: [picture("png"), picture("svg")],
};
"""


@contextmanager
def _without(module: str) -> Iterator[None]:
    """Whoever asks meanwhile whether there is a module, is told that there is none."""
    there = sys.modules.pop(module, None)
    sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[module]
        if there is not None:
            sys.modules[module] = there


# Figures of a notebook's cells are checked with nbformat; its grammar of web addresses alone takes longer to load than
# all the rest of the page, and its figures are widgets.
with _without("nbformat"):
    FigureWidget: Any = go.FigureWidget


class PlotlySource(anywidget.AnyWidget):
    """Carries the bundle, as bytes that all kernels of a machine share: a text would be copied, and quoted in JSON.

    The browser evaluates it as soon as the controls of the page are drawn.
    """

    _esm = (
        _GATE
        + """
export default {
  initialize({ model }) {
    const url = URL.createObjectURL(new Blob([model.get("bundle")], { type: "text/javascript" }));
    const open = () => gate.resolve(import(url));
    if (window.requestIdleCallback) requestIdleCallback(open, { timeout: 2000 });
    else setTimeout(open, 200);
  },
};
"""
    )
    bundle = traitlets.Instance(memoryview).tag(sync=True)


class SharedFigureWidget(FigureWidget):
    """A ``FigureWidget`` that takes its JavaScript from :class:`PlotlySource`, and is never wider than its place.

    A widget that is not initialised within two seconds never receives an update (anywidget 0.11), and the bundle takes
    longer than that. So the figure counts as initialised at once, and what arrives meanwhile is kept and replayed.
    """

    _esm = (
        _GATE
        + _PICTURES
        + """
async function start(model) {
  // Into the object itself: functions cannot be sent to the kernel.
  Object.assign(model.get("_config"), pictures);
  const missed = [];
  const keep = () => missed.push(model.get("_py2js_update"));
  model.on("change:_py2js_update", keep);
  const figure = (await gate.promise).default();
  model.off("change:_py2js_update", keep);
  figure.initialize({ model });
  for (const message of missed) model.set("_py2js_update", message);
  return figure;
}
// Never wider than asked for, nor than there is room.
function fit(model, figure) {
  const width = Math.min(model.get("_widget_layout").width, figure.clientWidth);
  if (width && width !== figure._fullLayout.width) Plotly.relayout(figure, { width, _doNotReportToPy: true });
}
export default () => {
  let started;
  return {
    initialize({ model }) { started = start(model); },
    async render({ model, el }) {
      const watch = new ResizeObserver(() => fit(model, el));
      const drawn = (event) => event.detail.element === el && watch.observe(el);
      document.addEventListener("plotlywidget-after-render", drawn);
      const remove = (await started).render({ model, el });
      return () => {
        document.removeEventListener("plotlywidget-after-render", drawn);
        watch.disconnect();
        remove();
      };
    },
  };
};
"""
    )


@cache
def provide_plotly() -> PlotlySource:
    """Send the bundle to the page; further calls do nothing."""
    with open(Path(plotly.__file__).parent / "package_data" / "widgetbundle.js", "rb") as file:
        return PlotlySource(bundle=memoryview(mmap(file.fileno(), 0, access=ACCESS_READ)))
