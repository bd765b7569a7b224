"""Runs in the Python that has GPAW: calculations from standard input, energies to standard output, both JSON."""

import json
import sys

from ase import Atoms
from gpaw import GPAW, PW, FermiDirac

# Electronvolt; its plane waves are converged far below that.
CUTOFF_EV = 700
WIDTH_EV = 0.1


def main() -> None:
    """Free energies in electronvolt; PAW data sets and grid are GPAW's own."""
    energies = []
    for case in json.load(sys.stdin):
        atoms = Atoms(case["species"], cell=case["lattice_ang"], scaled_positions=case["positions"], pbc=True)
        if case["spin"]:
            atoms.set_initial_magnetic_moments(case["moments"])
        atoms.calc = GPAW(
            mode=PW(CUTOFF_EV), xc="PBE", kpts={"size": case["kmesh"], "gamma": True}, spinpol=case["spin"],
            occupations=FermiDirac(WIDTH_EV), convergence={"energy": 1e-7}, txt=None,
        )  # fmt: skip
        energies.append(atoms.get_potential_energy(force_consistent=True))
    json.dump(energies, sys.stdout)


if __name__ == "__main__":
    main()
