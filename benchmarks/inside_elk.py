"""Runs Elk, all electrons in linearised augmented plane waves: calculations from standard input, energies to standard
output, both JSON.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.neighborlist import neighbor_list
from ase.units import Bohr

SPECIES = Path("/usr/share/elk-lapw/species")
# Radius of the smallest muffin tin times the largest wave vector.
RADIUS_TIMES_CUTOFF = 7.0
WIDTH_HA = 0.005
# Change of the potential, hartree, at which the energy changes by about 1e-6.
CONVERGED = 1e-5
# Largest wave vector of density and potential, 1/bohr: more than the least that there must be, so that what is left out
# depends little on the volume.
DENSITY_CUTOFF = 16.0
# Of half the shortest bond; one radius for all volumes, so that the basis changes little between them.
MUFFIN_TIN_SHARE = 0.98


def rows(numbers: Iterable[Sequence[float]]) -> str:
    """One line for each."""
    return "\n".join(" ".join(f"{x:.10f}" for x in row) for row in numbers)


def input_file(atoms: Atoms, kmesh: Sequence[int]) -> str:
    """elk.in: PBE, Fermi-Dirac smearing."""
    symbols = list(dict.fromkeys(atoms.symbols))
    places = {symbol: atoms.get_scaled_positions()[atoms.symbols == symbol] for symbol in symbols}
    fields = {symbol: np.hstack([place, np.zeros_like(place)]) for symbol, place in places.items()}
    listed = [f"'{symbol}.in'\n{len(fields[symbol])}\n{rows(fields[symbol])}" for symbol in symbols]
    blocks = {
        "tasks": "0",
        "xctype": "20",
        "stype": "3",
        "swidth": f"{WIDTH_HA}",
        "epspot": f"{CONVERGED}",
        "rgkmax": f"{RADIUS_TIMES_CUTOFF}",
        "gmaxvr": f"{DENSITY_CUTOFF}",
        "ngridk": " ".join(map(str, kmesh)),
        "avec": rows(atoms.cell.array / Bohr),
        "atoms": "\n".join([f"{len(symbols)}", *listed]),
    }
    return "\n\n".join(f"{name}\n{value}" for name, value in blocks.items()) + "\n"


def species_file(symbol: str, radius: float) -> str:
    """Elk's own, with a muffin tin that is not larger than ``radius``, bohr."""
    lines = (SPECIES / f"{symbol}.in").read_text().splitlines()
    index = next(index for index, line in enumerate(lines) if "rmt" in line)
    values, names = lines[index].split(":")
    least, own, largest, points = values.split()
    lines[index] = f"{least} {min(float(own), radius)} {largest} {points} :{names}"
    return "\n".join(lines) + "\n"


def main() -> None:
    """Free energies in hartree, without spin."""
    cases = json.load(sys.stdin)
    crystals = [
        Atoms(case["species"], cell=case["lattice_ang"], scaled_positions=case["positions"], pbc=True) for case in cases
    ]
    bond = min(neighbor_list("d", atoms, 10.0).min() for atoms in crystals)
    energies = []
    for case, atoms in zip(cases, crystals, strict=True):
        with tempfile.TemporaryDirectory() as folder:
            for symbol in set(atoms.symbols):
                text = species_file(symbol, MUFFIN_TIN_SHARE * bond / 2 / Bohr)
                (Path(folder) / f"{symbol}.in").write_text(text)
            (Path(folder) / "elk.in").write_text(input_file(atoms, case["kmesh"]))
            subprocess.run(["elk-lapw"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
            energies.append(float(np.loadtxt(Path(folder) / "TOTENERGY.OUT")[-1]))
    json.dump(energies, sys.stdout)


if __name__ == "__main__":
    main()
