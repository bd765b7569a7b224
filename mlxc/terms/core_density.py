"""The density of the core electrons that overlaps with the valence: the nonlinear core correction.

Exchange and correlation are not linear in the density, so they need the sum of both.
S. G. Louie, S. Froyen, M. L. Cohen, Phys. Rev. B 26, 1738 (1982).
"""

from __future__ import annotations

from torch import Tensor

from mlxc.basis.grid import Grid
from mlxc.terms.ions import Ions
from mlxc.terms.local_pseudopotential import structure_factor


def core_density(grid: Grid, ions: Ions) -> Tensor | None:
    """Fourier coefficients ``(ngvector,)`` of the ions' partial core density, None if no ion has one."""
    total: Tensor | None = None
    for symbol, pseudopotential in ions.pseudopotentials.items():
        form = pseudopotential.core_density_form_factor(grid.lengths)
        if form is not None:
            ion = form / grid.volume * structure_factor(grid, ions.positions_of(symbol))
            total = ion if total is None else total + ion
    return total


def with_core(density: Tensor, core: Tensor | None) -> Tensor:
    """Valence density plus core, Fourier coefficients ``(nspin, ngvector)``; each spin has its share of the core."""
    return density if core is None else density + core / len(density)
