"""What runs of other codes share: pseudopotential files, processes, and what comes back."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gth_files import write_gth
from numpy.typing import ArrayLike, NDArray

from mlxc import Calculation
from mlxc.pseudo.gth_table import GTHParameters
from mlxc.pseudo.library import PseudopotentialData, find_pseudopotentials, named_family, pseudopotential_file

# Energy differences between SCF steps, or estimated errors, at which the other codes stop, hartree.
ENERGY_TOLERANCE_HA = 1e-8


@dataclass(frozen=True)
class Timing:
    """What a code needed and found.

    Attributes:
        seconds: for which part of the run is said where it is measured.
        energy_ha: free energy per cell.
        iterations: SCF steps, None where they are not counted.
        error_ha: energy of the density's residual at which the run may stop, None where it is not known.
        converged: whether the code says so.
        peak_mib: largest memory of the process, None where it is not measured.
        forces: forces on the atoms, shape ``(natom, 3)``, hartree/bohr, None where they are not asked for.
    """

    seconds: float
    energy_ha: float
    iterations: int | None = None
    error_ha: float | None = None
    converged: bool = True
    peak_mib: float | None = None
    forces: NDArray[np.float64] | None = None


@dataclass(frozen=True)
class Ion:
    """An element's pseudopotential in the folder of a run."""

    filename: str
    charge: int


def write_pseudopotentials(calculation: Calculation, folder: Path) -> dict[str, Ion]:
    """Write the pseudopotentials that mlxc takes for a calculation into a folder, by element."""
    species, names = calculation.crystal.species, calculation.pseudo_names
    table = named_family(calculation.pseudo, species, calculation.xc)
    entries = find_pseudopotentials(species, table, calculation.xc, names)
    return {
        symbol: Ion(_write(entry, symbol, table, names.get(symbol), folder), entry.charge)
        for symbol, entry in entries.items()
    }


def _write(entry: PseudopotentialData, symbol: str, table: str, name: str | None, folder: Path) -> str:
    if isinstance(entry, GTHParameters):
        write_gth(entry, folder / f"{symbol}.gth")
        return f"{symbol}.gth"
    suffix = "psp8" if ".psp8" in entry.name.lower() else "upf"
    (folder / f"{symbol}.{suffix}").write_bytes(pseudopotential_file(symbol, table, "pbe", name))
    return f"{symbol}.{suffix}"


def run_in_folder(command: list[str], folder: Path, processes: int) -> tuple[float, str]:
    """Run a program on several processes; the wall time of the whole and what it printed.

    Raises:
        RuntimeError: it failed.
    """
    if processes > 1:
        command = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", str(processes), *command]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=3600)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise RuntimeError(f"{command} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return seconds, done.stdout


def joined(rows: ArrayLike) -> str:
    """Rows of numbers as lines of text."""
    return "\n".join(" ".join(f"{x:.14f}" for x in row) for row in np.asarray(rows))
