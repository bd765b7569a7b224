"""LAK, a meta-generalised-gradient functional for binding and for gaps, without fitted data.

T. Lebeda, T. Aschebrock, S. Kummel, Phys. Rev. Lett. 133, 136402 (2024); numbers of equations are those of its
supplement. As SCAN it goes from a single-orbital energy (alpha = 0) to a slowly varying one, and is exact to fourth
order of the gradient expansion of exchange, and to second order of that of correlation.
"""

from __future__ import annotations

from torch import Tensor

from mlxc.xc.functional import Functional
from mlxc.xc.gga import squared_reduced_gradient
from mlxc.xc.lak.correlation import correlation_energy
from mlxc.xc.lak.exchange import enhancement
from mlxc.xc.lda import PW92Correlation, uniform_exchange
from mlxc.xc.mgga import TAU_UNIFORM
from mlxc.xc.spin import polarisation_mean, spin_scaled, total_and_shares


class LAK(Functional):
    """The functional of Lebeda, Aschebrock and Kummel."""

    ingredients = ("rho", "grad", "tau")

    def __init__(self) -> None:
        super().__init__()
        self.local_correlation = PW92Correlation()

    def forward(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        """XC energy per volume."""
        return self.exchange(rho, grad, tau) + self.correlation(rho, grad, tau)

    def exchange(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        """Exchange energy per volume."""
        return spin_scaled(self._unpolarised_exchange, rho, grad, tau)

    def _unpolarised_exchange(self, density: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        s2 = squared_reduced_gradient(density, grad)
        return uniform_exchange(density) * enhancement(s2, _alpha(density, s2, tau))

    def correlation(self, rho: Tensor, grad: Tensor, tau: Tensor) -> Tensor:
        """Correlation energy per volume."""
        density, shares = total_and_shares(rho)
        s2 = squared_reduced_gradient(density, grad.sum(0))
        alpha = _alpha(density, s2, tau.sum(0)) / polarisation_mean(shares, 5 / 3)
        local = self.local_correlation.energy_per_electron
        return density * correlation_energy(density, shares, s2, alpha, local(density, shares), local(density, None))


def _alpha(density: Tensor, s2: Tensor, tau: Tensor) -> Tensor:
    """(tau - tau_W) / tau_uniform of an unpolarised density."""
    return tau / (TAU_UNIFORM * density ** (5 / 3)) - 5 / 3 * s2
