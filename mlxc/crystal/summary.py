"""What a person looks at to see whether a crystal is the one that was meant. Imports no torch."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from math import gcd
from typing import Any

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.distances import closest_pair
from mlxc.crystal.symmetry import SpaceGroup, space_group_type
from mlxc.units import BOHR_ANG


@dataclass(frozen=True)
class CrystalSummary:
    """What was understood of a crystal.

    Attributes:
        name: How it is called.
        origin: Where it was read from, see :class:`~mlxc.crystal.crystal.Crystal`.
        formula: The reduced formula.
        atoms: The number of atoms in the cell.
        species: The chemical symbols of the atoms.
        space_group: The international symbol of the space group of the atoms without their moments; empty if no
            symmetry is found.
        space_group_number: Its number, or 0.
        moments_lower_symmetry: Whether the moments leave fewer operations than the atoms without them have.
        shortest_distance_ang: The shortest distance between atoms, images of the same atom included, angstrom.
        closest_atoms: The numbers, from 1 on, of the two atoms that have it.
        moments: The starting moment of each atom, Bohr magneton; empty where all are zero.
        volume_ang3: The volume of the cell, cubic angstrom.
        primitive_atoms: The number of atoms in a primitive cell, in which atoms with different moments differ.
    """

    name: str
    origin: str
    formula: str
    atoms: int
    species: tuple[str, ...]
    space_group: str
    space_group_number: int
    moments_lower_symmetry: bool
    shortest_distance_ang: float
    closest_atoms: tuple[int, int]
    moments: tuple[float, ...]
    volume_ang3: float
    primitive_atoms: int

    @classmethod
    def of(cls, crystal: Crystal) -> CrystalSummary:
        """Look at a crystal."""
        distance, first, second = closest_pair(crystal.lattice, crystal.positions)
        # The search for symmetry takes a minute in a very skewed cell.
        compact, magnetic = crystal.reduced(), bool(crystal.moments.any())
        symbol, number = space_group_type(compact) or ("", 0)
        bare = Crystal(compact.lattice, compact.species, compact.positions)
        return cls(
            name=crystal.name,
            origin=crystal.origin,
            formula=crystal.formula,
            atoms=len(crystal.species),
            species=crystal.species,
            space_group=symbol,
            space_group_number=number,
            moments_lower_symmetry=magnetic and len(SpaceGroup.of(compact)) < len(SpaceGroup.of(bare)),
            shortest_distance_ang=distance * BOHR_ANG,
            closest_atoms=(first + 1, second + 1),
            moments=tuple(crystal.moments.tolist()) if magnetic else (),
            volume_ang3=crystal.volume * BOHR_ANG**3,
            primitive_atoms=len(crystal.primitive().species),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data, without the symbols of the atoms, which a structure tells."""
        return {name: value for name, value in asdict(self).items() if name != "species"}

    def sentences(self) -> list[str]:
        """The same in two sentences for a person: what it is, and what a wrong reading would show."""
        cell = f"{self.formula}, {self.atoms_in_words} in a cell of {self.volume_ang3:.2f} cubic angstrom"
        group = f"space group {self.group_in_words}" if self.space_group else self.group_in_words
        closest, moments = self.closest_in_words, self.moments_in_words
        return [f"{self.origin or self.name}: {cell}, {group}.", f"Closest atoms: {closest}; moments: {moments}."]

    @property
    def content_in_words(self) -> str:
        """The reduced formula, and how often the cell holds it."""
        count = gcd(*Counter(self.species).values())
        return self.formula if count == 1 else f"{count} × {self.formula}"

    @property
    def atoms_in_words(self) -> str:
        """The number of atoms."""
        return "1 atom" if self.atoms == 1 else f"{self.atoms} atoms"

    @property
    def group_in_words(self) -> str:
        """The space group, and whether moments lower it."""
        lowered = ", lowered by the moments" if self.moments_lower_symmetry else ""
        return f"{self.space_group} ({self.space_group_number}){lowered}" if self.space_group else "no symmetry found"

    @property
    def closest_in_words(self) -> str:
        """Which atoms are the closest, and how close."""
        first, second = self.closest_atoms
        apart = f"{self.shortest_distance_ang:.3f} angstrom"
        if first == second:
            return f"{first} ({self.species[first - 1]}) and its own image, {apart}"
        return f"{first} ({self.species[first - 1]}) and {second} ({self.species[second - 1]}), {apart}"

    @property
    def moments_in_words(self) -> str:
        """How many atoms of which element have which given moment."""
        if not self.moments:
            return "none given"
        counts = Counter(zip(self.species, (round(moment, 3) for moment in self.moments), strict=True))
        return (
            ", ".join(f"{count} {symbol} {moment:+g}" for (symbol, moment), count in counts.items()) + " Bohr magneton"
        )

    @property
    def primitive_in_words(self) -> str:
        """How many atoms the cell and a primitive one have; empty if it is primitive."""
        if self.primitive_atoms == self.atoms:
            return ""
        return f"{self.atoms_in_words}; the primitive cell has {self.primitive_atoms}"
