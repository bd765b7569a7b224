"""Solids with an atom out of its place, for whoever learns forces: symmetry leaves none in most crystals as they are.

The last atom of the cell is moved along (1, 1, 1), so that cubic crystals keep a threefold axis, by as much as an
optical phonon moves it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from mlxc.errors import InputError
from mlxc.solids.table import Solid
from mlxc.training.config import MOVED
from mlxc.units import BOHR_ANG

DISTANCE_ANG = 0.1


def moved(solid: Solid) -> Solid:
    """The solid ``NAME_moved``, of which nothing is measured.

    Args:
        solid: The solid ``NAME``.

    Raises:
        InputError: it has one atom in its cell, on which there is no force wherever it is.
    """
    crystal = solid.crystal
    if len(crystal.species) < 2:
        raise InputError(f"{solid.name}{MOVED}: with one atom in its cell, {solid.name} has no forces.")
    step = np.full(3, DISTANCE_ANG / BOHR_ANG / 3**0.5) @ np.linalg.inv(crystal.lattice)
    positions = np.vstack([crystal.positions[:-1], crystal.positions[-1] + step])
    name = f"{solid.name}{MOVED}"
    return Solid(name, replace(crystal, positions=positions, name=name), {}, solid.settings, rigid=True)


def with_moved(table: Mapping[str, Solid], names: Iterable[str]) -> dict[str, Solid]:
    """The table with those of the named solids that are moved ones of its own.

    Raises:
        InputError: one of these has a single atom in its cell.
    """
    missing = [name for name in names if name.endswith(MOVED) and name not in table]
    bases = {name: table.get(name.removesuffix(MOVED)) for name in missing}
    return {**table, **{name: moved(base) for name, base in bases.items() if base is not None}}
