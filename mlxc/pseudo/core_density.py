"""The density of the core electrons that overlaps with the valence: the nonlinear core correction.

Exchange and correlation are not linear in the density, so they need the sum of both.
S. G. Louie, S. Froyen, M. L. Cohen, Phys. Rev. B 26, 1738 (1982).

A meta-GGA needs the core's kinetic energy as well, or it would see electrons without any. Pseudopotentials do not say
what that is, but it is at least that of one orbital, |grad n|^2 / 8n (C. F. von Weizsaecker, Z. Phys. 96, 431 (1935)),
which is what it is taken to be. This functional is convex and homogeneous, so that tau of core and valence together is
nowhere less than it is of their density: alpha is not negative, if the grid is fine enough for the core. Made atom by
atom like the density, it converges as fast with the cutoff; made of the density on the grid it does not.
"""

from __future__ import annotations

from math import isfinite, pi
from typing import NamedTuple

import torch
from torch import Tensor

from mlxc.grid.fields import Fields
from mlxc.grid.grid import Grid
from mlxc.pseudo.ions import Ions

# Beyond this no ringing is larger than within it, bohr.
FARTHEST = 8.0


class Ringing(NamedTuple):
    """What a grid makes of sharp cores where there are none: below these, fields are noise.

    Attributes:
        density: electrons/bohr^3.
        tau: hartree/bohr^3.
    """

    density: float = 0.0
    tau: float = 0.0


NO_RINGING = Ringing()


def core_fields(grid: Grid, ions: Ions) -> Tensor | None:
    """Density and kinetic-energy density of the ions' partial cores, None if no ion has one.

    Returns:
        Fourier coefficients ``(2, ngvector)``, electrons/bohr^3 and hartree/bohr^3.
    """
    total: Tensor | None = None
    for symbol, pseudopotential in ions.pseudopotentials.items():
        form = pseudopotential.core_form_factors(grid.lengths)
        if form is not None:
            ion = form / grid.volume * grid.structure_factor(ions.positions_of(symbol))
            total = ion if total is None else total + ion
    return total


def core_ringing(radius: float, ions: Ions) -> Ringing:
    """How far below zero density and tau of a partial core fall where its waves end at a radius.

    A core is positive, and sharp; made of waves that a grid has it rings, most of all where there is no core any more.
    n(r) = 1 / (2 pi^2) times the integral of n(G) sin(G r) / (G r) G^2 up to the radius, and tau(r) likewise.

    Args:
        radius: The largest |G|, 1/bohr.
        ions: The ions.
    """
    if not isfinite(radius):
        return NO_RINGING
    distances = torch.linspace(0.05, FARTHEST, 200, dtype=torch.float64)
    lengths = torch.linspace(0, radius, 600, dtype=torch.float64)
    waves = torch.sinc(lengths * distances[:, None] / pi) * lengths**2
    deepest = torch.zeros(2, dtype=torch.float64)
    for pseudopotential in ions.pseudopotentials.values():
        forms = pseudopotential.core_form_factors(lengths)
        if forms is not None:
            fields = torch.trapezoid(waves * forms.real[:, None], lengths) / (2 * pi**2)
            deepest = torch.maximum(deepest, -fields.amin(dim=1))
    return Ringing(*deepest.tolist())


def with_core(fields: Fields, core: Tensor | None) -> Fields:
    """Fields of the valence electrons plus the core's, Fourier coefficients; ``core`` is that of :func:`core_fields`.

    Each spin has its share of the core. The fields are the density and tau at most: pseudopotentials with a core have
    no Gaussian basis sets, where the gradient is a field too.
    """
    if core is None:
        return fields
    density, tau = core[:, None] / len(fields.density)
    return fields._replace(density=fields.density + density, tau=None if fields.tau is None else fields.tau + tau)
