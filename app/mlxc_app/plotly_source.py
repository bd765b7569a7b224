"""Plotly's five megabytes of JavaScript travel to the browser once a page, not once a figure.

A plain ``FigureWidget`` carries the whole bundle in its own state, and the browser evaluates it anew for each, two to
three seconds each time. Here one undisplayed widget carries the bundle, and every figure waits for that one.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import anywidget
import plotly
import plotly.graph_objects as go
import traitlets

_GATE = "const gate = globalThis.mlxcPlotly ??= Promise.withResolvers();\n"


class PlotlySource(anywidget.AnyWidget):
    """Carries the bundle; the browser evaluates it as soon as the controls of the page are drawn."""

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
    bundle = traitlets.Unicode().tag(sync=True)


class SharedFigureWidget(go.FigureWidget):
    """A ``FigureWidget`` that takes its JavaScript from :class:`PlotlySource`, and is never wider than its place.

    A widget that is not initialised within two seconds never receives an update (anywidget 0.11), and the bundle takes
    longer than that. So the figure counts as initialised at once, and what arrives meanwhile is kept and replayed.
    """

    _esm = (
        _GATE
        + """
async function start(model) {
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
    bundle = Path(plotly.__file__).parent / "package_data" / "widgetbundle.js"
    return PlotlySource(bundle=bundle.read_text(encoding="utf-8"))
