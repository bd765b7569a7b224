"""Equilibrium volumes of elements beside those of all-electron codes, in the protocol of the ACWF study.

    python benchmarks/pseudodojo_files.py      # once: the pseudopotentials
    python benchmarks/elements.py [--kspacing 0.2] [--processes 2] [Al Cu ...]

Each element stands in one cubic structure with one atom in the cell, mostly one that it does not have in nature. As in
E. Bosoni et al., Nat. Rev. Phys. 6, 45 (2024): PBE without spin polarisation, seven volumes from 94 % to 106 % of the
all-electron volume, one k mesh for all of them, a Birch-Murnaghan fit of the free energies. Different here:
pseudopotentials (PseudoDojo 0.4 "standard" at its recommended cutoff, 1.3 times that for noble gases, whose pressures
are so small that the basis shows); a mesh coarser than that study's spacing of 0.06 per angstrom, which would take
days; and Marzari-Vanderbilt smearing, which bears a coarse mesh and whose free energy hardly depends on the width,
instead of Fermi-Dirac smearing of 61.2 meV. What the mesh leaves open in the volume of a
metal is a part of the deviations: run again with another spacing to see how much.

Everything else is the default of ``mlxc eos``: each volume starts from the one before, the first one from free atoms.
Processes with one thread each share the elements.

Results are appended to a file, one JSON line per element, and elements found there with the same settings are not
computed again; so a sweep that was interrupted goes on where it stopped. Take a new file for a new version of mlxc.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
from mlxc_process import warm_processes
from pseudodojo_files import DEFAULT_FOLDER, require
from tables import cell, median, print_header, print_row

from mlxc.crystal.crystal import Crystal
from mlxc.kohn_sham.monitor import SCFRecord
from mlxc.pseudo.cutoffs import recommended_cutoff
from mlxc.references.tables import acwf
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.units import BOHR_ANG

# Cheap ones first: by the number of orbital coefficients at the default spacing of k points.
_STRUCTURES = """
    Si/FCC Al/BCC P/SC S/FCC Cl/SC B/FCC C/FCC Ar/FCC Kr/FCC Be/SC Li/SC O/SC Ca/SC N/FCC Sn/FCC Ti/SC W/FCC Ga/FCC
    Ge/SC Mo/FCC Mg/FCC V/FCC Pd/SC Pt/SC Ru/BCC K/SC Mn/SC Na/SC Cr/FCC Au/BCC Fe/BCC Ni/SC Ag/BCC Cu/BCC
"""
# Those at the end take hours on two cores, so they are computed when they are named.
NDEFAULT = 30
STRUCTURES = {element: structure for element, _, structure in (pair.partition("/") for pair in _STRUCTURES.split())}
# Full shells all over the zone: half as many k points along each axis are plenty.
NOBLE_GASES = {"Ar", "Kr"}
# Primitive vectors in units of the cube's edge.
LATTICES = {"SC": np.eye(3), "BCC": (1 - 2 * np.eye(3)) / 2, "FCC": (1 - np.eye(3)) / 2}
POINTS = 7
WIDTH_HA = 0.01
RESULTS = Path.home() / ".cache" / "mlxc" / "elements.jsonl"

Record = dict[str, Any]


class Observer:
    """Counts SCF steps of each volume and remembers which volumes converged."""

    def __init__(self) -> None:
        self.iterations: list[int] = []
        self.converged: list[bool] = []

    def step(self, record: SCFRecord) -> None:
        """Called after each SCF step."""
        if record.iteration == 1:
            self.iterations.append(0)
        self.iterations[-1] = record.iteration

    def point(self, point: Record) -> None:
        """Called after each volume."""
        self.converged.append(point["converged"])


def task(element: str, pseudo: Path, kspacing: float) -> EquationOfStateTask:
    """The equation of state of one element around its all-electron volume."""
    structure = STRUCTURES[element]
    edge = acwf(element, structure)[0].lattice_constant_ang
    assert edge is not None
    crystal = Crystal(LATTICES[structure] * edge / BOHR_ANG, [element], [[0, 0, 0]], name=f"{element} {structure}")
    kspacing *= 2 if element in NOBLE_GASES else 1
    lengths = np.linalg.norm(crystal.reciprocal, axis=1) / BOHR_ANG
    cutoff = recommended_cutoff(element, str(pseudo))
    calculation = {
        "structure": crystal.to_dict(),
        "pseudo": str(pseudo),
        "ecut_ha": 1.3 * cutoff if element in NOBLE_GASES else cutoff,
        "kmesh": [ceil(length / kspacing - 1e-6) for length in lengths],
        "smearing": "marzari-vanderbilt",
        "width_ha": WIDTH_HA,
    }
    return EquationOfStateTask.from_dict({"calculation": calculation, "points": POINTS})


def compute(element: str, pseudo: Path, kspacing: float) -> Record:
    """One element's line of the results; a failure is part of it."""
    reference = acwf(element, STRUCTURES[element])[0].volume_per_atom_ang3
    observer = Observer()
    record: Record = {"element": element, "structure": STRUCTURES[element], "kspacing_per_ang": kspacing}
    record |= {"all_electron_ang3": reference, "volume_ang3": None, "message": ""}
    started = time.perf_counter()
    try:
        planned = task(element, pseudo, kspacing)
        record |= {"ecut_ha": planned.calculation.ecut_ha, "kmesh": planned.calculation.kmesh}
        result = planned.run(monitor=observer.step, on_point=observer.point)
    except Exception as error:  # whatever goes wrong with one element is a result of the sweep, not its end
        record["message"] = f"{type(error).__name__}: {error}"
    else:
        record["message"] = result.message
        record["volume_ang3"] = result.fit and result.fit.volume0
        record |= {"volumes_ang3": result.volumes_ang3.tolist(), "energies_ev": result.energies_ev.tolist()}
    record |= {"iterations": observer.iterations, "converged": observer.converged}
    return record | {"seconds": time.perf_counter() - started}


def sweep(elements: list[str], pseudo: Path, kspacing: float, results: Path, processes: int) -> Iterator[Record]:
    """Each element's line, read from the file of results where it is there, else computed and appended to it."""
    known = {r["element"]: r for r in _read(results) if r["kspacing_per_ang"] == kspacing}
    known = {e: r for e, r in known.items() if r["structure"] == STRUCTURES.get(e)}
    with warm_processes(processes, threads=1) as pool:
        running = {e: pool.submit(compute, e, pseudo, kspacing) for e in elements if e not in known}
        for element in elements:
            if element in known:
                yield known[element]
                continue
            record = running[element].result()
            with results.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
            yield record


def deviation(record: Record) -> float | None:
    """Of the volume from the all-electron one, percent."""
    volume = record["volume_ang3"]
    return None if volume is None else 100 * (volume / record["all_electron_ang3"] - 1)


def print_element(record: Record) -> None:
    """One row of the table."""
    print_row(
        [
            record["element"],
            record["structure"],
            cell(record["volume_ang3"], ".3f"),
            f"{record['all_electron_ang3']:.3f}",
            cell(deviation(record), "+.2f"),
            " ".join(map(str, record["iterations"])),
            f"{sum(record['converged'])} of {POINTS}",
            f"{record['seconds']:.0f}",
            record["message"],
        ]
    )


def print_summary(records: list[Record]) -> None:
    """Median and maximum deviation, and how the self-consistency went; volumes never reached count as failures."""
    deviations = {r["element"]: abs(d) for r in records if (d := deviation(r)) is not None}
    if deviations:
        worst = max(deviations, key=lambda element: deviations[element])
        print(
            f"\n{len(deviations)} of {len(records)} elements have a volume; median |deviation| "
            f"{median(deviations.values()):.3f} %, largest {deviations[worst]:.2f} % ({worst})."
        )
    _print_convergence("all", records, slice(None))
    _print_convergence("from free atoms", records, slice(1))
    _print_convergence("from the volume before", records, slice(1, None))
    print(f"{sum(r['seconds'] for r in records) / 60:.1f} minutes of all processes together.")


def _print_convergence(name: str, records: list[Record], points: slice) -> None:
    converged = sum(sum(record["converged"][points]) for record in records)
    iterations = [count for record in records for count in record["iterations"][points]]
    planned = len(records) * len(range(POINTS)[points])
    steps = f"median {median(iterations):g}, largest {max(iterations)}" if iterations else "none"
    share = 100 * converged / planned
    print(f"SCFs, {name}: {converged} of {planned} converged ({share:.1f} %), iterations: {steps}.")


def _read(results: Path) -> list[Record]:
    if not results.exists():
        return []
    return [json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Compute what is missing, print the table and the summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = list(STRUCTURES)
    parser.add_argument("elements", nargs="*", default=names[:NDEFAULT], metavar="element", help=" ".join(names))
    parser.add_argument("--kspacing", type=float, default=0.2, help="of k points, 2 pi included, 1/angstrom")
    parser.add_argument("--pseudo", type=Path, default=DEFAULT_FOLDER, help="folder of UPF files")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of JSON lines; default: %(default)s")
    parser.add_argument("--processes", type=int, default=2, help="that share the elements")
    arguments = parser.parse_args()
    if unknown := set(arguments.elements) - set(STRUCTURES):
        parser.error(f"no structure is chosen for {', '.join(sorted(unknown))}; choose from {' '.join(STRUCTURES)}")
    arguments.results.parent.mkdir(parents=True, exist_ok=True)
    print_header(
        "element",
        "structure",
        "V0 mlxc (ang^3)",
        "V0 all-electron",
        "deviation %",
        "SCF steps",
        "converged",
        "seconds",
        "what went wrong",
    )
    records = []
    pseudo = require(arguments.pseudo)
    for record in sweep(arguments.elements, pseudo, arguments.kspacing, arguments.results, arguments.processes):
        print_element(record)
        records.append(record)
    print_summary(records)


if __name__ == "__main__":
    main()
