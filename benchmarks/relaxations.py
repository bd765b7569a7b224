"""Relaxations with meta-GGAs from displaced atoms, and their forces against finite differences, as a Markdown table.

    python benchmarks/pseudodojo_files.py      # once: the pseudopotentials
    python benchmarks/relaxations.py [--xc r2scan scan solids-mgga] [--seed 1] [--ecut 24] [--folder FOLDER] [case ...]

The atoms start where ``meta_gga.py`` puts them. Their forces are compared along a random direction with a central
difference of the energy, and then the atoms are relaxed by ASE's BFGS until no force is above 1e-3 eV/angstrom. The
direction moves no centre: a shift of all atoms against the grid changes the energy of SCAN a little, and the sum of the
forces is taken off them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from ase.optimize import BFGS
from meta_gga import CASES, displaced, parsed
from pseudodojo_files import require
from tables import print_header, print_row

from mlxc.ase import MLXC

# A crystal of each kind: covalent, ionic, a layer, a molecule, a metal, a magnet.
KINDS = ("si", "mgo", "mos2", "h2o", "al", "fe")
# Electronvolt per angstrom, and the optimiser's steps within which it has to be reached.
RELAXED, MOST_STEPS = 1e-3, 60
# Of the central difference, angstrom.
STEP = 0.001


def error_of_forces(atoms: Atoms, seed: int) -> float:
    """The force along a random direction minus the central difference of the energy, eV/angstrom."""
    direction = np.random.default_rng(seed).normal(size=atoms.positions.shape)
    direction -= direction.mean(axis=0)
    direction /= np.linalg.norm(direction)
    force = float((atoms.get_forces() * direction).sum())
    start, energies = atoms.positions.copy(), []
    for sign in (1, -1):
        atoms.set_positions(start + sign * STEP * direction)
        energies.append(atoms.get_potential_energy())
    atoms.set_positions(start)
    return force + (energies[0] - energies[1]) / (2 * STEP)


def largest_force(atoms: Atoms) -> float:
    """The norm of the largest force on an atom, eV/angstrom."""
    return float(np.linalg.norm(atoms.get_forces(), axis=1).max())


def row_of(name: str, xc: str, seed: int, ecut: float, folder: Path) -> list[str]:
    """The row of the table for one crystal and one functional."""
    atoms = displaced(CASES[name].crystal, seed).to_ase()
    atoms.calc = MLXC(**CASES[name].settings(xc, ecut, folder))
    first, error = largest_force(atoms), error_of_forces(atoms, seed)
    optimiser = BFGS(atoms, logfile=None)
    relaxed = optimiser.run(fmax=RELAXED, steps=MOST_STEPS)
    steps = str(optimiser.nsteps) if relaxed else f"not in {MOST_STEPS}"
    return [CASES[name].crystal.name, xc, f"{first:.3f}", f"{error:.1e}", steps, f"{largest_force(atoms):.1e}"]


def main() -> None:
    """Print one row for each crystal and functional."""
    arguments = parsed(__doc__, KINDS)
    folder = require(arguments.folder)
    units = "(eV/angstrom)"
    print_header(
        "crystal", "functional", f"largest force at first {units}", f"force minus difference {units}",
        "steps to relax", f"largest force at last {units}",
    )  # fmt: skip
    for name in arguments.cases or KINDS:
        for xc in arguments.xc:
            print_row(row_of(name, xc, arguments.seed, arguments.ecut, folder))
    print(f"\nPyTorch {torch.__version__}, one seed of displacements: {arguments.seed}.")


if __name__ == "__main__":
    main()
