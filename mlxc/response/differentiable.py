"""The self-consistent field as a differentiable function of the functional's parameters."""

from __future__ import annotations

from typing import Any

import torch

from mlxc.crystal import Crystal
from mlxc.response.implicit import attach
from mlxc.scf.ground_state import GroundState
from mlxc.scf.loop import scf


def differentiable_scf(crystal: Crystal, **settings: Any) -> GroundState:
    """Compute the ground state of a crystal; arguments as for :func:`mlxc.scf.loop.scf`.

    If parameters of the functional require gradients, so do the parts of the converged state: ``energy`` by the
    variational principle, density, eigenvalues, occupations and orbitals by one solution of Dyson's equation when a
    loss that depends on them is differentiated.

    Raises:
        InputError: what was asked cannot be computed.
        RunStoppedError: the monitor stopped the run.
    """
    ground = scf(crystal, **settings)
    assert ground.problem is not None
    wanted = any(parameter.requires_grad for parameter in ground.problem.functional.parameters())
    if wanted and torch.is_grad_enabled() and ground.converged:
        attach(ground)
    return ground
