"""Settings for a crystal that nobody has chosen any for."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.elements import NONMETALS
from mlxc.crystal.vacuum import vacuum_directions
from mlxc.units import BOHR_ANG

_SPACING_METAL = 2 * np.pi * 0.04  # distance of k points, 1/angstrom
_SPACING_OTHER = 2 * np.pi * 0.06


def general_settings(crystal: Crystal) -> dict[str, Any]:
    """K mesh by the density of points, a single k point along a vacuum.

    Fermi-Dirac smearing serves metals and insulators alike, so it is taken for any crystal.

    Returns:
        ``kmesh``, ``smearing`` and ``width_ha``.
    """
    mesh = mesh_with_spacing(crystal, _SPACING_METAL if likely_metal(crystal) else _SPACING_OTHER)
    return {
        "kmesh": flat_along_vacuum(crystal, mesh),
        "smearing": "fermi-dirac",
        "width_ha": 0.01,
    }


def flat_along_vacuum(crystal: Crystal, mesh: Sequence[int]) -> list[int]:
    """A k mesh with a single point along each vacuum, across which nothing moves."""
    empty = vacuum_directions(crystal)
    return [1 if direction in empty else points for direction, points in enumerate(mesh)]


def likely_metal(crystal: Crystal) -> bool:
    """Whether no element that makes bonds or ions instead of a metal is in the crystal."""
    return not NONMETALS.intersection(crystal.species)


def mesh_with_spacing(crystal: Crystal, spacing_per_ang: float) -> list[int]:
    """The smallest k mesh whose points are not farther apart than this, 1/angstrom (2 pi included)."""
    lengths = _reciprocal_lengths(crystal)
    # A tiny slack: a mesh must not depend on the last digit of a lattice constant.
    return [min(100, max(1, ceil(length / spacing_per_ang - 1e-6))) for length in lengths]


def spacing_of_mesh(crystal: Crystal, mesh: Sequence[int]) -> float:
    """The largest distance between neighbouring points of a k mesh, 1/angstrom (2 pi included), vacuums left out."""
    empty = vacuum_directions(crystal)
    spacings = _reciprocal_lengths(crystal) / np.array(mesh)
    return float(max((spacings[i] for i in range(3) if i not in empty), default=spacings.max()))


def _reciprocal_lengths(crystal: Crystal) -> NDArray[np.float64]:
    """The lengths of the reciprocal lattice vectors, 1/angstrom."""
    return np.asarray(np.linalg.norm(crystal.reciprocal, axis=1) / BOHR_ANG)
