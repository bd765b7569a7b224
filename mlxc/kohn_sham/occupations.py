"""Occupation of bands: the Fermi level that gives the right number of electrons, or fixed occupations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

import torch
from scipy.optimize import brentq
from torch import Tensor

from mlxc.errors import InputError
from mlxc.terms.entropy import FermiDirac, Gaussian, MarzariVanderbilt, Smearing, entropy_energy

# Electrons per cell by which the number of them may be wrong.
EXACT = 1e-12
# A level that is farther from all states, in units of the width, is in a gap: smearing leaves 1e-5 of a state there.
DEEP_IN_A_GAP = 4.0

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
            weights.
        fermi_level: The Fermi level, hartree; the highest occupied level for fixed occupations, the higher one of the
            two spins' levels when the total moment is fixed.
        entropy_energy: -TS per cell, hartree.
    """

    electrons: Tensor
    fermi_level: float
    entropy_energy: Tensor


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
        max(up.fermi_level, down.fermi_level),
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
    capacity = 2 / float(weights.sum())
    if smearing is None:
        return _fill_lowest(eigenvalues, capacity, nelectrons)
    level = fermi_level(eigenvalues, weights, nelectrons, smearing)
    x = (level - eigenvalues) / smearing.width
    entropy = entropy_energy(x, capacity * weights[:, None], smearing)
    electrons = capacity * smearing.occupation(x)
    return Occupations(electrons * (nelectrons / (weights[:, None] * electrons).sum()), level, entropy)


def fermi_level(eigenvalues: Tensor, weights: Tensor, nelectrons: float, smearing: Smearing) -> float:
    """The level, hartree, at which the bands hold the electrons: in an insulator the middle of the gap.

    Cold smearing fills states beyond one, so several levels can give the right number of electrons; the one nearest to
    that of Gaussian smearing is taken, as proposed by F. J. dos Santos, N. Marzari, Phys. Rev. B 107, 195122 (2023).
    """
    capacity = 2 / float(weights.sum())
    low = float(eigenvalues.min()) - 20 * smearing.width
    high = float(eigenvalues.max()) + 40 * smearing.width

    def surplus(level: float, smearing: Smearing) -> float:
        occupation = smearing.occupation((level - eigenvalues) / smearing.width)
        return float(capacity * (weights[:, None] * occupation).sum()) - nelectrons

    monotonic = Gaussian(smearing.width) if isinstance(smearing, MarzariVanderbilt) else smearing
    lower = _crossing(lambda x: surplus(x, monotonic), -EXACT, low, high)
    if surplus(high, monotonic) < EXACT:
        return lower  # all states of a small basis are full
    level = (lower + _crossing(lambda x: surplus(x, monotonic), EXACT, low, high)) / 2
    error = surplus(level, smearing)
    # Cold smearing overfills the states below a gap, so in the gap there are always a few electrons too many, and the
    # only exact level lies among the states below, at the price of much entropy.
    if abs(error) <= 10 * EXACT or float((eigenvalues - level).abs().min()) > DEEP_IN_A_GAP * smearing.width:
        return level
    step = smearing.width / 20
    for count in range(400):
        for direction in (-step, step):
            near, far = level + count * direction, level + (count + 1) * direction
            if surplus(far, smearing) * error < 0:
                return _crossing(lambda x: surplus(x, smearing), 0.0, min(near, far), max(near, far))
    return level


def _crossing(function: Callable[[float], float], target: float, low: float, high: float) -> float:
    """Where a function rises or falls through a target."""
    return float(brentq(lambda x: function(x) - target, low, high, xtol=1e-15, rtol=1e-15, disp=False))


def _fill_lowest(eigenvalues: Tensor, capacity: float, nelectrons: float) -> Occupations:
    filled = nelectrons / 2
    if abs(filled - round(filled)) > 1e-9:
        raise InputError(
            f"smearing: {nelectrons:g} electrons cannot fill bands in pairs; choose a smearing such as fermi-dirac."
        )
    electrons = torch.zeros_like(eigenvalues)
    electrons[:, : round(filled)] = capacity
    highest = float(eigenvalues[:, : round(filled)].max()) if round(filled) > 0 else -float("inf")
    return Occupations(electrons, highest, eigenvalues.new_zeros(()))


def band_count(nelectrons: float, metal: bool, moment: float = 0.0) -> int:
    """Bands to compute for each spin: the occupied ones, and some above them that smearing may reach."""
    occupied = ceil((nelectrons + abs(moment)) / 2)
    return occupied + max(4, occupied // 5) if metal else occupied
