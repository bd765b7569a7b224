"""Exchange of PBE's form at frozen densities: whatever does not depend on kappa and mu is computed once.

E_x = sum over spins of the integral of e_x^unif(2 n_spin) F_x(s_spin) / 2, where only F_x changes with kappa and mu. It
is a smooth function of ln(1 + s^2), so each point hands its local exchange to the nodes around it, as in
:mod:`mlxc.frozen.nodes`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mlxc.frozen.batch import Batch
from mlxc.frozen.nodes import DEGREE, stencil
from mlxc.xc.gga import PBE, squared_reduced_gradient
from mlxc.xc.lda import uniform_exchange

# The distance of nodes in ln(1 + s^2), and the last one: F_x of a larger s is its bound, to eight digits.
STEP, LAST = 0.005, 20.0


@dataclass(frozen=True)
class ExchangeTable:
    """Local exchange of some snapshots, on nodes of the reduced gradient.

    Attributes:
        s2: The squared reduced gradient of each node.
        local_ha: What is at each node of the integral of e_x^unif over each snapshot, shape ``(nsnapshot, nnode)``.
    """

    s2: Tensor
    local_ha: Tensor

    @classmethod
    def of(cls, batch: Batch) -> ExchangeTable:
        """Put the table together."""
        s2 = torch.expm1(STEP * torch.arange(round(LAST / STEP) + DEGREE + 1, dtype=torch.float64))
        local_ha = torch.zeros(len(batch.rest_ha), len(s2), dtype=torch.float64)
        for ingredients, volumes, owners in batch.portions:
            nspin = len(ingredients["rho"])
            for rho, grad in zip(nspin * ingredients["rho"], nspin * ingredients["grad"], strict=True):
                local = uniform_exchange(rho) * volumes / nspin
                place = torch.log1p(squared_reduced_gradient(rho, grad)).clamp(max=LAST)
                first, weights = stencil(place / STEP, lowest=0)
                for number, weight in enumerate(weights):
                    local_ha.index_put_((owners, first + number), local * weight, accumulate=True)
        return cls(s2, local_ha)

    def difference(self, functional: PBE, base: PBE) -> Tensor:
        """E_x of a functional less that of another one, hartree per cell, shape ``(nsnapshot,)``."""
        return self.local_ha @ (functional.enhancement(self.s2) - base.enhancement(self.s2))
