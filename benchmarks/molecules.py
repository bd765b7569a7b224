"""Atomisation energies of small molecules with functionals of mlxc in PySCF, beside PySCF's own and experiment.

    python benchmarks/molecules.py [--basis def2-tzvpp] [--xc pbe r2scan solids-mgga]

Geometries are measured ones. The column "experiment", without zero-point motion, is that of table I of J. P. Perdew,
K. Burke and M. Ernzerhof, Phys. Rev. Lett. 77, 3865 (1996), kcal/mol. Functionals that were trained on crystals have
not seen a molecule or a free atom.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter

from pyscf import dft, gto
from tables import cell, print_header, print_row

from mlxc.adapters.pyscf import with_functional
from mlxc.units import HARTREE_EV

KCAL_PER_MOL = 23.0605
# Number of unpaired electrons of free atoms.
UNPAIRED = {"H": 1, "Li": 1, "C": 2, "N": 3, "O": 2, "F": 1}
# Geometry in angstrom, and the measured atomisation energy, kcal/mol.
MOLECULES = {
    "H2": ("H 0 0 0; H 0 0 0.7414", 109),
    "LiH": ("Li 0 0 0; H 0 0 1.5957", 58),
    "CH4": (
        "C 0 0 0; H .6276 .6276 .6276; H -.6276 -.6276 .6276; H -.6276 .6276 -.6276; H .6276 -.6276 -.6276",
        419,
    ),
    "NH3": ("N 0 0 0.1157; H 0 0.9375 -0.2699; H 0.8119 -0.4688 -0.2699; H -0.8119 -0.4688 -0.2699", 297),
    "H2O": ("O 0 0 0.1173; H 0 0.7572 -0.4692; H 0 -0.7572 -0.4692", 232),
    "HF": ("H 0 0 0; F 0 0 0.9168", 141),
    "HCN": ("H 0 0 -1.0655; C 0 0 0; N 0 0 1.1532", 312),
    "CO": ("C 0 0 0; O 0 0 1.1283", 259),
    "N2": ("N 0 0 0; N 0 0 1.0977", 229),
    "F2": ("F 0 0 0; F 0 0 1.4119", 39),
}


def energy(atoms: str, spin: int, xc: str, basis: str, own: bool) -> float:
    """The total energy, hartree, with a functional of mlxc, or with PySCF's own of the same name."""
    molecule = gto.M(atom=atoms, basis=basis, spin=spin, verbose=0)
    mf = dft.UKS(molecule, xc=xc) if own else with_functional(dft.UKS(molecule), xc)
    mf.grids.level = 4
    mf.kernel()
    if not mf.converged:  # open shells of atoms; the second-order solver asks for the functional's kernel
        mf = mf.newton()
        mf.kernel()
    if not mf.converged:
        raise SystemExit(f"{atoms} with {xc} did not converge.")
    return float(mf.e_tot)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--basis", default="def2-tzvpp")
    parser.add_argument("--xc", nargs="+", default=["pbe", "r2scan", "solids-mgga"])
    arguments = parser.parse_args()
    columns = [(xc, False) for xc in arguments.xc] + [("pbe", True)]
    labels = [f"{xc}, {'PySCF' if own else 'mlxc'}" for xc, own in columns]
    print_header("molecule", *labels, "experiment")
    atoms = {
        (symbol, *column): energy(f"{symbol} 0 0 0", unpaired, column[0], arguments.basis, column[1])
        for symbol, unpaired in UNPAIRED.items()
        for column in columns
    }
    errors: dict[str, list[float]] = {label: [] for label in labels}
    for name, (geometry, measured) in MOLECULES.items():
        count = Counter(re.findall(r"[A-Z][a-z]?", geometry))
        found = []
        for column in columns:
            bound = sum(number * atoms[symbol, *column] for symbol, number in count.items())
            bound -= energy(geometry, 0, column[0], arguments.basis, column[1])
            found.append(bound * HARTREE_EV * KCAL_PER_MOL)
        for label, value in zip(labels, found, strict=True):
            errors[label].append(abs(value - measured))
        print_row([name, *(cell(value, ".1f") for value in found), measured])
    means = [cell(sum(values) / len(values), ".1f") for values in errors.values()]
    print_row(["mean absolute error", *means, ""])


if __name__ == "__main__":
    main()
