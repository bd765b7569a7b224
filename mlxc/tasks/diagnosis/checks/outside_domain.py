"""The reduced variables that a functional sees in a crystal, and how much of them lies outside a domain."""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.kohn_sham.state import GroundState
from mlxc.xc.analysis.domain import Domain, outside, reduced_variables


def variables_of_state(state: GroundState) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Reduced variables at points that are not equivalent, and the electrons and the volume (bohr^3) at each."""
    problem = state.problem
    with torch.no_grad():
        ingredients, volumes = problem.xc.points(problem.xc.all_fields(state.orbitals, state.occupations))
        return reduced_variables(**ingredients), ingredients["rho"].sum(0) * volumes, volumes


def outside_shares(
    variables: dict[str, Tensor], electrons: Tensor, volumes: Tensor, domain: Domain
) -> dict[str, float]:
    """The shares of electrons and volume that lie outside, by any variable and by s alone."""
    shares = {}
    for suffix, part in (("", domain), ("_in_s", {"s": domain["s"]} if "s" in domain else {})):
        beyond = outside(part, variables).double()
        shares[f"electrons{suffix}"] = float((beyond * electrons).sum() / electrons.sum())
        shares[f"volume{suffix}"] = float((beyond * volumes).sum() / volumes.sum())
    return shares
