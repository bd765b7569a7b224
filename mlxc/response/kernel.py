"""How the effective potential answers to the density: the kernel K of Hartree, exchange and correlation."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mlxc.kohn_sham.problem import Problem


def kernel_at(problem: Problem, fields: Tensor) -> Callable[[Tensor], Tensor]:
    """The function x -> K x of fields on the grid, both of shape ``(nfield, nspin, n1, n2, n3)``.

    Args:
        problem: The Kohn-Sham problem.
        fields: The fields around which it varies, on the grid, detached.
    """
    leaf = fields.clone().requires_grad_()
    potential = problem.differentiable_potential(leaf)

    def apply(change: Tensor) -> Tensor:
        (image,) = torch.autograd.grad(potential, leaf, change, retain_graph=True)
        return image

    return apply
