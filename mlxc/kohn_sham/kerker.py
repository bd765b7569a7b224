"""Kerker's preconditioner: how much of a residual of each wave vector to take.

In a metal charge of wave vector q is screened by about 1 + q0^2 / q^2, so that long waves overreact. Of the residual of
each wave the fraction q^2 / (q^2 + q0^2) is taken: G. P. Kerker, Phys. Rev. B 23, 3082 (1981).
"""

from __future__ import annotations

from torch import Tensor

from mlxc.grid.fields import Fields
from mlxc.grid.grid import Grid


def kerker_factors(grid: Grid, screening: float) -> Tensor:
    """q^2 / (q^2 + q0^2) for each G vector of a grid, shape ``(ngvector,)``; at G = 0 that of the longest wave.

    Args:
        grid: the grid.
        screening: q0, 1/bohr; zero for factors of one, which suit insulators: there nothing screens long waves.
    """
    squares = grid.squares.clamp(min=float(grid.squares[1:].min()))
    return squares / (squares + screening**2)


class KerkerPreconditioner:
    """Kerker's factors, applied to the charge alone.

    Neither magnetisation nor kinetic energy makes an electric field, so nothing screens them.

    Args:
        grid: on whose sphere the Fourier coefficients live.
        screening: q0, 1/bohr.
    """

    def __init__(self, grid: Grid, screening: float) -> None:
        self._factors = kerker_factors(grid, screening)

    def __call__(self, residual: Tensor) -> Tensor:
        """The preconditioned residual.

        Args:
            residual: of the fields of total and magnetisation, Fourier coefficients ``(nfield, nspin, ngvector)``.
        """
        conditioned = residual.clone()
        fields = Fields.unstacked(conditioned)
        fields.density[0] *= self._factors
        if fields.gradient is not None:
            fields.gradient[:, 0] *= self._factors
        return conditioned
