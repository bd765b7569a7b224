"""Cells so skewed that their grids have many more points than the crystal needs. Imports no torch.

A grid has points in proportion to the lengths of the lattice vectors, and long vectors may span the same small cell as
short ones: of the many cells of a lattice the reduced one is the cheapest. Energies, forces and stress are the same in
all of them at the same k points.
"""

from __future__ import annotations

from math import prod

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.superlattices import Mesh, compact_cell_with_mesh
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.crystal.vacuum import vacuum_directions
from mlxc.grid.shape import choose_shape, grid_radius, smallest_shape

# A cell is very skewed if its grid has so many times the points of the reduced cell's.
VERY_SKEWED = 1.5
# Hartree. Which cell is computed does not depend on the cutoff that is chosen.
USUAL_CUTOFF_HA = 20.0
MOST_POINTS_OF_MESH = 100


def least_skewed(crystal: Crystal) -> Crystal:
    """The crystal in its reduced cell if its own is very skewed, else the crystal itself.

    A sheet, a wire or a molecule whose vacuum would not be along a vector of the reduced cell stays as it is.
    """
    reduced = crystal.reduced()
    # The symmetry of the given cell is asked for last: it asks for more points, and is slow for a very skewed cell.
    if _fewest_points(crystal.lattice) <= VERY_SKEWED * _fewest_points(reduced.lattice):
        return crystal
    if _fewest_points(crystal.lattice) <= VERY_SKEWED * _points(reduced):
        return crystal
    return crystal if len(vacuum_directions(reduced)) < len(vacuum_directions(crystal)) else reduced


def with_same_kpoints(crystal: Crystal, reduced: Crystal, mesh: Mesh) -> tuple[Crystal, Mesh] | None:
    """The crystal in a cell about as compact as the reduced one, in which the k points of a given mesh are a mesh, too.

    Args:
        crystal: The crystal in the given cell.
        reduced: The same in its reduced cell.
        mesh: The mesh of the given cell.

    Returns:
        the crystal in that cell and the mesh that belongs to it, or None if there is no such cell.
    """
    combination, own_mesh = compact_cell_with_mesh(crystal.lattice, mesh)
    compact = crystal.in_cell(combination @ crystal.lattice)
    if max(own_mesh) > MOST_POINTS_OF_MESH or _fewest_points(compact.lattice) > VERY_SKEWED * _points(reduced):
        return None
    return compact, own_mesh


def mesh_as_dense(crystal: Crystal, points: int) -> Mesh:
    """The k mesh with equal distances in all directions that has at least so many points; one point along a vacuum."""
    empty = vacuum_directions(crystal)
    lengths = np.array([0.0 if axis in empty else np.linalg.norm(crystal.reciprocal[axis]) for axis in range(3)])
    periodic = lengths[lengths > 0]
    spacing = (periodic.prod() / points) ** (1 / max(1, len(periodic)))
    first, second, third = np.clip(np.ceil(lengths / spacing - 1e-6), 1, MOST_POINTS_OF_MESH).astype(int).tolist()
    return first, second, third


def _fewest_points(lattice: NDArray[np.float64]) -> int:
    return prod(smallest_shape(lattice, grid_radius(USUAL_CUTOFF_HA)))


def _points(crystal: Crystal) -> int:
    return prod(choose_shape(crystal.lattice, grid_radius(USUAL_CUTOFF_HA), SpaceGroup.of(crystal)))
