"""A calculation in ABINIT, with GTH pseudopotentials."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from other_codes import ENERGY_TOLERANCE_HA, Ion, Timing, joined, run_in_folder, write_pseudopotentials

from mlxc import Calculation
from mlxc.kohn_sham.occupations import band_count


def run_abinit(calculation: Calculation, folder: Path, processes: int) -> Timing | None:
    """Run it in a folder and time the whole process; None where ABINIT is not installed."""
    if shutil.which("abinit") is None:
        return None
    ions = write_pseudopotentials(calculation, folder)
    (folder / "run.abi").write_text(_input(calculation, ions), encoding="utf-8")
    seconds, text = run_in_folder(["abinit", "run.abi"], folder, processes)
    written = folder / "run.abo"
    text += written.read_text(encoding="utf-8") if written.exists() else ""
    return Timing(seconds, float(re.findall(r"etotal1?\s+([-+.\dED]+)", text)[-1]), converged="is converged" in text)


def _input(calculation: Calculation, ions: dict[str, Ion]) -> str:
    crystal = calculation.crystal
    species = list(ions)
    metal = calculation.smearing != "none"
    lines = [
        f"ecut {calculation.ecut_ha}",
        "acell 3*1.0",
        "rprim " + joined(crystal.lattice),
        f"natom {len(crystal.species)}",
        f"ntypat {len(species)}",
        "znucl " + " ".join(str(crystal.atomic_numbers[crystal.species.index(s)]) for s in species),
        "typat " + " ".join(str(species.index(s) + 1) for s in crystal.species),
        "xred " + joined(crystal.positions),
        "ngkpt " + " ".join(map(str, calculation.kmesh)),
        "nshiftk 1\nshiftk 0 0 0\nchksymtnons 0",
        f"nband {band_count(sum(ions[s].charge for s in crystal.species), metal)}",
        f"occopt 3\ntsmear {calculation.width_ha}" if metal else "occopt 1",
        f"ixc 11\nnstep 60\ntoldfe {ENERGY_TOLERANCE_HA}",
        "prtwf 0\nprtden 0\nprteig 0\nprtebands 0\nprtgsr 0\noptforces 0\noptstress 0",
        'pseudos "' + ", ".join(ion.filename for ion in ions.values()) + '"',
    ]
    return "\n".join(lines) + "\n"
