"""How much a residual of each field counts: all kinds in units of energy, so that they can be added.

The energy of a residual of the charge is about its Hartree energy, 2 pi |n_G|^2 / G^2 per volume, so that long waves
count most. A magnetisation makes no electric field, but its long waves, the total moment first of all, answer most
strongly, so it is weighted alike. The kinetic-energy density has no such preference.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.grid.fields import DENSITY, TAU, FieldKinds, component_count
from mlxc.grid.grid import Grid

# The wave vector whose charge costs as much as tau, 1/bohr. A change of tau is the smaller part of what changes cost.
OF_TAU = 3.0


class FieldsMetric:
    """Makes vectors of fields whose squared length is an energy, in some unit.

    Args:
        grid: The grid on whose sphere the fields live.
        kinds: The kinds of the fields. What is not the density nor tau follows from these.
    """

    def __init__(self, grid: Grid, kinds: FieldKinds) -> None:
        self._of_density = (1 / grid.squares.clamp(min=float(grid.squares[1:].min()))).sqrt()
        self._tau_row = component_count(kinds) - 1 if TAU in kinds else None
        assert kinds[0] == DENSITY

    def vector(self, fields: Tensor) -> Tensor:
        """A real vector of fields of total and magnetisation, Fourier coefficients ``(nfield, nspin, ngvector)``."""
        parts = [(fields[0] * self._of_density).flatten()]
        if self._tau_row is not None:
            parts.append(fields[self._tau_row].flatten() / OF_TAU)
        return torch.view_as_real(torch.cat(parts)).flatten()
