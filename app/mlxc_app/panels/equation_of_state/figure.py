"""The plot of equations of state: points, fits, references, and below them what the fits leave."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import chain
from textwrap import wrap
from typing import Any

import numpy as np
import plotly.graph_objects as go

from mlxc.crystal.resizing import Variation
from mlxc.properties.birch_murnaghan import BirchMurnaghan
from mlxc.references.tables import ReferenceLine
from mlxc.units import EV_PER_ANG3_GPA
from mlxc_app.panels.equation_of_state.curve import EquationOfStateCurve
from mlxc_app.panels.equation_of_state.model import MOST_OVERLAID, EquationOfStatePicture, size_of
from mlxc_app.widgets.palette import (
    BLUE,
    BROWN,
    GREEN,
    GREY,
    LILAC,
    OCHRE,
    OLIVE,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    see_through,
)

AXES = {"volume": "volume per atom (Å³)", "area": "area per atom (Å²)"}
# This run and those beside it.
LOOKS = ((BLUE, "circle"), (VERMILLION, "square"), (GREEN, "diamond"), (ORANGE, "triangle-up"), (PURPLE, "x"))
# As many as there can be references: a figure cannot get traces later.
REFERENCE_LOOKS = ((GREY, "solid"), (SKY, "dash"), (OCHRE, "dashdot"), (LILAC, "dot"), (OLIVE, "longdash"))
# Before there are points, curves of references reach so far to either side of their minimum.
REACH = 0.06
# A line answers to the mouse at its points only.
POINTS_OF_A_LINE = 25
WIDTH_OF_WORDS = 60


def eos_traces(picture: EquationOfStatePicture) -> list[go.Scatter]:
    """All traces that the figure ever has: this run, references, runs beside it, the residuals of all runs, the points
    of this run on other magnetic branches, and how uncertain the runs are."""
    curves = [picture.own, *picture.others]
    empty = [EquationOfStateCurve()] * (1 + MOST_OVERLAID - len(curves))
    runs = list(zip([*curves, *empty], LOOKS, strict=True))
    sizes = _range(picture)
    references: list[go.Scatter] = []
    for index, look in enumerate(REFERENCE_LOOKS):
        known = picture.references[index] if index < len(picture.references) else None
        references += _reference(known, picture.varied, sizes, *look)
    names = [*distinct_names([curve.title for curve in curves]), *[""] * len(empty)]
    own, *others = [_points_and_fit(curve, name, *look) for (curve, look), name in zip(runs, names, strict=True)]
    residuals = [_residuals(curve, name, *look) for (curve, look), name in zip(runs, names, strict=True)]
    bars = [_bars(curve, *look) for curve, look in runs]
    return [
        *own, *references, *chain.from_iterable(others), *residuals, _other_branches(picture.own),
        *chain.from_iterable(bars),
    ]  # fmt: skip


def distinct_names(titles: list[str]) -> list[str]:
    """What tells titles apart: without the parts between commas that all have at their beginning and at their end."""
    parts = [title.split(", ") for title in titles]
    shortest = min(map(len, parts))
    first = next((i for i in range(shortest) if len({part[i] for part in parts}) > 1), shortest)
    last = next((i for i in range(shortest - first) if len({part[-1 - i] for part in parts}) > 1), shortest - first)
    names = [", ".join(part[first : len(part) - last]) for part in parts]
    return names if all(names) else titles


def _range(picture: EquationOfStatePicture) -> np.ndarray:
    """The sizes at which curves of references are drawn."""
    found = [size for curve in (picture.own, *picture.others) for size in curve.sizes]
    if not found:
        found = [size_of(r, picture.varied) * factor for r in picture.references for factor in (1 - REACH, 1 + REACH)]
    return np.linspace(min(found), max(found), 60) if found else np.zeros(0)


def _points_and_fit(curve: EquationOfStateCurve, name: str, colour: str, symbol: str) -> list[go.Scatter]:
    return [
        go.Scatter(
            x=curve.sizes,
            y=curve.energies,
            mode="markers",
            name=f"{name} (bad fit)" if curve.is_bad else name,
            legendgroup=colour,
            visible=bool(curve.sizes),
            marker={"size": 10, "color": colour, "symbol": symbol},
            # The lowest one lies on the axis.
            cliponaxis=False,
            hovertemplate="%{x:.3f}: %{y:.2f} meV per atom<extra></extra>",
        ),
        go.Scatter(
            x=curve.curve_sizes,
            y=curve.curve_energies,
            mode="lines",
            name="Birch-Murnaghan fit",
            legendgroup=colour,
            showlegend=False,
            hoverinfo="skip",
            visible=bool(curve.curve_sizes),
            line={"color": colour},
        ),
    ]


def _bars(curve: EquationOfStateCurve, colour: str, symbol: str) -> list[go.Scatter]:
    """A band around the fitted curve, and a bar at its minimum."""
    bars = curve.bars
    look: dict[str, Any] = {"legendgroup": colour, "showlegend": False, "hoverinfo": "skip"}
    ends = () if curve.size0 is None or bars.size0 is None else (curve.size0 - bars.size0, curve.size0 + bars.size0)
    return [
        go.Scatter(
            x=(*bars.sizes, *reversed(bars.sizes)),
            y=(*bars.high, *reversed(bars.low)),
            name="one standard deviation",
            visible=bool(bars.sizes),
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=see_through(colour),
            **look,
        ),
        go.Scatter(
            x=ends,
            y=[0.0] * len(ends),
            name="standard deviation of the minimum",
            visible=bool(ends),
            mode="lines+markers",
            line={"color": colour, "width": 4},
            marker={"color": colour, "size": 16, "symbol": "line-ns", "line": {"width": 3, "color": colour}},
            cliponaxis=False,
            **look,
        ),
    ]


def _other_branches(curve: EquationOfStateCurve) -> go.Scatter:
    """The points of this run on magnetic branches that its curve does not follow."""
    return go.Scatter(
        x=curve.branch_sizes,
        y=curve.branch_energies,
        text=[f"{moment:.2f} μB per atom" for moment in curve.branch_moments],
        mode="markers",
        name=_branch_name(curve.branch_moments),
        visible=bool(curve.branch_sizes),
        marker={"size": 11, "color": BROWN, "symbol": "diamond-open", "line": {"width": 2}},
        cliponaxis=False,
        hovertemplate="%{x:.3f}: %{y:.2f} meV per atom, %{text}<extra></extra>",
    )


def _branch_name(moments: Sequence[float]) -> str:
    if not moments:
        return "another magnetic branch"
    ends = dict.fromkeys(f"{moment:.2f}" for moment in (min(moments), max(moments)))
    return f"another magnetic branch, {' to '.join(ends)} μB per atom"


def _residuals(curve: EquationOfStateCurve, name: str, colour: str, symbol: str) -> go.Scatter:
    return go.Scatter(
        x=curve.sizes if curve.residuals else [],
        y=curve.residuals,
        yaxis="y3",
        mode="markers",
        name=f"residual of {name}",
        legendgroup=colour,
        showlegend=False,
        visible=bool(curve.residuals),
        marker={"size": 9, "color": colour, "symbol": f"{symbol}-open"},
        cliponaxis=False,
        hovertemplate="%{x:.3f}: %{y:.2g} meV per atom off the fit<extra></extra>",
    )


def _reference(
    reference: ReferenceLine | None, varied: Variation, sizes: np.ndarray, colour: str, dash: str
) -> list[go.Scatter]:
    """A line at its volume, or area, and its curve if it has one: its energies count from their minimum."""
    words = reference_words(reference) if reference else ""
    look: dict[str, Any] = {"mode": "lines", "line": {"color": colour, "dash": dash, "width": 1.5}, "text": []}
    curve = _reference_curve(reference, sizes) if reference else np.zeros(0)
    group = f"{colour} {dash}"
    return [
        go.Scatter(
            x=[size_of(reference, varied)] * POINTS_OF_A_LINE if reference else [],
            y=np.linspace(0, 1, POINTS_OF_A_LINE) if reference else [],
            yaxis="y2",
            name=reference.label if reference else "",
            visible=reference is not None,
            legendgroup=group,
            hovertemplate="%{text}<extra></extra>",
            **{**look, "text": [words] * POINTS_OF_A_LINE if reference else []},
        ),
        go.Scatter(
            x=sizes if len(curve) else [],
            y=curve,
            name=f"curve of {reference.label}" if reference else "",
            visible=len(curve) > 0,
            legendgroup=group,
            showlegend=False,
            hovertemplate="%{text}<extra></extra>",
            **{**look, "text": [words] * len(curve)},
        ),
    ]


def _reference_curve(reference: ReferenceLine, sizes: np.ndarray) -> np.ndarray:
    modulus, derivative = reference.bulk_modulus_gpa, reference.bulk_modulus_derivative
    if modulus is None or derivative is None:
        return np.zeros(0)
    curve = BirchMurnaghan(0.0, reference.volume_per_atom_ang3, modulus / EV_PER_ANG3_GPA, derivative)
    return 1000 * curve(sizes)


def reference_words(reference: ReferenceLine) -> str:
    """What a reference is, and where it comes from, in lines for a hover label."""
    if reference.area_per_atom_ang2 is None:
        values = [f"V₀ = {reference.volume_per_atom_ang3:.3f} Å³ per atom"]
    else:
        values = [f"A₀ = {reference.area_per_atom_ang2:.3f} Å² per atom"]
    if reference.lattice_constant_ang:
        values.append(f"a₀ = {reference.lattice_constant_ang:.4f} Å")
    if reference.bulk_modulus_gpa:
        values.append(f"B₀ = {reference.bulk_modulus_gpa:.1f} GPa")
    lines: Sequence[str] = [reference.label, ", ".join(values), *wrap(reference.source, WIDTH_OF_WORDS)]
    return "<br>".join(escape(line) for line in lines)
