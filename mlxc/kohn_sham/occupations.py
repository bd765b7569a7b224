"""Occupation of bands: up to the Fermi level that gives the right number of electrons, or fixed occupations."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, inf
from typing import Any

import torch
from torch import Tensor

from mlxc.errors import InputError
from mlxc.kohn_sham.fermi_level import NONE, fermi_level
from mlxc.kohn_sham.metallic_share import metallic_share
from mlxc.terms.entropy import FermiDirac, Gaussian, MarzariVanderbilt, Smearing, entropy_energy

# Bands above those that hold the electrons: at least so many, and such a part of the occupied ones.
EMPTY_BANDS, EMPTY_PART = 4, 5
# Electrons by which a moment that was computed may be off.
ROUNDING = 1e-6

SMEARINGS: dict[str, type[FermiDirac | Gaussian | MarzariVanderbilt]] = {
    "fermi-dirac": FermiDirac,
    "gaussian": Gaussian,
    "marzari-vanderbilt": MarzariVanderbilt,
}


@dataclass(frozen=True)
class Occupations:
    """Electrons in each state.

    Attributes:
        electrons: The electrons in each state, shape ``(nk * nspin, nband)``, between 0 and 2 / nspin, without k-point
            weights; cold smearing leaves this range by a few percent.
        fermi_levels: The Fermi level of each spin, hartree; the highest occupied level for fixed occupations. They
            differ where the total moment is fixed. A spin without electrons has minus infinity.
        entropy_energy: -TS per cell, hartree.
    """

    electrons: Tensor
    fermi_levels: tuple[float, ...]
    entropy_energy: Tensor

    @property
    def fermi_level(self) -> float:
        """The Fermi level, hartree, or the higher one of two."""
        return max(self.fermi_levels)


def make_smearing(name: str, width: float | None) -> Smearing | None:
    """The smearing of this name; None for ``none``, which means fixed occupations."""
    return None if name == "none" or width is None else SMEARINGS[name](width)


def described_smearing(smearing: Smearing | None) -> dict[str, Any]:
    """The ``smearing`` and ``width_ha`` of a :class:`mlxc.Calculation`; others are called by their class."""
    if smearing is None:
        return {"smearing": "none", "width_ha": None}
    names = [name for name, kind in SMEARINGS.items() if isinstance(smearing, kind)]
    return {"smearing": names[0] if names else type(smearing).__name__, "width_ha": smearing.width}


def occupy_fixed_moment(
    eigenvalues: Tensor, weights: Tensor, nelectrons: float, smearing: Smearing | None, moment: float
) -> Occupations:
    """Fill the bands of each spin with its own number of electrons, so that up minus down is ``moment``.

    Args:
        eigenvalues: The eigenvalues, shape ``(2 * nk, nband)``, hartree, those of spin up first.
        weights: The weights of the k points, shape ``(nk,)``, summing to one.
        nelectrons: The number of electrons per cell.
        smearing: The smearing of the occupations; None for fixed ones.
        moment: The magnetic moment, Bohr magneton per cell.

    Raises:
        InputError: occupations are fixed, and the moment does not leave whole electrons in each spin.
    """
    # A spin channel is filled as an unpolarised system with twice its electrons, each state holding one of them.
    up, down = (
        occupy(levels, weights, nelectrons + sign * moment, smearing)
        for levels, sign in zip(eigenvalues.chunk(2), (1, -1), strict=True)
    )
    return Occupations(
        torch.cat([up.electrons, down.electrons]) / 2,
        up.fermi_levels + down.fermi_levels,
        (up.entropy_energy + down.entropy_energy) / 2,
    )


def occupy(eigenvalues: Tensor, weights: Tensor, nelectrons: float, smearing: Smearing | None) -> Occupations:
    """Fill the bands.

    Args:
        eigenvalues: The eigenvalues, shape ``(nk * nspin, nband)``, hartree.
        weights: The weights of the k points, repeated for each spin, shape ``(nk * nspin,)``, summing to ``nspin``.
        nelectrons: The number of electrons per cell.
        smearing: The smearing of the occupations; None to fill the lowest bands of every k point.

    Raises:
        InputError: the number of electrons is odd, and occupations are fixed.
    """
    nspin = round(float(weights.sum()))
    if nelectrons <= NONE:
        return Occupations(torch.zeros_like(eigenvalues), (-inf,) * nspin, eigenvalues.new_zeros(()))
    if smearing is None:
        return _fill_lowest(eigenvalues, nspin, nelectrons)
    if isinstance(smearing, MarzariVanderbilt):
        return _fill_coldly(eigenvalues, weights, nelectrons, smearing)
    return _fill_to_level(eigenvalues, weights, nelectrons, smearing)


def _fill_to_level(eigenvalues: Tensor, weights: Tensor, nelectrons: float, smearing: Smearing) -> Occupations:
    nspin = round(float(weights.sum()))
    level = fermi_level(eigenvalues, weights, nelectrons, smearing)
    x = (level - eigenvalues) / smearing.width
    entropy = entropy_energy(x, 2 / nspin * weights[:, None], smearing)
    electrons = smearing.occupation(x)
    electrons = electrons * (nelectrons / (weights[:, None] * electrons).sum())
    return Occupations(electrons, (level,) * nspin, entropy)


def _fill_coldly(eigenvalues: Tensor, weights: Tensor, nelectrons: float, smearing: MarzariVanderbilt) -> Occupations:
    """By cold smearing in a metal, by Gaussian smearing in an insulator, see :mod:`mlxc.kohn_sham.metallic_share`."""
    gaussian = _fill_to_level(eigenvalues, weights, nelectrons, Gaussian(smearing.width))
    x = (gaussian.fermi_level - eigenvalues) / smearing.width
    degeneracy = 2 / len(gaussian.fermi_levels) * weights[:, None]
    share = metallic_share(x, degeneracy, nelectrons, smearing.width)
    if share.value == 0:
        return gaussian
    cold = _fill_to_level(eigenvalues, weights, nelectrons, smearing)
    if share.value == 1:
        return cold
    # Energies count from the level: both hold the same electrons, and what changes only c leaves their number.
    heights = -smearing.width * x
    moved = (weights[:, None] * (cold.electrons - gaussian.electrons) * heights).sum()
    difference = moved + cold.entropy_energy - gaussian.entropy_energy
    mixed = share.value * cold.electrons + (1 - share.value) * gaussian.electrons
    entropy = share.value * cold.entropy_energy + (1 - share.value) * gaussian.entropy_energy
    pulled = difference * share.derivative(x)
    return Occupations(
        mixed + 2 / len(gaussian.fermi_levels) * pulled,
        tuple(
            share.value * a + (1 - share.value) * b
            for a, b in zip(cold.fermi_levels, gaussian.fermi_levels, strict=True)
        ),
        entropy - (degeneracy * pulled * heights).sum(),
    )


def _fill_lowest(eigenvalues: Tensor, nspin: int, nelectrons: float) -> Occupations:
    filled = nelectrons / 2
    if abs(filled - round(filled)) > 1e-9:
        raise InputError(
            f"smearing: {nelectrons:g} electrons cannot fill bands in pairs; choose a smearing such as fermi-dirac."
        )
    electrons = torch.zeros_like(eigenvalues)
    electrons[:, : round(filled)] = 2 / nspin
    highest = tuple(float(levels[:, : round(filled)].max()) for levels in eigenvalues.chunk(nspin))
    return Occupations(electrons, highest, eigenvalues.new_zeros(()))


def band_count(nelectrons: float, with_empty: bool, moment: float = 0.0) -> int:
    """Bands to compute for each spin: those that hold the electrons of the larger one, and some empty ones above them.

    Args:
        nelectrons: The number of electrons per cell.
        with_empty: Whether empty ones are wanted, which smearing may reach, or of which something is to be told.
        moment: The magnetic moment, Bohr magneton per cell.
    """
    occupied = ceil((nelectrons + abs(moment)) / 2 - ROUNDING)
    return occupied + max(EMPTY_BANDS, occupied // EMPTY_PART) if with_empty else occupied
