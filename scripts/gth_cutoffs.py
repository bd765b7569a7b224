"""Measures the plane-wave cutoff that each GTH pseudopotential needs for 1 mHa per atom.

    python scripts/gth_cutoffs.py            # writes assets/pseudopotentials/gth_cutoffs.json
    python scripts/gth_cutoffs.py --check    # self-consistent energies of a few elements beside it

The free atom is put into a sphere, and its Hamiltonian, with the self-consistent potential of
``mlxc.pseudo.atom.solve_atom``, is diagonalised in spherical waves j_l(kr) up to k = sqrt(2 E_cut), which are what
plane waves are around an atom. The sum of the occupied levels less the same at a very high cutoff is the error of the
total energy to first order, because the energy is stationary in the orbitals. The smallest cutoff at which this is
within half a mHa, to the next 5 Ha, is what is written, but at least 20 Ha: the electrons of a crystal have angular
momenta that those of the atom have not.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from math import ceil, pi, sqrt
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import spherical_jn

import mlxc
from mlxc.pseudo.atom import solve_atom, valence_potential
from mlxc.pseudo.gth import GTHPseudopotential
from mlxc.pseudo.gth_table import GTH_TABLES, GTHParameters, gth_entries

TARGET = Path(__file__).resolve().parents[1] / "assets" / "pseudopotentials" / "gth_cutoffs.json"
ERROR_HA = 5e-4
STEP_HA = 5
LEAST_HA = 20
HIGHEST_HA = 1600.0
# Of the sphere, in which the functions' tails do not matter.
SPHERE_BOHR = 7.0
POINTS = 4000
# Elements with soft and hard pseudopotentials, and the edge of a cube that holds one atom, angstrom.
CHECKED = {"Si": 2.5, "Al": 2.6, "Fe": 2.3, "O": 2.0, "Zn": 2.6, "C": 2.0, "Ca": 3.2, "Gd": 3.0}

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Shell:
    """The Hamiltonian of one angular momentum in spherical waves, lowest k first, and how its levels are filled."""

    wave_vectors: Array
    hamiltonian: Array
    occupations: list[int]

    def energy(self, cutoff: float) -> float:
        """The sum of the occupied levels with the waves up to a cutoff, hartree."""
        count = int(np.searchsorted(self.wave_vectors**2 / 2, cutoff))
        levels = np.linalg.eigvalsh(self.hamiltonian[:count, :count])
        return float(sum(f * level for f, level in zip(self.occupations, levels, strict=False)))


def shells(parameters: GTHParameters) -> list[Shell]:
    """The occupied angular momenta of an atom in a sphere."""
    r = SPHERE_BOHR * (np.arange(POINTS) + 0.5) / POINTS
    weight = SPHERE_BOHR / POINTS
    radius = torch.tensor(r)
    pseudopotential = GTHPseudopotential(parameters)
    atom = solve_atom(parameters)
    screening = np.interp(r, atom.radius.numpy(), valence_potential(atom).numpy())
    local = pseudopotential.local_potential(radius).numpy() + screening
    found = []
    for ell, electrons in enumerate(parameters.electrons):
        if electrons == 0:
            continue
        k = zeros_of_bessel(ell, sqrt(2 * HIGHEST_HA) * SPHERE_BOHR) / SPHERE_BOHR
        waves = r * spherical_jn(ell, np.multiply.outer(k, r))
        waves /= np.sqrt((waves**2).sum(1) * weight)[:, None]
        hamiltonian = np.diag(k**2 / 2) + (waves * local * weight) @ waves.T
        if ell < len(pseudopotential.channels):
            coupling = pseudopotential.channels[ell].numpy()
            projectors = [pseudopotential.projector(ell, i, radius).numpy() * r for i in range(len(coupling))]
            if projectors:
                overlaps = waves @ (np.array(projectors) * weight).T
                hamiltonian += overlaps @ coupling @ overlaps.T
        capacity = 4 * ell + 2
        found.append(Shell(k, hamiltonian, [min(capacity, electrons - n) for n in range(0, electrons, capacity)]))
    return found


def zeros_of_bessel(ell: int, largest: float) -> Array:
    """The zeros of j_l up to a number, by bisection between sign changes on a fine mesh."""
    x = np.arange(0.5, largest, pi / 40)
    values = spherical_jn(ell, x)
    index = np.flatnonzero(values[:-1] * values[1:] < 0)
    low, high = x[index], x[index + 1]
    sign = np.sign(values[index])
    for _ in range(50):
        middle = (low + high) / 2
        left = np.sign(spherical_jn(ell, middle)) == sign
        low, high = np.where(left, middle, low), np.where(left, high, middle)
    return np.asarray((low + high) / 2)


def needed_cutoff(parameters: GTHParameters) -> int:
    """The smallest multiple of ``STEP_HA`` at which the atom's energy is within ``ERROR_HA``, hartree."""
    found = shells(parameters)
    limit = sum(shell.energy(HIGHEST_HA) for shell in found)
    low, high = 1, ceil(HIGHEST_HA / STEP_HA)
    while low < high:
        middle = (low + high) // 2
        enough = sum(shell.energy(STEP_HA * middle) for shell in found) - limit <= ERROR_HA
        low, high = (low, middle) if enough else (middle + 1, high)
    return max(STEP_HA * low, LEAST_HA)


def measure() -> None:
    """Write the cutoffs of all entries of all tables."""
    cutoffs: dict[str, dict[str, dict[str, int]]] = {}
    for table in GTH_TABLES:
        cutoffs[table] = {}
        for entry in gth_entries(table):
            cutoffs[table].setdefault(entry.symbol, {})[entry.name] = needed_cutoff(entry)
            print(table, entry.symbol, entry.name, cutoffs[table][entry.symbol][entry.name], flush=True)
    lines = []
    for table, elements in cutoffs.items():
        rows = [f'      "{symbol}": {json.dumps(names)}' for symbol, names in elements.items()]
        lines.append(f'    "{table}": {{\n' + ",\n".join(rows) + "\n    }")
    source = "scripts/gth_cutoffs.py: half a mHa for the free atom in spherical waves, at least 20 Ha"
    tables = ",\n".join(lines)
    text = f'{{\n  "unit": "hartree",\n  "source": "{source}",\n  "cutoffs": {{\n{tables}\n  }}\n}}\n'
    TARGET.write_text(text, encoding="utf-8")


def check() -> None:
    """Print the error of the self-consistent energy of a crystal at the cutoff that is written, for a few elements."""
    cutoffs = json.loads(TARGET.read_text(encoding="utf-8"))["cutoffs"]["gth-pbe"]
    for symbol, edge in CHECKED.items():
        crystal = mlxc.Crystal.from_dict(
            {"lattice_ang": (edge * np.eye(3)).tolist(), "species": [symbol], "fractional_positions": [[0, 0, 0]]}
        )
        entry = mlxc.pseudo.gth_table.find_gth(symbol, "gth-pbe", "pbe")
        cutoff = cutoffs[symbol][entry.name]
        energies = {
            ecut: float(
                mlxc.scf(
                    crystal, basis=mlxc.PlaneWaves(ecut), kmesh=(1, 1, 1), smearing=mlxc.FermiDirac(0.02), spin=False,
                    pseudo="gth-pbe", tolerance=1e-5, max_iterations=200, differentiate=None,
                ).energy
            )
            for ecut in (cutoff / 2, cutoff, 2 * cutoff)
        }  # fmt: skip
        limit = energies[2 * cutoff]
        errors = ", ".join(f"{ecut:g} Ha {1000 * (energy - limit):.2f} mHa" for ecut, energy in energies.items())
        print(f"{symbol} {entry.name}: {errors}", flush=True)


def main() -> None:
    """Measure, or check what has been measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="self-consistent energies beside what is written")
    check() if parser.parse_args().check else measure()


if __name__ == "__main__":
    main()
