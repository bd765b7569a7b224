"""Crystals that a name means: elements and compounds in simple structures, and free atoms."""

from __future__ import annotations

import numpy as np
from ase.build import bulk

from mlxc.atoms.shells import RADIUS
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.elements import atomic_number
from mlxc.errors import InputError
from mlxc.solids.table_values import reason_of

# Names of structures in tables, and of the same in ASE.
PROTOTYPES = {
    "sc": "sc", "fcc": "fcc", "bcc": "bcc", "diamond": "diamond", "b1": "rocksalt", "b2": "cesiumchloride",
    "b3": "zincblende",
}  # fmt: skip
# What the name of a free atom ends with.
ATOM = "_atom"
FERROMAGNETS = {"Fe", "Co", "Ni"}


def prototype(name: str, lattice_constant_ang: float) -> Crystal:
    """The crystal that a name such as ``Al_fcc`` or ``NaCl_b1`` means.

    Raises:
        InputError: the name is not a formula and a structure.
    """
    formula, _, structure = name.partition("_")
    if structure not in PROTOTYPES:
        raise InputError(f"{name!r} is no solid: a name is a formula, '_' and one of {', '.join(PROTOTYPES)}.")
    try:
        atoms = bulk(formula, PROTOTYPES[structure], a=lattice_constant_ang)
    except (ValueError, RuntimeError, KeyError) as error:
        raise InputError(f"{name!r}: there is no such crystal; {reason_of(error)}.") from None
    crystal = Crystal.from_ase(atoms, name)
    return with_moments(crystal, [2.0 if symbol in FERROMAGNETS else 0.0 for symbol in crystal.species])


def free_atom_in_box(symbol: str) -> Crystal:
    """An atom in a cube as wide as the sphere that :mod:`mlxc.atoms` solves it in.

    Raises:
        InputError: no element has this symbol.
    """
    atomic_number(symbol)
    return Crystal(2 * RADIUS * np.eye(3), (symbol,), np.zeros((1, 3)), name=f"{symbol}{ATOM}")


def with_moments(crystal: Crystal, moments: list[float]) -> Crystal:
    return Crystal(crystal.lattice, crystal.species, crystal.positions, moments, crystal.name, crystal.origin)
