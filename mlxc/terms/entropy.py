"""The entropy term -TS of the free energy F = E - TS, one choice per smearing.

With x = (mu - e) / width, a state is occupied by f(x) and adds width * s(x) per electron that it holds to F. F is
stationary in the occupations because s'(x) = x f'(x) holds for each choice.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from typing import Protocol

import torch
from torch import Tensor

from mlxc.terms.term import ElectronicState, ElectronTerm, Setting


class Smearing(Protocol):
    """How states around the Fermi level are occupied."""

    @property
    def width(self) -> float:
        """The width, hartree; kT for Fermi-Dirac."""
        ...

    def occupation(self, x: Tensor) -> Tensor:
        """f(x), between 0 and 1 (slightly above for cold smearing)."""
        ...

    def entropy(self, x: Tensor) -> Tensor:
        """s(x), the contribution to F in units of the width."""
        ...


@dataclass(frozen=True)
class FermiDirac:
    """f = 1 / (1 + exp(-x)), the thermal distribution: N. D. Mermin, Phys. Rev. 137, A1441 (1965)."""

    width: float

    def occupation(self, x: Tensor) -> Tensor:
        """f(x)."""
        return torch.sigmoid(x)

    def entropy(self, x: Tensor) -> Tensor:
        """f ln f + (1 - f) ln(1 - f)."""
        f = torch.sigmoid(x)
        return torch.special.xlogy(f, f) + torch.special.xlogy(1 - f, torch.sigmoid(-x))


@dataclass(frozen=True)
class Gaussian:
    """f = erfc(-x) / 2: C.-L. Fu, K.-M. Ho, Phys. Rev. B 28, 5480 (1983)."""

    width: float

    def occupation(self, x: Tensor) -> Tensor:
        """f(x)."""
        return torch.special.erfc(-x) / 2

    def entropy(self, x: Tensor) -> Tensor:
        """-exp(-x^2) / (2 sqrt(pi))."""
        return -torch.exp(-x.square()) / (2 * sqrt(pi))


@dataclass(frozen=True)
class MarzariVanderbilt:
    """Cold smearing: N. Marzari et al., Phys. Rev. Lett. 82, 3296 (1999)."""

    width: float

    def occupation(self, x: Tensor) -> Tensor:
        """f(x), with y = x - 1 / sqrt(2)."""
        y = x - 1 / sqrt(2)
        return torch.special.erfc(-y) / 2 + torch.exp(-y.square()) / sqrt(2 * pi)

    def entropy(self, x: Tensor) -> Tensor:
        """y exp(-y^2) / sqrt(2 pi)."""
        y = x - 1 / sqrt(2)
        return y * torch.exp(-y.square()) / sqrt(2 * pi)


def entropy_energy(x: Tensor, degeneracy: Tensor, smearing: Smearing) -> Tensor:
    """-TS per cell, hartree.

    Args:
        x: (mu - e) / width of each state, shape ``(nk * nspin, nband)``.
        degeneracy: The k-point weight times electrons that the state holds, shape ``(nk * nspin, 1)``.
        smearing: The distribution.
    """
    return smearing.width * (degeneracy * smearing.entropy(x)).sum()


@dataclass(frozen=True)
class Entropy:
    """-TS of the electrons' occupations; nothing for fixed ones."""

    def on(self, setting: Setting) -> EntropyTerm:
        """See :class:`~mlxc.terms.term.TermDefinition`."""
        return EntropyTerm()


class EntropyTerm(ElectronTerm):
    """The entropy that goes with the occupations, which the Fermi level decides."""

    name = "entropy"

    def energy(self, state: ElectronicState) -> Tensor:
        """-TS per cell, hartree; zero where occupations are held."""
        return state.occupations.new_zeros(()) if state.entropy_energy is None else state.entropy_energy
