"""Bands along the standard path of a Bravais lattice, the gap, and the density of states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.crystal.brillouin import BandPath, KPoints, band_path
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.kohn_sham.eigensolver import diagonalise
from mlxc.kohn_sham.occupations import band_count
from mlxc.kohn_sham.start.guess import starting_orbitals
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.band_edges import BandEdge, Gap, filled_levels, find_gap
from mlxc.properties.density_of_states import DensityOfStates, curve_of_states
from mlxc.properties.level_changes import BandDeviations, band_deviations, level_changes
from mlxc.units import HARTREE_EV

# Residual of the orbitals, hartree; eigenvalues are an order of magnitude better in its square.
RESIDUAL_TOLERANCE = 1e-5
# k points whose bands are computed at the same time, at most.
TOGETHER = 32
# Where the ground state has few k points, as many as have orbitals of this size, which no machine minds.
FEW_BYTES = 2**26
MAX_STEPS = 60
# Empty bands, and their part of the occupied ones: a density of states is known up to the lowest of the uppermost band.
LEAST_EMPTY, EMPTY_PART = 6, 2
DOS_WIDTH = 0.2 / HARTREE_EV
SPINS = ("up", "down")


@dataclass(frozen=True)
class BandStructure:
    """Eigenvalues along a path and on the k mesh.

    Attributes:
        path: The k points.
        eigenvalues: The eigenvalues along the path, hartree, shape ``(nspin, nk, nband)``.
        band_gap: The gap of the levels on the path and, numbered after it, on the mesh.
        states: The density of states of the mesh.
        ground: The state in whose potential they are.
        deviations: How uncertain they are; None where nobody asked.
    """

    path: BandPath
    eigenvalues: NDArray[np.float64]
    band_gap: Gap
    states: DensityOfStates
    ground: GroundState
    deviations: BandDeviations | None = None

    @property
    def gap(self) -> float | None:
        """The gap from the highest filled to the lowest empty level on path and mesh, hartree; zero for a metal.

        It is None where the basis has no empty levels.
        """
        return self.band_gap.size

    @property
    def converged(self) -> bool:
        """Whether the ground state has converged."""
        return self.ground.converged

    @property
    def message(self) -> str:
        """One sentence when the ground state has not converged."""
        return self.ground.message

    def summary(self) -> dict[str, Any]:
        """Plain data; energies in electronvolt from the Fermi level (the highest occupied one in an insulator).

        Of two Fermi levels, which a fixed moment has, the higher one counts.
        """
        edges = self.band_gap.edges
        return {
            "converged": self.converged,
            "message": self.message,
            "kpoints_fractional": self.path.fractional.tolist(),
            "distances_per_bohr": self.path.distances.tolist(),
            "labels": [[distance, name] for distance, name in self.path.labels],
            "bands_ev": relative_ev(self.eigenvalues, self.ground).tolist(),
            "fermi_level_ha": self.ground.fermi_level,
            "fermi_levels_ha": self.ground.known_fermi_levels,
            "gap_ev": _ev(self.gap),
            "spin_gaps_ev": [_ev(gap) for gap in self.band_gap.of_spins] or None,
            "gap_kind": edges and edges.kind,
            "direct_gap_ev": edges and edges.direct_gap * HARTREE_EV,
            "valence_band_maximum": edges and self._edge(edges.valence),
            "conduction_band_minimum": edges and self._edge(edges.conduction),
            "uncertainty": self.deviations and self._uncertainty(self.deviations),
            "dos": self.states.to_dict(self.ground.fermi_level),
            "magnetisation_bohr_magneton": self.ground.magnetisation,
            "seconds": self.ground.seconds,
            "calculation": self.ground.calculation,
        }

    def _uncertainty(self, deviations: BandDeviations) -> dict[str, Any]:
        return {
            "gap_standard_deviation_ev": _ev(deviations.gap),
            "bands_standard_deviation_ev": (deviations.bands * HARTREE_EV).tolist(),
        }

    def _edge(self, edge: BandEdge) -> dict[str, Any]:
        kpoints = np.concatenate([self.path.fractional, self.ground.kpoints.fractional])
        on_path = edge.index < len(self.path)
        return {
            "energy_ev": (edge.energy - self.ground.fermi_level) * HARTREE_EV,
            "kpoint_fractional": kpoints[edge.index].tolist(),
            "place": self.path.place(edge.index) if on_path else "on the k mesh, off the path",
            "spin": SPINS[edge.spin] if len(self.eigenvalues) == 2 else None,
        }


def band_structure(ground: GroundState, points: int = 100, dos_width: float = DOS_WIDTH) -> BandStructure:
    """Bands on the path of :func:`~mlxc.crystal.brillouin.band_path`, and the density of states.

    Args:
        ground: A converged state that was computed in this process.
        points: The approximate number of k points.
        dos_width: Standard deviation of the Gaussian that stands for each level, hartree.

    Raises:
        InputError: fewer than two points are asked for, or the crystal is a molecule.
    """
    return bands_on_path(ground, band_path(ground.crystal, points), dos_width)


def bands_on_path(
    ground: GroundState,
    path: BandPath,
    dos_width: float = DOS_WIDTH,
    on_portion: Callable[[int, NDArray[np.float64]], None] | None = None,
    perturbations: Tensor | None = None,
) -> BandStructure:
    """Bands on any path, and the density of states.

    Args:
        ground: A converged state that was computed in this process.
        path: The k points.
        dos_width: Standard deviation of the Gaussian that stands for each level, hartree.
        on_portion: A function that is called with the index of the first k point of a portion of the path and its
            eigenvalues, hartree.
        perturbations: The changes of the effective potential along all directions in which the functional may move, see
            :func:`~mlxc.response.perturbed.perturbations`; None where nobody asks how uncertain the bands are.

    Raises:
        InputError: the state was read from a file.
    """
    on_path = _levels_at(ground, path.fractional, on_portion, perturbations)
    # The SCF computes no empty bands of an insulator, and does not converge the uppermost ones of a metal.
    on_mesh = _levels_at(ground, ground.kpoints.fractional, None, perturbations)
    levels = _joined([on_path.values, on_mesh.values])
    gap, deviations = find_gap(ground, levels), None
    if on_path.changes is not None and on_mesh.changes is not None:
        nband = levels.shape[-1]
        changes = np.concatenate([on_path.changes[:, :, :nband], on_mesh.changes[:, :, :nband]], axis=1)
        deviations = band_deviations(ground, levels, changes, filled_levels(ground, levels), gap.edges is not None)
    return BandStructure(
        path=path,
        eigenvalues=on_path.values,
        band_gap=gap,
        states=curve_of_states(on_mesh.values, ground.kpoints.weights, dos_width),
        ground=ground,
        deviations=deviations,
    )


def _ev(energy: float | None) -> float | None:
    return None if energy is None else energy * HARTREE_EV


def relative_ev(levels: NDArray[np.float64], ground: GroundState) -> NDArray[np.float64]:
    """Levels in electronvolt from the Fermi level, or the higher one of two."""
    return (levels - ground.fermi_level) * HARTREE_EV


def eigenvalues_at(
    ground: GroundState,
    kpoints: NDArray[np.float64],
    on_portion: Callable[[int, NDArray[np.float64]], None] | None = None,
) -> NDArray[np.float64]:
    """Eigenvalues, hartree, shape ``(nspin, nk, nband)``, at any fractional k points in the converged potential.

    There are as many as hold the electrons of the larger spin, at least ``LEAST_EMPTY`` empty ones above them as far as
    the basis has them, and no fewer than the SCF has computed.

    Args:
        ground: A converged state that was computed in this process.
        kpoints: The k points, shape ``(nk, 3)``.
        on_portion: A function that is called with the index of the first k point of a portion and its eigenvalues.
    """
    return _levels_at(ground, kpoints, on_portion).values


@dataclass(frozen=True, eq=False)
class _Levels:
    """Levels, hartree, shape ``(nspin, nk, nband)``, and their changes along the directions of a perturbation."""

    values: NDArray[np.float64]
    changes: NDArray[np.float64] | None = None


def _levels_at(
    ground: GroundState,
    kpoints: NDArray[np.float64],
    on_portion: Callable[[int, NDArray[np.float64]], None] | None = None,
    perturbations: Tensor | None = None,
) -> _Levels:
    """The levels at k points, of which some are computed at the same time."""
    found: list[_Levels] = []
    with torch.no_grad():
        for portion in np.array_split(np.asarray(kpoints), ceil(len(kpoints) / _together(ground))):
            found.append(_levels(ground, portion, perturbations))
            if on_portion is not None:
                on_portion(sum(levels.values.shape[1] for levels in found[:-1]), found[-1].values)
    values = _joined([levels.values for levels in found])
    changes = [levels.changes[:, :, : values.shape[-1]] for levels in found if levels.changes is not None]
    return _Levels(values, np.concatenate(changes, axis=1) if changes else None)


def _together(ground: GroundState) -> int:
    """At how many k points levels are computed at the same time: whatever could hold the ground state can hold them."""
    own = len(ground.kpoints.fractional)
    return min(TOGETHER, max(own, int(FEW_BYTES * own / ground.orbitals.nbytes)))


def _joined(portions: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Levels of all k points; small bases of Gaussians have fewer at some than at others."""
    nband = min(levels.shape[-1] for levels in portions)
    return np.concatenate([levels[..., :nband] for levels in portions], axis=1)


def _levels(ground: GroundState, kpoints: NDArray[np.float64], perturbations: Tensor | None) -> _Levels:
    """The levels at k points that are computed at the same time."""
    problem = ground.problem
    settings = ground.basis.settings.with_grid(ground.basis.grid.shape)
    weights = np.full(len(kpoints), 1 / len(kpoints))
    basis = settings.discretise(ground.crystal, KPoints(kpoints, weights), SpaceGroup.identity(), ground.basis.device)
    nspin = len(ground.density)
    electrons, moment = problem.ions.nelectrons, ground.magnetisation or 0.0
    occupied = band_count(electrons, False, moment)
    wanted = max(occupied + max(LEAST_EMPTY, occupied // EMPTY_PART), ground.eigenvalues.shape[1])
    nband = basis.band_count(occupied, wanted)
    hamiltonian = problem.hamiltonian_in(basis, ground.effective_potential)
    guess = starting_orbitals(basis, problem.ions, nband, seed=0).repeat(nspin, 1, 1)
    counts = torch.ones(len(guess), nband, dtype=torch.float64, device=basis.device)
    pairs = diagonalise(hamiltonian, guess, nband, counts, RESIDUAL_TOLERANCE, MAX_STEPS)
    values = pairs.eigenvalues.reshape(nspin, len(kpoints), nband).cpu().numpy()
    if perturbations is None:
        return _Levels(values)
    return _Levels(values, level_changes(problem, basis, pairs.orbitals[:, :nband], perturbations))
