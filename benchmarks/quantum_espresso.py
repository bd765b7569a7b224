"""A calculation in Quantum ESPRESSO, with any pseudopotentials that mlxc reads."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
from other_codes import ENERGY_TOLERANCE_HA, Ion, Timing, joined, run_in_folder, write_pseudopotentials

from mlxc import Calculation
from mlxc.kohn_sham.occupations import band_count

_SMEARINGS = {"fermi-dirac": "fd", "gaussian": "gaussian", "marzari-vanderbilt": "mv"}
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


def run_quantum_espresso(
    calculation: Calculation, processes: int, error_ha: float = ENERGY_TOLERANCE_HA
) -> Timing | None:
    """Run pw.x with one pool of k points per process, and take the wall time that it reports; None if not installed.

    It stops when its estimated error, the energy of the density's residual, is below ``error_ha``. The FFT grid is that
    of the calculation, if it names one, else its own, for a density cutoff of four times that of the orbitals, as in
    mlxc.
    """
    if shutil.which("pw.x") is None:
        return None
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        ions = write_pseudopotentials(calculation, folder)
        (folder / "run.in").write_text(_input(calculation, ions, error_ha), encoding="utf-8")
        _, output = run_in_folder(["pw.x", "-nk", str(processes), "-in", "run.in"], folder, processes)
    steps = re.search(r"convergence has been achieved in\s+(\d+) iterations", output)
    return Timing(
        wall_seconds(output),
        float(re.findall(r"total energy\s+=\s+([-\d.]+) Ry", output)[-1]) / 2,
        iterations=int(steps[1]) if steps else None,
        converged=steps is not None,
    )


def wall_seconds(output: str) -> float:
    """The wall time in pw.x's last line of times, such as ``PWSCF : 1m 3.20s CPU 1m 5.01s WALL``."""
    line = re.search(r"PWSCF\s*:.*CPU\s+(.*)WALL", output)
    if line is None:
        raise RuntimeError(f"pw.x reports no wall time:\n{output[-2000:]}")
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(r"([\d.]+)\s*([dhms])", line[1]))


def _input(calculation: Calculation, ions: dict[str, Ion], error_ha: float) -> str:
    crystal = calculation.crystal
    metal = calculation.smearing != "none"
    nband = band_count(sum(ions[s].charge for s in crystal.species), metal, calculation.total_moment or 0.0)
    atoms = [f"{s} {joined([x])}" for s, x in zip(crystal.species, crystal.positions, strict=True)]
    return f"""&control calculation='scf', pseudo_dir='.', outdir='out', disk_io='none' /
&system ibrav=0, nat={len(crystal.species)}, ntyp={len(ions)}, ecutwfc={2 * calculation.ecut_ha},
  input_dft='pbe', nbnd={nband}, {_occupations(calculation)}{_spin(calculation, ions)}{_grid(calculation)} /
&electrons conv_thr={2 * error_ha:.3e} /
CELL_PARAMETERS bohr
{joined(crystal.lattice)}
ATOMIC_SPECIES
{chr(10).join(f"{symbol} 1.0 {ion.filename}" for symbol, ion in ions.items())}
ATOMIC_POSITIONS crystal
{chr(10).join(atoms)}
K_POINTS automatic
{" ".join(map(str, calculation.kmesh))} 0 0 0
"""


def _occupations(calculation: Calculation) -> str:
    if calculation.smearing == "none":
        return "occupations='fixed'"
    width_ry = 2 * (calculation.width_ha or 0)
    return f"occupations='smearing', smearing='{_SMEARINGS[calculation.smearing]}', degauss={width_ry}"


def _grid(calculation: Calculation) -> str:
    shape = calculation.fft_grid or ()
    return "".join(f", nr{axis}={points}" for axis, points in enumerate(shape, start=1))


def _spin(calculation: Calculation, ions: dict[str, Ion]) -> str:
    """Spin, the total moment that is held, and the moments that mlxc starts from: the crystal's, or one per atom."""
    if not calculation.spin:
        return ""
    crystal = calculation.crystal
    moments = crystal.moments if crystal.moments.any() else np.ones_like(crystal.moments)
    settings = ["nspin=2"]
    for index, (symbol, ion) in enumerate(ions.items(), start=1):
        mean = moments[[s == symbol for s in crystal.species]].mean()
        settings.append(f"starting_magnetization({index})={mean / ion.charge:.6f}")
    if calculation.total_moment is not None:
        settings.append(f"tot_magnetization={calculation.total_moment}")
    return ", " + ", ".join(settings)
