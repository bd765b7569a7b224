"""What GPAW does with a case: its own projector-augmented-wave data sets in plane waves.

J. Enkovaara et al., J. Phys.: Condens. Matter 22, 253202 (2010). See :mod:`mlxc.codes.inside` for who calls this.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import gpaw
import numpy as np
from ase import Atoms
from ase.units import Bohr, Hartree

VERSION: str = gpaw.__version__
# Change of the energy between steps at which the SCF has converged.
ENERGY_TOLERANCE_EV = 1e-7
# Gaussian smearing is the one of Methfessel and Paxton of order zero.
SMEARINGS: dict[str, dict[str, Any]] = {
    "none": {"width": 0.0},
    "fermi-dirac": {"name": "fermi-dirac"},
    "gaussian": {"name": "methfessel-paxton", "order": 0},
    "marzari-vanderbilt": {"name": "marzari-vanderbilt"},
}


def volumes(
    case: dict[str, Any], tell: Callable[[dict[str, Any]], None]
) -> Iterator[tuple[float, bool, int, Callable[[], dict[str, Any]]]]:
    """Compute the volumes of a case, each from free atoms.

    Args:
        case: The case, see :func:`mlxc.codes.cases.gpaw_case`.
        tell: A function that takes one record per SCF step.

    Yields:
        what :mod:`mlxc.codes.inside` asks of each volume.
    """
    for index, lattice in enumerate(case["lattices_bohr"]):
        atoms = _atoms(case, lattice)
        calculator = atoms.calc
        calculator.attach(_monitor(calculator, index, tell), 1)
        try:
            atoms.get_potential_energy()
            converged = True
        except gpaw.KohnShamConvergenceError:
            converged = False
        energy = float(calculator.hamiltonian.e_total_free)
        yield energy, converged, calculator.scf.niter, partial(_state, atoms, case, converged)


def _atoms(case: dict[str, Any], lattice: list[list[float]]) -> Any:
    atoms = Atoms(
        case["species"], cell=np.array(lattice) * Bohr, scaled_positions=case["fractional_positions"], pbc=True
    )
    if case["spin"]:
        atoms.set_initial_magnetic_moments(case["moments_bohr_magneton"])
    occupations = dict(SMEARINGS[case["smearing"]])
    if case["width_ha"] is not None:
        occupations["width"] = case["width_ha"] * Hartree
    if case["total_moment"] is not None:
        occupations["fixmagmom"] = True
    atoms.calc = gpaw.GPAW(
        mode=gpaw.PW(case["ecut_ha"] * Hartree),
        xc=_functional(case),
        kpts={"size": case["kmesh"], "gamma": True},
        spinpol=case["spin"],
        occupations=occupations,
        convergence={"energy": ENERGY_TOLERANCE_EV},
        maxiter=case["max_iterations"],
        txt=None,
    )
    return atoms


def _functional(case: dict[str, Any]) -> Any:
    """The functional of a case, with the data sets that the case names."""
    functional = gpaw.xc.XC(case["xc"])
    functional.get_setup_name = lambda: case["data_sets"]
    return functional


def _monitor(calculator: Any, index: int, tell: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
    def monitor() -> None:
        energy = float(calculator.hamiltonian.e_total_free)
        tell({"kind": "iteration", "point": index, "iteration": calculator.scf.niter, "free_energy_ha": energy})

    return monitor


def _state(atoms: Any, case: dict[str, Any], converged: bool) -> dict[str, Any]:
    """Levels and electrons of each spin and k point, the magnetisation, and forces of a single converged volume."""
    calculator = atoms.calc
    weights = calculator.get_k_point_weights()
    spins, kpoints = range(1 + case["spin"]), range(len(weights))
    levels = [[(calculator.get_eigenvalues(k, spin) / Hartree).tolist() for k in kpoints] for spin in spins]
    weighted = [[calculator.get_occupation_numbers(k, spin) for k in kpoints] for spin in spins]
    magnetisation = None
    if case["spin"]:
        up, down = (float(np.sum(own)) for own in weighted)
        magnetisation = up - down
    forces = None
    if converged and len(case["lattices_bohr"]) == 1:
        forces = (atoms.get_forces() * Bohr / Hartree).tolist()
    return {
        "magnetisation_bohr_magneton": magnetisation,
        "forces_ha_bohr": forces,
        "levels_ha": levels,
        "electrons": [
            [(own / weight).tolist() for own, weight in zip(spin, weights, strict=True)] for spin in weighted
        ],
    }
