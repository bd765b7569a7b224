"""LAK, a meta-generalised-gradient functional for binding and for gaps, without fitted data.

T. Lebeda, T. Aschebrock, S. Kummel, Phys. Rev. Lett. 133, 136402 (2024); numbers of equations are those of its
supplement. As SCAN it goes from a single-orbital energy (alpha = 0) to a slowly varying one, and is exact to fourth
order of the gradient expansion of exchange, and to second order of that of correlation.
"""

from __future__ import annotations

from torch import Tensor

from mlxc.xc.lak.correlation import correlation_energy
from mlxc.xc.lak.exchange import enhancement
from mlxc.xc.mgga import MetaGGA


class LAK(MetaGGA):
    """The functional of Lebeda, Aschebrock and Kummel."""

    def enhancement(self, s2: Tensor, alpha: Tensor) -> Tensor:
        """See :class:`~mlxc.xc.mgga.MetaGGA`."""
        return enhancement(s2, alpha)

    def correlation_per_electron(self, density: Tensor, shares: Tensor | None, s2: Tensor, alpha: Tensor) -> Tensor:
        """See :class:`~mlxc.xc.mgga.MetaGGA`."""
        local = self.local_correlation.energy_per_electron
        return correlation_energy(density, shares, s2, alpha, local(density, shares), local(density, None))
