"""The same calculation in ABINIT and in Quantum ESPRESSO, each in a folder of its own."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gth_files import write_gth

from mlxc import Calculation
from mlxc.pseudo.library import find_pseudopotentials
from mlxc.scf.occupations import band_count
from mlxc.units import BOHR_ANG

# Energy differences between SCF steps at which both codes stop, hartree.
ENERGY_TOLERANCE_HA = 1e-8


@dataclass(frozen=True)
class Timing:
    """What another code needed and found.

    Attributes:
        seconds: whole process.
        energy_ha: free energy per cell.
    """

    seconds: float
    energy_ha: float


def run_abinit(calculation: Calculation, folder: Path, processes: int) -> Timing | None:
    """Run ABINIT, None where it is not installed."""
    if shutil.which("abinit") is None:
        return None
    crystal = calculation.crystal
    symbols = _write_pseudopotentials(calculation, folder)
    species = list(symbols)
    nelectrons = sum(symbols[symbol] for symbol in crystal.species)
    metal = calculation.smearing != "none"
    lines = [
        f"ecut {calculation.ecut_ha}",
        "acell 3*1.0",
        "rprim " + "\n  ".join(" ".join(f"{x:.14f}" for x in row) for row in crystal.lattice),
        f"natom {len(crystal.species)}",
        f"ntypat {len(species)}",
        "znucl " + " ".join(str(crystal.atomic_numbers[crystal.species.index(s)]) for s in species),
        "typat " + " ".join(str(species.index(s) + 1) for s in crystal.species),
        "xred " + "\n  ".join(" ".join(f"{x:.14f}" for x in row) for row in crystal.positions),
        "ngkpt " + " ".join(map(str, calculation.kmesh)),
        "nshiftk 1\nshiftk 0 0 0\nchksymtnons 0",
        f"nband {band_count(nelectrons, metal)}",
        f"occopt 3\ntsmear {calculation.width_ha}" if metal else "occopt 1",
        f"ixc 11\nnstep 60\ntoldfe {ENERGY_TOLERANCE_HA}",
        "prtwf 0\nprtden 0\nprteig 0\nprtebands 0\nprtgsr 0\noptforces 0\noptstress 0",
        'pseudos "' + ", ".join(f"{symbol}.gth" for symbol in species) + '"',
    ]
    (folder / "run.abi").write_text("\n".join(lines) + "\n", encoding="utf-8")
    seconds, text = _timed([*_mpi(processes), "abinit", "run.abi"], folder)
    return Timing(seconds, float(re.findall(r"etotal1?\s+([-+.\dED]+)", text + _read(folder, "run.abo"))[-1]))


def run_quantum_espresso(calculation: Calculation, folder: Path, processes: int) -> Timing | None:
    """Run pw.x, None where it is not installed."""
    if shutil.which("pw.x") is None:
        return None
    crystal = calculation.crystal
    symbols = _write_pseudopotentials(calculation, folder)
    nelectrons = sum(symbols[symbol] for symbol in crystal.species)
    metal = calculation.smearing != "none"
    occupations = "occupations='fixed'"
    if metal:
        occupations = f"occupations='smearing', smearing='fd', degauss={2 * (calculation.width_ha or 0)}"
    cell = "\n".join(" ".join(f"{x:.14f}" for x in row) for row in crystal.lattice * BOHR_ANG)
    atoms = "\n".join(
        f"{symbol} " + " ".join(f"{x:.14f}" for x in position)
        for symbol, position in zip(crystal.species, crystal.positions, strict=True)
    )
    text = f"""&control calculation='scf', pseudo_dir='.', outdir='out', disk_io='none' /
&system ibrav=0, nat={len(crystal.species)}, ntyp={len(symbols)}, ecutwfc={2 * calculation.ecut_ha},
  input_dft='pbe', nbnd={band_count(nelectrons, metal)}, {occupations} /
&electrons conv_thr={2 * ENERGY_TOLERANCE_HA} /
CELL_PARAMETERS angstrom
{cell}
ATOMIC_SPECIES
{chr(10).join(f"{symbol} 1.0 {symbol}.gth" for symbol in symbols)}
ATOMIC_POSITIONS crystal
{atoms}
K_POINTS automatic
{" ".join(map(str, calculation.kmesh))} 0 0 0
"""
    (folder / "run.in").write_text(text, encoding="utf-8")
    seconds, output = _timed([*_mpi(processes), "pw.x", "-nk", str(processes), "-in", "run.in"], folder)
    return Timing(seconds, float(re.findall(r"!\s+total energy\s+=\s+([-\d.]+) Ry", output)[-1]) / 2)


def _write_pseudopotentials(calculation: Calculation, folder: Path) -> dict[str, int]:
    """Write the files, return the charge of each ion."""
    entries = find_pseudopotentials(
        calculation.crystal.species, calculation.pseudo, calculation.xc, calculation.pseudo_names
    )
    for symbol, entry in entries.items():
        write_gth(entry, folder / f"{symbol}.gth")
    return {symbol: entry.charge for symbol, entry in entries.items()}


def _mpi(processes: int) -> list[str]:
    if processes == 1:
        return []
    return ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", str(processes)]


def _timed(command: list[str], folder: Path) -> tuple[float, str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=1800)
    seconds = time.perf_counter() - started
    if done.returncode != 0:
        raise RuntimeError(f"{command} failed:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return seconds, done.stdout


def _read(folder: Path, name: str) -> str:
    path = folder / name
    return path.read_text(encoding="utf-8") if path.exists() else ""


def median(values: list[float]) -> float:
    """Median of a list."""
    return float(np.median(values))
