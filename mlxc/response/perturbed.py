"""How a self-consistent state answers to all directions in which the parameters of its functional may move.

Along a direction the potential at fixed density changes by dv_xc = sum_p (dv_xc/dtheta_p) L_p, and Dyson's equation
makes of it the change of the density,

    dn = chi_0 (dv_xc + K dn),

and of the potential that the electrons feel, dv = dv_xc + K dn. A level then moves by <psi|dv|psi>. Where many numbers
are asked for, as of bands, this costs one solution per direction, while adjoints would cost one per number.

Directions are a choice: C = L L^T stays as it is when the columns of L are rotated. Here they are rotated so that the
potential varies most along the first of them, and those that hardly change it are left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mlxc.errors import InputError
from mlxc.kohn_sham.state import GroundState
from mlxc.response.bands import refined_bands
from mlxc.response.dyson import solve_dyson
from mlxc.response.independent import IndependentResponse
from mlxc.response.kernel import kernel_at
from mlxc.utils.stages import stage
from mlxc.xc.uncertainty import directions_of

# The part of the variance of the potential, weighted with the density, that directions which are left out may hold.
LEFT_OUT = 1e-3
# Of responses: errors of error bars of a thousandth are invisible.
TOLERANCE = 1e-4
# The relative size of what is rounding errors of a response.
ROUNDING = 1e-13


@dataclass(frozen=True, eq=False)
class Perturbations:
    """The changes of a state along directions in which the parameters of its functional move by a standard deviation.

    Attributes:
        fields: The changes of the fields on the grid, shape ``(ndirection, nfield, nspin, n1, n2, n3)``.
        potentials: The changes of the effective potential, hartree for that of the density, same shape.
    """

    fields: Tensor
    potentials: Tensor


def perturbations(ground: GroundState) -> Perturbations:
    """The changes of a converged state.

    Args:
        ground: A state whose functional carries an ensemble.

    Raises:
        InputError: the state has not converged, or its functional carries no ensemble.
        ResponseError: Dyson's equation cannot be solved.
    """
    if not ground.converged:
        raise InputError(f"There is no response of a state that has not converged. {ground.message}")
    problem, grid = ground.problem, ground.basis.grid
    fields = ground.fields.detach()
    driving = _principal(_bare_changes(ground), ground.density.detach().sum(0))
    bands, kernel = refined_bands(ground, TOLERANCE), kernel_at(problem, fields)
    independent = IndependentResponse(bands)
    nothing = torch.zeros_like(grid.fourier(fields))
    size = float(grid.fourier(fields[0]).norm())
    changed, felt = [], []
    for number, potential in enumerate(driving, start=1):
        stage(f"Response to direction {number} of {len(driving)} of the ensemble")
        symmetric = grid.real(problem.symmetrised(grid.fourier(potential)))
        negligible = ROUNDING * float(symmetric.norm()) * size
        found, _ = solve_dyson(
            independent, kernel, grid, symmetric, nothing, ground.smearing is not None, TOLERANCE, negligible
        )
        changed.append(grid.real(found))
        felt.append(symmetric + kernel(changed[-1]))
    return Perturbations(torch.stack(changed), torch.stack(felt))


def _bare_changes(ground: GroundState) -> Tensor:
    """The changes of the potential at fixed density, shape ``(ndirection, nfield, nspin, n1, n2, n3)``.

    The potential pulls any u back to u.dv/dtheta, which is linear in u: its derivative pushes directions forward.
    """
    problem = ground.problem
    directions = directions_of(problem.functional)
    potential = problem.differentiable_potential(ground.fields.detach())
    with torch.enable_grad():
        u = torch.zeros_like(potential, requires_grad=True)
        pulled = torch.autograd.grad(
            potential, directions.parameters, u, create_graph=True, allow_unused=True, materialize_grads=True
        )
        return torch.stack(
            [
                torch.autograd.grad(pulled, u, directions.of(number), retain_graph=True)[0]
                for number in range(directions.moves.shape[1])
            ]
        )


def _principal(changes: Tensor, density: Tensor) -> Tensor:
    """The changes along rotated directions, those along which the potential of the electrons varies most."""
    weighted = (changes * density.clamp(min=0).sqrt()).flatten(1)
    variances, rotation = torch.linalg.eigh(weighted @ weighted.T)
    left_out = torch.cumsum(variances, 0) <= LEFT_OUT * variances.sum()
    kept = rotation[:, ~left_out].flip(1)
    return torch.einsum("rk,r...->k...", kept, changes)
