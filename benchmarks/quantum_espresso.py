"""A calculation in Quantum ESPRESSO, with any pseudopotentials that mlxc reads."""

from __future__ import annotations

import re
import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from other_codes import ENERGY_TOLERANCE_HA, Ion, Timing, joined, run_in_folder, write_pseudopotentials

from mlxc import Calculation, Crystal
from mlxc.crystal.brillouin import irreducible_mesh
from mlxc.crystal.magnetism import starting_moments
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.kohn_sham.occupations import band_count

_SMEARINGS = {"fermi-dirac": "fd", "gaussian": "gaussian", "marzari-vanderbilt": "mv"}
_SECONDS = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0}


def run_quantum_espresso(
    calculation: Calculation, processes: int, error_ha: float = ENERGY_TOLERANCE_HA, *, forces: bool = False
) -> Timing | None:
    """Run pw.x, and take the wall time that it reports; None if not installed.

    Each process has a pool of k points to itself, as far as there are k points. pw.x stops when its estimated error,
    the energy of the density's residual, is below ``error_ha``. The FFT grid is that of the calculation, if it names
    one, else its own, for a density cutoff of four times that of the orbitals, as in mlxc. Forces take their own time.
    """
    if shutil.which("pw.x") is None:
        return None
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        ions = write_pseudopotentials(calculation, folder)
        (folder / "run.in").write_text(_input(calculation, ions, error_ha, forces), encoding="utf-8")
        pools = min(processes, len(irreducible_mesh(calculation.kmesh, SpaceGroup.of(calculation.crystal))))
        _, output = run_in_folder(["pw.x", "-nk", str(pools), "-in", "run.in"], folder, processes)
    steps = re.search(r"convergence has been achieved in\s+(\d+) iterations", output)
    return Timing(
        wall_seconds(output),
        float(re.findall(r"total energy\s+=\s+([-\d.]+) Ry", output)[-1]) / 2,
        iterations=int(steps[1]) if steps else None,
        converged=steps is not None,
        forces=_forces(output, len(calculation.crystal.species)) if forces else None,
    )


def _forces(output: str, natom: int) -> NDArray[np.float64]:
    """The forces in pw.x's output, which has them in rydberg/bohr, in total first and then by term."""
    rows = re.findall(r"atom\s+\d+\s+type\s+\d+\s+force =\s+(\S+)\s+(\S+)\s+(\S+)", output)
    return np.array(rows[:natom], dtype=np.float64) / 2


def wall_seconds(output: str) -> float:
    """The wall time in pw.x's last line of times, such as ``PWSCF : 1m 3.20s CPU 1m 5.01s WALL``."""
    line = re.search(r"PWSCF\s*:.*CPU\s+(.*)WALL", output)
    if line is None:
        raise RuntimeError(f"pw.x reports no wall time:\n{output[-2000:]}")
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(r"([\d.]+)\s*([dhms])", line[1]))


def _input(calculation: Calculation, ions: dict[str, Ion], error_ha: float, forces: bool) -> str:
    crystal = calculation.crystal
    metal = calculation.smearing != "none"
    moment = abs(starting_moments(crystal)).sum() if calculation.total_moment is None else calculation.total_moment
    electrons = sum(ions[s].charge for s in crystal.species)
    nband = band_count(electrons, metal, moment if calculation.spin else 0.0)
    labels = _labels(crystal)
    atoms = [f"{label} {joined([x])}" for label, x in zip(labels, crystal.positions, strict=True)]
    kinds = dict(zip(labels, (ions[s] for s in crystal.species), strict=True))
    return f"""&control calculation='scf', pseudo_dir='.', outdir='out', disk_io='none'
  tprnfor=.{str(forces).lower()}. /
&system ibrav=0, nat={len(crystal.species)}, ntyp={len(kinds)}, ecutwfc={2 * calculation.ecut_ha},
  input_dft='pbe', nbnd={nband}, {_occupations(calculation)}{_spin(calculation, labels, kinds)}{_grid(calculation)} /
&electrons conv_thr={2 * error_ha:.3e} /
CELL_PARAMETERS bohr
{joined(crystal.lattice)}
ATOMIC_SPECIES
{chr(10).join(f"{label} 1.0 {ion.filename}" for label, ion in kinds.items())}
ATOMIC_POSITIONS crystal
{chr(10).join(atoms)}
{_kpoints(calculation)}
"""


def _kpoints(calculation: Calculation) -> str:
    """The mesh; where Gamma is all of it, pw.x is told so, and has real orbitals, too."""
    if calculation.kmesh == (1, 1, 1):
        return "K_POINTS gamma"
    return f"K_POINTS automatic\n{' '.join(map(str, calculation.kmesh))} 0 0 0"


def _labels(crystal: Crystal) -> list[str]:
    """What pw.x calls the kind of each atom: its symbol, with a number for further moments of the same element."""
    kinds = list(dict.fromkeys(zip(crystal.species, crystal.moments.tolist(), strict=True)))
    numbers = {kind: sum(symbol == kind[0] for symbol, _ in kinds[:index]) for index, kind in enumerate(kinds)}
    atoms = zip(crystal.species, crystal.moments.tolist(), strict=True)
    return [f"{atom[0]}{numbers[atom] or ''}" for atom in atoms]


def _occupations(calculation: Calculation) -> str:
    if calculation.smearing == "none":
        return "occupations='fixed'"
    width_ry = 2 * (calculation.width_ha or 0)
    return f"occupations='smearing', smearing='{_SMEARINGS[calculation.smearing]}', degauss={width_ry}"


def _grid(calculation: Calculation) -> str:
    shape = calculation.fft_grid or ()
    return "".join(f", nr{axis}={points}" for axis, points in enumerate(shape, start=1))


def _spin(calculation: Calculation, labels: list[str], kinds: dict[str, Ion]) -> str:
    """Spin, the total moment that is held, and the moments that mlxc starts from."""
    if not calculation.spin:
        return ""
    moments = starting_moments(calculation.crystal)
    settings = ["nspin=2"]
    for index, (label, ion) in enumerate(kinds.items(), start=1):
        moment = moments[labels.index(label)]
        settings.append(f"starting_magnetization({index})={moment / ion.charge:.6f}")
    if calculation.total_moment is not None:
        settings.append(f"tot_magnetization={calculation.total_moment}")
    return ", " + ", ".join(settings)
