"""Stand-ins for a worker and for what it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from mlxc.runs.folder import RunFolder

TERMS = ("kinetic", "local", "nonlocal", "hartree", "xc", "ewald", "pseudopotential_core", "entropy")


class IdleWorker:
    """Takes runs and leaves them alone."""

    def __init__(self) -> None:
        self.ready = True
        self.folders: list[RunFolder] = []

    def submit(self, folder: RunFolder) -> None:
        self.folders.append(folder)

    def check(self) -> None:
        pass


def iteration(number: int, energy: float, point: int | None = None) -> dict[str, Any]:
    """One record of an SCF step."""
    return {
        "kind": "iteration",
        "point": point,
        "iteration": number,
        "free_energy_ha": energy,
        "energies_ha": {term: energy / len(TERMS) for term in TERMS},
        "density_residual": 10.0**-number,
        "seconds": float(number),
    }


def write_density(path: Path, lattice: np.ndarray, density: np.ndarray) -> None:
    """The part of a run's HDF5 file that the page reads: one silicon atom at the origin."""
    import h5py

    with h5py.File(path, "w") as file:
        file["lattice_bohr"] = lattice
        file["species"] = ["Si"]
        file["fractional_positions"] = np.zeros((1, 3))
        file["density"] = density[None]
