"""Stand-ins for a worker and for what it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from mlxc.runs.folder import RunFolder

TERMS = ("kinetic", "local", "nonlocal", "hartree", "xc", "ewald", "pseudopotential_core", "entropy")


class IdleWorker:
    """Takes runs and leaves them alone."""

    def __init__(self) -> None:
        self.ready, self.resting = True, False
        self.folders: list[RunFolder] = []
        self.words = ""
        self.waiting = ""

    def submit(self, folder: RunFolder) -> None:
        self.folders.append(folder)

    def want(self) -> None:
        self.resting = False

    def check(self) -> None:
        pass

    def waits_for(self, folder: RunFolder) -> str:
        return self.waiting


def iteration(number: int, energy: float, point: int | None = None) -> dict[str, Any]:
    """One record of an SCF step."""
    return {
        "kind": "iteration",
        "point": point,
        "iteration": number,
        "free_energy_ha": energy,
        "energies_ha": {term: energy / len(TERMS) for term in TERMS},
        "density_residual": 10.0**-number,
        "magnetisation_bohr_magneton": None,
        "residual_spectrum": [0.1, 0.2, 0.3, 0.4],
        "seconds": float(number),
        "elapsed_seconds": float(number),
    }


def write_density(
    path: Path,
    lattice: np.ndarray,
    density: np.ndarray,
    moment: float | None = None,
    further: dict[str, np.ndarray] | None = None,
    converged: bool = True,
) -> None:
    """The part of a run's HDF5 file that the page reads: one silicon atom at the origin.

    Args:
        path: The path of the file.
        lattice: The lattice vectors as rows, bohr.
        density: The density with spins added, electrons/bohr^3.
        moment: The part of the density by which spin up exceeds spin down; None without spin polarisation.
        further: The arrays to write beside.
        converged: What the file says of its calculation.
    """
    import h5py

    spins = density[None] if moment is None else np.stack([density * (1 + moment), density * (1 - moment)]) / 2
    arrays = {
        "lattice_bohr": lattice,
        "fractional_positions": np.zeros((1, 3)),
        "moments_bohr_magneton": np.zeros(1),
        "density": spins,
        "kpoint_weights": np.ones(1),
        "eigenvalues_ha": np.zeros((len(spins), 1)),
        "occupations": np.ones((len(spins), 1)),
    }
    with h5py.File(path, "w") as file:
        file["species"] = ["Si"]
        file.attrs["summary"] = json.dumps({"fermi_level_ha": 0.0, "converged": converged})
        for name, values in {**arrays, **(further or {})}.items():
            file[name] = values
