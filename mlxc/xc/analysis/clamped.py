"""A functional that is never asked outside a domain: there it answers as at the domain's nearest point."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor, nn

from mlxc.xc.analysis.domain import Domain
from mlxc.xc.functional import Functional, declared_ingredients
from mlxc.xc.gga import squared_reduced_gradient
from mlxc.xc.lda import uniform_exchange, wigner_seitz_radius

# Below this s^2 a gradient is as good as none.
SMALLEST_SQUARE = 1e-20
# A bound takes hold between 1 - BEND and 1 + BEND of itself.
BEND = 0.2


class Clamped(Functional):
    """A functional with r_s and s, as it sees them, held inside a domain.

    F_xc = e_xc / e_x^LDA is taken at the nearest (r_s, s) of the domain, at the same polarisation and alpha; e_x^LDA at
    the density itself. Each bound takes hold gently, see :func:`held_below`: were r_s and s cut off at once, the
    potential, which holds the divergence of de_xc/d(grad n), would be infinite wherever a density crosses the edge, and
    no SCF would settle. Energy, potential and kernel are derivatives of one another as for any functional, since the
    clamping is part of what autograd sees. If an answer of a trained functional changes with it, then that answer rests
    on what the functional was never trained on.

    Args:
        functional: Any functional.
        domain: The lowest and highest ``rs`` (bohr), and highest ``s``: a gradient that is too small is no
            extrapolation. Bounds of other variables are left aside.
    """

    def __init__(self, functional: nn.Module, domain: Domain) -> None:
        super().__init__()
        self.functional = functional
        self.lowest_rs, self.highest_rs = domain.get("rs", (None, None))
        self.highest_s = domain.get("s", (None, None))[1]
        self.ingredients = declared_ingredients(functional)

    def forward(self, rho: Tensor, grad: Tensor | None = None, tau: Tensor | None = None) -> Tensor:
        """XC energy per volume, see :mod:`mlxc.xc.functional`."""
        density = rho.sum(0)
        rs = self._held_radius(wigner_seitz_radius(density))
        inside = 3 / (4 * pi * rs**3)
        ratio = inside / density
        given: dict[str, Tensor] = {"rho": rho * ratio}
        if grad is not None:
            # s is |grad n| / n^(4/3) up to a factor.
            given["grad"] = grad * (ratio ** (4 / 3) * self._share_of_gradient(density, grad.sum(0)))
        if tau is not None:
            given["tau"] = self._tau(rho, grad, tau, given, ratio)
        energy: Tensor = self.functional(**given)
        return energy * uniform_exchange(density) / uniform_exchange(inside)

    def _held_radius(self, rs: Tensor) -> Tensor:
        """r_s within its bounds."""
        held = rs if self.highest_rs is None else rs * held_below(rs / self.highest_rs)
        return held if self.lowest_rs is None else held / held_below(self.lowest_rs / held)

    def _share_of_gradient(self, density: Tensor, grad: Tensor) -> Tensor:
        """The factor of the gradient with which s is not above its highest value."""
        if self.highest_s is None:
            return torch.ones_like(density)
        square = squared_reduced_gradient(density, grad).clamp(min=SMALLEST_SQUARE)
        return held_below(square.sqrt() / self.highest_s)

    def _tau(self, rho: Tensor, grad: Tensor | None, tau: Tensor, given: dict[str, Tensor], ratio: Tensor) -> Tensor:
        """The tau that keeps alpha what it is: von Weizsaecker's part follows the gradient, the rest the density."""
        if grad is None:
            return tau * ratio ** (5 / 3)
        before, after = _weizsaecker(rho, grad), _weizsaecker(given["rho"], given["grad"])
        return after + (tau - before) * ratio ** (5 / 3)


def held_below(values: Tensor) -> Tensor:
    """The factor that holds values at most 1.

    It is 1 below 1 - ``BEND``, and one over the value above 1 + ``BEND``; between them the slope of the held value goes
    from 1 to 0 as the cubic smoothstep does, so that its second derivative is continuous.

    Args:
        values: Numbers, not negative.
    """
    above = values.clamp(min=1 - BEND)
    done = ((above - (1 - BEND)) / (2 * BEND)).clamp(max=1.0)
    return (above.clamp(max=1 + BEND) - 2 * BEND * (done**3 - done**4 / 2)) / above


def _weizsaecker(rho: Tensor, grad: Tensor) -> Tensor:
    """|grad n|^2 / 8n of each spin."""
    return grad.square().sum(1) / (8 * rho)
