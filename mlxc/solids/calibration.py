"""Whether error bars are what they say: how many errors lie within them, against how many should.

An error over its standard deviation is a score. Of a normal distribution the share p of all scores lies within
sqrt(2) erf^-1(p), 68.3 % within one. Bars are too narrow where fewer do, too wide where more do: V. Kuleshov, N. Fenner
and S. Ermon, Proc. Mach. Learn. Res. 80, 2796 (2018).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import erf
from pathlib import Path
from statistics import NormalDist

# Of a normal distribution, within one standard deviation.
ONE_DEVIATION = erf(0.5**0.5)
# Shares at which a curve is drawn.
NOMINAL = tuple(step / 40 for step in range(41))


def fraction_inside(scores: Iterable[float], nominal: float = ONE_DEVIATION) -> float:
    """The fraction of scores within the interval that should hold the share ``nominal`` of them.

    Args:
        scores: Errors over their standard deviations, at least one.
        nominal: The share, from 0 to 1.
    """
    sizes = [abs(score) for score in scores]
    bound = NormalDist().inv_cdf((1 + nominal) / 2) if nominal < 1 else float("inf")
    return sum(size <= bound for size in sizes) / len(sizes)


def calibration_curve(scores: Iterable[float]) -> list[float]:
    """The fraction inside at each share of ``NOMINAL``; of bars that are what they say, that share itself."""
    known = list(scores)
    return [fraction_inside(known, nominal) for nominal in NOMINAL]


def plot_calibration(path: Path, scores: Mapping[str, Iterable[float]]) -> None:
    """Draw the fraction inside against the nominal one into a file, a curve for each label."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.0, 5.4), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle="--", label="bars that are what they say")
    for label, found in scores.items():
        known = list(found)
        shown = f"{label}: {fraction_inside(known):.0%} of {len(known)} within one standard deviation"
        axes.step(NOMINAL, calibration_curve(known), where="post", label=shown)
    axes.set_xlabel("nominal share of a normal distribution")
    axes.set_ylabel("fraction of errors inside")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_aspect("equal")
    figure.legend(loc="outside lower center", fontsize="small")
    figure.savefig(path, dpi=150)
