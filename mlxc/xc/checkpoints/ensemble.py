"""Ensembles of functionals in a checkpoint: how far its parameters might be from what they are.

An ensemble belongs to a functional with the parameters theta, of which some differ. It is a covariance of these, kept
as a factor L with C = L L^T so that no variance can be negative, or members, each a vector of parameters; a file may
have both, and then members are drawn from the covariance. Of members alone the covariance is that around theta,

    C = (1/M) sum_m (theta_m - theta) (theta_m - theta)^T.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.xc.checkpoints.record import EnsembleRecord

FACTOR, MEMBERS = "ensemble.factor", "ensemble.members"
TENSORS = (FACTOR, MEMBERS)
# Of the largest eigenvalue of a covariance: what lies below is rounding.
ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class Ensemble:
    """What the parameters of a functional might be as well.

    Attributes:
        parameters: The names of the parameters that differ, in the order in which a vector holds them.
        factor: L of the covariance C = L L^T, shape ``(nparameter, rank)``, float64.
        members: The vectors of the members, shape ``(nmember, nparameter)``; None where there is a covariance alone.
        method: How the ensemble was made.
        has_own_factor: Whether the factor is known by itself, and does not follow from the members.
    """

    parameters: tuple[str, ...]
    factor: Tensor
    members: Tensor | None = None
    method: str = ""
    has_own_factor: bool = True

    @classmethod
    def of_members(cls, functional: nn.Module, members: Tensor, parameters: Sequence[str], method: str = "") -> Self:
        """An ensemble of functionals, for instance ones that were trained on different solids.

        Args:
            functional: The functional around which they lie.
            members: The parameters of each, shape ``(nmember, nparameter)``.
            parameters: The names of the parameters that a vector holds, one after the other.
            method: How the members were made.

        Raises:
            InputError: the functional has no such parameters, there is no member, or the shape is another one.
        """
        around = vector_of(functional, parameters)
        _check("members", members, members.shape[1:] == around.shape and len(members) > 0, around)
        factor = (members - around).T / len(members) ** 0.5
        return cls(tuple(parameters), factor, members, method, has_own_factor=False)

    @classmethod
    def of_covariance(
        cls,
        functional: nn.Module,
        covariance: Tensor,
        parameters: Sequence[str],
        method: str = "",
        *,
        members: int = 0,
        seed: int = 0,
    ) -> Self:
        """The normal distribution around a functional with this covariance.

        Args:
            functional: The functional in the middle.
            covariance: The covariance of the parameters, shape ``(nparameter, nparameter)``.
            parameters: Their names, in the order of the rows.
            method: How the covariance was found.
            members: How many members are drawn from it.
            seed: The seed of the draw.

        Raises:
            InputError: the functional has no such parameters, the shape is another one, or a variance is negative.
        """
        around = vector_of(functional, parameters)
        _check("covariance", covariance, covariance.shape == (len(around), len(around)), around)
        variances, directions = torch.linalg.eigh((covariance + covariance.T) / 2)
        smallest = ROUNDING * float(variances[-1])
        if float(variances[0]) < -max(smallest, 0.0) or float(variances[-1]) <= 0:
            raise InputError("ensemble: the covariance has a negative variance, or none at all.")
        kept = variances > smallest
        factor = directions[:, kept] * variances[kept].sqrt()
        generator = torch.Generator().manual_seed(seed)
        drawn = torch.randn(members, factor.shape[1], generator=generator, dtype=factor.dtype) @ factor.T
        return cls(tuple(parameters), factor, around + drawn if members else None, method)

    @property
    def count(self) -> int:
        """The number of members."""
        return 0 if self.members is None else len(self.members)

    def record(self) -> EnsembleRecord:
        """What a checkpoint says of it."""
        return EnsembleRecord(parameters=self.parameters, members=self.count, method=self.method)

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint keeps of it, by name."""
        own = {FACTOR: self.factor} if self.has_own_factor else {}
        return own if self.members is None else own | {MEMBERS: self.members}

    @classmethod
    def of_file(cls, functional: nn.Module, record: EnsembleRecord, tensors: dict[str, Tensor]) -> Self:
        """The ensemble in a checkpoint; the functional is the one that the file holds.

        Raises:
            InputError: the tensors are not those of which the record tells.
        """
        around = vector_of(functional, record.parameters)
        members, factor = tensors.get(MEMBERS), tensors.get(FACTOR)
        if members is None and factor is None:
            raise InputError("ensemble: the record tells of one, and there is neither a covariance nor a member.")
        count = 0 if members is None else len(members) if members.ndim else -1
        if count != record.members:
            raise InputError(f"ensemble: the record tells of {record.members} members, and the file has {count}.")
        if factor is None:
            assert members is not None
            return cls.of_members(functional, members, record.parameters, record.method)
        _check("factor", factor, factor.ndim == 2 and len(factor) == len(around) and factor.shape[1] > 0, around)
        if members is not None:
            _check("members", members, members.shape[1:] == around.shape and len(members) > 0, around)
        return cls(record.parameters, factor, members, record.method)


def vector_of(functional: nn.Module, parameters: Sequence[str]) -> Tensor:
    """Some parameters of a functional, one after the other, shape ``(nparameter,)``.

    Raises:
        InputError: the functional has no parameter of such a name, or a name stands there twice.
    """
    known = dict(functional.named_parameters())
    for name in parameters:
        if name not in known:
            raise InputError(f"ensemble: the functional has no parameter {name[:60]!r}.")
    if len(set(parameters)) < len(parameters):
        raise InputError("ensemble: a parameter is named twice.")
    return torch.cat([known[name].detach().flatten() for name in parameters])


@torch.no_grad()
def move_parameters(functional: nn.Module, parameters: Sequence[str], values: Tensor) -> None:
    """Give some parameters of a functional other values, a vector as :func:`vector_of` returns it."""
    known = dict(functional.named_parameters())
    pieces = values.split([known[name].numel() for name in parameters])
    for name, piece in zip(parameters, pieces, strict=True):
        known[name].copy_(piece.view_as(known[name]))


def move_to_member(functional: nn.Module, number: int) -> None:
    """Make a functional with an ensemble the member of this number, counted from one; it has no ensemble then.

    Raises:
        InputError: there is no such member.
    """
    ensemble: Ensemble = functional.ensemble  # type: ignore[assignment]
    if ensemble.members is None or not 1 <= number <= ensemble.count:
        raise InputError(f"ensemble: there is no member {number}, of {ensemble.count}.")
    move_parameters(functional, ensemble.parameters, ensemble.members[number - 1])
    functional.ensemble = None  # type: ignore[assignment]


def _check(what: str, tensor: Tensor, fits: bool, around: Tensor) -> None:
    if tensor.dtype != torch.float64:
        raise InputError(f"ensemble: the {what} are {str(tensor.dtype).removeprefix('torch.')}, not float64.")
    if not fits:
        raise InputError(f"ensemble: the {what} have the shape {tuple(tensor.shape)}, for {len(around)} parameters.")
    if not bool(torch.isfinite(tensor).all()):
        raise InputError(f"ensemble: the {what} are not all finite numbers.")
