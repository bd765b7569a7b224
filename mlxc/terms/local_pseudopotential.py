"""The electrons' energy in the local part of the pseudopotentials, and the constant that its G = 0 part leaves."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mlxc.grid.grid import Grid
from mlxc.pseudo.ions import Ions
from mlxc.terms.term import FixedPotential, IonTerm, Setting


@dataclass(frozen=True)
class LocalPseudopotential:
    """The local part of the ions' pseudopotentials, without its average."""

    def on(self, setting: Setting) -> FixedPotential:
        """See :class:`~mlxc.terms.term.TermDefinition`."""
        grid = setting.basis.grid
        return FixedPotential("local", grid, local_potential(grid, setting.ions))


@dataclass(frozen=True)
class PseudopotentialCore:
    """The average of the ions' local pseudopotentials, less that of point charges."""

    def on(self, setting: Setting) -> PseudopotentialCoreTerm:
        """See :class:`~mlxc.terms.term.TermDefinition`."""
        return PseudopotentialCoreTerm(setting)


class PseudopotentialCoreTerm(IonTerm):
    """N/V sum_a alpha_a of the ions in a setting."""

    name = "pseudopotential_core"

    def __init__(self, setting: Setting) -> None:
        self._ions, self._volume = setting.ions, setting.basis.grid.volume

    def energy(self) -> Tensor:
        """See :func:`core_energy`."""
        return core_energy(self._ions, self._volume)


def local_potential(grid: Grid, ions: Ions) -> Tensor:
    """Fourier coefficients ``(ngvector,)``, hartree, of the ions' local potential; G = 0 is left to the core term."""
    lengths = grid.lengths
    total = torch.zeros(len(lengths), dtype=torch.complex128, device=grid.device)
    for symbol, pseudopotential in ions.pseudopotentials.items():
        form = pseudopotential.local_form_factor(lengths) / grid.volume
        total = total + form * grid.structure_factor(ions.positions_of(symbol))
    return torch.where(lengths == 0, 0.0, total)


def core_energy(ions: Ions, volume: Tensor) -> Tensor:
    """The G = 0 term N/V sum_a alpha_a: how the local potential of ions differs on average from that of point charges.

    J. Ihm, A. Zunger, M. L. Cohen, J. Phys. C 12, 4409 (1979).
    """
    zero = torch.zeros((), dtype=torch.float64, device=volume.device)
    alpha = sum((ions.pseudopotentials[symbol].local_form_factor(zero) for symbol in ions.species), zero)
    return ions.nelectrons / volume * alpha
