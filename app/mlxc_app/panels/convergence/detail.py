"""The second plot of convergence: what a person wants to see of it, all in one figure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from mlxc_app.panels.convergence.model import ConvergencePicture
from mlxc_app.panels.convergence.occupations import Fillings
from mlxc_app.widgets.palette import BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILLION

TERM_LOOKS = {
    "free_energy": ("free energy F", BLUE, "circle"),
    "kinetic": ("kinetic", VERMILLION, "square"),
    "local": ("local pseudopotential", GREEN, "diamond"),
    "nonlocal": ("nonlocal pseudopotential", ORANGE, "triangle-up"),
    "hartree": ("Hartree", PURPLE, "triangle-down"),
    "xc": ("exchange-correlation", SKY, "x"),
    "entropy": ("entropy, −TS", GREY, "cross"),
}
MOMENT_LOOKS = {"moment": ("moment", BLUE, "circle"), "absolute": ("absolute moment", VERMILLION, "square")}
# As many as mlxc.kohn_sham.residual.WAVELENGTHS separates.
BANDS = (
    ("longer than 10 bohr", VERMILLION),
    ("5 to 10 bohr", ORANGE),
    ("2.5 to 5 bohr", SKY),
    ("shorter than 2.5 bohr", BLUE),
)
SPINS = (("spin up", BLUE, "triangle-up"), ("spin down", VERMILLION, "triangle-down"))


@dataclass(frozen=True)
class Detail:
    """One thing to look at.

    Attributes:
        about: What the plot shows, in one or two sentences.
        x_title, y_title: The titles of the axes.
        missing: What is said when there is nothing to draw.
        logarithmic: Whether the vertical axis is logarithmic.
        y_range: The range of the vertical axis; None if it follows the data.
        traces: A function that makes the traces by their names in the figure.
        against_steps: Whether the horizontal axis counts SCF steps, or is an energy.
    """

    about: str
    x_title: str
    y_title: str
    missing: str
    traces: Callable[[ConvergencePicture, Fillings | None], Mapping[str, Any]]
    logarithmic: bool = False
    y_range: tuple[float, float] | None = None
    against_steps: bool = True


def _terms(picture: ConvergencePicture, fillings: Fillings | None) -> dict[str, Any]:
    steps = picture.steps[:-1]
    return {name: {"x": steps, "y": values} for name, values in picture.term_distances.items() if name in TERM_LOOKS}


def _moment(picture: ConvergencePicture, fillings: Fillings | None) -> dict[str, Any]:
    lines = {"moment": picture.magnetisations, "absolute": picture.absolute_magnetisations}
    return {name: {"x": picture.steps, "y": values} for name, values in lines.items() if values}


def _fillings(picture: ConvergencePicture, fillings: Fillings | None) -> dict[str, Any]:
    if fillings is None:
        return {}
    found: dict[str, Any] = {"level": {"x": [0, 0], "y": [0, 1]}}
    for spin, (name, _, _) in enumerate(SPINS):
        own = fillings.spins == spin
        if own.any():
            labels = [label for label, is_own in zip(fillings.labels, own, strict=True) if is_own]
            words = name if fillings.spin_polarised else "states"
            found[name] = {"x": fillings.distances_ev[own], "y": fillings.filled[own], "text": labels, "name": words}
    return found


def _spectrum(picture: ConvergencePicture, fillings: Fillings | None) -> dict[str, Any]:
    steps = picture.steps[-len(picture.spectra) :]
    columns = zip(*picture.spectra, strict=True) if picture.spectra else ()
    percent = [tuple(100 * share for share in shares) for shares in columns]
    return {name: {"x": steps, "y": values} for (name, _), values in zip(BANDS, percent, strict=False)}


DETAILS = {
    "Energy terms": Detail(
        "How far each term was from its latest value. F comes to rest much earlier than its parts: it has its minimum "
        "at the right density, so that errors of the parts cancel.",
        "SCF step",
        "distance from latest value (Ha)",
        "The terms appear with the second step.",
        _terms,
        logarithmic=True,
    ),
    "Magnetic moment": Detail(
        "Electrons with spin up minus those with spin down, and the integral of the absolute difference, which the "
        "moments of an antiferromagnet have as well. Magnets often need more steps than other metals.",
        "SCF step",
        "moment (Bohr magneton per cell)",
        "The moment appears with the first step; a run that has no spin polarisation has none.",
        _moment,
    ),
    "Occupations": Detail(
        "States near the Fermi level E_F, each a point. Filled ones are at 1, empty ones at 0; smearing fills those in "
        "between partly (that of Marzari and Vanderbilt overfills some a little). A gap without points is that of an "
        "insulator. With fixed occupations E_F is the highest filled state; where the moment is held, each spin has "
        "its own.",
        "energy above E<sub>F</sub> (eV)",
        "filling (0: empty, 1: full)",
        "The occupations appear when a run has ended.",
        _fillings,
        y_range=(-0.06, 1.06),
        against_steps=False,
    ),
    "Residual by wavelength": Detail(
        "What is still wrong with the density, split by wavelength. If waves longer than 10 bohr dominate, charge "
        "sloshes through the cell; if short ones do, it moves within the atoms. A small cell has no long waves.",
        "SCF step",
        "share of the squared residual (%)",
        "This run has not recorded its residual by wavelength.",
        _spectrum,
        y_range=(0, 100),
    ),
}


def detail_traces(choice: str, picture: ConvergencePicture, fillings: Fillings | None) -> list[Any]:
    """All traces that the figure ever has; those that do not belong to the choice are empty and invisible."""
    shown = DETAILS[choice].traces(picture, fillings)
    return [trace.update(shown.get(key, _EMPTY), visible=key in shown) for key, trace in _blank_traces().items()]


def detail_ranges(choice: str, picture: ConvergencePicture, fillings: Fillings | None) -> tuple[Any, Any]:
    """The ranges of the two axes; None for one that follows the data."""
    reach = fillings.reach_ev if fillings else 1
    x_range = [0, last_step(picture) + 1] if DETAILS[choice].against_steps else [-reach, reach]
    return x_range, DETAILS[choice].y_range


def last_step(picture: ConvergencePicture) -> int:
    """The last step, or the tenth: as far as an axis of steps reaches."""
    return max(10, *picture.steps, 0)


_EMPTY: dict[str, Any] = {"x": [], "y": []}


def _blank_traces() -> dict[str, Any]:
    lines = {
        key: go.Scatter(name=name, mode="lines+markers", line_color=colour, marker_symbol=symbol)
        for key, (name, colour, symbol) in {**TERM_LOOKS, **MOMENT_LOOKS}.items()
    }
    points = {
        name: go.Scatter(name=name, mode="markers", text=[], marker={"color": colour, "symbol": symbol, "size": 8})
        for name, colour, symbol in SPINS
    }
    level = go.Scatter(name="E<sub>F</sub>", mode="lines", line={"color": GREY, "dash": "dot"})
    bars = {name: go.Bar(name=name, marker_color=colour) for name, colour in BANDS}
    return {**lines, **points, "level": level, **bars}
