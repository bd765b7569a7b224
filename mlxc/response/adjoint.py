"""What the ways to differentiate a self-consistent state have in common."""

from __future__ import annotations

from typing import Protocol

import torch

from mlxc.kohn_sham.state import GroundState


class Adjoint(Protocol):
    """A way to differentiate what an SCF has found by the parameters of its functional."""

    def attach(self, ground: GroundState) -> GroundState:
        """The same state with parts that take part in autograd; the given one is left as it is."""
        ...


def takes_part(ground: GroundState) -> bool:
    """Whether autograd is switched on, and the functional has parameters that require gradients."""
    wanted = any(parameter.requires_grad for parameter in ground.problem.functional.parameters())
    return wanted and torch.is_grad_enabled()
