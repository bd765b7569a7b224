"""What functionals of a polarised density share: the polarisation zeta and its functions, the scaling of exchange.

Polarisation is held as the pair (1 + zeta, 1 - zeta) = 2 (n_up, n_down) / n, the shares of the two spins: neither can
round to zero while its density is positive, so powers of them have finite derivatives up to full polarisation.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def total_and_shares(rho: Tensor) -> tuple[Tensor, Tensor | None]:
    """Total density, and (1 + zeta, 1 - zeta) with zeta = (n_up - n_down) / n.

    Args:
        rho: The density, shape ``(nspin, npoint)``.

    Returns:
        Shapes ``(npoint,)`` and ``(2, npoint)``; no shares for an unpolarised density.
    """
    if len(rho) == 1:
        return rho[0], None
    total = rho.sum(0)
    return total, 2 * rho / total


def polarisation_mean(shares: Tensor | None, power: float) -> Tensor | float:
    """((1 + zeta)^power + (1 - zeta)^power) / 2; one for an unpolarised density."""
    return 1.0 if shares is None else (shares**power).mean(0)


def spin_interpolation(shares: Tensor | None) -> Tensor | float:
    """f(zeta) = ((1 + zeta)^(4/3) + (1 - zeta)^(4/3) - 2) / (2^(4/3) - 2); zero for an unpolarised density."""
    return (polarisation_mean(shares, 4 / 3) - 1) / (2 ** (1 / 3) - 1)


def squared_polarisation(shares: Tensor) -> tuple[Tensor, Tensor]:
    """zeta^2 and 1 - zeta^2, the latter without cancellation near full polarisation."""
    return ((shares[0] - shares[1]) / 2).square(), shares[0] * shares[1]


def spin_scaled(exchange: Callable[..., Tensor], *fields: Tensor) -> Tensor:
    """Exchange energy per volume, E_x[up, down] = (E_x[2 up] + E_x[2 down]) / 2.

    G. L. Oliver, J. P. Perdew, Phys. Rev. A 20, 397 (1979).

    Args:
        exchange: The exchange energy per volume of an unpolarised density, given its fields without the spin axis.
        fields: The density, its gradient, ... each with ``nspin`` as its first axis.
    """
    nspin = len(fields[0])
    return torch.stack([exchange(*(nspin * field[spin] for field in fields)) for spin in range(nspin)]).mean(0)
