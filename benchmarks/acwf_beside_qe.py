"""The largest deviations of ``acwf.py`` in Quantum ESPRESSO with the same files: whose are they?

    python benchmarks/acwf_beside_qe.py [--cores 2] [--count 15] [--pseudo TABLE] [--kspacing 0.4] [--width 0.01]
        [Cu/FCC ...]

Both codes take the same files, mesh, smearing and cutoff; by default mesh and smearing are those of the SCFs of
``acwf.py``, which are coarser than those of its free energies. Some crystals have no minimum on that mesh, and need
``--kspacing 0.2 --width 0.00225``. Where both codes have the same volume, what is left of a deviation from the
all-electron one is the pseudopotential's; how much of that is the noise of its file tells the deviation there with
local potentials that are -Z/r far from the ion. The last column is what the denser mesh and the smearing there change.
"""

from __future__ import annotations

import argparse

import numpy as np
import torch
from acwf import (
    COARSE_KSPACING_PER_ANG,
    POINTS,
    TABLE,
    WIDE_WIDTH_HA,
    Record,
    chosen,
    deviation,
    read,
    results_of,
    settings_of,
    without_tail,
)
from quantum_espresso import run_quantum_espresso
from tables import cell, print_header, print_row

from mlxc.ground_state import warm_up
from mlxc.properties.birch_murnaghan import FitError, fit_birch_murnaghan
from mlxc.references.tables import acwf
from mlxc.tasks.eos.run import states_of_task
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.units import BOHR_ANG

# Of the densities and of both codes' energies: here energies are compared, not corrected.
TOLERANCE = 1e-7


def deviations_of_both(settings: Record, element: str, structure: str, cores: int) -> tuple[float | None, float | None]:
    """The deviations of mlxc's and of Quantum ESPRESSO's volume from the all-electron one, percent.

    None where a code has no minimum between the volumes, or is not there.
    """
    task = EquationOfStateTask.from_dict({"calculation": settings, "points": POINTS})
    states = states_of_task(task)
    natom = len(states[0].crystal.species)
    volumes = np.array([state.crystal.volume for state in states]) * BOHR_ANG**3 / natom
    reference = acwf(element, structure)[0].volume_per_atom_ang3
    ratios = volumes * natom / (task.calculation.crystal.volume * BOHR_ANG**3)
    runs = [run_quantum_espresso(one, cores) for one in task.calculation.at_volumes(ratios.tolist())]

    def deviation_of(energies: list[float]) -> float | None:
        try:
            return 100 * (fit_birch_murnaghan(volumes, energies).volume0 / reference - 1)
        except FitError:
            return None

    theirs = [run.energy_ha for run in runs if run is not None]
    return deviation_of([float(state.energy.detach()) for state in states]), deviation_of(theirs) if theirs else None


def largest(records: dict[str, Record], count: int) -> list[tuple[str, str]]:
    """The elements and structures whose volumes are off by most."""
    known = [record for record in records.values() if deviation(record) is not None]
    known.sort(key=lambda record: -abs(deviation(record) or 0))
    return [(record["element"], record["structure"]) for record in known[:count]]


def main() -> None:
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="ELEMENT[/STRUCTURE]", help="default: the largest deviations")
    parser.add_argument("--cores", type=int, default=2, help="threads of mlxc, processes of Quantum ESPRESSO")
    parser.add_argument("--count", type=int, default=15)
    parser.add_argument("--pseudo", default=TABLE, help="a table or a folder; default: %(default)s")
    parser.add_argument("--kspacing", type=float, default=COARSE_KSPACING_PER_ANG, help="1/angstrom (%(default)s)")
    parser.add_argument("--width", type=float, default=WIDE_WIDTH_HA, help="of the smearing, hartree (%(default)s)")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.cores)
    warm_up()
    records = read(results_of(arguments.pseudo))
    of_cases = {(record["element"], record["structure"]): record for record in records.values()}
    print_header(
        "element", "structure", "deviation % there", "-Z/r % there", "mlxc % here", "Quantum ESPRESSO % here",
        "the mesh's share",
    )  # fmt: skip
    for case in chosen(arguments.cases) if arguments.cases else largest(records, arguments.count):
        settings = settings_of(*case, arguments.pseudo, arguments.kspacing, arguments.width) | {"tolerance": TOLERANCE}
        ours, theirs = deviations_of_both(settings, *case, arguments.cores)
        record = of_cases.get(case)
        there, cut = (None, None) if record is None else (deviation(record), without_tail(record))
        share = None if there is None or ours is None else there - ours
        print_row([*case, *(cell(value, "+.2f") for value in (there, cut, ours, theirs, share))])


if __name__ == "__main__":
    main()
