"""Kerker's preconditioner: how much of a residual of each wave vector to take.

In a metal charge of wave vector q is screened by about 1 + q0^2 / q^2, so that long waves overreact. Of the residual of
each wave the fraction alpha q^2 / (q^2 + q0^2) is taken: G. P. Kerker, Phys. Rev. B 23, 3082 (1981).
"""

from __future__ import annotations

from torch import Tensor

from mlxc.grid.fields import FieldKinds, charge_rows
from mlxc.grid.grid import Grid
from mlxc.kohn_sham.mixing.schedule import MixingStage


def kerker_fractions(grid: Grid, damping: float, screening: float) -> Tensor:
    """alpha q^2 / (q^2 + q0^2) for each G vector of a grid, shape ``(ngvector,)``; at G = 0 that of the longest wave.

    Args:
        grid: The grid.
        damping: alpha.
        screening: q0, 1/bohr; zero for alpha everywhere, which suits insulators: there nothing screens long waves.
    """
    squares = grid.squares.clamp(min=float(grid.squares[1:].min()))
    return damping * squares / (squares + screening**2)


class KerkerPreconditioner:
    """Kerker's fractions of the charge, and plain damping of the rest.

    Neither magnetisation nor kinetic energy makes an electric field, so nothing screens them.

    Args:
        grid: The grid on whose sphere the Fourier coefficients live.
        kinds: The kinds of the fields.
        stage: The damping alpha, the screening q0, and the damping of the rest.
    """

    def __init__(self, grid: Grid, kinds: FieldKinds, stage: MixingStage) -> None:
        self._of_rest, self._charge = stage.of_rest, charge_rows(kinds)
        self._fractions = kerker_fractions(grid, stage.damping, stage.screening)

    def __call__(self, residual: Tensor) -> Tensor:
        """The part of a residual to take.

        Args:
            residual: The residual of the fields of total and magnetisation, Fourier coefficients
                ``(nfield, nspin, ngvector)``.
        """
        taken = self._of_rest * residual
        taken[self._charge, 0] = self._fractions * residual[self._charge, 0]
        return taken
