"""How full the states around the Fermi level are, from what a run has saved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlxc.results.state_file import StateFile
from mlxc.units import HARTREE_EV

# A picture reaches so many smearing widths, and at least so far, to either side of the Fermi level.
WIDTHS, LEAST_EV = 8.0, 1.0
# And, in a crystal with a gap, so far beyond the nearest state.
BEYOND_EV = 0.5
# More points than this are no longer told apart, and slow the browser down.
MOST_POINTS = 4000


@dataclass(frozen=True, eq=False)
class Fillings:
    """States near the Fermi level, one entry of each array for each.

    Attributes:
        distances_ev: The energy above the spin's Fermi level, or for fixed occupations above its highest occupied
            state.
        filled: The fraction that is filled, between 0 and 1: electrons divided by those that have room.
        spins: The spin: 0 for up, and for all states where spins are not told apart; 1 for down.
        labels: Which state it is, in words.
        spin_polarised: Whether spins are told apart.
        reach_ev: How far the picture goes to either side.
    """

    distances_ev: NDArray[np.float64]
    filled: NDArray[np.float64]
    spins: NDArray[np.int64]
    labels: tuple[str, ...]
    spin_polarised: bool
    reach_ev: float

    @classmethod
    def read(cls, path: Path, width_ha: float | None) -> Fillings:
        """Read the fillings from the HDF5 file of a run with this smearing width; None for fixed occupations."""
        with StateFile(path) as file:
            levels, electrons = file.eigenvalues, file.occupations
            fermi_levels = np.array(file.fermi_levels)
        nspin = len(fermi_levels)
        # A spin without electrons has no level of its own.
        fermi_levels[np.isinf(fermi_levels)] = fermi_levels.max()
        distances = (levels - np.repeat(fermi_levels, len(levels) // nspin)[:, None]) * HARTREE_EV
        filled = electrons * nspin / 2
        reach = _reach(distances, filled, (width_ha or 0.0) * HARTREE_EV)
        rows, bands = np.nonzero(np.abs(distances) <= reach)
        nearest = np.argsort(np.abs(distances[rows, bands]))[:MOST_POINTS]
        rows, bands = rows[nearest], bands[nearest]
        nk = len(levels) // nspin
        return cls(
            distances_ev=distances[rows, bands],
            filled=filled[rows, bands],
            spins=rows // nk,
            labels=tuple(f"k point {row % nk + 1}, band {band + 1}" for row, band in zip(rows, bands, strict=True)),
            spin_polarised=nspin == 2,
            reach_ev=reach,
        )


def _reach(distances: NDArray[np.float64], filled: NDArray[np.float64], width_ev: float) -> float:
    """How far the picture goes: it shows how smearing fills states, and in a crystal with a gap both of its edges."""
    nearest = [np.abs(distances[side]).min() for side in (filled > 0.5, filled <= 0.5) if side.any()]
    return float(max(LEAST_EV, WIDTHS * width_ev, *(edge + BEYOND_EV for edge in nearest)))
