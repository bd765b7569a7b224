"""The result of a self-consistent calculation, with everything that further results follow from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from torch import Tensor

from mlxc.kohn_sham.monitor import AdjointMonitor, AdjointRecord
from mlxc.kohn_sham.problem import Problem
from mlxc.kohn_sham.saved_state import SavedState
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.terms.entropy import Smearing


class AttachedAdjoint(Protocol):
    """The way back from a loss through a state, as an adjoint of :mod:`mlxc.response` leaves it in the state.

    Attributes:
        histories: The solutions of Dyson's equation so far, one for each backward pass that needed one.
        monitor: It is told of each step of a solution.
        unrolled_fields: The fields that went into each step of an unrolled SCF; otherwise empty.
    """

    histories: list[list[AdjointRecord]]
    monitor: AdjointMonitor | None
    unrolled_fields: list[Tensor]


@dataclass(frozen=True, eq=False, kw_only=True)
class GroundState(SolvedState):
    """A converged (or honestly unconverged) Kohn-Sham state that was computed in this process.

    ``energy.backward()`` sends gradients to the functional's parameters: F is variational, so they are those of E_xc at
    the fixed density. The other parts take part in autograd where an adjoint of :mod:`mlxc.response` is attached.

    Attributes:
        problem: The Kohn-Sham problem that was solved.
        smearing: The smearing of the occupations; None for fixed ones.
        total_moment: The magnetic moment that was held, Bohr magneton; None if it was free.
        orbitals_above: With fixed occupations, the orbital above those of each k point, roughly, shape
            ``(nk * nspin, 1, nfunction)``; None where none is known.
        adjoint: The way back from a loss through the state, with its history; None where none is attached.
    """

    problem: Problem = field(repr=False)
    smearing: Smearing | None
    total_moment: float | None
    orbitals_above: Tensor | None = field(default=None, repr=False)
    adjoint: AttachedAdjoint | None = field(default=None, repr=False)

    @property
    def unrolled_fields(self) -> Sequence[Tensor]:
        """The fields that went into each step of an unrolled SCF, each of shape ``(nfield, nspin, n1, n2, n3)``.

        Each keeps the derivative of a loss in ``grad`` when that is differentiated. Without an unrolled SCF there are
        none.
        """
        return () if self.adjoint is None else self.adjoint.unrolled_fields

    @staticmethod
    def load(path: str | Path) -> SavedState:
        """Read what :meth:`save` wrote, see :meth:`mlxc.SavedState.load`.

        Raises:
            InputError: the file is missing, damaged, or not written by :meth:`save`.
        """
        return SavedState.load(path)
