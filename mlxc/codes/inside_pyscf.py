"""What PySCF does with a case: Gaussians with Bloch phases, GTH pseudopotentials, everything on a uniform grid (FFTDF).

J. McClain et al., J. Chem. Theory Comput. 13, 1209 (2017). See :mod:`mlxc.codes.inside` for who calls this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pyscf
from pyscf.pbc import dft, gto

VERSION: str = pyscf.__version__
# Change of the energy between steps at which the SCF has converged.
ENERGY_TOLERANCE_HA = 1e-9
SMEARINGS = {"fermi-dirac": "fermi", "gaussian": "gauss"}


def volumes(
    case: dict[str, Any], tell: Callable[[dict[str, Any]], None]
) -> Iterator[tuple[float, bool, int, Callable[[], dict[str, Any]]]]:
    """Compute the volumes of a case, each from the density matrix of the one before.

    Args:
        case: The case, see :func:`mlxc.codes.cases.pyscf_case`.
        tell: A function that takes one record per SCF step.

    Yields:
        what :mod:`mlxc.codes.inside` asks of each volume.
    """
    start = None
    for index, lattice in enumerate(case["lattices_bohr"]):
        field = _mean_field(case, lattice)
        field.callback = _monitor(field, index, tell)
        if start is None and field.istype("KUHF"):
            start = _polarised(field, case)
        field.kernel(start)
        start = field.make_rdm1()
        yield _free_energy(field), bool(field.converged), field.cycles, partial(_state, field, case)


def _mean_field(case: dict[str, Any], lattice: list[list[float]]) -> Any:
    number_of_kpoints = int(np.prod(case["kmesh"]))
    cell = gto.Cell()
    cell.unit = "B"
    cell.a = lattice
    positions = np.array(case["fractional_positions"]) @ np.array(lattice)
    cell.atom = list(zip(case["species"], positions.tolist(), strict=True))
    cell.basis = case["basis"]
    cell.pseudo = case["pseudo"]
    cell.mesh = case["fft_grid"]
    cell.spin = None
    cell.verbose = 0
    # Half an electron pair less is more than PySCF can count, so an odd number takes spin orbitals that stay equal.
    electrons = round(sum(case["charges"])) * number_of_kpoints
    spin_orbitals = case["spin"] or electrons % 2 == 1
    # The crystal's symmetry is not that of its moments.
    cell.space_group_symmetry = not spin_orbitals
    cell.build(dump_input=False, parse_arg=False)
    symmetry = {"space_group_symmetry": True, "time_reversal_symmetry": True} if not spin_orbitals else {}
    kpoints = cell.make_kpts(case["kmesh"], **symmetry)
    if spin_orbitals:
        # Of all k points together.
        moment = case["total_moment"]
        cell.spin = electrons % 2 if moment is None else round(moment * number_of_kpoints)
    field = (dft.KUKS if spin_orbitals else dft.KRKS)(cell, kpoints, xc=case["xc"])
    if case["smearing"] != "none":
        method = SMEARINGS[case["smearing"]]
        field = field.smearing(sigma=case["width_ha"], method=method, fix_spin=case["total_moment"] is not None)
    field.chkfile = None
    field.conv_tol = ENERGY_TOLERANCE_HA
    field.max_cycle = case["max_iterations"]
    return field


def _monitor(field: Any, index: int, tell: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def monitor(step: dict[str, Any]) -> None:
        energy = float(getattr(field, "e_free", None) or step["e_tot"])
        tell({"kind": "iteration", "point": index, "iteration": step["cycle"] + 1, "free_energy_ha": energy})

    return monitor


def _free_energy(field: Any) -> float:
    return float(getattr(field, "e_free", None) or field.e_tot)


def _polarised(field: Any, case: dict[str, Any]) -> Any:
    """Free atoms' density matrices, polarised by the atoms' moments, shape ``(2, nk, nfunction, nfunction)``."""
    total = np.asarray(field.get_init_guess(key="minao")).sum(axis=0)
    polarisation = np.empty(total.shape[-1])
    for (_, _, first, last), share in zip(field.cell.aoslice_by_atom(), case["polarisations"], strict=True):
        polarisation[first:last] = share
    magnetisation = total * (polarisation[:, None] + polarisation) / 2
    return np.stack([total + magnetisation, total - magnetisation]) / 2


def _state(field: Any, case: dict[str, Any]) -> dict[str, Any]:
    """Levels and electrons of each spin and k point, and the magnetisation."""
    spins = len(field.mo_occ) if field.istype("KUHF") else 1
    levels, electrons = (field.mo_energy, field.mo_occ) if spins == 2 else ([field.mo_energy], [field.mo_occ])
    magnetisation = None
    if case["spin"]:
        up, down = (sum(float(np.sum(own)) for own in spin) for spin in electrons)
        magnetisation = (up - down) / int(np.prod(case["kmesh"]))
    return {
        "magnetisation_bohr_magneton": magnetisation,
        "forces_ha_bohr": None,
        "levels_ha": [[np.asarray(own).tolist() for own in spin] for spin in levels],
        "electrons": [[np.asarray(own).tolist() for own in spin] for spin in electrons],
    }
