"""F_xc along the reduced gradient, drawn beside PBE's: what a functional looks like."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import nn

from mlxc.errors import InputError
from mlxc.xc.analysis.constraints import LIEB_OXFORD, ConstraintResult
from mlxc.xc.analysis.probe import enhancement_at
from mlxc.xc.functional import declared_ingredients
from mlxc.xc.gga import PBE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LARGEST_S = 5.0
NPOINT = 201
# Of the valence electrons of solids: dense, usual, sparse; a bond, a metal, the overlap of closed shells.
RADII = (0.5, 2.0, 8.0)
ALPHAS = (0.0, 1.0, 5.0)
USUAL_RADIUS, USUAL_ALPHA = 2.0, 1.0
COLOURS = ("#D55E00", "#0072B2", "#009E73")


@dataclass(frozen=True)
class EnhancementCurve:
    """F_xc of equal spins along s, for a functional and for PBE.

    Attributes:
        rs: The Wigner-Seitz radius, bohr.
        alpha: The iso-orbital indicator.
        s: The reduced gradients.
        f_xc: F_xc of the functional at ``s``, in units of local exchange.
        f_xc_pbe: F_xc of PBE at ``s``, in the same units.
    """

    rs: float
    alpha: float
    s: list[float]
    f_xc: list[float]
    f_xc_pbe: list[float]


def enhancement_curves(functional: nn.Module) -> list[EnhancementCurve]:
    """Three curves: at three alphas if the functional sees the kinetic energy density, else at three r_s."""
    if "tau" in declared_ingredients(functional):
        return [_curve(functional, USUAL_RADIUS, alpha) for alpha in ALPHAS]
    return [_curve(functional, rs, USUAL_ALPHA) for rs in RADII]


@torch.no_grad()
def _curve(functional: nn.Module, rs: float, alpha: float) -> EnhancementCurve:
    s = torch.linspace(0, LARGEST_S, NPOINT, dtype=torch.float64)

    def along_s(module: nn.Module) -> list[float]:
        values: list[float] = enhancement_at(
            module, torch.full_like(s, rs), None, s, torch.full_like(s, alpha)
        ).tolist()
        return values

    return EnhancementCurve(rs, alpha, s.tolist(), along_s(functional), along_s(PBE()))


def plot_report(title: str, curves: list[EnhancementCurve], results: list[ConstraintResult], path: Path) -> None:
    """Draw the curves and what came of the exact conditions into a picture file (PNG, SVG, PDF).

    Raises:
        InputError: the file cannot be written, or its ending names no format of pictures.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    figure.suptitle(title)
    _draw_curves(left, curves)
    _draw_conditions(right, results)
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise InputError(f"The picture {str(path)!r} cannot be written: {error}.") from None


def _draw_curves(axes: Axes, curves: list[EnhancementCurve]) -> None:
    many_alphas = len({curve.alpha for curve in curves}) > 1
    for curve, colour in zip(curves, COLOURS, strict=True):
        label = f"$\\alpha$ = {curve.alpha:g}" if many_alphas else f"$r_s$ = {curve.rs:g} bohr"
        axes.plot(curve.s, curve.f_xc, color=colour, label=label)
        axes.plot(curve.s, curve.f_xc_pbe, color=colour, linestyle=":", linewidth=2.5)
    axes.axhline(LIEB_OXFORD, color="grey", linestyle="--", label="Lieb-Oxford bound")
    axes.plot([], [], color="grey", linestyle=":", linewidth=2.5, label="PBE")
    axes.set(xlabel="reduced gradient $s$", ylabel="$F_{xc}$", xlim=(0, LARGEST_S), ylim=(0, 2.5))
    axes.legend(loc="lower left")


def _draw_conditions(axes: Axes, results: list[ConstraintResult]) -> None:
    """One row per condition, the first on top."""
    colours = {True: COLOURS[2], False: COLOURS[0], None: "lightgrey"}
    words = {True: "holds", False: "violated", None: "cannot be told"}
    for row, result in enumerate(results):
        axes.barh(row, 1, color=colours[result.satisfied])
        off = "" if result.deviation in (None, 0.0) else f", off by {result.deviation:.2g}"
        axes.text(0.02, row, words[result.satisfied] + off, va="center", color="black")
    axes.set_yticks(range(len(results)), [result.name for result in results])
    axes.set(xticks=[], xlim=(0, 1))
    axes.invert_yaxis()
