"""The lowest levels above those that fixed occupations fill.

Without them nobody sees that an orbital is missing among the filled ones, or that bands overlap, so that the filled
levels are not the lowest ones and the crystal is a metal. The steps of the SCF carry a rough one along: without it the
eigensolver hardly tells the highest filled level from the next one where the gap is small.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import Hamiltonian
from mlxc.errors import InputError
from mlxc.kohn_sham.diagonalisation.orthonormal import inner_products
from mlxc.kohn_sham.eigensolver import diagonalise
from mlxc.kohn_sham.gap import NO_GAP
from mlxc.kohn_sham.problem import Problem
from mlxc.kohn_sham.start.guess import with_more_orbitals
from mlxc.units import HARTREE_EV

# Residual of the orbital above, hartree, and the steps in which it is looked for: its level is then known to 1e-4.
ACCURACY, MOST_STEPS = 3e-3, 16
# A field whose levels are closer than this, hartree, to each other may exchange them in a step.
TOUCHING = 1e-3
# A filled level that falls by more than this, hartree, once there is room for one more was not among the lowest.
MISSED = 1e-4
# A filled orbital that overlaps less than this with all that were filled before has been exchanged for one of them.
# Orbitals that hybridise where their levels come close go over into each other and overlap more.
EXCHANGED = 0.01


@dataclass(frozen=True)
class LevelsAbove:
    """What one band more says about the filled ones.

    Attributes:
        orbitals: The lowest orbitals, one more than there were, shape ``(nk * nspin, nband + 1, nfunction)``.
        misses_a_state: Whether an orbital that belongs to the filled ones was not among them.
        overlap: How far bands of one spin overlap, the highest filled level minus the lowest above, hartree; not
            positive where there is a gap.
        apart: The smallest distance of the two at one k point, hartree.
    """

    orbitals: Tensor
    misses_a_state: bool
    overlap: float
    apart: float

    def told(self, converged: bool) -> str:
        """A sentence for a person where bands overlap, or touch and the field has not converged; else empty."""
        if not converged and self.overlap <= NO_GAP and self.apart < TOUCHING:
            return (
                f"The highest filled and the lowest empty level are {max(self.apart, 0.0) * HARTREE_EV:.3f} eV apart "
                "at a k point: where they change places, so do their electrons; with a smearing both share them."
            )
        if self.overlap <= NO_GAP:
            return ""
        return (
            f"Bands overlap by {self.overlap * HARTREE_EV:.3f} eV: the levels that fixed occupations fill are not the "
            "lowest ones, so this is a metal in this model; choose a smearing such as fermi-dirac."
        )


def has_room_above(problem: Problem, nband: int) -> bool:
    """Whether the basis of a problem can tell a level above so many bands."""
    try:
        return problem.band_count(nband, nband + 1) > nband
    except InputError:
        return False


def levels_above(
    problem: Problem, hamiltonian: Hamiltonian, eigenvalues: Tensor, orbitals: Tensor, electrons: Tensor, seed: int
) -> LevelsAbove | None:
    """Look for a level above the filled ones; None where the basis has no room for one.

    Args:
        problem: The problem that the orbitals solve.
        hamiltonian: H of all k points and spins.
        eigenvalues: The levels that are known, shape ``(nk * nspin, nband)``, hartree.
        orbitals: Their orbitals, and that of the level above where it is guessed already, shape
            ``(nk * nspin, nband, nfunction)`` with one band more or none.
        electrons: The electrons in each of them, shape ``(nk * nspin, nband)``; those of a spin are the same at all k.
        seed: The seed of the noise in the orbital to start from.
    """
    nband, basis, largest = eigenvalues.shape[1], problem.basis, problem.division.processes.largest
    if not has_room_above(problem, nband):
        return None
    orbitals = with_more_orbitals(orbitals, basis, problem.ions, nband + 1, seed)
    counts = torch.zeros_like(eigenvalues)
    counts = torch.nn.functional.pad(counts, (0, 1), value=1.0)
    pairs = diagonalise(hamiltonian, orbitals, nband + 1, counts, ACCURACY, MOST_STEPS)
    filled = electrons > 0
    fallen = (eigenvalues - pairs.eigenvalues[:, :nband])[filled].max()
    overlap, apart = _overlap_and_distance(pairs.eigenvalues, filled, problem)
    return LevelsAbove(pairs.orbitals, largest(float(fallen)) > MISSED, overlap, apart)


def exchanges_levels(problem: Problem, before: Tensor, after: Tensor, electrons: Tensor) -> bool:
    """Whether levels that symmetry keeps from repelling each other have crossed, so that another orbital is filled.

    Then the density has jumped, and changes of it across the jump say nothing about how it responds.

    Args:
        problem: The problem that the orbitals solve.
        before: The orbitals that a step has found, shape ``(nk * nspin, nband, nfunction)``.
        after: Those that the next step has found, same shape.
        electrons: The electrons in each of them, shape ``(nk * nspin, nband)``; fixed, so the same in both steps.
    """
    filled = (electrons > 0).to(electrons.dtype)
    overlaps = filled[:, :, None] * inner_products(before, after) * filled[:, None]
    kept = torch.linalg.svdvals(overlaps + torch.diag_embed(1 - filled)).min()
    return -problem.division.processes.largest(-float(kept)) < EXCHANGED


def _overlap_and_distance(levels: Tensor, filled: Tensor, problem: Problem) -> tuple[float, float]:
    filled = torch.nn.functional.pad(filled, (0, 1), value=False)
    nk, largest = problem.basis.nkpoints, problem.division.processes.largest
    highest = levels.masked_fill(~filled, -torch.inf).amax(1)
    lowest = levels.masked_fill(filled, torch.inf).amin(1)
    spins = zip(highest.split(nk), lowest.split(nk), strict=True)
    edges = [(largest(float(top.max())), -largest(-float(bottom.min()))) for top, bottom in spins]
    apart = -largest(-float((lowest - highest).min()))
    return max(top - bottom for top, bottom in edges), apart
