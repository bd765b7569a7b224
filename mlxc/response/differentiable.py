"""The self-consistent field as a differentiable function of the functional's parameters."""

from __future__ import annotations

from typing import Any, Literal

import torch

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.kohn_sham.loop import scf
from mlxc.kohn_sham.state import GroundState
from mlxc.response.implicit import attach
from mlxc.response.unrolled import unroll


def differentiable_scf(
    crystal: Crystal, *, differentiate: Literal["implicit", "unrolled"] = "implicit", **settings: Any
) -> GroundState:
    """Compute the ground state of a crystal.

    If parameters of the functional require gradients, so do the parts of the converged state: ``energy`` by the
    variational principle, density, eigenvalues, occupations and orbitals by one solution of Dyson's equation when a
    loss that depends on them is differentiated.

    Args:
        crystal: what to compute.
        differentiate: ``unrolled`` repeats the SCF in plain steps that autograd goes back through, for small cells, for
            teaching and as a witness.
        settings: further arguments of :func:`mlxc.kohn_sham.loop.scf`.

    Raises:
        InputError: what was asked cannot be computed.
        RunStoppedError: the monitor stopped the run.
    """
    if differentiate not in ("implicit", "unrolled"):
        raise InputError(f"differentiate: {differentiate!r} is neither 'implicit' nor 'unrolled'.")
    ground = scf(crystal, **settings)
    (attach_implicitly if differentiate == "implicit" else attach_unrolled)(ground)
    return ground


def attach_implicitly(ground: GroundState) -> None:
    """Make a state part of autograd, if its functional has parameters that require gradients."""
    if _takes_part(ground):
        attach(ground)


def attach_unrolled(ground: GroundState) -> None:
    """Repeat the SCF of a state in steps that take part in autograd, if its functional has parameters that do.

    Raises:
        UnrolledError: plain mixing does not converge for this crystal.
    """
    if _takes_part(ground):
        # The steps of a state that has not converged lead nowhere; the implicit way says so when it is taken.
        (unroll if ground.converged else attach)(ground)


def _takes_part(ground: GroundState) -> bool:
    assert ground.problem is not None
    wanted = any(parameter.requires_grad for parameter in ground.problem.functional.parameters())
    return wanted and torch.is_grad_enabled()
