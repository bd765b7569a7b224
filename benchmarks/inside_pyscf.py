"""Runs PySCF in a process of its own: calculations from standard input, energies to standard output, both JSON."""

import json
import sys

import numpy as np
from pyscf.pbc import dft, gto

BASIS, PSEUDO = "gth-dzvp-molopt-sr", "gth-pbe"
# Hartree: of the grid, and of Fermi-Dirac smearing.
CUTOFF_HA, WIDTH_HA = 140.0, 0.005


def main() -> None:
    """Free energies in hartree, in GTH pseudopotentials and a basis of Gaussians."""
    energies = []
    start = None
    for case in json.load(sys.stdin):
        positions = np.array(case["positions"]) @ np.array(case["lattice_ang"])
        cell = gto.M(
            a=case["lattice_ang"], atom=list(zip(case["species"], positions.tolist(), strict=True)), basis=BASIS,
            pseudo=PSEUDO, ke_cutoff=CUTOFF_HA, spin=None, space_group_symmetry=True, verbose=0,
        )  # fmt: skip
        kpoints = cell.make_kpts(
            case["kmesh"], wrap_around=True, space_group_symmetry=True, time_reversal_symmetry=True
        )
        method = dft.KUKS if case["spin"] else dft.KRKS
        field = method(cell, kpoints, xc="pbe").multigrid_numint()
        field = field.smearing(sigma=WIDTH_HA, method="fermi")
        field.conv_tol = 1e-8
        field.kernel(start)
        if not field.converged:
            raise SystemExit("PySCF has not converged.")
        start = field.make_rdm1()
        energies.append(field.e_free)
    json.dump(energies, sys.stdout)


if __name__ == "__main__":
    main()
