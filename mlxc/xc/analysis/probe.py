"""Ingredients with chosen r_s, zeta, s and alpha, on which a functional can be asked what it says of any density."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor, nn

from mlxc.xc.functional import declared_ingredients
from mlxc.xc.lda import uniform_exchange
from mlxc.xc.mgga import TAU_UNIFORM


def density_of(rs: Tensor) -> Tensor:
    """n = 3 / (4 pi r_s^3), electrons/bohr^3."""
    return 3 / (4 * pi * rs**3)


def ingredients_at(rs: Tensor, zeta: Tensor | None, s: Tensor, alpha: Tensor) -> dict[str, Tensor]:
    """Density, gradient and tau with these reduced variables, each variable of shape ``(npoint,)``.

    Args:
        rs: Wigner-Seitz radius, bohr.
        zeta: polarisation, which is the same everywhere around a point; None for ingredients without spin.
        s: reduced gradient of the total density.
        alpha: (tau - tau_W) / tau_unif of the total density; each spin has its part of tau_W and of tau_unif.
    """
    density = density_of(rs)
    shares = torch.ones_like(density)[None] * 2 if zeta is None else torch.stack([1 + zeta, 1 - zeta])
    nspin = len(shares)
    slope = s * 2 * (3 * pi**2) ** (1 / 3) * density ** (4 / 3)
    direction = torch.tensor([1.0, 0.0, 0.0], dtype=density.dtype)[:, None]
    rho = density * shares / 2
    weizsaecker = slope.square() / (8 * density) * shares / 2
    # tau_unif of a polarised gas, sum over spins of 2^(2/3) n_spin^(5/3).
    uniform = TAU_UNIFORM * density ** (5 / 3) * (shares ** (5 / 3) / 2 if nspin == 2 else torch.ones_like(shares))
    return {"rho": rho, "grad": (slope * shares / 2)[:, None] * direction, "tau": weizsaecker + alpha * uniform}


def enhancement_at(functional: nn.Module, rs: Tensor, zeta: Tensor | None, s: Tensor, alpha: Tensor) -> Tensor:
    """F_xc: the energy in units of the exchange energy of the unpolarised uniform gas of this density."""
    given = ingredients_at(rs, zeta, s, alpha)
    energy: Tensor = functional(**{name: given[name] for name in declared_ingredients(functional)})
    return energy / uniform_exchange(density_of(rs))
