"""Exchange of PBE's form at frozen densities: whatever does not depend on kappa and mu is computed once.

E_x = sum over spins of the integral of e_x^unif(2 n_spin) F_x(s_spin) / 2, where only F_x changes with kappa and mu.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mlxc.frozen.batch import Batch
from mlxc.xc.gga import PBE, squared_reduced_gradient
from mlxc.xc.lda import uniform_exchange


@dataclass(frozen=True)
class ExchangeTable:
    """Local exchange of the points of some snapshots, and their reduced gradients.

    Attributes:
        local_ha: e_x^unif at each point of each spin, times the volume of the point, shape ``(npoint,)``.
        s2: The squared reduced gradient of the spin there.
        owners: The number of the snapshot.
        nsnapshot: The number of snapshots.
    """

    local_ha: Tensor
    s2: Tensor
    owners: Tensor
    nsnapshot: int

    @classmethod
    def of(cls, batch: Batch) -> ExchangeTable:
        """Put the table together."""
        local, s2, owners = [], [], []
        for ingredients, volumes, owner in batch.portions:
            nspin = len(ingredients["rho"])
            for rho, grad in zip(nspin * ingredients["rho"], nspin * ingredients["grad"], strict=True):
                local.append(uniform_exchange(rho) * volumes / nspin)
                s2.append(squared_reduced_gradient(rho, grad))
                owners.append(owner)
        return cls(torch.cat(local), torch.cat(s2), torch.cat(owners), len(batch.rest_ha))

    def difference(self, functional: PBE, base: PBE) -> Tensor:
        """E_x of a functional less that of another one, hartree per cell, shape ``(nsnapshot,)``."""
        density = self.local_ha * (functional.enhancement(self.s2) - base.enhancement(self.s2))
        return density.new_zeros(self.nsnapshot).index_add(0, self.owners, density)
