"""Self-consistent calculations of a hundred compounds that nobody has tuned anything for, with the default settings.

    python benchmarks/compounds.py [--seed 1] [--number 100] [--results FILE] [name ...]

The compounds are drawn from those that ``prototypes.py`` calls plausible, as many of each structure as there may be.
Each crystal is strained by a random factor along each of its axes, which leaves no more than orthorhombic symmetry.
Spin, start, mixing, smearing, tolerance and number of steps are the defaults of ``mlxc scf``; cutoffs are those of the
preset "quick look", and the k mesh is coarse, for insulators and metals alike: what is asked is whether everything
converges, not what comes out.

Results are appended to a file, one JSON line for each compound, and compounds found there are not computed again; so a
sweep that was interrupted goes on where it stopped. Take a new file for a new version of mlxc.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from random import Random
from statistics import median

import numpy as np
import torch
from prototypes import Compound, compounds
from sweep import Record, append, outcome, read
from tables import cell, print_header, print_row

from mlxc import Calculation, Crystal
from mlxc.calculation.presets import PRESETS
from mlxc.pseudo.pseudodojo import PSEUDODOJO, pseudodojo_elements
from mlxc.structures.default_settings import mesh_with_spacing

TABLE = "pseudodojo-pbe"
LARGEST_STRAIN = 0.02
# One to three points along each direction, 1/angstrom.
KSPACING_PER_ANG = 1.2
RESULTS = Path.home() / ".cache" / "mlxc" / "compounds.jsonl"
COLUMNS = ("structure", "crystals", "converged", "steps: median", "largest", "magnetic", "seconds: median")


def drawn(number: int, seed: int) -> list[Compound]:
    """So many compounds, as evenly from the structures as they can be, in random order."""
    random = Random(seed)
    ways = compounds(pseudodojo_elements(TABLE))
    shuffled = [random.sample(ways[name], len(ways[name])) for name in ways]
    rounds = (compound for rank in range(max(map(len, shuffled))) for compound in _round(shuffled, rank))
    chosen = [compound for compound, _ in zip(rounds, range(number), strict=False)]
    return random.sample(chosen, len(chosen))


def _round(shuffled: list[list[Compound]], rank: int) -> Iterator[Compound]:
    return (own[rank] for own in shuffled if rank < len(own))


def strained(compound: Compound, seed: int) -> Crystal:
    """The primitive cell after a random strain of its own along each axis of the conventional one."""
    crystal = compound.crystal()
    random = np.random.default_rng([seed, *compound.name.encode()])
    lattice = crystal.lattice * (1 + random.uniform(-LARGEST_STRAIN, LARGEST_STRAIN, 3))
    return Crystal(lattice, crystal.species, crystal.positions, name=compound.name)


def compute(compound: Compound, seed: int) -> Record:
    """One compound's line of the results; a failure is part of it."""
    crystal = strained(compound, seed)
    settings = {"structure": crystal, "pseudo": PSEUDODOJO, "kmesh": mesh_with_spacing(crystal, KSPACING_PER_ANG)}
    recommended = Calculation.from_dict(settings).ecut_ha
    settings["ecut_ha"] = round(PRESETS["quick look"].cutoff * recommended, 2)
    return {"name": compound.name, "structure": compound.structure, "seed": seed} | outcome(settings)


def print_structure(name: str, records: list[Record]) -> None:
    """One row: the compounds of one structure."""
    steps = [record["iterations"] for record in records if record["converged"]]
    print_row(
        [
            name,
            len(records),
            len(steps),
            cell(median(steps) if steps else None, "g"),
            cell(max(steps, default=None), "d"),
            sum(abs(record.get("magnetisation_bohr_magneton") or 0) > 0.01 for record in records),
            cell(median(record["seconds"] for record in records), ".0f"),
        ]
    )


def main() -> None:
    """Compute what is missing, and print the table, what took long and what has failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="name", help='such as "Fe-Se, rock salt"; all by default')
    parser.add_argument("--seed", type=int, default=1, help="of the draw and of the strains; default: %(default)s")
    parser.add_argument("--number", type=int, default=100, help="of compounds; default: %(default)s")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file of JSON lines; default: %(default)s")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    known = {
        name: record for name, record in read(arguments.results, "name").items() if record["seed"] == arguments.seed
    }
    records = []
    for compound in drawn(arguments.number, arguments.seed):
        if arguments.names and compound.name not in arguments.names:
            continue
        if compound.name not in known:
            known[compound.name] = compute(compound, arguments.seed)
            append(arguments.results, known[compound.name])
        records.append(known[compound.name])
    if records:
        print_records(records)


def print_records(records: list[Record]) -> None:
    """The table by structure, and what is to be told of single crystals."""
    print_header(*COLUMNS)
    for name in dict.fromkeys(record["structure"] for record in records):
        print_structure(name, [record for record in records if record["structure"] == name])
    print_structure("all", records)
    print("\nCompounds: " + "; ".join(f"{record['name']} {record['iterations']}" for record in records) + ".")
    failed = [record for record in records if not record["converged"]]
    print(f"\n{len(records) - len(failed)} of {len(records)} converged.")
    for record in failed:
        print(f"\nNot {record['name']}: {record['message'] or 'without a word'}")


if __name__ == "__main__":
    main()
