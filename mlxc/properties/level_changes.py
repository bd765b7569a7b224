"""How levels move when the parameters of a functional do, and how uncertain bands and gaps are therefore.

To first order a level moves by <psi|dv|psi>, where dv is the change of the potential that the electrons feel, the
answer of their density included: :mod:`mlxc.response.perturbed`. A functional breaks no symmetry of a crystal, so this
holds for levels that symmetry makes degenerate too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.protocol import Basis
from mlxc.kohn_sham.gap import Filled, highest_filled, lowest_empty
from mlxc.kohn_sham.problem import Problem
from mlxc.kohn_sham.state import GroundState
from mlxc.utils.parallel import map_in_threads

# A smaller density of states, electrons per width, is none: the Fermi level lies in a gap.
NONE = 1e-6


@dataclass(frozen=True, eq=False)
class BandDeviations:
    """How uncertain bands are, from a functional with an ensemble.

    Attributes:
        bands: The standard deviations of the distances of levels from the Fermi level, in a crystal with a gap from the
            highest filled level, hartree, shape ``(nspin, nk, nband)``.
        gap: The standard deviation of the gap, hartree; None where there is none.
    """

    bands: NDArray[np.float64]
    gap: float | None


def level_changes(problem: Problem, basis: Basis, orbitals: Tensor, potentials: Tensor) -> NDArray[np.float64]:
    """The changes of levels, hartree, shape ``(nspin, nk, nband, ndirection)``.

    Args:
        problem: The Kohn-Sham problem.
        basis: The basis of the orbitals, at any k points.
        orbitals: The orbitals, shape ``(nspin * nk, nband, nfunction)``.
        potentials: The changes of the effective potential, shape ``(ndirection, nfield, nspin, n1, n2, n3)``.
    """
    nspin = potentials.shape[2]
    found = []
    for potential in potentials:
        images, acting = torch.zeros_like(orbitals), problem.potential_of(potential)

        def act(block: tuple[int, slice], images: Tensor = images, acting: EffectivePotential = acting) -> None:
            spin, kpoints = block
            rows = basis.rows(spin, kpoints)
            basis.potential_operator(kpoints, spin, acting).add_to(images[rows], orbitals[rows])

        map_in_threads(act, basis.spin_blocks(nspin))
        found.append((orbitals.conj() * images).sum(-1).real)
    changes = torch.stack(found, dim=-1)
    return changes.reshape(nspin, -1, *changes.shape[1:]).cpu().numpy()


def band_deviations(
    ground: GroundState,
    levels: NDArray[np.float64],
    changes: NDArray[np.float64],
    filled: Filled,
    has_gap: bool,
) -> BandDeviations:
    """The standard deviations of bands.

    Args:
        ground: The state.
        levels: The levels at some k points and, after them, at those of the state's mesh, hartree, shape
            ``(nspin, nk, nband)``.
        changes: Their changes, shape ``(nspin, nk, nband, ndirection)``.
        filled: How many of them are filled, shape ``(nspin, nk)``.
        has_gap: Whether there is a gap between filled and empty ones.
    """
    mesh = slice(levels.shape[1] - len(ground.kpoints), None)
    top = _at(highest_filled, levels, changes, filled, largest=True)
    reference = top if has_gap else _fermi_level_changes(ground, levels[:, mesh], changes[:, mesh], top)
    relative = np.linalg.norm(changes - reference, axis=-1)
    gap = None
    if has_gap:
        gap = float(np.linalg.norm(_at(lowest_empty, levels, changes, filled, largest=False) - top))
    return BandDeviations(relative[:, : mesh.start], gap)


def _at(
    edge: Callable[..., Any], levels: NDArray[np.float64], changes: NDArray[np.float64], filled: Filled, largest: bool
) -> NDArray[np.float64]:
    """The changes of the highest filled or the lowest empty level, shape ``(ndirection,)``."""
    places, energies = edge(levels, filled)
    spin, kpoint = places[int(energies.argmax() if largest else energies.argmin())]
    band = filled[spin, kpoint] - largest
    found: NDArray[np.float64] = changes[spin, kpoint, band]
    return found


def _fermi_level_changes(
    ground: GroundState, levels: NDArray[np.float64], changes: NDArray[np.float64], top: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The changes of the Fermi level, or the higher one of two: as many electrons are held as before."""
    if ground.smearing is None:
        return top
    smearing = ground.smearing
    x = torch.as_tensor((np.reshape(ground.fermi_levels, (-1, 1, 1)) - levels) / smearing.width).requires_grad_()
    with torch.enable_grad():
        (slopes,) = torch.autograd.grad(smearing.occupation(x).sum(), x)
    weights = slopes.numpy() * np.asarray(ground.kpoints.weights)[:, None]
    if ground.total_moment is not None and len(levels) == 2:  # each spin holds its own electrons
        other = 1 - int(np.argmax(ground.fermi_levels))
        weights[other] = 0
    total = weights.sum()
    return np.einsum("skn,sknr->r", weights, changes) / total if abs(total) > NONE else top
