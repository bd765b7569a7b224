"""How states are filled whose electrons share a Fermi level, and how the electrons in them change with the levels.

The occupation of a state depends on its own height above the Fermi level, which in turn depends on all states. With
cold smearing at the edge of a gap it depends on them in further ways, see :mod:`mlxc.kohn_sham.metallic_share`; there
the changes are second derivatives of F with respect to the levels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from mlxc.kohn_sham.fermi_level import NONE, fermi_level
from mlxc.kohn_sham.metallic_share import DECADES, INSULATOR, MetallicShare, metallic_share, room, smooth_step
from mlxc.terms.entropy import Gaussian, MarzariVanderbilt, Smearing

# Steps of Newton's method from a root: after two, it depends on parameters as the root does, to second order.
STEPS = 2


@dataclass(frozen=True)
class Filling:
    """The states of some rows, which share a Fermi level.

    Attributes:
        rows: The rows.
        x: (mu - e) / width of each state.
        occupation: The part of a state that is filled, as a function of x while all other states stay as they are.
        changes: How the filled part of each state changes with the levels of all, 1/hartree, where that is more than
            a shift of the Fermi level; else None.
    """

    rows: slice
    x: Tensor
    occupation: Callable[[Tensor], Tensor]
    changes: Callable[[Tensor], Tensor] | None = None

    @classmethod
    def of(cls, rows: slice, eigenvalues: Tensor, weights: Tensor, nelectrons: float, smearing: Smearing) -> Filling:
        """The filling of the levels of some rows; the other arguments are those of ``occupy``."""
        if not isinstance(smearing, MarzariVanderbilt) or nelectrons <= NONE:
            level = fermi_level(eigenvalues, weights, nelectrons, smearing)
            return cls(rows, (level - eigenvalues) / smearing.width, smearing.occupation)
        gaussian = Gaussian(smearing.width)
        level = fermi_level(eigenvalues, weights, nelectrons, gaussian)
        x = (level - eigenvalues) / smearing.width
        share = metallic_share(x, 2 / weights.sum() * weights[:, None], nelectrons, smearing.width)
        if share.value == 0:
            return cls(rows, x, gaussian.occupation)
        cold_level = fermi_level(eigenvalues, weights, nelectrons, smearing)
        if share.value == 1:
            return cls(rows, (cold_level - eigenvalues) / smearing.width, smearing.occupation)
        edge = GapEdge(eigenvalues, weights, nelectrons, smearing, (cold_level, level), share)
        return cls(rows, x, edge.occupation, edge.changes)


class GapEdge:
    """Cold smearing on its way to Gaussian smearing.

    Args:
        eigenvalues: The levels, hartree, shape ``(nrow, nband)``.
        weights: The weights of the k points of the rows, shape ``(nrow,)``.
        nelectrons: The number of electrons per cell.
        smearing: The smearing.
        levels: The Fermi levels of cold and of Gaussian smearing, hartree.
        share: The share of cold smearing.
    """

    def __init__(
        self,
        eigenvalues: Tensor,
        weights: Tensor,
        nelectrons: float,
        smearing: MarzariVanderbilt,
        levels: tuple[float, float],
        share: MetallicShare,
    ) -> None:
        self._degeneracy = 2 / weights.sum() * weights[:, None]
        self._electrons, self._share = nelectrons, share
        self._cold, self._gaussian = smearing, Gaussian(smearing.width)
        self._shift = (levels[0] - levels[1]) / smearing.width
        with torch.enable_grad():
            self._heights = (eigenvalues - levels[1]).requires_grad_()
            free_energy, self._difference = self._free_energy(levels[0] - levels[1])
            (self._slopes,) = torch.autograd.grad(free_energy, self._heights, create_graph=True)

    def occupation(self, x: Tensor) -> Tensor:
        """The part of a state that is filled, from x = (mu - e) / width at the level of Gaussian smearing."""
        mixed = self._share.value * self._cold.occupation(x + self._shift)
        mixed = mixed + (1 - self._share.value) * self._gaussian.occupation(x)
        return mixed + self._difference * self._share.derivative(x)

    def changes(self, shifts: Tensor) -> Tensor:
        """The changes of the filled parts when levels shift, shapes of the levels."""
        (changed,) = torch.autograd.grad(self._slopes, self._heights, shifts, retain_graph=True)
        return changed / self._degeneracy

    def _free_energy(self, cold_level: float) -> tuple[Tensor, float]:
        """F as a function of the levels, and by how much more that of cold smearing is."""
        gaussian_level = self._level(self._gaussian, 0.0)
        cold = self._of(self._cold, self._level(self._cold, cold_level))
        gaussian = self._of(self._gaussian, gaussian_level)
        total = (self._degeneracy * room((gaussian_level - self._heights) / self._cold.width)).sum()
        share = smooth_step(torch.log(total / (INSULATOR * self._electrons)) / DECADES)
        return share * cold + (1 - share) * gaussian, float((cold - gaussian).detach())

    def _of(self, smearing: Smearing, level: Tensor) -> Tensor:
        x = (level - self._heights) / smearing.width
        energies = smearing.occupation(x) * self._heights + smearing.width * smearing.entropy(x)
        return (self._degeneracy * energies).sum()

    def _level(self, smearing: Smearing, level: float) -> Tensor:
        """The Fermi level, with its first two derivatives with respect to the levels of the states."""
        found = self._heights.new_tensor(level)
        for _ in range(STEPS):
            x = (found - self._heights) / smearing.width
            held = smearing.occupation(x)
            (density,) = torch.autograd.grad(held.sum(), x, create_graph=True)
            surplus = (self._degeneracy * held).sum() - self._electrons
            found = found - surplus * smearing.width / (self._degeneracy * density).sum()
        return found
