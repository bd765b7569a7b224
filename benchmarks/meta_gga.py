"""How many SCF steps meta-GGAs need in crystals and molecules whose atoms are displaced, as a Markdown table.

    python benchmarks/pseudodojo_files.py      # once: the pseudopotentials
    python benchmarks/meta_gga.py [--xc r2scan scan solids-mgga] [--seed 1] [--ecut 24] [--folder FOLDER] [case ...]

Each Cartesian coordinate of each atom is displaced by up to 0.05 angstrom, so that no symmetry helps. Cutoffs and k
meshes are coarse, which is harder for a meta-GGA: cores ring.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pseudodojo_files import DEFAULT_FOLDER, require
from pymatgen.core import Lattice
from space_group_crystals import crystal, in_a_box
from tables import median, print_header, print_row

from mlxc import Calculation, Crystal, InputError
from mlxc.units import BOHR_ANG

XCS = ("r2scan", "scan", "solids-mgga")
# The largest displacement along each axis, angstrom.
DISPLACEMENT = 0.05
# An SCF that takes more steps is one that does not converge.
MOST_STEPS = 40
FCC, DIAMOND, ZINCBLENDE = "Fm-3m", "Fd-3m", "F-43m"
ORIGIN, QUARTER, MIDDLE, THIRD = (0.0, 0.0, 0.0), (0.25, 0.25, 0.25), (0.5, 0.5, 0.5), (1 / 3, 2 / 3, 0.0)


@dataclass(frozen=True)
class Case:
    """A crystal, or a molecule, and how it is computed.

    Attributes:
        crystal: The crystal before its atoms are displaced.
        kmesh: The mesh of k points.
        metal: Whether its bands are filled with a Fermi-Dirac smearing.
        spin: Whether it is spin-polarised.
    """

    crystal: Crystal
    kmesh: tuple[int, int, int] = (2, 2, 2)
    metal: bool = False
    spin: bool = False

    def settings(self, xc: str, ecut: float, folder: Path) -> dict[str, Any]:
        """The fields of a :class:`mlxc.Calculation`, but for the structure."""
        smearing = {"smearing": "fermi-dirac", "width_ha": 0.005} if self.metal else {"smearing": "none"}
        return {
            "xc": xc, "pseudo": str(folder), "ecut_ha": ecut, "kmesh": self.kmesh, "spin": self.spin, **smearing,
        }  # fmt: skip


def _zincblende(cation: str, anion: str, edge: float) -> Case:
    return Case(crystal(f"{cation}{anion}", ZINCBLENDE, Lattice.cubic(edge), {cation: [ORIGIN], anion: [QUARTER]}))


def _rock_salt(cation: str, anion: str, edge: float) -> Case:
    return Case(crystal(f"{cation}{anion}", FCC, Lattice.cubic(edge), {cation: [ORIGIN], anion: [MIDDLE]}))


CASES = {
    "si": Case(crystal("Si", DIAMOND, Lattice.cubic(5.43), {"Si": [ORIGIN]})),
    "ge": Case(crystal("Ge", DIAMOND, Lattice.cubic(5.66), {"Ge": [ORIGIN]})),
    "gaas": _zincblende("Ga", "As", 5.65),
    "zns": _zincblende("Zn", "S", 5.41),
    "inp": _zincblende("In", "P", 5.87),
    "mgo": _rock_salt("Mg", "O", 4.21),
    "nacl": _rock_salt("Na", "Cl", 5.64),
    "al": Case(crystal("Al", FCC, Lattice.cubic(4.05), {"Al": [ORIGIN]}, cube=True), (3, 3, 3), metal=True),
    "mos2": Case(
        crystal(
            "MoS2", "P-6m2", Lattice.hexagonal(3.16, 12.0), {"Mo": [(1 / 3, 2 / 3, 0.5)], "S": [(2 / 3, 1 / 3, 0.63)]}
        ),
        (3, 3, 1),
    ),
    "zno": Case(
        crystal(
            "ZnO", "P6_3mc", Lattice.hexagonal(3.25, 5.2), {"Zn": [THIRD], "O": [(1 / 3, 2 / 3, 0.382)]}
        )
    ),
    "tio2": Case(
        crystal("TiO2", "P4_2/mnm", Lattice.tetragonal(4.59, 2.96), {"Ti": [ORIGIN], "O": [(0.305, 0.305, 0)]})
    ),
    "quartz": Case(
        crystal(
            "SiO2",
            "P3_221",
            Lattice.hexagonal(4.913, 5.405),
            {"Si": [(0.4697, 0, 2 / 3)], "O": [(0.4135, 0.2669, 0.7858)]},
        ),
        (1, 1, 1),
    ),
    "fe": Case(
        crystal("Fe", "Im-3m", Lattice.cubic(2.83), {"Fe": [ORIGIN]}, cube=True), (3, 3, 3), metal=True, spin=True
    ),
    "h2o": Case(
        in_a_box("H2O", 6.0, [("O", ORIGIN), ("H", (0.757, 0.587, 0)), ("H", (-0.757, 0.587, 0))]), (1, 1, 1)
    ),
    "o2": Case(
        in_a_box("O2", 6.0, [("O", (0, 0, -0.605)), ("O", (0, 0, 0.605))]), (1, 1, 1), metal=True, spin=True
    ),
}  # fmt: skip


def displaced(crystal: Crystal, seed: int) -> Crystal:
    """The crystal with all of its atoms displaced."""
    moved = np.random.default_rng(seed).uniform(-DISPLACEMENT, DISPLACEMENT, crystal.positions.shape) / BOHR_ANG
    positions = crystal.positions + moved @ np.linalg.inv(crystal.lattice)
    return Crystal(crystal.lattice, crystal.species, positions, crystal.moments, name=crystal.name)


def steps_of(case: Case, xc: str, seed: int, ecut: float, folder: Path) -> int | None:
    """The steps until the SCF has converged; None where it has not."""
    settings = {"structure": displaced(case.crystal, seed), "max_iterations": MOST_STEPS}
    try:
        state = Calculation.from_dict(settings | case.settings(xc, ecut, folder)).run(forces=False, differentiate=None)
    except InputError as error:
        print(f"{case.crystal.name} with {xc}: {error}", file=sys.stderr)
        return None
    if not state.converged:
        print(f"{case.crystal.name} with {xc}: {state.message}", file=sys.stderr)
        return None
    return len(state.history)


def parsed(description: str, usual: Iterable[str]) -> argparse.Namespace:
    """The arguments of a benchmark of these cases, by default of the usual ones."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("cases", nargs="*", metavar="case", help=f"default: {' '.join(usual)}")
    parser.add_argument("--xc", nargs="+", default=XCS, help=f"default: {' '.join(XCS)}")
    parser.add_argument("--seed", type=int, default=1, help="of the displacements; default: %(default)s")
    parser.add_argument("--ecut", type=float, default=24.0, help="hartree; default: %(default)s")
    parser.add_argument("--folder", type=Path, default=DEFAULT_FOLDER, help="default: %(default)s")
    arguments = parser.parse_args()
    if unknown := set(arguments.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; choose from {', '.join(CASES)}")
    return arguments


def main() -> None:
    """Print one row for each crystal, with a column for each functional."""
    arguments = parsed(__doc__, CASES)
    folder = require(arguments.folder)
    print_header("crystal", *(f"steps with {xc}" for xc in arguments.xc))
    found: dict[str, list[int | None]] = {xc: [] for xc in arguments.xc}
    for name in arguments.cases or CASES:
        for xc, steps in found.items():
            steps.append(steps_of(CASES[name], xc, arguments.seed, arguments.ecut, folder))
        print_row([CASES[name].crystal.name, *(steps[-1] or f"not in {MOST_STEPS}" for steps in found.values())])
    medians = (median(count or MOST_STEPS for count in steps) for steps in found.values())
    print_row(["median", *(f"{middle:g}" for middle in medians)])
    print(f"\nPyTorch {torch.__version__}, one seed of displacements: {arguments.seed}.")


if __name__ == "__main__":
    main()
