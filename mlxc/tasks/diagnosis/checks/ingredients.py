"""What does the functional see? Where in (r_s, s) the electrons and the volume of a crystal lie."""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.tasks.diagnosis.finding import Curve, Finding, Plot
from mlxc.tasks.diagnosis.under_test import CalculationUnderTest
from mlxc.xc.analysis.domain import Domain

TITLE = "Which densities and gradients does the functional see here?"
# Of the logarithm to the base ten, and the number of bins.
LOG_S = (-2.0, 3.0)
LOG_RS = (-1.0, 2.0)
BINS = 60
# A lower bound that is a smaller share of the upper one is none; a value beyond means that there is hardly a density.
NOTHING, ENORMOUS = 1e-3, 1000
LABELS = {"s": "reduced gradient s", "rs": "Wigner-Seitz radius r_s (bohr)"}


def examine_ingredients(tested: CalculationUnderTest) -> Finding:
    """Histograms of s and r_s, and what of them lies outside the domain of training."""
    if tested.variables is None:
        return Finding("ingredients", TITLE, f"There is no density to look at: {tested.sound.message}.")
    variables, electrons, volumes = tested.variables
    domain, shares = tested.domain, tested.outside_shares
    whose = "of its training" if tested.domain_is_recorded else "that bulk crystals have"
    edges, largest = _edges_in_words(domain), {name: float(variables[name].max()) for name in ("s", "rs")}
    sentence = (
        f"{_percent(shares['volume'])} of the volume and {_percent(shares['electrons'])} of the electrons lie outside "
        f"the domain {whose} ({edges}); s reaches {_bounded(largest['s'])}, r_s {_bounded(largest['rs'])} bohr."
    )
    plots = [
        _histogram(name, variables[name], electrons, volumes, limits, domain, whose)
        for name, limits in (("s", LOG_S), ("rs", LOG_RS))
    ]
    numbers = {f"outside_{kind}": share for kind, share in shares.items()}
    numbers |= {"largest_s": largest["s"], "largest_rs_bohr": largest["rs"]}
    return Finding("ingredients", TITLE, sentence, numbers=numbers, plots=plots)


def _histogram(
    name: str,
    values: Tensor,
    electrons: Tensor,
    volumes: Tensor,
    limits: tuple[float, float],
    domain: Domain,
    whose: str,
) -> Plot:
    logarithms = values.clamp(min=1e-30).log10().clamp(*limits)
    centres = limits[0] + (torch.arange(BINS, dtype=torch.float64) + 0.5) * (limits[1] - limits[0]) / BINS
    curves = []
    for what, weights in (("of the electrons", electrons), ("of the volume", volumes)):
        counts, _ = torch.histogram(logarithms.cpu(), BINS, range=limits, weight=weights.cpu())
        curves.append(Curve(what, (10**centres).tolist(), (100 * counts / counts.sum()).tolist(), "steps"))
    return Plot(
        title=f"Where the electrons and the volume are: {LABELS[name]}",
        x_label=LABELS[name],
        y_label="share (%)",
        curves=curves,
        logarithmic="x",
        shaded=domain.get(name),
        shaded_name=f"domain {whose}",
    )


def _edges_in_words(domain: Domain) -> str:
    words = []
    for name, label in (("rs", "r_s"), ("s", "s")):
        low, high = domain.get(name, (None, None))
        if high is not None:
            is_open = not low or low < NOTHING * high
            words.append(f"{label} up to {high:.3g}" if is_open else f"{label} from {low:.3g} to {high:.3g}")
    return ", ".join(words) or "no bounds"


def _bounded(value: float) -> str:
    """The number, unless it says of a vanishing density no more than that it vanishes."""
    return f"{value:.3g}" if value < ENORMOUS else f"more than {ENORMOUS:g}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"
