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
from dataclasses import dataclass

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
    return changes(values, functional).norm(dim=1)


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


def changes(values: Tensor, functional: nn.Module) -> Tensor:
    """By how much each of several values changes along each direction in which the parameters vary.

    With C = L L^T the directions are the columns of L, along which parameters move independently by one standard
    deviation each: the root of the sum of the squares of a value's changes is its standard deviation, and sums of
    products are covariances of values.

    Args:
        values: Values that are attached to the functional's parameters, shape ``(nvalue,)``.
        functional: The functional, or a sum of some.

    Returns:
        the changes, shape ``(nvalue, ndirection)``, in the unit of the values.

    Raises:
        InputError: the functional carries no ensemble, or the values are not attached to any parameter.
    """
    directions = directions_of(functional)
    if not values.requires_grad:
        raise InputError("The value is not attached to the functional's parameters, so nothing is known of its error.")
    rows = []
    for value in values:
        found = torch.autograd.grad(
            value, directions.parameters, retain_graph=True, allow_unused=True, materialize_grads=True
        )
        rows.append(torch.cat([piece.flatten() for piece in found]) @ directions.moves.to(found[0]))
    return torch.stack(rows)


@dataclass(frozen=True, eq=False)
class Directions:
    """How the parameters of a functional may move, each direction by one standard deviation.

    Attributes:
        parameters: The parameters that vary.
        moves: By how much they do, one after the other, along each direction, shape ``(nparameter, ndirection)``.
    """

    parameters: list[Tensor]
    moves: Tensor

    def of(self, number: int) -> list[Tensor]:
        """The move of each parameter along one direction."""
        pieces = self.moves[:, number].split([parameter.numel() for parameter in self.parameters])
        return [piece.view_as(own).to(own) for piece, own in zip(pieces, self.parameters, strict=True)]


def directions_of(functional: nn.Module) -> Directions:
    """The directions of a functional, or of a sum of some, whose parts that are the same checkpoint vary together.

    Raises:
        InputError: it carries no ensemble.
    """
    parameters: list[Tensor] = []
    factors: dict[str, list[tuple[Tensor, int]]] = {}
    rows = 0
    for part, ensemble in _uncertain_parts(functional):
        known = dict(part.named_parameters())
        parameters += [known[name] for name in ensemble.parameters]
        factors.setdefault(identity_of(part).content_hash, []).append((ensemble.factor, rows))
        rows += len(ensemble.factor)
    if not parameters:
        raise InputError(
            f"xc: {identity_of(functional).name!r} carries no ensemble that would tell how uncertain it is."
        )
    columns = []
    for together in factors.values():
        own = torch.zeros(rows, together[0][0].shape[1], dtype=torch.float64)
        for factor, first in together:
            own[first : first + len(factor)] = factor
        columns.append(own)
    return Directions(parameters, torch.cat(columns, dim=1))
