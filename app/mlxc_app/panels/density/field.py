"""What is looked at in a crystal: its density, that of its spins, or a difference, on the grid of one cell."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.results.state_file import StateFile
from mlxc.units import BOHR_ANG, HARTREE_EV

DENSITY = "Density"
SPIN = "Spin density (up − down)"
DIFFERENCE = "Density − that of another run"
POTENTIAL = "v_xc − v_xc of PBE"
PULL = "Where the loss pulls"
# In the order in which they are offered; what each one is.
MEANINGS = {
    DENSITY: "Where the valence electrons are. The core electrons are part of the pseudopotential, so there is no peak "
    "at the nuclei.",
    SPIN: "Where electrons with spin up outnumber those with spin down (positive), or the other way round.",
    DIFFERENCE: "Where this run has more electrons than the other one (positive), or fewer.",
    POTENTIAL: "Where the functional's exchange-correlation potential is higher than that of PBE (positive, it repels "
    "electrons), or lower, at the density of this run.",
    PULL: "dL/d(ln e_xc): where the loss of a gradient grows if e_xc is made larger by a factor (positive), or falls.",
}
ELECTRONS, ELECTRONVOLT, OF_THE_LOSS = "electrons per Å³", "eV", "of the loss per Å³"


@dataclass(frozen=True, eq=False)
class CrystalField:
    """A function with the period of a crystal.

    Attributes:
        lattice: The lattice vectors as rows, angstrom.
        species: The chemical symbols of the atoms.
        positions: The fractional coordinates of the atoms, ``(natom, 3)``.
        values: The values on a uniform grid over the cell, ``(n1, n2, n3)``.
        unit: The unit of the values, in words.
        is_signed: Whether the values are about zero.
        has_converged: Whether the calculation that it is of has converged; of a difference, both.
    """

    lattice: NDArray[np.float64]
    species: tuple[str, ...]
    positions: NDArray[np.float64]
    values: NDArray[np.float64]
    unit: str = ELECTRONS
    is_signed: bool = False
    has_converged: bool = True

    @property
    def crystal(self) -> Crystal:
        """The crystal without its field."""
        return Crystal(self.lattice / BOHR_ANG, list(self.species), self.positions)

    def at(self, points_ang: NDArray[np.float64]) -> NDArray[np.float64]:
        """The values at Cartesian points ``(..., 3)``, angstrom, by cubic splines."""
        from scipy.ndimage import map_coordinates  # half a second to load, and only needed once there is a density

        grid = (points_ang @ np.linalg.inv(self.lattice)) * self.values.shape
        found: NDArray[np.float64] = map_coordinates(self.values, np.moveaxis(grid, -1, 0), order=3, mode="grid-wrap")
        return found

    def minus(self, other: CrystalField) -> CrystalField:
        """The difference from a field in the same cell, which may be on another grid."""
        values = self.values - on_grid(other.values, self.values.shape)
        both = self.has_converged and other.has_converged
        return replace(self, values=values, is_signed=True, has_converged=both)


def quantities_in(path: Path, has_others: bool) -> tuple[str, ...]:
    """What can be looked at in the HDF5 file of a run.

    Args:
        path: The path of the file.
        has_others: Whether there are other runs of the same cell.
    """
    with StateFile(path) as file:
        there = {
            DENSITY: True,
            SPIN: file.nspin == 2,
            DIFFERENCE: has_others,
            POTENTIAL: file.has_xc_potentials,
            PULL: file.has_xc_sensitivity,
        }
    return tuple(name for name in MEANINGS if there[name])


def read_field(path: Path, quantity: str) -> CrystalField:
    """One of ``MEANINGS`` from the HDF5 file of a run; for ``DIFFERENCE``, the density from which to subtract."""
    with StateFile(path) as file:
        found = file.crystal
        crystal: dict[str, Any] = {
            "lattice": found.lattice * BOHR_ANG,
            "species": found.species,
            "positions": found.positions,
            "has_converged": file.has_converged,
        }
        if quantity == POTENTIAL:
            own, reference = file.xc_potentials
            change = (own - reference).mean(axis=0)
            return CrystalField(**crystal, values=change * HARTREE_EV, unit=ELECTRONVOLT, is_signed=True)
        if quantity == PULL:
            values = file.xc_sensitivity / BOHR_ANG**3
            return CrystalField(**crystal, values=values, unit=OF_THE_LOSS, is_signed=True)
        density = file.density / BOHR_ANG**3
    if quantity == SPIN:
        return CrystalField(**crystal, values=density[0] - density[1], is_signed=True)
    return CrystalField(**crystal, values=density.sum(axis=0))


def on_grid(values: NDArray[np.float64], shape: tuple[int, ...]) -> NDArray[np.float64]:
    """A periodic function on another grid over the same cell, by Fourier interpolation; exact from coarse to fine."""
    if values.shape == shape:
        return values
    coefficients = np.fft.fftn(values, norm="forward")
    result = np.zeros(shape, dtype=complex)
    # The highest frequency of an even number of points has no partner, and is left out.
    highest = [(min(sizes) - 1) // 2 for sizes in zip(values.shape, shape, strict=True)]
    source = np.ix_(*[np.arange(-n, n + 1) for n in highest])
    result[source] = coefficients[source]
    interpolated: NDArray[np.float64] = np.fft.ifftn(result, norm="forward").real
    return interpolated
