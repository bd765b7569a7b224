"""Bands along the standard path of a Bravais lattice, the gap, and the density of states."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mlxc.brillouin import KPoints
from mlxc.errors import InputError
from mlxc.scf.eigensolver import diagonalise
from mlxc.scf.ground_state import GroundState
from mlxc.scf.guess import starting_orbitals
from mlxc.scf.kohn_sham import KohnSham
from mlxc.symmetry import SpaceGroup
from mlxc.units import BOHR_ANG, HARTREE_EV

# Residual of the orbitals, hartree; eigenvalues are an order of magnitude better in its square.
RESIDUAL_TOLERANCE = 1e-5
# k points whose bands are computed at the same time, which bounds the memory.
TOGETHER = 32
MAX_STEPS = 60
EMPTY_BANDS = 4
# ASE measures the path in 1/angstrom without the factor of two pi.
PER_BOHR = 2 * np.pi * BOHR_ANG


@dataclass(frozen=True)
class BandStructure:
    """Eigenvalues along a path.

    Attributes:
        kpoints: fractional, shape ``(nk, 3)``.
        distances: along the path, 1/bohr, shape ``(nk,)``.
        labels: distance and name of each special point.
        eigenvalues: hartree, shape ``(nspin, nk, nband)``.
        fermi_level: of the ground state, hartree.
        gap: from the highest occupied to the lowest empty level on the path and the mesh, hartree; zero for a metal.
        converged: whether the ground state is.
        message: one sentence when it is not.
        calculation: the settings, as plain data.
    """

    kpoints: NDArray[np.float64]
    distances: NDArray[np.float64]
    labels: tuple[tuple[float, str], ...]
    eigenvalues: NDArray[np.float64]
    fermi_level: float
    gap: float
    converged: bool
    message: str
    calculation: dict[str, Any]

    def summary(self) -> dict[str, Any]:
        """Plain data; energies in electronvolt from the Fermi level (the highest occupied one in an insulator)."""
        return {
            "converged": self.converged,
            "message": self.message,
            "kpoints_fractional": self.kpoints.tolist(),
            "distances_per_bohr": self.distances.tolist(),
            "labels": [[distance, name] for distance, name in self.labels],
            "bands_ev": ((self.eigenvalues - self.fermi_level) * HARTREE_EV).tolist(),
            "fermi_level_ha": self.fermi_level,
            "gap_ev": self.gap * HARTREE_EV,
            "calculation": self.calculation,
        }


def band_structure(ground: GroundState, points: int = 60) -> BandStructure:
    """Bands on the path of W. Setyawan, S. Curtarolo, Comput. Mater. Sci. 49, 299 (2010), as ASE gives it.

    Args:
        ground: a converged state that was computed in this process.
        points: about how many k points.

    Raises:
        InputError: the state was read from a file, or fewer than two points are asked for.
    """
    if points < 2:
        raise InputError(f"points: a path needs at least 2 k points, not {points}.")
    path = ground.crystal.to_ase().cell.bandpath(npoints=points)
    distances, places, names = path.get_linear_kpoint_axis()
    eigenvalues = eigenvalues_at(ground, path.kpts)
    return BandStructure(
        kpoints=path.kpts,
        distances=distances * PER_BOHR,
        labels=tuple((float(place) * PER_BOHR, name) for place, name in zip(places, names, strict=True)),
        eigenvalues=eigenvalues,
        fermi_level=ground.fermi_level,
        gap=_gap(ground, eigenvalues),
        converged=ground.converged,
        message=ground.message,
        calculation=ground.calculation,
    )


def eigenvalues_at(ground: GroundState, kpoints: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eigenvalues, hartree, shape ``(nspin, nk, nband)``, at any fractional k points in the converged potential."""
    problem = ground.problem
    if problem is None:
        raise InputError("Bands need the Hamiltonian, which a result that was read from a file does not hold.")
    portions = np.array_split(np.asarray(kpoints), ceil(len(kpoints) / TOGETHER))
    with torch.no_grad():
        return np.concatenate([_eigenvalues(ground, problem, portion) for portion in portions], axis=1)


def _eigenvalues(ground: GroundState, problem: KohnSham, kpoints: NDArray[np.float64]) -> NDArray[np.float64]:
    """At k points that are computed at the same time."""
    settings = ground.basis.settings.with_grid(ground.basis.grid.shape)
    weights = np.full(len(kpoints), 1 / len(kpoints))
    basis = settings.discretise(ground.crystal, KPoints(kpoints, weights), SpaceGroup.identity(), ground.basis.device)
    nspin = len(ground.density)
    occupied = ceil(problem.ions.nelectrons / 2)
    nband = basis.band_count(occupied, occupied + EMPTY_BANDS)
    hamiltonian = basis.one_electron(problem.ions).hamiltonian(ground.effective_potential)
    guess = starting_orbitals(basis, problem.ions, nband, seed=0).repeat(nspin, 1, 1)
    counts = torch.ones(len(guess), nband, dtype=torch.float64, device=basis.device)
    pairs = diagonalise(hamiltonian, guess, nband, counts, RESIDUAL_TOLERANCE, MAX_STEPS)
    return pairs.eigenvalues.reshape(nspin, len(kpoints), nband).cpu().numpy()


def _gap(ground: GroundState, path: NDArray[np.float64]) -> float:
    """Lowest empty minus highest occupied level; with smearing a level counts as occupied below the Fermi level."""
    mesh = ground.eigenvalues.cpu().numpy()
    levels = np.concatenate([path.ravel(), mesh.ravel()])
    occupied = levels <= ground.fermi_level + 1e-9
    bands = path.reshape(-1, path.shape[-1])
    below = (bands <= ground.fermi_level + 1e-9).sum(axis=1)
    if below.min() != below.max():
        return 0.0
    return float(max(0.0, levels[~occupied].min() - levels[occupied].max()))


def density_of_states(ground: GroundState, energies: NDArray[np.float64], width: float) -> NDArray[np.float64]:
    """Density of states of the SCF's k mesh, states per hartree and cell, shape ``(nspin, nenergy)``.

    Args:
        ground: a converged state.
        energies: hartree, shape ``(nenergy,)``.
        width: standard deviation of the Gaussian that stands for each level, hartree.
    """
    nspin = len(ground.density)
    levels = ground.eigenvalues.cpu().numpy().reshape(nspin, len(ground.kpoints), -1)
    x = (energies[:, None, None, None] - levels) / width
    gaussians = np.exp(-(x**2) / 2) / (width * np.sqrt(2 * np.pi))
    return np.asarray(np.einsum("eskb,k->se", gaussians, ground.kpoints.weights) * (2 / nspin))
