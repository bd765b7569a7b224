"""What a person looks at to see whether a crystal is the one that was meant. Imports no torch."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
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
        symbol, number = space_group_type(crystal) or ("", 0)
        magnetic = bool(crystal.moments.any())
        bare = Crystal(crystal.lattice, crystal.species, crystal.positions)
        return cls(
            name=crystal.name,
            origin=crystal.origin,
            formula=crystal.formula,
            atoms=len(crystal.species),
            species=crystal.species,
            space_group=symbol,
            space_group_number=number,
            moments_lower_symmetry=magnetic and len(SpaceGroup.of(crystal)) < len(SpaceGroup.of(bare)),
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
        atoms = "1 atom" if self.atoms == 1 else f"{self.atoms} atoms"
        source = self.origin or self.name
        what = f"{source}: {self.formula}, {atoms} in a cell of {self.volume_ang3:.2f} cubic angstrom, {self._group()}."
        return [what, f"{self._closest()}; {self._moments()}."]

    @property
    def primitive_sentence(self) -> str:
        """That the cell is not primitive; empty if it is."""
        if self.primitive_atoms == self.atoms:
            return ""
        return f"The cell is not primitive: it has {self.atoms} atoms, and a primitive one has {self.primitive_atoms}"

    def _group(self) -> str:
        if not self.space_group:
            return "no space group found"
        lowered = ", which the moments lower" if self.moments_lower_symmetry else ""
        return f"space group {self.space_group} ({self.space_group_number}){lowered}"

    def _closest(self) -> str:
        apart = f"{self.shortest_distance_ang:.3f} angstrom"
        first, second = self.closest_atoms
        if first == second:
            return f"The closest atoms are {apart} apart, images of atom {first} ({self.species[first - 1]})"
        pair = " and ".join(f"{atom} ({self.species[atom - 1]})" for atom in self.closest_atoms)
        return f"The closest atoms are {pair}, {apart} apart"

    def _moments(self) -> str:
        if not self.moments:
            return "no magnetic moments are given"
        counts = Counter(zip(self.species, (round(moment, 3) for moment in self.moments), strict=True))
        told = ", ".join(f"{count} {symbol} with {moment:+g}" for (symbol, moment), count in counts.items())
        return f"the given moments (Bohr magneton): {told}"
