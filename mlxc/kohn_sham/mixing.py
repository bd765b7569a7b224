"""Density mixing: Anderson's combination of past steps with Kerker's preconditioner.

D. G. Anderson, J. ACM 12, 547 (1965); G. P. Kerker, Phys. Rev. B 23, 3082 (1981).
"""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.grid.grid import Grid

DEPTH = 10


class AndersonMixer:
    """Proposes the next density from the densities that went into past steps and the residuals that came out.

    Args:
        grid: on whose sphere the densities' Fourier coefficients live.
        damping: fraction of the preconditioned residual that is added.
        screening: Kerker's wave vector, 1/bohr; zero for plain damping, which suits insulators.
    """

    def __init__(self, grid: Grid, damping: float, screening: float) -> None:
        squares = grid.squares.clamp(min=float(grid.squares[1:].min()))
        self._damping = damping
        self._preconditioner = damping * squares / (squares + screening**2)
        # Long waves carry most of the Hartree energy, so they count most in the least squares.
        self._metric = (1 / squares).sqrt()
        self._fields: list[Tensor] = []
        self._residuals: list[Tensor] = []

    def next(self, fields: Tensor, residual: Tensor) -> Tensor:
        """The fields to try next: Fourier coefficients, shape ``(nfield, nspin, ngvector)``, the density first."""
        fields, residual = _charge_and_spin(fields), _charge_and_spin(residual)
        self._fields.append(fields)
        self._residuals.append(residual)
        del self._fields[: -DEPTH - 1], self._residuals[: -DEPTH - 1]
        fields, residual = self._best_combination(fields, residual)
        # Neither magnetisation nor kinetic energy makes an electric field, so nothing screens them.
        mixed = fields + self._damping * residual
        electric = [0, 1, 2, 3] if len(mixed) >= 4 else [0]  # the density and, where it is carried, its gradient
        mixed[electric, 0] = fields[electric, 0] + self._preconditioner * residual[electric, 0]
        return _charge_and_spin(mixed) / mixed.shape[1]

    def _best_combination(self, fields: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        if len(self._residuals) == 1:
            return fields, residual
        d_fields = torch.stack([f - fields for f in self._fields[:-1]])
        d_residual = torch.stack([r - residual for r in self._residuals[:-1]])
        # The other fields follow the density with the same coefficients.
        rows = torch.view_as_real(d_residual[:, 0] * self._metric).flatten(1)
        target = torch.view_as_real(residual[0] * self._metric).flatten()
        gamma = _least_squares(rows, target)
        return fields - _combine(gamma, d_fields), residual - _combine(gamma, d_residual)


def _charge_and_spin(fields: Tensor) -> Tensor:
    """Up and down to total and magnetisation; twice in a row it is a factor of two."""
    if fields.shape[1] == 1:
        return fields
    return torch.stack([fields[:, 0] + fields[:, 1], fields[:, 0] - fields[:, 1]], dim=1)


def _least_squares(rows: Tensor, target: Tensor) -> Tensor:
    """Coefficients of the rows that come closest to the target; nearly dependent rows are damped, not trusted."""
    scale = rows.norm(dim=1, keepdim=True).clamp(min=1e-300)
    solution = torch.linalg.lstsq((rows / scale).T.cpu(), target[:, None].cpu(), rcond=1e-8, driver="gelsd").solution
    return (solution.to(rows.device) / scale)[:, 0]


def _combine(gamma: Tensor, values: Tensor) -> Tensor:
    return torch.einsum("m,mfsg->fsg", gamma.to(values.dtype), values)
