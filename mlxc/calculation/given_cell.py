"""A calculation of a very skewed cell becomes one of the reduced cell. Imports no torch."""

from __future__ import annotations

from math import prod
from typing import Any

from mlxc.calculation.settings import GIVEN_CELL, plain_structure
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.superlattices import Mesh
from mlxc.grid.skewed_cells import MOST_POINTS_OF_MESH, least_skewed, mesh_as_dense, with_same_kpoints

# What belongs to the points of the given cell's grid.
_ON_GRID = ("fft_grid", "terms")


def in_reduced_cell(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a calculation, with structure and k mesh in the reduced cell where the given one is very skewed.

    Where something is given on a grid, the cell stays as it is, since the points of another one's lie elsewhere.

    Args:
        given: What is given of the calculation by name.

    Raises:
        InputError: the structure is none.
    """
    if given.get("structure") is None or any(given.get(name) for name in _ON_GRID):
        return given
    structure = plain_structure(given["structure"])
    crystal = Crystal.from_dict(structure)
    reduced = least_skewed(crystal)
    if reduced is crystal:
        return {**given, "structure": structure}
    cell: dict[str, Any] = {"lattice_ang": structure["lattice_ang"]}
    mesh = _mesh(given.get("kmesh"))
    if mesh is None:
        return {**given, "structure": reduced.to_dict() | {GIVEN_CELL: cell}}
    same = with_same_kpoints(crystal, reduced, mesh)
    reduced, own_mesh = same or (reduced, mesh_as_dense(reduced, prod(mesh)))
    cell |= {"kmesh": mesh, "same_kpoints": same is not None}
    return {**given, "structure": reduced.to_dict() | {GIVEN_CELL: cell}, "kmesh": own_mesh}


def _mesh(given: Any) -> Mesh | None:
    """The k mesh that is given; None if there is none, or one that the validation of the calculation will speak of."""
    if not isinstance(given, list | tuple) or len(given) != 3:
        return None
    if not all(isinstance(n, int) and 1 <= n <= MOST_POINTS_OF_MESH for n in given):
        return None
    return given[0], given[1], given[2]
