"""The largest deviations of ``acwf.py`` in Quantum ESPRESSO with the same files: whose are they?

    python benchmarks/acwf_beside_qe.py [--cores 2] [--count 15] [--results FILE] [Cu/FCC ...]

Both codes take the mesh and the smearing of the SCFs of ``acwf.py``, which are coarser than those of its free energies,
and the same cutoff. Where both have the same volume, what is left of a deviation from the all-electron one is the
pseudopotential's; how much of that is the noise of its file tells the deviation there with local potentials that are
-Z/r far from the ion. The last column is what the dense mesh and the narrow smearing change.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from acwf import POINTS, RESULTS, Record, chosen, deviation, read, settings_of, without_tail
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


def deviations_of_both(element: str, structure: str, cores: int) -> tuple[float | None, float | None]:
    """The deviations of mlxc's and of Quantum ESPRESSO's volume from the all-electron one, percent.

    None where a code has no minimum between the volumes, or is not there.
    """
    settings = settings_of(element, structure) | {"tolerance": TOLERANCE}
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
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.cores)
    warm_up()
    records = read(arguments.results)
    of_cases = {(record["element"], record["structure"]): record for record in records.values()}
    print_header(
        "element", "structure", "deviation % there", "-Z/r % there", "mlxc % here", "Quantum ESPRESSO % here",
        "the mesh's share",
    )  # fmt: skip
    for case in chosen(arguments.cases) if arguments.cases else largest(records, arguments.count):
        ours, theirs = deviations_of_both(*case, arguments.cores)
        record = of_cases.get(case)
        there, cut = (None, None) if record is None else (deviation(record), without_tail(record))
        share = None if there is None or ours is None else there - ours
        print_row([*case, *(cell(value, "+.2f") for value in (there, cut, ours, theirs, share))])


if __name__ == "__main__":
    main()
