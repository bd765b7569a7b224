"""One self-consistent calculation for every element of PseudoDojo's table, with what mlxc takes by default.

    python benchmarks/every_element.py [--family pseudodojo] [--results FILE] [Fe Ni ...]

Each element stands in the crystal that it has in nature where that is a simple one (``ase.build.bulk``), else in a cube
with four atoms at the volume of all-electron codes (FCC of the ACWF study). Pseudopotentials, cutoff and spin are the
defaults of ``mlxc scf``; the k mesh is coarse and the smearing wide, since what is asked is whether everything works,
not what comes out.

Results are appended to a file, one JSON line per element, and elements found there with the same pseudopotential are
not computed again; so a sweep that was interrupted goes on where it stopped. Take a new file for a new version of mlxc.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from ase.build import bulk
from sweep import Record, append, outcome, read
from tables import print_header, print_row

from mlxc.crystal.crystal import Crystal
from mlxc.pseudo.library import FAMILIES, find_pseudopotentials, named_family, sources
from mlxc.pseudo.pseudodojo import PSEUDODOJO, PSEUDODOJO_FAMILIES, pseudodojo_elements
from mlxc.references.tables import acwf
from mlxc.structures.default_settings import mesh_with_spacing

KSPACING_PER_ANG = 0.5
WIDTH_HA = 0.01
TOLERANCE = 1e-5
MAX_ITERATIONS = 100
COLUMNS = ("element", "atoms", "cutoff (Ha)", "free energy (Ha)", "moment", "steps", "converged", "seconds", "message")
RESULTS = Path.home() / ".cache" / "mlxc" / "every_element.jsonl"


def crystal_of(symbol: str) -> Crystal:
    """The crystal of an element, see above."""
    try:
        return Crystal.from_ase(bulk(symbol), symbol)
    except (ValueError, RuntimeError, KeyError, NotImplementedError):
        edge = acwf(symbol, "FCC")[0].lattice_constant_ang
        return Crystal.from_ase(bulk(symbol, "fcc", a=edge), symbol)


def compute(symbol: str, family: str) -> Record:
    """One element's line of the results; a failure is part of it."""
    crystal = crystal_of(symbol)
    settings = {
        "structure": crystal,
        "pseudo": family,
        "kmesh": mesh_with_spacing(crystal, KSPACING_PER_ANG),
        "smearing": "marzari-vanderbilt",
        "width_ha": WIDTH_HA,
        "tolerance": TOLERANCE,
        "max_iterations": MAX_ITERATIONS,
    }
    known = {"element": symbol, "crystal": crystal.formula, "pseudopotential": source_of(symbol, family)}
    return known | outcome(settings)


def source_of(symbol: str, family: str) -> dict[str, str]:
    """The table and the file of an element's pseudopotential, with its hash."""
    return sources(family, "pbe", find_pseudopotentials((symbol,), family, "pbe", {}))[symbol]


def main() -> None:
    """Compute what is missing, and print the table and what has failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("elements", nargs="*", metavar="element", help="all of the table by default")
    parser.add_argument("--family", choices=PSEUDODOJO_FAMILIES, default=PSEUDODOJO, help="default: %(default)s")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of JSON lines; default: %(default)s")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    family, results = arguments.family, arguments.results
    table = named_family(family, (), "pbe")
    known = read(results, "element")
    print(f"{FAMILIES[table]}\n")
    print_header(*COLUMNS)
    records = []
    for symbol in arguments.elements or sorted(pseudodojo_elements(table)):
        record = known.get(symbol)
        if record is None or record["pseudopotential"] != source_of(symbol, family):
            record = compute(symbol, family)
            append(results, record)
        records.append(record)
        print_record(record)
    failed = [record["element"] for record in records if not record["converged"]]
    print(f"\n{len(records) - len(failed)} of {len(records)} converged{': not ' + ' '.join(failed) if failed else ''}.")


def print_record(record: Record) -> None:
    """One row of the table."""
    energy, moment = record["free_energy_ha"], record.get("magnetisation_bohr_magneton")
    print_row(
        [
            record["element"],
            record.get("crystal", ""),
            f"{record.get('ecut_ha', 0):g}",
            "" if energy is None else f"{energy:.4f}",
            "" if moment is None else f"{moment:.2f}",
            str(record["iterations"]),
            "yes" if record["converged"] else "no",
            f"{record['seconds']:.0f}",
            record["message"],
        ]
    )


if __name__ == "__main__":
    main()
