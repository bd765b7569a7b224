"""Block Davidson: the lowest eigenpairs of all k points at once.

E. R. Davidson, J. Comput. Phys. 17, 87 (1975). The search space of each k point grows by its worst preconditioned
residuals and is kept orthonormal; Rayleigh-Ritz gives the best orbitals in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import Hamiltonian, HamiltonianBlock
from mlxc.kohn_sham.diagonalisation.search_space import SearchSpace
from mlxc.utils.parallel import map_in_threads

# The search space is collapsed to the current orbitals when it would exceed this many times their number.
LARGEST_SPACE = 4
# As a share of the residuals that a search in single precision has begun with, smaller ones have rounding errors that
# matter.
SINGLE_REACH = 1e-3
# Where residuals of this size, hartree, are small enough, what rounding in single precision adds to H psi, a hundredth
# of it, does not matter; unless the guess is better than it needs to be.
SINGLE_TOLERANCE = 1e-4


@dataclass(frozen=True)
class Eigenpairs:
    """The result of a diagonalisation.

    Attributes:
        eigenvalues: The eigenvalues, shape ``(nk * nspin, nband)``, hartree, ascending.
        orbitals: The orbitals, orthonormal, shape ``(nk * nspin, nband, nplanewave)``.
        residuals: |H psi - e psi| of each, times how much the band counts, hartree, shape ``(nk * nspin, nband)``.
        applications: How many times H was applied to an orbital, per band.
    """

    eigenvalues: Tensor
    orbitals: Tensor
    residuals: Tensor
    applications: float

    @property
    def residual(self) -> float:
        """The largest of the residuals, hartree."""
        return float(self.residuals.max())

    def lowest(self, nband: int) -> Eigenpairs:
        """The same without those above the lowest ones."""
        return Eigenpairs(
            self.eigenvalues[:, :nband], self.orbitals[:, :nband], self.residuals[:, :nband], self.applications
        )


class Eigensolver(Protocol):
    """What an SCF step asks for the orbitals in its potential."""

    def solve(
        self, hamiltonian: Hamiltonian, guess: Tensor, nband: int, counts: Tensor, residual: float | None, starts: int
    ) -> Eigenpairs:
        """The lowest eigenpairs, as accurate as the density deserves.

        Args:
            hamiltonian: H in the potential of the step's density.
            guess: At least ``nband`` orthonormal orbitals, shape ``(nk * nspin, nguess, nfunction)``.
            nband: The number of states.
            counts: How much the residual of each band matters, between 0 and 1, shape ``(nk * nspin, nband)``.
            residual: The density residual of the last step; None in the first step.
            starts: How many results of similar crystals the first density was extrapolated from.
        """
        ...


@dataclass(frozen=True)
class Davidson:
    """Block Davidson, with an accuracy that follows that of the density.

    Attributes:
        first_steps: The number of extensions of the search space from a rough guess, in the first step.
        later_steps: The number of extensions of the search space once the potential settles.
        accuracy: The residual of the orbitals, hartree, that is good enough for a density with a relative error of one.
        cold_tolerance: The residual of the orbitals, hartree, in the first step, when nobody knows how wrong the
            density of free atoms is: much.
        warm_tolerances: The residuals of the orbitals, hartree, in the first step for a density that comes from one,
            two or more results of similar crystals.
        single_precision: Whether corrections of orbitals are computed in single precision, see :func:`davidson`.
    """

    first_steps: int = 8
    later_steps: int = 4
    accuracy: float = 0.03
    cold_tolerance: float = 1e-2
    warm_tolerances: tuple[float, ...] = (1e-3, 1e-4)
    single_precision: bool = True

    def solve(
        self, hamiltonian: Hamiltonian, guess: Tensor, nband: int, counts: Tensor, residual: float | None, starts: int
    ) -> Eigenpairs:
        """See :class:`Eigensolver`."""
        tolerance, steps = self._tolerance(residual, starts), self.first_steps if residual is None else self.later_steps
        # Orbitals of another calculation may be those of this one, as they are.
        is_rough = tolerance >= SINGLE_TOLERANCE and (residual is not None or starts == 0)
        return diagonalise(hamiltonian, guess, nband, counts, tolerance, steps, self.single_precision, is_rough)

    def _tolerance(self, residual: float | None, starts: int) -> float:
        if residual is not None:
            return self.accuracy * residual
        return self.warm_tolerances[min(starts, len(self.warm_tolerances)) - 1] if starts else self.cold_tolerance


def diagonalise(
    hamiltonian: Hamiltonian,
    guess: Tensor,
    nband: int,
    counts: Tensor,
    tolerance: float,
    max_steps: int,
    single_precision: bool = True,
    is_rough: bool = False,
) -> Eigenpairs:
    """The lowest eigenpairs of all k points and spins, blocks of them at the same time; see :func:`davidson`."""

    def solve(block: HamiltonianBlock) -> Eigenpairs:
        if block.matrix is not None:
            return lowest_eigenpairs(block.matrix, nband)
        own, rest = guess[block.rows], (nband, counts[block.rows], tolerance, max_steps, single_precision, is_rough)
        if (real := block.with_real_orbitals()) is None:
            return davidson(block, own, *rest)
        pairs = davidson(real, real.functions.of(own), *rest)
        return replace(pairs, orbitals=real.functions.as_orbitals(pairs.orbitals))

    pairs = map_in_threads(solve, hamiltonian.blocks, work=lambda block: block.work)
    return Eigenpairs(
        torch.cat([p.eigenvalues for p in pairs]),
        torch.cat([p.orbitals for p in pairs]),
        torch.cat([p.residuals for p in pairs]),
        sum(p.applications * len(p.eigenvalues) for p in pairs) / len(guess),
    )


def lowest_eigenpairs(matrix: Tensor, nband: int) -> Eigenpairs:
    """The exact lowest eigenpairs of Hermitian matrices, shape ``(nrow, nfunction, nfunction)``."""
    eigenvalues, vectors = torch.linalg.eigh(matrix)
    lowest = eigenvalues[:, :nband]
    return Eigenpairs(lowest, vectors[:, :, :nband].mT.contiguous(), torch.zeros_like(lowest), 0.0)


def davidson(
    hamiltonian: HamiltonianBlock,
    guess: Tensor,
    nband: int,
    counts: Tensor,
    tolerance: float,
    max_steps: int,
    single_precision: bool = True,
    is_rough: bool = False,
) -> Eigenpairs:
    """Improve a guess until the residuals of the bands that count are below ``tolerance``, or for ``max_steps`` steps.

    Args:
        hamiltonian: H of some k points.
        guess: At least ``nband`` orthonormal orbitals, shape ``(nrow, nguess, nplanewave)``.
        nband: The number of lowest states that are wanted.
        counts: How much the residual of each band matters, between 0 and 1, shape ``(nrow, nband)``.
        tolerance: The norm of a residual, hartree, that is small enough.
        max_steps: The largest number of extensions of the search space.
        single_precision: Whether corrections are computed in it where H can be had in it, see
            :mod:`mlxc.kohn_sham.diagonalisation.search_space`; orbitals come out in double precision all the same.
        is_rough: Whether the guess, and what is wanted of it, have errors beside which those of single precision are
            small, so that all of H psi may be computed in it.
    """
    rounded = hamiltonian.in_single_precision() if single_precision else None
    first_applied = rounded if rounded is not None and is_rough else hamiltonian
    applied, left = 0, max_steps
    while True:
        nguess, room = guess.shape[1], LARGEST_SPACE * nband
        space = SearchSpace(first_applied, rounded or hamiltonian, guess, nband, room)
        del guess  # the space has combinations of them, and the memory may be needed
        first = float((space.norms * counts).max())
        reach = tolerance if rounded is None else max(tolerance, SINGLE_REACH * first)
        extensions = _search(space, counts, reach, left)
        residuals, orbitals = space.norms * counts, space.orbitals
        applied, left = applied + nguess + sum(extensions), left - len(extensions)
        if left == 0 or float(residuals.max()) <= tolerance:
            return Eigenpairs(space.eigenvalues, orbitals, residuals, applied / nband)
        guess = orbitals


def _search(space: SearchSpace, counts: Tensor, tolerance: float, max_steps: int) -> list[int]:
    """Extend a search space until its residuals are small; the number of vectors that each extension has added."""
    extensions: list[int] = []
    while len(extensions) < max_steps:
        weighted = space.norms * counts
        unconverged = weighted > tolerance
        if not bool(unconverged.any()):
            break
        extension = int(unconverged.sum(1).max())
        if space.size + extension > space.room:
            space.collapse()
        space.extend(weighted.topk(extension, dim=1).indices)
        extensions.append(extension)
    return extensions
