"""Density mixing: which fields to try next, from those that went into past steps and the residuals that came out.

A *mixing* is a choice, such as ``AndersonMixing(depth=5)``; started for a grid, it is a *mixer*, which remembers steps.
D. G. Anderson, J. ACM 12, 547 (1965).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from mlxc.errors import InputError
from mlxc.grid.fields import TAU, FieldKinds
from mlxc.grid.grid import Grid
from mlxc.kohn_sham.mixing.combination import best_combination
from mlxc.kohn_sham.mixing.kerker import KerkerPreconditioner
from mlxc.kohn_sham.mixing.magnetisation_limit import MagnetisationLimit
from mlxc.kohn_sham.mixing.metric import FieldsMetric
from mlxc.kohn_sham.mixing.schedule import MixingStage, default_schedule, is_stuck
from mlxc.kohn_sham.mixing.taken_step import ASTRAY, ASTRAY_FROM_MAXIMUM, TakenStep

# The share of the usual step of the charge that is taken while nothing is remembered. Where a residual is a linear
# function of the fields, Anderson's combinations are the same whatever the length of this step. From free atoms a long
# one leads beyond that, where localised electrons answer much more strongly. Fields with tau take the usual step, which
# brings tau from a guess to that of the orbitals, and is shorter for the charge as it is.
FIRST_STEP = 0.5
# From a residual below this, as a share of the electrons, such as that of a neighbouring volume's density, the usual
# step is taken at once: so near to the end what comes out is a linear function of what goes in.
NEAR = 0.003
# Where what came out has jumped, a step was too long: so much shorter is the next one that begins without a memory.
# Else the same two levels may change places to and fro, with a jump in every step.
AFTER_JUMP, SHORTEST_FIRST_STEP = 0.7, 0.1
# So many times the usual step of the magnetisation, at least, leads away from a maximum of the energy.
AWAY = 3.0
# Anderson's method stagnates where past steps cannot lower the residual: from their best combination the preconditioned
# residual leads back to the last fields, and what comes out of these once more teaches nothing but the errors of its
# orbitals. In the place of a step that is shorter than this, as a share of the preconditioned best residual, the usual
# one is taken. H. F. Walker and P. Ni, SIAM J. Numer. Anal. 49, 1715 (2011).
STAGNANT = 0.05


class Mixer(Protocol):
    """What a fixed-point iteration asks where to go."""

    def next(self, fields: Tensor, residual: Tensor, size: float) -> Tensor:
        """The fields to try next.

        Args:
            fields: The fields that went in, Fourier coefficients of shape ``(nfield, nspin, ngvector)``, the density
                first.
            residual: What came out minus what went in, same shape.
            size: The size of the residual, as a share of the electrons where there are any.
        """
        ...

    def forget(self) -> None:
        """Draw no conclusions from past steps: what came out has jumped since then."""
        ...


class Mixing(Protocol):
    """A way of mixing."""

    def start(self, grid: Grid, kinds: FieldKinds, metal: bool) -> Mixer:
        """A mixer without a memory.

        Args:
            grid: The grid on whose sphere the fields' Fourier coefficients live.
            kinds: The kinds of the fields.
            metal: Whether smearing fills the bands, by which a damping may be chosen.
        """
        ...


@dataclass(frozen=True)
class LinearMixing:
    """A fixed fraction of the residual is added in every step.

    Attributes:
        damping: The fraction, above zero and not above one.
        screening: The wave vector of Kerker's preconditioner, 1/bohr; zero for none.

    Raises:
        InputError: the damping or the screening is not in its range.
    """

    damping: float
    screening: float = 0.0

    def __post_init__(self) -> None:
        MixingStage(self.damping, self.screening)

    def start(self, grid: Grid, kinds: FieldKinds, metal: bool) -> LinearMixer:
        """See :class:`Mixing`."""
        return LinearMixer(grid, kinds, MixingStage(self.damping, self.screening))


@dataclass(frozen=True)
class AndersonMixing:
    """Anderson's combination of past steps, with Kerker's preconditioner.

    Attributes:
        depth: How many past steps are remembered beside the last one.
        schedule: The dampings and screenings, from the fastest to the safest; the next one is taken when the residual
            has stopped falling. By default :func:`~mlxc.kohn_sham.mixing.schedule.default_schedule`.
        downhill: Whether what is sought is a minimum of the energy, so that steps of the magnetisation keep away from
            maxima (:mod:`mlxc.kohn_sham.mixing.magnetisation_limit`), the first step is short, and one that leads
            astray is taken back. A linear equation has one solution and needs no such care.

    Raises:
        InputError: the depth is negative, or the schedule is empty.
    """

    depth: int = 10
    schedule: Sequence[MixingStage] | None = None
    downhill: bool = True

    def __post_init__(self) -> None:
        if self.depth < 0 or (self.schedule is not None and not len(self.schedule)):
            raise InputError("mixer: Anderson mixing needs a depth that is not negative, and a stage in its schedule.")

    def start(self, grid: Grid, kinds: FieldKinds, metal: bool) -> ScheduledMixer:
        """See :class:`Mixing`."""
        stages = default_schedule(metal, TAU in kinds) if self.schedule is None else tuple(self.schedule)
        return ScheduledMixer([AndersonMixer(grid, kinds, stage, self.depth, self.downhill) for stage in stages])


class ScheduledMixer:
    """Several mixers, the next of which takes over when the residual has stopped falling.

    Args:
        mixers: The mixers, from the fastest to the safest.
    """

    def __init__(self, mixers: Sequence[LinearMixer | AndersonMixer]) -> None:
        self._current, *self._remaining = mixers
        self._sizes: list[float] = []

    def next(self, fields: Tensor, residual: Tensor, size: float) -> Tensor:
        """See :class:`Mixer`."""
        self._sizes.append(size)
        if is_stuck(self._sizes):
            self._sizes = []
            if self._remaining:
                self._current, *self._remaining = self._remaining
        proposed = self._current.next(fields, residual, size)
        if self._current.left_a_maximum:
            # The residual rises on the way down from a maximum, which is no sign of trouble.
            self._sizes = []
        return proposed

    def forget(self) -> None:
        """See :class:`Mixer`; how far the residual has fallen so far still counts."""
        self._current.forget()


class LinearMixer:
    """Adds a fraction of the preconditioned residual; arguments as for :class:`AndersonMixer`."""

    left_a_maximum = False

    def __init__(self, grid: Grid, kinds: FieldKinds, stage: MixingStage) -> None:
        self._precondition = KerkerPreconditioner(grid, kinds, stage)

    def next(self, fields: Tensor, residual: Tensor, size: float = 0.0) -> Tensor:
        """See :class:`Mixer`."""
        fields, residual = _charge_and_spin(fields), _charge_and_spin(residual)
        return _up_and_down(fields + self._precondition(residual))

    def forget(self) -> None:
        """See :class:`Mixer`; there is nothing to forget."""


class AndersonMixer:
    """Adds the preconditioned residual to the best combination of past steps, or where that stagnates to the last one.

    Args:
        grid: The grid on whose sphere the fields' Fourier coefficients live.
        kinds: The kinds of the fields.
        stage: The fractions of the residual that are added, and Kerker's wave vector.
        depth: How many past steps are remembered beside the last one.
        downhill: Whether what is sought is a minimum of the energy, so that steps of the magnetisation keep away from
            maxima, the first step is short, and one that leads astray is taken back.

    Attributes:
        left_a_maximum: Whether the last step leads away from a maximum of the energy.
    """

    def __init__(
        self,
        grid: Grid,
        kinds: FieldKinds,
        stage: MixingStage,
        depth: int = 10,
        downhill: bool = True,
    ) -> None:
        self._depth = depth
        self._first_step = FIRST_STEP if downhill and TAU not in kinds else 1.0
        self._has_jumped = False
        self._damping = stage.of_rest
        self._precondition = KerkerPreconditioner(grid, kinds, stage)
        self._metric = FieldsMetric(grid, kinds)
        self._limit = MagnetisationLimit(grid) if downhill else None
        self.left_a_maximum = False
        self._taken: TakenStep | None = None
        self._fields: list[Tensor] = []
        self._residuals: list[Tensor] = []

    def next(self, fields: Tensor, residual: Tensor, size: float = 0.0) -> Tensor:
        """See :class:`Mixer`."""
        if self._taken is not None and (shorter := self._taken.shorter(size)) is not None:
            self._taken, self.left_a_maximum = shorter, False
            return _up_and_down(shorter.end)
        fields, residual = _charge_and_spin(fields), _charge_and_spin(residual)
        is_first = not self._residuals
        self._fields.append(fields)
        self._residuals.append(residual)
        del self._fields[: -self._depth - 1], self._residuals[: -self._depth - 1]
        best_fields, best_residual = best_combination(self._fields, self._residuals, self._metric.vector)
        taken = self._precondition(best_residual)
        if is_first and (self._has_jumped or size > NEAR):
            taken[:, 0] *= self._first_step
        step = best_fields + taken - fields
        if self._length(step) < STAGNANT * self._length(taken):
            step = self._precondition(residual)
        if self._limit is not None:
            self.left_a_maximum = self._limit.leads_uphill(step, residual, fields) and not self._overreacts()
            if self.left_a_maximum:
                # What was learnt on the other side of the maximum leads back to it.
                del self._fields[:-1], self._residuals[:-1]
                # As far away from it again as it is, so that few steps are enough wherever they began.
                away = max(AWAY * self._damping, -self._limit.along(step, residual))
                step = self._precondition(residual)
                step[:, 1] *= away / self._damping
            step = self._limit(step, residual, fields)
            astray = ASTRAY_FROM_MAXIMUM if self.left_a_maximum else ASTRAY
            self._taken = TakenStep(fields, step, size, astray)
        return _up_and_down(fields + step)

    def forget(self) -> None:
        """See :class:`Mixer`."""
        self._taken, self._fields, self._residuals = None, [], []
        self._has_jumped = True
        self._first_step = max(SHORTEST_FIRST_STEP, AFTER_JUMP * self._first_step)

    def _length(self, fields: Tensor) -> float:
        return float(self._metric.vector(fields).norm())

    def _overreacts(self) -> bool:
        """Whether what came out of the last two steps says that no maximum of the energy is near."""
        if len(self._residuals) == 1 or self._limit is None:
            return False
        (before, last), (before_out, last_out) = self._fields[-2:], self._residuals[-2:]
        return self._limit.overreacts(last - before, last_out - before_out)


def _charge_and_spin(fields: Tensor) -> Tensor:
    """Total and magnetisation, from up and down."""
    if fields.shape[1] == 1:
        return fields
    return torch.stack([fields[:, 0] + fields[:, 1], fields[:, 0] - fields[:, 1]], dim=1)


def _up_and_down(fields: Tensor) -> Tensor:
    """Up and down, from total and magnetisation."""
    return _charge_and_spin(fields) / fields.shape[1]
