"""The one place where plotly widgets are made.

A ``FigureWidget`` silently loses traces and axis settings that are changed between its construction and the moment the
browser draws it. A figure is therefore built complete, with all its traces (empty where there are no data yet), and
afterwards only the data in them change. Its colours, other than those of data, come from ``theme.js``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, Generic, TypeVar

import plotly.graph_objects as go

from mlxc_app.widgets.palette import FONT, ORANGE
from mlxc_app.widgets.plotly_source import SharedFigureWidget, provide_plotly

Picture = TypeVar("Picture")

# So many pictures are left out for a figure that the browser has yet to draw for the first time, and for one whose last
# picture it has yet to draw. It does not tell of every picture: after that a figure is drawn without its word.
MOST_BEFORE_FIRST, MOST_BETWEEN = 60, 2
# As wide as a panel is on a large screen; where there is less room, a figure is narrower.
WIDTH = 1600


def live_figure(traces: Sequence[Any], height: int, width: int = WIDTH, **layout: Any) -> go.FigureWidget:
    """A figure whose traces can be updated while people look at it.

    Args:
        traces: All the traces the figure will ever have.
        height: The height in pixels.
        width: The width in pixels, if there is room.
        layout: Plotly's layout fields; they win over the common style.
    """
    style: dict[str, Any] = {
        "template": "none",
        "width": width,
        "height": height,
        "font": {"family": FONT, "size": 14},
        "margin": {"l": 80, "r": 20, "t": 40, "b": 55},
        "hovermode": "closest",
        "showlegend": False,
    }
    provide_plotly()
    return SharedFigureWidget(go.Figure(data=list(traces), layout={**style, **layout}))


def replace_data(figure: go.FigureWidget, traces: Sequence[Any]) -> None:
    """Give each trace of the figure what it shows in its new version.

    In a batch update this goes along with all that changes of the layout, as one message: the browser draws a figure
    anew for each message, and that takes most of the time that a picture takes.

    What stays as it is goes along: where an update holds a value for some traces only, a figure that the browser has
    yet to draw forgets the one of the others, and calls them "trace 4".
    """
    has_text = any(trace.text is not None for trace in traces)
    with figure.batch_update():
        for old, new in zip(figure.data, traces, strict=True):
            shown = {name: new[name] for name in ("x", "y", "name", "visible")}
            if has_text:
                shown["text"] = old.text if new.text is None else new.text
            for name, value in shown.items():
                # What an assignment does, also if it changes nothing.
                figure._restyle_child(old, name, value)


class InStep(Generic[Picture]):
    """Shows pictures in a figure no faster than the browser draws them: of those that come meanwhile, the last one.

    Others would pile up and keep the page from answering; and updates of a figure that is just being drawn for the
    first time, as after a page was loaded again in the midst of a run, end up in wrong places.

    Args:
        figure: The figure; of several that show a picture together, the one that is drawn last.
        draw: What draws a picture.
        guard: What wraps a callback of the figure, see :meth:`~mlxc_app.widgets.message.MessageArea.guard`.
    """

    def __init__(
        self,
        figure: go.FigureWidget,
        draw: Callable[[Picture], None],
        guard: Callable[[Callable[..., Any]], Callable[..., None]],
    ) -> None:
        self._draw = draw
        self._waiting: list[Picture] = []
        self._left_out, self._is_there = MOST_BEFORE_FIRST, False
        figure.observe(guard(self._is_drawn), "_js2py_traceDeltas")

    def show(self, picture: Picture, others_follow: bool) -> None:
        """Show a picture now, or when the browser has drawn the one before.

        Args:
            picture: The picture.
            others_follow: Whether it may be left out; the last one of a run may not.
        """
        self._waiting = [picture]
        if self._left_out and (others_follow or not self._is_there):
            self._left_out -= 1
        else:
            self._send()

    def _is_drawn(self, change: Any) -> None:
        """The browser tells how it has drawn the figure."""
        if change["new"]:
            self._left_out, self._is_there = 0, True
            self._send()

    def _send(self) -> None:
        if self._waiting:
            self._left_out, self._is_there = MOST_BETWEEN, True
            self._draw(self._waiting.pop())


def mark(text: str, **settings: Any) -> dict[str, Any]:
    """What there is to doubt of a figure, written across its top; an annotation that is not there without a text."""
    return {
        "text": escape(text),
        "visible": bool(text),
        "showarrow": False,
        "xref": "paper",
        "yref": "paper",
        "x": 0.5,
        "y": 0.98,
        "yanchor": "top",
        "font": {"size": 15, "color": "black"},
        "bgcolor": ORANGE,
        "borderpad": 5,
        **settings,
    }


def axis(title: str, **settings: Any) -> dict[str, Any]:
    """An axis in the common style; the title says the quantity and its unit."""
    return {
        "title": {"text": title, "standoff": 8, "font": {"size": 14}},
        "tickfont": {"size": 13},
        "showline": True,
        "mirror": True,
        "ticks": "outside",
        "zeroline": False,
        # Labels fit the margins; to look at each whether it does takes a fifth of the time that a figure is drawn in.
        "ticklabeloverflow": "allow",
        **settings,
    }
