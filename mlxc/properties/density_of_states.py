"""The density of states: how many levels there are at an energy, each drawn as a narrow Gaussian."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlxc.units import HARTREE_EV

# Energies per width, and widths beyond the lowest level, of a curve.
PER_WIDTH, MARGIN = 4, 5


@dataclass(frozen=True)
class DensityOfStates:
    """States per hartree and cell.

    Attributes:
        energies: The energies, hartree, shape ``(nenergy,)``, up to where all levels that there are have been computed.
        states: The density of states of each spin, shape ``(nspin, nenergy)``; without spin polarisation that of both.
        width: Standard deviation of the Gaussians, hartree.
    """

    energies: NDArray[np.float64]
    states: NDArray[np.float64]
    width: float

    def to_dict(self, fermi_level: float) -> dict[str, object]:
        """Plain data in electronvolt, energies from the Fermi level (hartree)."""
        return {
            "energies_ev": ((self.energies - fermi_level) * HARTREE_EV).tolist(),
            "states_per_ev": (self.states / HARTREE_EV).tolist(),
            "width_ev": self.width * HARTREE_EV,
        }


def curve_of_states(levels: NDArray[np.float64], weights: NDArray[np.float64], width: float) -> DensityOfStates:
    """The density of states wherever it is known; arguments as for :func:`density_of_states`."""
    low, high = float(levels.min()) - MARGIN * width, float(levels[..., -1].min())
    energies = np.linspace(low, high, max(2, round((high - low) / width * PER_WIDTH)), dtype=np.float64)
    return DensityOfStates(energies, density_of_states(levels, weights, energies, width), width)


def density_of_states(
    levels: NDArray[np.float64], weights: NDArray[np.float64], energies: NDArray[np.float64], width: float
) -> NDArray[np.float64]:
    """Density of states of some k points, states per hartree and cell, shape ``(nspin, nenergy)``.

    Args:
        levels: The levels, hartree, shape ``(nspin, nk, nband)``.
        weights: The weights of the k points, shape ``(nk,)``, which sum to one.
        energies: The energies, hartree, shape ``(nenergy,)``.
        width: Standard deviation of the Gaussian that stands for each level, hartree.
    """
    states = np.zeros((len(levels), len(energies)))
    for k, weight in enumerate(weights):
        x = (energies[:, None] - levels[:, k, None, :]) / width
        states += weight * np.exp(-(x**2) / 2).sum(-1)
    return states * (2 / len(levels)) / (width * np.sqrt(2 * np.pi))
