"""What the structures of other libraries say about a crystal, and what they ask for that no crystal here has.

A net charge is refused. Directions that are not periodic are told, since the cell is repeated along them all the same.
Imports no torch.
"""

from __future__ import annotations

import warnings
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mlxc.errors import InputError, MlxcWarning
from mlxc.units import BOHR_ANG

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core.structure import Structure

# Electrons: partial charges of atoms are rounded, so that those of a neutral cell may add up to so much.
NEUTRAL = 0.01
# Names under which programs that write extended XYZ keep the charge of all atoms together.
CHARGES = ("charge", "total_charge")


class Parts(NamedTuple):
    """The arguments of a :class:`~mlxc.crystal.crystal.Crystal`.

    Attributes:
        lattice: The lattice vectors in rows, bohr.
        species: The chemical symbols.
        positions: The fractional coordinates.
        moments: The initial magnetic moments, Bohr magneton.
        name: The formula.
    """

    lattice: ArrayLike
    species: list[str]
    positions: ArrayLike
    moments: ArrayLike
    name: str


def parts_of_atoms(atoms: Atoms) -> Parts:
    """The crystal that an ``ase.Atoms`` object describes.

    Raises:
        InputError: it has no cell, or a net charge.
    """
    if abs(np.linalg.det(np.asarray(atoms.cell))) < 1e-6:
        raise InputError(
            "The structure has no three-dimensional cell; mlxc computes crystals, so give it lattice vectors."
        )
    check_neutral(float(atoms.get_initial_charges().sum()))
    for name in CHARGES:
        check_neutral(atoms.info.get(name))
    _tell_what_is_repeated(atoms.pbc)
    return Parts(
        np.asarray(atoms.cell) / BOHR_ANG,
        atoms.get_chemical_symbols(),
        atoms.get_scaled_positions(wrap=False),
        atoms.get_initial_magnetic_moments(),
        atoms.get_chemical_formula(),
    )


def parts_of_structure(structure: Structure) -> Parts:
    """The crystal that a ``pymatgen.core.Structure`` describes.

    Raises:
        InputError: it has no lattice, partly occupied sites, moments in several directions, or a net charge.
    """
    if not hasattr(structure, "lattice"):
        raise InputError("The structure has no lattice; mlxc computes crystals, so make a Structure of it.")
    if not structure.is_ordered:
        raise InputError("The structure has partially occupied sites; choose one ordered arrangement of it.")
    # The public `charge` is the sum of oxidation states where nobody has set one, and those are labels.
    check_neutral(structure._charge)
    _tell_what_is_repeated(structure.lattice.pbc)
    moments = [site.properties.get("magmom", getattr(site.specie, "spin", None)) for site in structure]
    return Parts(
        structure.lattice.matrix / BOHR_ANG,
        [site.specie.symbol for site in structure],
        structure.frac_coords,
        [_collinear(moment) for moment in moments],
        structure.reduced_formula,
    )


def check_neutral(charge: Any) -> None:
    """Refuse a net charge of the cell, in units of the elementary charge; what is no number is none.

    Raises:
        InputError: there is one.
    """
    if isinstance(charge, Real) and abs(charge := float(charge)) > NEUTRAL:
        raise InputError(f"charge: the structure has a net charge of {charge:+g}, and a cell must be neutral, 0.")


def _tell_what_is_repeated(periodic: ArrayLike) -> None:
    """Warn where a cell is not periodic along one of its vectors, in the name of who has asked for the crystal."""
    if not np.all(periodic):
        vectors = " and ".join(str(axis + 1) for axis in np.flatnonzero(~np.asarray(periodic)))
        warnings.warn(
            f"pbc: the structure is not periodic along cell vector {vectors}; mlxc repeats its cell along all three.",
            MlxcWarning,
            stacklevel=4,
        )


def _collinear(moment: Any) -> float:
    """A magnetic moment of pymatgen, which is a number, a vector, a ``Magmom``, or None, along z, Bohr magneton."""
    if moment is None:
        return 0.0
    components = np.atleast_1d(np.asarray(getattr(moment, "global_moment", moment), dtype=np.float64))
    if np.abs(components[:-1]).max(initial=0.0) > 1e-3:
        raise InputError("The structure has magnetic moments in several directions; give collinear ones, along z.")
    return float(components[-1])
