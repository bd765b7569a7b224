"""What a step of the mixing may do to the magnetisation.

A self-consistent magnetisation is a minimum of the energy, a maximum or a saddle, such as no moment at all in iron.
Methods that follow residuals to zero, like Anderson's, go to the nearest one whatever it is. The residual of the
magnetisation, though, points downhill, since what comes out of a step is what the electrons prefer: a step with a
component against it leads uphill, towards a maximum or a saddle.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.grid.grid import Grid

# The smallest component of a step along the residual, in units of the residual.
DOWNHILL = 0.1
# A magnetisation whose residual is so small a part of it has found its state: steps of soft waves are longer than what
# is left of the others, and lead anywhere. Without a moment the residual is never small beside what is left of it.
SETTLED = 1e-4
# A step may change the magnetisation by the largest of these: so many times what came out minus what went in, a share
# of what there is, and a share of the electrons. All are integrals of absolute values.
OF_RESIDUAL, OF_MAGNETISATION, OF_ELECTRONS = 3.0, 0.1, 0.005


class MagnetisationLimit:
    """Bounds the change of the magnetisation in a step.

    Args:
        grid: The grid on whose sphere the fields live.
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid

    def leads_uphill(self, step: Tensor, residual: Tensor, fields: Tensor) -> bool:
        """Whether a step has hardly a component along the residual of the magnetisation, or one against it.

        Args:
            step: The step that is proposed, of total and magnetisation, Fourier coefficients
                ``(nfield, nspin, ngvector)``.
            residual: What came out of the last step minus what went in, same shape.
            fields: What went in, same shape.
        """
        if step.shape[1] == 1:
            return False
        magnetisation, out = fields[0, 1], residual[0, 1]
        if _inner(out, out) < SETTLED**2 * _inner(magnetisation, magnetisation):
            return False
        return _inner(step[0, 1], out) < DOWNHILL * _inner(out, out)

    def overreacts(self, change: Tensor, of_residual: Tensor) -> bool:
        """Whether a magnetisation that is changed comes out changed the other way.

        Then it belongs to a minimum, however short a step along the residual may be the right one: electrons of a free
        atom go from one spin to the other where levels of both lie at the Fermi level, and shift these.

        Args:
            change: The change of what went in, of total and magnetisation, Fourier coefficients
                ``(nfield, nspin, ngvector)``.
            of_residual: The change of what came out minus what went in, same shape.
        """
        if change.shape[1] == 1:
            return False
        return _inner(change[0, 1], of_residual[0, 1]) < -_inner(change[0, 1], change[0, 1])

    def along(self, step: Tensor, residual: Tensor) -> float:
        """The component of a step along the residual of the magnetisation, in units of the residual.

        Args:
            step: The step that is proposed, of total and magnetisation, Fourier coefficients
                ``(nfield, 2, ngvector)``.
            residual: What came out of the last step minus what went in, same shape.
        """
        magnetisation = residual[0, 1]
        return _inner(step[0, 1], magnetisation) / _inner(magnetisation, magnetisation)

    def __call__(self, step: Tensor, residual: Tensor, fields: Tensor) -> Tensor:
        """The step to take; all of total and magnetisation, Fourier coefficients ``(nfield, nspin, ngvector)``.

        Args:
            step: The step that is proposed.
            residual: What came out of the last step minus what went in.
            fields: What went in.
        """
        if step.shape[1] == 1:
            return step
        changed, came_out, magnetisation = (self._integral(field[0, 1]) for field in (step, residual, fields))
        electrons = float(fields[0, 0, 0].real * self._grid.volume)
        allowed = max(OF_RESIDUAL * came_out, OF_MAGNETISATION * magnetisation, OF_ELECTRONS * electrons)
        if changed > allowed:
            step = step.clone()
            step[:, 1] *= allowed / changed
        return step

    def _integral(self, coefficients: Tensor) -> float:
        """The integral of the absolute value of a field."""
        return float(self._grid.integrate(self._grid.real(coefficients).abs()))


def _inner(first: Tensor, second: Tensor) -> float:
    return float(torch.vdot(first, second).real)
