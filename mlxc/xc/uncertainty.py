"""How uncertain a value is, given how uncertain the parameters of the functional are that it follows from.

Of a value a with the gradient g = da/dtheta, and of parameters with the covariance C, to first order

    var(a) = g^T C g.

What follows from energies alone has its gradient by the variational principle, at the density that is there; a gap, a
moment or a density by one solution of Dyson's equation, whatever the number of parameters. Bayesian error bars of a
functional are those of J. J. Mortensen et al., Phys. Rev. Lett. 95, 216401 (2005), where each member of an ensemble is
evaluated at the densities of one functional: :func:`spread` does that, and to first order in C both agree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.xc.checkpoints.ensemble import Ensemble, move_to_member
from mlxc.xc.identity import identity_of, is_as_made


def ensemble_of(functional: nn.Module) -> Ensemble | None:
    """The ensemble that a functional carries; None where it has none, or its parameters have moved since it was made.

    Args:
        functional: A functional. That of a sum is in its parts.
    """
    ensemble = getattr(functional, "ensemble", None)
    return ensemble if isinstance(ensemble, Ensemble) and is_as_made(functional) else None


def is_uncertain(functional: nn.Module) -> bool:
    """Whether a functional, or a part of it, carries an ensemble."""
    return any(True for _ in _uncertain_parts(functional))


def standard_deviation(value: Tensor, functional: nn.Module) -> float:
    """The standard deviation of a value, in its unit, to first order: the root of g^T C g.

    Ensembles of different checkpoints in a sum are independent of each other.

    Args:
        value: A tensor without dimensions that is attached to the functional's parameters.
        functional: The functional, or a sum of some.

    Raises:
        InputError: the functional carries no ensemble, or the value is not attached to any parameter.
    """
    return float(standard_deviations(value.reshape(1), functional)[0])


def standard_deviations(values: Tensor, functional: nn.Module) -> Tensor:
    """The standard deviation of each of several values, shape ``(nvalue,)``; see :func:`standard_deviation`."""
    parts = list(_uncertain_parts(functional))
    if not parts:
        raise InputError(
            f"xc: {identity_of(functional).name!r} carries no ensemble that would tell how uncertain it is."
        )
    if not values.requires_grad:
        raise InputError("The value is not attached to the functional's parameters, so nothing is known of its error.")
    return torch.stack([_deviation(value, parts) for value in values])


def spread(evaluate: Callable[[nn.Module], Tensor], functional: nn.Module) -> Tensor:
    """The root mean square distance of the members' values from that of the functional itself.

    Args:
        evaluate: What is computed with a functional, a tensor of any shape.
        functional: A functional with members.

    Raises:
        InputError: it has no members.
    """
    with torch.no_grad():
        middle = evaluate(functional)
        distances = [evaluate(member) - middle for member in members_of(functional)]
    return torch.stack(distances).square().mean(0).sqrt()


def members_of(functional: nn.Module) -> Iterator[nn.Module]:
    """The members of a functional's ensemble, one after the other.

    Raises:
        InputError: it has none.
    """
    ensemble = ensemble_of(functional)
    if ensemble is None or not ensemble.count:
        raise InputError(f"xc: {identity_of(functional).name!r} has no members.")
    for number in range(1, ensemble.count + 1):
        member = deepcopy(functional)
        move_to_member(member, number)
        yield member


def _uncertain_parts(functional: nn.Module) -> Iterator[tuple[nn.Module, Ensemble]]:
    for part in functional.modules():
        ensemble = ensemble_of(part)
        if ensemble is not None:
            yield part, ensemble


def _deviation(value: Tensor, parts: list[tuple[nn.Module, Ensemble]]) -> Tensor:
    """The root of g^T C g; parts that are the same checkpoint vary together."""
    changes: dict[str, Tensor] = {}
    for part, ensemble in parts:
        known = dict(part.named_parameters())
        wanted = [known[name] for name in ensemble.parameters]
        found = torch.autograd.grad(value, wanted, retain_graph=True, allow_unused=True, materialize_grads=True)
        gradient = torch.cat([piece.flatten() for piece in found])
        change = gradient @ ensemble.factor.to(gradient)
        name = identity_of(part).content_hash
        changes[name] = changes[name] + change if name in changes else change
    return torch.cat(list(changes.values())).norm()
