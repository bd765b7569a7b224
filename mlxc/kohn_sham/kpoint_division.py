"""The k points of one crystal divided among processes: what each of them has of its own, and what they tell each other.

The Kohn-Sham equations of different k points meet in the density and in the Fermi level only, so processes exchange the
levels and the sums of fields, energies, forces and stress, and never orbitals before the last step is done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from mlxc.basis.planewave.basis import PlaneWaveBasis
from mlxc.basis.protocol import Basis
from mlxc.crystal.brillouin import KPoints
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.errors import InputError
from mlxc.kohn_sham.solved_state import Electrons, SolvedState
from mlxc.utils.processes import ALONE, Processes


class KPointDivision:
    """Which of the k points this process has.

    Args:
        kpoints: All of them.
        processes: The processes, each of which gets a run of them.

    Attributes:
        kpoints: All of them.
        own: Those of this process, with their weights among all.
        processes: The processes.

    Raises:
        InputError: there are fewer k points than processes.
    """

    def __init__(self, kpoints: KPoints, processes: Processes = ALONE) -> None:
        if len(kpoints) < processes.count:
            raise InputError(
                f"kmesh: {processes.count} processes divide the k points among themselves, and there are only "
                f"{len(kpoints)} of them; start fewer processes."
            )
        self.kpoints, self.processes = kpoints, processes
        edges = [len(kpoints) * number // processes.count for number in range(processes.count + 1)]
        self._lengths = [end - begin for begin, end in pairwise(edges)]
        self._own = slice(*edges[processes.number : processes.number + 2])
        self.own = KPoints(kpoints.fractional[self._own], kpoints.weights[self._own])

    @property
    def is_whole(self) -> bool:
        """Whether this process has all k points."""
        return self.processes.count == 1

    def weights(self, like: Tensor) -> Tensor:
        """The weights of all k points, shape ``(nk,)``, on the device of another tensor."""
        return torch.tensor(np.asarray(self.kpoints.weights), dtype=torch.float64, device=like.device)

    def gathered(self, rows: Tensor) -> Tensor:
        """The rows of all k points and spins, from those of the own ones ``(nk_own * nspin, ...)``."""
        if self.is_whole:
            return rows
        parts = self.processes.each(rows.unflatten(0, (-1, len(self.own))), self._lengths)
        return torch.cat(parts, dim=1).flatten(0, 1)

    def own_rows(self, rows: Tensor) -> Tensor:
        """The rows of the own k points, from those of all of them ``(nk * nspin, ...)``."""
        return rows if self.is_whole else rows.unflatten(0, (-1, len(self.kpoints)))[:, self._own].flatten(0, 1)

    def mean(self, value: float) -> float:
        """The mean over all k points, from that over the own ones."""
        if self.is_whole:
            return value
        return float(self.processes.total(torch.tensor(value * len(self.own), dtype=torch.float64))) / len(self.kpoints)

    def own_parts(self, states: Sequence[SolvedState]) -> list[SolvedState]:
        """What results of other calculations say of the own k points; those with other k points are left out."""
        if self.is_whole:
            return list(states)
        return [self._own_part(state) for state in states if len(state.kpoints) == len(self.kpoints)]

    def _own_part(self, state: SolvedState) -> SolvedState:
        settings = state.basis.settings.with_grid(state.basis.grid.shape)
        own = KPoints(state.kpoints.fractional[self._own], state.kpoints.weights[self._own])
        basis = settings.discretise(state.crystal, own, SpaceGroup.identity(), state.basis.device)
        parts = (state.orbitals, state.eigenvalues, state.occupations)
        orbitals, eigenvalues, occupations = map(self.own_rows, parts)
        # Plane waves are in the order of their energies, and those that only pad come last.
        orbitals = orbitals[..., : _plane_waves(basis)]
        return replace(
            state, basis=basis, electrons=state.electrons.with_parts(state.fields, orbitals, eigenvalues, occupations)
        )

    def whole(self, electrons: Electrons, basis: Basis) -> Electrons:
        """Electrons at all k points, from those of the own ones.

        Args:
            electrons: What they do at the own k points.
            basis: The basis of all k points.
        """
        padding = _plane_waves(basis) - electrons.orbitals.shape[-1]
        orbitals = self.gathered(torch.nn.functional.pad(electrons.orbitals, (0, padding)))
        levels, occupations = self.gathered(electrons.eigenvalues), self.gathered(electrons.occupations)
        return electrons.with_parts(electrons.fields, orbitals, levels, occupations)


def check_divisible(basis: Basis) -> None:
    """Say which basis several processes cannot share.

    Raises:
        InputError: the basis is none of plane waves.
    """
    if not isinstance(basis, PlaneWaveBasis):
        raise InputError("basis: several processes divide the k points of plane waves only; start one process.")


def _plane_waves(basis: Basis) -> int:
    assert isinstance(basis, PlaneWaveBasis), "see check_divisible"
    return basis.nplanewaves
