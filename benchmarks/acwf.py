"""Equilibrium volumes of every PseudoDojo element in four cubic structures beside those of all-electron codes.

    python benchmarks/acwf.py [--processes 2 | --scheduler tcp://...:8786] [--results FILE] [--pseudo FOLDER]
        [Al/FCC Si ...]
    python benchmarks/acwf.py --report

The protocol is that of E. Bosoni et al., Nat. Rev. Phys. 6, 45 (2024), in what decides the result: PBE without spin
polarisation; seven volumes from 94 % to 106 % of the all-electron one, the same k points at all of them; a
Birch-Murnaghan fit. The pseudopotentials are PseudoDojo 0.4 "standard" at its ``high`` cutoff.

Densities are those of a coarse mesh and a wide smearing, and free energies those of a dense mesh with the protocol's
smearing, in their potential (``dense_mesh.py``). What that leaves open is told by running again with another
``--kspacing``: the volume of fcc aluminium is 0.331, 0.331, 0.354 and 0.337 % below the all-electron one with 0.12,
0.1, 0.08 and 0.06 per angstrom, and that of fcc fluorine 0.256 or 0.257 %, where SCFs themselves at 0.2 per angstrom
give 0.266 %. Everything takes hours on two cores, so it can be stopped at any moment and goes on where it was.

Beside each deviation the report has the one without what local potentials in the UPF files are beyond 5.99 bohr, where
the psp8 files of the same pseudopotentials end, to first order (``coulomb_tail.py``). ``--pseudo`` takes a folder, such
as the one that ``coulomb_tail.py`` fills.

Results are appended to a file among the other results, one JSON line per element and structure; what is found there
with the same settings and the same pseudopotential is not computed again. Take a new file for a new version of mlxc.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, as_completed
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_numbers
from coulomb_tail import DEFAULT_FOLDER, END, energy_of_tail
from dense_mesh import free_energies_on_mesh
from mlxc_process import warm_processes
from numpy.typing import NDArray
from tables import cell, median, print_header, print_row

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.properties.fitted_curve import fitted_curve
from mlxc.pseudo.library import find_pseudopotentials, sources
from mlxc.pseudo.pseudodojo import pseudodojo_cutoffs, pseudodojo_elements
from mlxc.references.tables import acwf
from mlxc.tasks.eos.run import states_of_task
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.terms.entropy import FermiDirac
from mlxc.units import BOHR_ANG, HARTREE_EV

TABLE = "pseudodojo-pbe"
# Primitive vectors in units of the cube's edge, and the atoms in them.
STRUCTURES: dict[str, tuple[NDArray[np.float64], list[list[float]]]] = {
    "SC": (np.eye(3), [[0, 0, 0]]),
    "BCC": ((1 - 2 * np.eye(3)) / 2, [[0, 0, 0]]),
    "FCC": ((1 - np.eye(3)) / 2, [[0, 0, 0]]),
    "Diamond": ((1 - np.eye(3)) / 2, [[0, 0, 0], [0.25, 0.25, 0.25]]),
}
POINTS = 7
# Of the mesh of the free energies and of that of the densities.
KSPACING_PER_ANG = 0.1
COARSE_KSPACING_PER_ANG = 0.4
# The protocol's smearing, and that of the densities.
WIDTH_HA = 0.00225
WIDE_WIDTH_HA = 0.01
# Energies are of second order in what densities lack.
TOLERANCE = 1e-4
SHOWN = 15
FOLDER = Path(__file__).parent / "results"
RESULTS = FOLDER / "acwf.jsonl"

Record = dict[str, Any]


def crystal_of(element: str, structure: str) -> Crystal:
    """The element in a structure at its all-electron volume."""
    lattice, positions = STRUCTURES[structure]
    edge = acwf(element, structure)[0].lattice_constant_ang
    assert edge is not None
    return Crystal(lattice * edge / BOHR_ANG, [element] * len(positions), positions, name=f"{element} {structure}")


def mesh_of(crystal: Crystal, kspacing: float) -> tuple[int, int, int]:
    """The smallest mesh whose points are at most so far apart, 1/angstrom."""
    lengths = np.linalg.norm(crystal.reciprocal, axis=1) / BOHR_ANG
    first, second, third = (ceil(length / kspacing - 1e-6) for length in lengths)
    return first, second, third


def settings_of(
    element: str,
    structure: str,
    pseudo: str = TABLE,
    kspacing: float = COARSE_KSPACING_PER_ANG,
    width_ha: float = WIDE_WIDTH_HA,
) -> Record:
    """The settings of the SCFs of one element in one structure, as plain data."""
    crystal = crystal_of(element, structure)
    return {
        "structure": crystal.to_dict(),
        "pseudo": pseudo,
        "ecut_ha": pseudodojo_cutoffs(TABLE)[element]["high"],
        "kmesh": list(mesh_of(crystal, kspacing)),
        "smearing": "fermi-dirac",
        "width_ha": width_ha,
        "tolerance": TOLERANCE,
        "spin": False,
    }


def label_of(element: str, structure: str, kspacing: float, pseudo: str) -> Record:
    """By what a record is known again."""
    settings = settings_of(element, structure, pseudo)
    kept = {"ecut_ha": settings["ecut_ha"], "tolerance": settings["tolerance"]}
    kept |= {"scf_kmesh": settings["kmesh"], "scf_width_ha": settings["width_ha"]}
    kept |= {"kmesh": list(mesh_of(crystal_of(element, structure), kspacing)), "width_ha": WIDTH_HA}
    source = sources(pseudo, "pbe", find_pseudopotentials((element,), pseudo, "pbe", {}))[element]
    return {"element": element, "structure": structure, "pseudopotential": source} | kept


def compute(element: str, structure: str, kspacing: float, pseudo: str) -> Record:
    """The line of one element in one structure; a failure is part of it."""
    record = label_of(element, structure, kspacing, pseudo)
    record |= {"volume_ang3": None, "bulk_modulus_gpa": None, "converged": False, "message": ""}
    started = time.perf_counter()
    try:
        calculation = settings_of(element, structure, pseudo)
        states = states_of_task(EquationOfStateTask.from_dict({"calculation": calculation, "points": POINTS}))
        energies = HARTREE_EV * free_energies_on_mesh(states, tuple(record["kmesh"]), FermiDirac(WIDTH_HA))
        volumes = np.array([state.crystal.volume * BOHR_ANG**3 for state in states])
        curve = fitted_curve(states[0].crystal, "volume", volumes, energies)
    except Exception as error:  # whatever goes wrong with one crystal is a result of the sweep, not its end
        record["message"] = f"{type(error).__name__}: {error}"
    else:
        messages = dict.fromkeys([curve.message, *(state.message for state in states)])
        record |= {"converged": all(state.converged for state in states), "message": " ".join(filter(None, messages))}
        record |= {"volumes_ang3": volumes.tolist(), "energies_ev": energies.tolist()}
        if curve.fit is not None:
            record["volume_ang3"] = curve.fit.volume0 / len(STRUCTURES[structure][1])
            record["bulk_modulus_gpa"] = curve.to_dict()["bulk_modulus_gpa"]
    return record | {"seconds": time.perf_counter() - started}


def key_of(record: Record) -> str:
    """The label of a record as text."""
    names = (
        "element", "structure", "pseudopotential", "ecut_ha", "tolerance", "scf_kmesh", "scf_width_ha", "kmesh",
        "width_ha",
    )  # fmt: skip
    return json.dumps({name: record[name] for name in names}, sort_keys=True)


def read(results: Path) -> dict[str, Record]:
    """The records in a file by their labels; a line that was broken off is computed again."""
    records: dict[str, Record] = {}
    for line in results.read_text(encoding="utf-8").splitlines() if results.exists() else []:
        try:
            record = json.loads(line)
        except json.JSONDecodeError:
            continue
        records[key_of(record)] = record
    return records


def sweep(
    cases: Sequence[tuple[str, str]],
    kspacing: float,
    pseudo: str,
    results: Path,
    processes: int,
    scheduler: str | None,
) -> Iterator[Record]:
    """The records as they arrive: what is in the file of results first, then what is computed and appended to it."""
    known = read(results)
    missing = []
    for element, structure in cases:
        key = key_of(label_of(element, structure, kspacing, pseudo))
        if key in known:
            yield known[key]
        else:
            missing.append((element, structure, kspacing, pseudo))
    for record in _computed(missing, processes, scheduler):
        with results.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")
        yield record


def _computed(missing: list[tuple[str, str, float, str]], processes: int, scheduler: str | None) -> Iterator[Record]:
    if not missing:
        return
    if scheduler is not None:
        from distributed import Client
        from distributed import as_completed as dask_as_completed

        # Workers need this folder on their PYTHONPATH, as well as mlxc.
        with Client(scheduler) as client:
            for future in dask_as_completed([client.submit(compute, *case, pure=False) for case in missing]):
                yield future.result()
        return
    with warm_processes(processes, threads=1) as pool:
        futures: list[Future[Record]] = [pool.submit(compute, *case) for case in missing]
        for finished in as_completed(futures):
            yield finished.result()


def deviation(record: Record) -> float | None:
    """Of the volume from the all-electron one, percent."""
    volume = record["volume_ang3"]
    reference = acwf(record["element"], record["structure"])[0].volume_per_atom_ang3
    return None if volume is None else 100 * (volume / reference - 1)


def all_cases() -> list[tuple[str, str]]:
    """Every element in every structure that the reference has, in the order of atomic numbers."""
    found = []
    for element in sorted(pseudodojo_elements(TABLE), key=atomic_numbers.__getitem__):
        for structure in STRUCTURES:
            try:
                acwf(element, structure)
            except (InputError, KeyError):
                continue
            found.append((element, structure))
    return found


def chosen(words: list[str]) -> list[tuple[str, str]]:
    """The cases that words such as ``Si`` or ``Al/FCC`` mean; all of them without words."""
    wanted = [tuple(word.split("/")) for word in words]
    return [case for case in all_cases() if not wanted or case in wanted or (case[0],) in wanted]


def without_tail(record: Record) -> float | None:
    """The deviation, percent, if local potentials were -Z/r where PseudoDojo's psp8 files end, to first order.

    None where there is no volume, or where other files than the table's were used.
    """
    if record["volume_ang3"] is None:
        return None
    element, structure = record["element"], record["structure"]
    file = find_pseudopotentials((element,), TABLE, "pbe", {})[element]
    if file.sha256 != record["pseudopotential"]["sha256"]:
        return None
    natoms = len(STRUCTURES[structure][1])
    crystal, volumes = crystal_of(element, structure), np.array(record["volumes_ang3"])
    scales = (volumes / BOHR_ANG**3 / crystal.volume) ** (1 / 3)
    tail = HARTREE_EV * np.array([energy_of_tail(file, crystal.scaled(scale)) for scale in scales])
    curve = fitted_curve(crystal, "volume", volumes, np.array(record["energies_ev"]) - tail)
    return deviation(record | {"volume_ang3": curve.fit.volume0 / natoms if curve.fit is not None else None})


def report(records: Sequence[Record]) -> None:
    """The median deviation, the largest ones, and what has failed."""
    found = [(deviation(one), without_tail(one), one) for one in records if one["volume_ang3"] is not None]
    if found:
        first, second = ([abs(row[column]) for row in found if row[column] is not None] for column in (0, 1))
        print(f"\n{len(found)} of {len(records)} crystals have a volume; median |deviation| {median(first):.3f} %.")
        if second:
            print(f"With local potentials that are -Z/r from {END} bohr on, {len(second)} have {median(second):.3f} %.")
            _compare_with_own(found)
        print("The largest:\n")
        print_header("element", "structure", "V0 (ang^3)", "all-electron", "deviation %", "-Z/r %", "message")
        for ours, cut, record in sorted(found, key=lambda row: -abs(row[0] or 0.0))[:SHOWN]:
            reference = acwf(record["element"], record["structure"])[0].volume_per_atom_ang3
            row = [record["element"], record["structure"], f"{record['volume_ang3']:.3f}", f"{reference:.3f}"]
            print_row([*row, cell(ours, "+.2f"), cell(cut, "+.2f"), record["message"]])
    for record in records:
        if record["volume_ang3"] is None:
            print(f"{record['element']}/{record['structure']}: {record['message']}")


def _compare_with_own(found: list[tuple[float | None, float | None, Record]]) -> None:
    """How far first order is from the volumes of SCFs with such files, as far as these have been computed."""
    own = {(one["element"], one["structure"]): deviation(one) for one in read(results_of(DEFAULT_FOLDER.name)).values()}
    wrong = {
        f"{one['element']} {one['structure']}": abs(cut - theirs)
        for _, cut, one in found
        if cut is not None and (theirs := own.get((one["element"], one["structure"]))) is not None
    }
    if wrong:
        worst = max(wrong, key=wrong.__getitem__)
        print(f"SCFs with such files, computed for {len(wrong)}, differ from that, which is of first order, by")
        print(f"{median(wrong.values()):.3f} % in the median, at most {wrong[worst]:.2f} % ({worst}).")


def results_of(pseudo: str) -> Path:
    """The file of results of a table, or of a folder's files."""
    return RESULTS if pseudo == TABLE else FOLDER / f"acwf-{Path(pseudo).name}.jsonl"


def main() -> None:
    """Compute what is missing, one line each, and report; or report what is there."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="ELEMENT[/STRUCTURE]", help="such as Al/FCC or Si; default: all")
    parser.add_argument("--kspacing", type=float, default=KSPACING_PER_ANG, help="1/angstrom; default: %(default)s")
    parser.add_argument("--pseudo", default=TABLE, help="a table or a folder; default: %(default)s")
    parser.add_argument("--results", type=Path, help=f"file of JSON lines; default: {RESULTS}, or one for the folder")
    parser.add_argument("--processes", type=int, default=1, help="local processes that share the crystals")
    parser.add_argument("--scheduler", help="address of a Dask scheduler whose workers compute instead")
    parser.add_argument("--report", action="store_true", help="report what is in the file, and compute nothing")
    arguments = parser.parse_args()
    cases = chosen(arguments.cases)
    if not cases:
        parser.error(f"there is none of {', '.join(arguments.cases)}; structures are {', '.join(STRUCTURES)}")
    results = arguments.results or results_of(arguments.pseudo)
    results.parent.mkdir(parents=True, exist_ok=True)
    if arguments.report:
        records = list(read(results).values())
        report([record for record in records if (record["element"], record["structure"]) in cases])
        return
    print_header("element", "structure", "deviation %", "seconds", "message")
    records = []
    for record in sweep(cases, arguments.kspacing, arguments.pseudo, results, arguments.processes, arguments.scheduler):
        records.append(record)
        row = [record["element"], record["structure"], cell(deviation(record), "+.2f"), f"{record['seconds']:.0f}"]
        print_row([*row, record["message"]])
    report(records)


if __name__ == "__main__":
    main()
