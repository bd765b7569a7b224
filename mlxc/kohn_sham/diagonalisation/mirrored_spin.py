"""Where the potential of one spin is that of the other one moved by a translation, so are the orbitals.

In most antiferromagnets a translation of the crystal exchanges the sublattices of up and down (magnetic space groups of
type IV), and in a crystal without magnetism the potentials of both spins are the same. Half of the orbitals need not be
computed then. Whether it is so is seen at the potential of each step, and nothing is assumed of the crystal's moments.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.planewave.basis import PlaneWaveBasis
from mlxc.kohn_sham.eigensolver import Eigenpairs, Eigensolver
from mlxc.kohn_sham.problem import Problem

# Potentials that differ by less everywhere, hartree, are the same.
SAME_POTENTIAL = 1e-9


class MirroredSpin:
    """Finds the translation that takes spin up to spin down, and makes use of it.

    Args:
        problem: The problem.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._translations = _translations(problem)

    def solve(
        self,
        eigensolver: Eigensolver,
        potential: EffectivePotential,
        guess: Tensor,
        nband: int,
        counts: Tensor,
        residual: float | None,
        starts: int,
    ) -> Eigenpairs:
        """The lowest eigenpairs of both spins in a potential; further arguments as in :meth:`Eigensolver.solve`."""
        problem, basis = self._problem, self._problem.basis
        translation = self.translation(potential)
        if translation is None or not isinstance(basis, PlaneWaveBasis):
            return eigensolver.solve(problem.hamiltonian(potential), guess, nband, counts, residual, starts)
        nk = basis.nkpoints
        hamiltonian = problem.hamiltonian(potential.of_spin(0))
        up = eigensolver.solve(hamiltonian, guess[:nk], nband, counts[:nk], residual, starts)
        down = basis.translated(up.orbitals, translation)
        return replace(
            up,
            eigenvalues=up.eigenvalues.repeat(2, 1),
            orbitals=torch.cat([up.orbitals, down]),
            residuals=up.residuals.repeat(2, 1),
        )

    def translation(self, potential: EffectivePotential) -> NDArray[np.float64] | None:
        """The fractional translation w with v_down(r + w) = v_up(r); None where there is none, or a single spin."""
        values = [field for field in (potential.local, potential.kinetic) if field is not None]
        if len(potential.local) == 1:
            return None
        shape = np.array(potential.local.shape[1:])
        for translation in self._translations:
            steps = (translation * shape).round().astype(int).tolist()
            if all(_same(field[0].roll(steps, (0, 1, 2)), field[1]) for field in values):
                return translation
        return None


def _same(one: Tensor, other: Tensor) -> bool:
    return float((one - other).abs().max()) < SAME_POTENTIAL


def _translations(problem: Problem) -> NDArray[np.float64]:
    """The translations that leave crystal and grid as they are, but for moments; shape ``(ntranslation, 3)``."""
    if not isinstance(problem.basis, PlaneWaveBasis):
        return np.zeros((0, 3))
    group = problem.group.with_exchanges(problem.crystal).pure_translations().on_grid(problem.basis.grid.shape)
    return np.unique(group.translations, axis=0)
