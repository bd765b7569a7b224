"""Runs PySCF in a process of its own: a calculation from standard input, what it found to standard output, both JSON.

Unlike ``inside_pyscf.py``, which is for many volumes of a crystal, this is the plainest way: density fitting with plane
waves (FFTDF) on a given mesh, all k points, PySCF's default functional code and starting guess.
"""

import json
import sys
import time

import numpy as np
import pyscf
from pyscf.pbc import dft, gto


def main() -> None:
    """The free energy in hartree, the processor's time for the SCF with what it sets up, in seconds."""
    case = json.load(sys.stdin)
    cell = gto.M(
        unit="B", a=case["lattice_bohr"], atom=list(zip(case["species"], case["positions_bohr"], strict=True)),
        basis=case["sets"], pseudo=case["pseudo_names"], mesh=case["mesh"], spin=None, verbose=0,
    )  # fmt: skip
    if case["spin"]:
        cell.spin = round(case["moment"] * np.prod(case["kmesh"]))  # of the electrons of all k points together
    started = time.process_time()
    field = (dft.KUKS if case["spin"] else dft.KRKS)(cell, cell.make_kpts(case["kmesh"]), xc="pbe")
    field = field.smearing(sigma=case["width_ha"], method="fermi")
    field.conv_tol = 1e-8
    field.kernel()
    seconds = time.process_time() - started
    if not field.converged:
        raise SystemExit("PySCF has not converged.")
    moment = None
    if case["spin"]:
        up, down = np.asarray(field.make_rdm1())
        moment = float(np.einsum("kab,kba->", up - down, field.get_ovlp()).real / len(up))
    found = {
        "energy_ha": field.e_free,
        "seconds": seconds,
        "moment": moment,
        "version": pyscf.__version__,
    }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
