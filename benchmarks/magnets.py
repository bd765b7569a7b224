"""Whether magnets end in the lowest state from the start that nobody has chosen, as a Markdown table.

    python benchmarks/pseudodojo_files.py      # once: the pseudopotentials
    python benchmarks/magnets.py [--ecut 22] [--folder FOLDER] [case ...]

An SCF of a magnet may end at a state that is not the lowest one, by where it starts. Each crystal is computed from the
start that mlxc chooses and from five others, in which each atom of the magnetic elements has the same moment, and the
others none. Energies are free energies per atom, moments the integrals of the absolute magnetisation per atom. Cutoffs
and k meshes are coarse: what is compared are states of one discretisation.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pseudodojo_files import DEFAULT_FOLDER, require
from pymatgen.core import Lattice
from space_group_crystals import Point, crystal, in_a_box
from tables import cell, print_header, print_row

from mlxc import Calculation, Crystal, InputError
from mlxc.crystal.magnetism import OFTEN_MAGNETIC
from mlxc.properties.magnetic_branches import moment_per_atom
from mlxc.units import HARTREE_EV

FCC, BCC, HCP, RUTILE, DIMER = "Fm-3m", "Im-3m", "P6_3/mmc", "P4_2/mnm", 1.21
ORIGIN, MIDDLE, THIRD = (0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (1 / 3, 2 / 3, 0.25)
# Moments of the five starts, Bohr magneton per magnetic atom.
STARTS = (0.5, 1.0, 2.0, 3.0, 5.0)


@dataclass(frozen=True)
class Magnet:
    """A crystal, or a molecule, and how it is sampled.

    Attributes:
        crystal: Without moments.
        kmesh: The mesh of k points.
        width_ha: The width of the Fermi-Dirac smearing.
    """

    crystal: Crystal
    kmesh: tuple[int, int, int]
    width_ha: float = 0.005


def _fcc_iron(volume_ang3: float) -> Crystal:
    edge = (4 * volume_ang3) ** (1 / 3)
    return crystal(f"fcc Fe, {volume_ang3:g} Å³", FCC, Lattice.cubic(edge), {"Fe": [ORIGIN]})


def _rock_salt(metal: str, edge: float) -> Crystal:
    return crystal(f"{metal}O", FCC, Lattice.cubic(edge), {metal: [ORIGIN], "O": [MIDDLE]})


def _strained(crystal: Crystal, factors: Point) -> Crystal:
    return Crystal(
        crystal.lattice * np.array(factors), crystal.species, crystal.positions, name=f"{crystal.name}, strained"
    )


CASES = {
    "ni": Magnet(crystal("fcc Ni", FCC, Lattice.cubic(3.52), {"Ni": [ORIGIN]}), (6, 6, 6)),
    "fe-bcc": Magnet(crystal("bcc Fe", BCC, Lattice.cubic(2.83), {"Fe": [ORIGIN]}), (6, 6, 6)),
    # Between these volumes iron goes from low to high spin.
    "fe-fcc-small": Magnet(_fcc_iron(12.247), (4, 4, 4), 0.003),
    "fe-fcc-large": Magnet(_fcc_iron(13.414), (4, 4, 4), 0.003),
    "co-hcp": Magnet(crystal("hcp Co", HCP, Lattice.hexagonal(2.49, 4.03), {"Co": [THIRD]}), (4, 4, 3)),
    "co-fcc": Magnet(crystal("fcc Co", FCC, Lattice.cubic(3.52), {"Co": [ORIGIN]}), (6, 6, 6)),
    "mn": Magnet(crystal("fcc Mn", FCC, Lattice.cubic(3.5), {"Mn": [ORIGIN]}), (4, 4, 4)),
    "cr": Magnet(crystal("bcc Cr", BCC, Lattice.cubic(2.88), {"Cr": [ORIGIN]}, cube=True), (4, 4, 4)),
    "mno": Magnet(_rock_salt("Mn", 4.44), (3, 3, 3)),
    "nio": Magnet(_rock_salt("Ni", 4.18), (3, 3, 3)),
    "feo": Magnet(_rock_salt("Fe", 4.33), (3, 3, 3)),
    "cro2": Magnet(
        crystal("CrO2", RUTILE, Lattice.tetragonal(4.42, 2.92), {"Cr": [ORIGIN], "O": [(0.303, 0.303, 0)]}), (2, 2, 3)
    ),
    "fe3al": Magnet(
        crystal("Fe3Al", FCC, Lattice.cubic(5.79), {"Fe": [MIDDLE, (0.25, 0.25, 0.25)], "Al": [ORIGIN]}), (4, 4, 4)
    ),
    "o2": Magnet(in_a_box("O2", 6.0, [("O", (0, 0, -DIMER / 2)), ("O", (0, 0, DIMER / 2))]), (1, 1, 1), 0.003),
    "fe-atom": Magnet(in_a_box("Fe atom", 6.0, [("Fe", ORIGIN)]), (1, 1, 1), 0.003),
    # Of these, none was looked at while the starts were chosen.
    "coo": Magnet(_rock_salt("Co", 4.26), (3, 3, 3)),
    "vo": Magnet(_rock_salt("V", 4.09), (3, 3, 3)),
    "crn": Magnet(crystal("CrN", FCC, Lattice.cubic(4.15), {"Cr": [ORIGIN], "N": [MIDDLE]}), (3, 3, 3)),
    "fes": Magnet(crystal("FeS, rock salt", FCC, Lattice.cubic(5.0), {"Fe": [ORIGIN], "S": [MIDDLE]}), (3, 3, 3)),
    "mnf2": Magnet(
        crystal("MnF2", RUTILE, Lattice.tetragonal(4.87, 3.31), {"Mn": [ORIGIN], "F": [(0.305, 0.305, 0)]}), (2, 2, 2)
    ),
    "co2mnsi": Magnet(
        crystal("Co2MnSi", FCC, Lattice.cubic(5.65), {"Co": [(0.25, 0.25, 0.25)], "Mn": [ORIGIN], "Si": [MIDDLE]}),
        (3, 3, 3),
    ),
    "feco": Magnet(crystal("FeCo", "Pm-3m", Lattice.cubic(2.85), {"Fe": [ORIGIN], "Co": [MIDDLE]}), (4, 4, 4)),
    "nio-strained": Magnet(_strained(_rock_salt("Ni", 4.18), (1.03, 0.98, 1.0)), (3, 3, 3)),
    "no": Magnet(in_a_box("NO", 6.0, [("N", (0, 0, -0.575)), ("O", (0, 0, 0.575))]), (1, 1, 1), 0.003),
    "mn-atom": Magnet(in_a_box("Mn atom", 6.0, [("Mn", ORIGIN)]), (1, 1, 1), 0.003),
}


@dataclass(frozen=True)
class End:
    """Where an SCF ended.

    Attributes:
        steps: Its steps, those of a second start included.
        energy_ha: The free energy per atom.
        moment: The integral of the absolute magnetisation per atom, Bohr magneton.
    """

    steps: int
    energy_ha: float
    moment: float


def solve(magnet: Magnet, start: float | None, ecut: float, folder: Path) -> End | None:
    """From the start that mlxc chooses, or from a moment of each magnetic atom; None where it has not converged."""
    crystal = magnet.crystal
    if start is not None:
        magnetic = OFTEN_MAGNETIC.intersection(crystal.species) or set(crystal.species)
        moments = [start if symbol in magnetic else 0.0 for symbol in crystal.species]
        crystal = Crystal(crystal.lattice, crystal.species, crystal.positions, moments, crystal.name)
    settings = {
        "structure": crystal,
        "pseudo": str(folder),
        "ecut_ha": ecut,
        "kmesh": magnet.kmesh,
        "smearing": "fermi-dirac",
        "width_ha": magnet.width_ha,
        "spin": True,
    }
    try:
        state = Calculation.from_dict(settings).run(forces=False, differentiate=None)
    except InputError as error:
        print(f"{crystal.name} from {start}: {error}", file=sys.stderr)
        return None
    if not state.converged:
        print(f"{crystal.name} from {start}: {state.message}", file=sys.stderr)
        return None
    return End(len(state.history), float(state.energy) / len(crystal.species), moment_per_atom(state))


def print_magnet(magnet: Magnet, ecut: float, folder: Path) -> None:
    """One row."""
    usual = solve(magnet, None, ecut, folder)
    ends = {start: solve(magnet, start, ecut, folder) for start in STARTS}
    converged = {start: end for start, end in ends.items() if end is not None}
    start = min(converged, key=lambda start: converged[start].energy_ha, default=None)
    best = None if start is None else converged[start]
    above = usual.energy_ha - best.energy_ha if usual and best else None
    print_row(
        [
            magnet.crystal.name,
            cell(usual and usual.steps, "d"),
            cell(usual and usual.moment, ".3f"),
            cell(usual and usual.energy_ha, ".6f"),
            cell(start, "g"),
            cell(best and best.steps, "d"),
            cell(best and best.moment, ".3f"),
            cell(best and best.energy_ha, ".6f"),
            cell(None if above is None else 1e3 * HARTREE_EV * above, ".2f"),
            f"{len(converged)} of {len(STARTS)}",
        ]
    )


def main() -> None:
    """Print one row for each magnet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help=f"default: {' '.join(CASES)}")
    parser.add_argument("--ecut", type=float, default=22.0, help="hartree; default: %(default)s")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="default: %(default)s")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; choose from {', '.join(CASES)}")
    print_header(
        "crystal",
        "steps",
        "moment (μB/atom)",
        "F (Ha/atom)",
        "best of five: start (μB)",
        "steps",
        "moment (μB/atom)",
        "F (Ha/atom)",
        "default above best (meV/atom)",
        "converged of five",
    )
    for case in arguments.cases or CASES:
        print_magnet(CASES[case], arguments.ecut, require(arguments.folder))
    print(f"\nPyTorch {torch.__version__}, NumPy {np.__version__}.")


if __name__ == "__main__":
    main()
