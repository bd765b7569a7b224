"""Where a functional is asked for its opinion, r_s, zeta, s and alpha, and how much of that lies outside a domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from mlxc.xc.gga import squared_reduced_gradient
from mlxc.xc.lda import wigner_seitz_radius
from mlxc.xc.mgga import TAU_UNIFORM
from mlxc.xc.spin import polarisation_mean, total_and_shares
from mlxc.xc.sums.weighted_sum import WeightedSum

# Lowest and highest value by the name of the variable, None for no bound; a variable that is missing is not bounded.
Domain = Mapping[str, tuple[float | None, float | None]]

# Of the electrons, at either end of a domain.
NEGLIGIBLE_SHARE = 1e-3


def reduced_variables(rho: Tensor, grad: Tensor | None = None, tau: Tensor | None = None) -> dict[str, Tensor]:
    """``rs`` (bohr), |zeta| as ``zeta``, and where the ingredients allow ``s`` and ``alpha``, each ``(npoint,)``."""
    density, shares = total_and_shares(rho)
    zeta = torch.zeros_like(density) if shares is None else (shares[0] - shares[1]).abs() / 2
    variables = {"rs": wigner_seitz_radius(density), "zeta": zeta}
    if grad is not None:
        variables["s"] = squared_reduced_gradient(density, grad.sum(0)).sqrt()
    if grad is not None and tau is not None:
        weizsaecker = grad.sum(0).square().sum(0) / (8 * density)
        uniform = TAU_UNIFORM * density ** (5 / 3) * polarisation_mean(shares, 5 / 3)
        variables["alpha"] = (tau.sum(0) - weizsaecker) / uniform
    return variables


def outside(domain: Domain, variables: Mapping[str, Tensor]) -> Tensor:
    """Which points lie outside a domain, shape ``(npoint,)``."""
    result = torch.zeros_like(variables["rs"], dtype=torch.bool)
    for name, (low, high) in domain.items():
        if name in variables:
            result |= variables[name] < (-torch.inf if low is None else low)
            result |= variables[name] > (torch.inf if high is None else high)
    return result


def outside_fractions(
    domains: Sequence[Domain], ingredients: Mapping[str, Tensor], volumes: Tensor
) -> dict[str, float]:
    """The fractions of the ``electrons`` and of the ``volume`` that lie outside any of some domains.

    Args:
        domains: The domains.
        ingredients: The ingredients at some points.
        volumes: The volume of each point, in any unit, shape ``(npoint,)``.
    """
    variables = reduced_variables(**ingredients)
    outer = torch.stack([outside(domain, variables) for domain in domains]).any(0).double()
    electrons = volumes * ingredients["rho"].sum(0)
    return {
        "electrons": float((outer * electrons).sum() / electrons.sum()),
        "volume": float((outer * volumes).sum() / volumes.sum()),
    }


def domain_of(densities: Iterable[tuple[Mapping[str, Tensor], Tensor]]) -> dict[str, tuple[float, float]]:
    """The smallest domain that holds all but a thousandth of the electrons of some densities at either end.

    Args:
        densities: The ingredients at some points, and the volume of each point.
    """
    collected: dict[str, list[Tensor]] = {}
    electrons = []
    for ingredients, volumes in densities:
        electrons.append(ingredients["rho"].sum(0) * volumes)
        for name, values in reduced_variables(**ingredients).items():
            collected.setdefault(name, []).append(values)
    share = torch.cat(electrons) / torch.cat(electrons).sum()
    domain = {}
    for name, pieces in collected.items():
        values, order = torch.cat(pieces).sort()
        below = share[order].cumsum(0)
        inside = values[(below > NEGLIGIBLE_SHARE) & (below < 1 - NEGLIGIBLE_SHARE)]
        domain[name] = (float(inside[0]), float(inside[-1]))
    return domain


def training_domains(functional: nn.Module) -> list[Domain]:
    """The domains that the checkpoints a functional was made from have recorded."""
    record = getattr(functional, "checkpoint", None)
    if record is not None:
        return [record.domain] if record.domain else []
    if isinstance(functional, WeightedSum):
        return [domain for part in functional.functionals for domain in training_domains(part)]
    return []
