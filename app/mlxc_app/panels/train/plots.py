"""The plots of a training: losses, the enhancement factor as it bends, errors of solids, gradients by layer.

Each is a figure of its own: a browser without a graphics card draws one in the time that a frame may take, and goes on
with what else there is to do before the next.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from mlxc.observables.catalogue import TARGETS
from mlxc_app.panels.train.picture import MOST_LAYERS, TrainPicture, unit_of_errors
from mlxc_app.panels.train.settings import LEARNABLE
from mlxc_app.panels.train.solids import LISTS, TEST, TRAINING, VALIDATION
from mlxc_app.widgets.live_figure import WIDTH, axis, live_figure, replace_data
from mlxc_app.widgets.palette import BLUE, BROWN, GREEN, GREY, LILAC, OCHRE, OLIVE, ORANGE, PURPLE, SKY, VERMILLION

COLOURS = {TRAINING: BLUE, VALIDATION: ORANGE, TEST: GREEN}
# Of the functional at one alpha, and at three.
ALPHA_COLOURS = (VERMILLION, PURPLE, SKY)
KNOWN = {"PBE": "dot", "PBEsol": "dash", "SCAN": "dashdot"}
# As a legend draws them: words would not fit beside those of three alphas.
DASHES = {"dot": "···", "dash": "– –", "dashdot": "–·–"}
LAYER_COLOURS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, OCHRE, LILAC, OLIVE, BROWN)
HEIGHT = 260
# Of what stands beside the losses and the functional that learns: without a graphics card a browser is slow with
# lines that are wider than a pixel.
THIN = 1
# What errors may be of, by column of a table of solids.
SHOWN = {one.column: one for one in LEARNABLE}
# More than a plot of this width has room for.
MOST_SOLIDS = 500
# Whose names have room beside each other.
FEW_SOLIDS = 9


@dataclass(frozen=True)
class Plot:
    """One of the plots.

    Attributes:
        traces: All its traces; those of which there is nothing yet are empty.
        axes: Its two axes.
        changing: What changes in its layout, such as the words above it: what its colours and dashes mean.
    """

    traces: Callable[[TrainPicture], list[go.Scatter]]
    axes: Mapping[str, Any]
    changing: Callable[[TrainPicture], dict[str, Any]]

    def figure(self, picture: TrainPicture) -> go.FigureWidget:
        """The figure, with all its traces."""
        above = {"x": 0, "xref": "paper", "y": 1, "yref": "paper", "yanchor": "bottom"}
        return live_figure(
            self.traces(picture),
            height=HEIGHT,
            width=WIDTH // 2,
            margin={"l": 62, "r": 16, "t": 30, "b": 46},
            title={**above, "pad": {"b": 6}, "font": {"size": 13}},
            **self.axes,
            **self.changing(picture),
        )

    def show(self, figure: go.FigureWidget, picture: TrainPicture) -> None:
        """Draw another step."""
        with figure.batch_update():
            replace_data(figure, self.traces(picture))
            figure.update_layout(**self.changing(picture))


def _losses(picture: TrainPicture) -> list[go.Scatter]:
    lines = [
        go.Scatter(
            x=picture.steps, y=picture.losses.get(which, []), name=which, mode="lines",
            line={"color": COLOURS[which], "width": 2}, hovertemplate=f"step %{{x}}: {which} %{{y:.4g}}<extra></extra>",
            visible=which in picture.losses,
        )
        for which in LISTS
    ]  # fmt: skip
    found = [loss for losses in picture.losses.values() for loss in losses if loss is not None and loss > 0]
    ends = [min(found), max(found)] if found else []
    # The last step, at the edge of the plot, needs no line.
    shown = picture.shown if picture.shown != picture.last else -1
    places = [
        go.Scatter(
            x=[step] * 2 if ends and step >= 0 else [], y=ends if step >= 0 else [], name=name, mode="lines",
            hoverinfo="skip", line={"color": GREY, "dash": dash, "width": THIN}, visible=bool(ends) and step >= 0,
        )
        for name, dash, step in (("shown", "dot", shown), ("kept", "dash", picture.kept))
    ]  # fmt: skip
    return [*lines, *places]


def _enhancements(picture: TrainPicture) -> list[go.Scatter]:
    """The functional at one alpha or three; where it began and those that are known, a line each with gaps."""
    known = {name: [curve.known.get(name, ()) for curve in picture.curves] for name in KNOWN}
    beside = {**known, "start": [curve.start for curve in picture.curves]}
    found = []
    for name, curves in beside.items():
        # Where alpha makes no difference, one curve is all.
        drawn = {tuple(curve): index for index, curve in enumerate(curves) if len(curve)}
        x = [s for _ in drawn for s in (*picture.s, None)]
        y = [value for curve in drawn for value in (*curve, None)]
        where = [_at_alpha(picture, index) for index in drawn.values() for _ in (*picture.s, None)]
        line = {"color": GREY, "width": THIN, "dash": KNOWN.get(name, "solid")}
        found.append(_along_s(x, y, name, line, where if len(drawn) > 1 else ""))
    for index, colour in enumerate(ALPHA_COLOURS):
        there = index < len(picture.curves)
        s, now = (picture.s, picture.curves[index].now) if there else ((), ())
        at_alpha = _at_alpha(picture, index) if there and len(picture.curves) > 1 else ""
        found.append(_along_s(s, now, "now", {"color": colour, "width": 3.5}, at_alpha))
    return found


def _at_alpha(picture: TrainPicture, index: int) -> str:
    return f", α = {picture.curves[index].alpha:g}"


def _along_s(
    s: Sequence[float | None], f: Sequence[float | None], name: str, line: dict[str, Any], text: str | list[str]
) -> go.Scatter:
    return go.Scatter(
        x=s, y=f, text=text, name=name, mode="lines", line=line, visible=bool(s),
        hovertemplate="%{fullData.name}: %{y:.3f} at s = %{x}%{text}<extra></extra>",
    )  # fmt: skip


def _errors(picture: TrainPicture) -> list[go.Scatter]:
    """A line from where each solid began to where it is, with a point at its end, by list."""
    found = []
    unit = f" {unit_of_errors(picture.quantity)}" if picture.quantity else ""
    for which in LISTS:
        of_list = [error for error in picture.errors if error.which == which]
        found.append(
            go.Scatter(
                x=[label for error in of_list for label in (error.label, error.label, None)],
                y=[value for error in of_list for value in (error.start, error.now, None)],
                text=[words for _ in of_list for words in (f"{unit} at the start", f"{unit} now", "")],
                name=f"errors, {which}", mode="lines+markers", visible=bool(of_list),
                line={"color": COLOURS[which], "width": THIN},
                # With several sizes plotly's points would be translucent.
                marker={"color": COLOURS[which], "size": [0, 10, 0] * MOST_SOLIDS, "opacity": 1},
                hovertemplate=f"%{{x}} ({which}): %{{y:.3f}}%{{text}}<extra></extra>",
            )
        )  # fmt: skip
    return found


def _layers(picture: TrainPicture) -> list[go.Scatter]:
    found = []
    layers = list(picture.layers.items())
    for index in range(MOST_LAYERS):
        name, norms = layers[index] if index < len(layers) else ("", [])
        found.append(
            go.Scatter(
                x=picture.steps if name else [], y=norms, name=name, mode="lines",
                line={"color": LAYER_COLOURS[index], "width": THIN}, visible=bool(name),
                hovertemplate="%{fullData.name}: %{y:.2e} at step %{x}<extra></extra>",
            )
        )  # fmt: skip
    return found


def _error_layout(picture: TrainPicture) -> dict[str, Any]:
    """What errors are of, and the solids in the order of their lists, each of them; many stand slantwise."""
    labels = [error.label for error in picture.errors]
    slant = 0 if len(labels) <= FEW_SOLIDS else -60
    solids = {"xaxis_categoryarray": labels, "xaxis_tickangle": slant}
    return {"title_text": _coloured(COLOURS), "yaxis_title_text": _error_title(picture), **solids}


def _error_title(picture: TrainPicture) -> str:
    if not picture.quantity:
        return LEARNABLE[0].axis
    if picture.quantity in SHOWN:
        return SHOWN[picture.quantity].axis
    return f"error of the {TARGETS[picture.quantity].title} ({unit_of_errors(picture.quantity)})"


def _curve_words(picture: TrainPicture) -> str:
    """What each line is; those of functionals that people know have their dashes before their names."""
    if len(picture.curves) > 1:
        names = {f"{curve.alpha:g}": ALPHA_COLOURS[index] for index, curve in enumerate(picture.curves)}
    else:
        names = {"now": VERMILLION}
    of_alpha = "α = " if len(picture.curves) > 1 else ""
    there = {name for curve in picture.curves for name, values in curve.known.items() if values}
    known = [f"{DASHES[dash]} {name}" for name, dash in KNOWN.items() if name in there]
    return "; ".join([of_alpha + _coloured({**names, "start": GREY}), *known])


def _loss_words(picture: TrainPicture) -> str:
    kept = f"; dashed {picture.kept_words}" if picture.kept_words else ""
    return _coloured(COLOURS) + kept


def _layer_words(picture: TrainPicture) -> str:
    """The parameters, or the layers of each network by their numbers, in their colours."""
    found, before = [], ""
    for name, colour in zip(picture.layers, LAYER_COLOURS, strict=False):
        network, _, number = name.rpartition(" ")
        found.append((f"{network} " if network and network != before else "") + _coloured({number: colour}))
        before = network
    return ", ".join(found)


def _coloured(names: Mapping[str, str]) -> str:
    """Names in their colours."""
    return ", ".join(f'<b><span style="color:{colour}">{name}</span></b>' for name, colour in names.items())


PLOTS = {
    "losses": Plot(
        _losses,
        {"xaxis": axis("step"), "yaxis": axis("loss", type="log", tickformat="~g", nticks=3)},
        lambda picture: {"title_text": _loss_words(picture)},
    ),
    "enhancement": Plot(
        _enhancements,
        {"xaxis": axis("reduced gradient s", range=[0, 3]), "yaxis": axis("F<sub>xc</sub> at r<sub>s</sub> = 2")},
        lambda picture: {"title_text": _curve_words(picture)},
    ),
    "errors": Plot(
        _errors,
        {
            "xaxis": axis("", type="category", categoryorder="array", tickmode="linear"),
            "yaxis": axis("", zeroline=True, zerolinewidth=2, exponentformat="power"),
        },
        _error_layout,
    ),
    "gradients": Plot(
        _layers,
        # Labels of more ticks would overlap.
        {"xaxis": axis("step"), "yaxis": axis("|dL/dθ|", type="log", exponentformat="power", nticks=4)},
        lambda picture: {"title_text": _layer_words(picture)},
    ),
}
