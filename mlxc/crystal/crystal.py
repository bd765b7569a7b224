"""The crystal: a lattice, the species in it, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mlxc.crystal.conversions import check_neutral, parts_of_atoms, parts_of_structure
from mlxc.crystal.distances import closest_pair, largest_displacement
from mlxc.crystal.elements import atomic_number
from mlxc.crystal.lattice_reduction import shortest_basis, spans_volume
from mlxc.crystal.primitive_cell import primitive_cell, spglib_cell
from mlxc.errors import InputError
from mlxc.units import BOHR_ANG

if TYPE_CHECKING:
    from ase import Atoms
    from pymatgen.core.structure import Structure

# Closer than this no two nuclei of any molecule or crystal come (H2: 1.40 bohr).
SHORTEST_DISTANCE_BOHR = 0.8
# No atom is as small, and no crystal that can be computed as long, even in a skewed cell.
SMALLEST_VOLUME_BOHR3, LONGEST_ANG = 1.0, 1e5
# Vectors and atoms within this of each other are the same, bohr; moments within that, Bohr magneton.
SAME_BOHR, SAME_MOMENT = 1e-6, 1e-8
# Far more than can be computed, and few enough to be looked at pair by pair.
MAX_ATOMS = 1000


@dataclass(frozen=True, eq=False)
class Crystal:
    """A periodic arrangement of atoms.

    Attributes:
        lattice: rows are the lattice vectors, shape ``(3, 3)``, bohr.
        species: chemical symbols, one per atom.
        positions: fractional coordinates, shape ``(natom, 3)``.
        moments: initial magnetic moments, shape ``(natom,)``, Bohr magneton.
        name: how the crystal is called in lists and titles.
        origin: where the crystal was read from, for a person, such as ``mgo.cif, block MgO (CIF)``; empty where it was
            made in Python.

    Raises:
        InputError: no atoms or too many, an unknown element, a degenerate lattice, or atoms on top of each other.
    """

    lattice: NDArray[np.float64]
    species: tuple[str, ...]
    positions: NDArray[np.float64]
    moments: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    name: str = "crystal"
    origin: str = ""

    def __init__(
        self,
        lattice: ArrayLike,
        species: Sequence[str],
        positions: ArrayLike,
        moments: ArrayLike | None = None,
        name: str = "crystal",
        origin: str = "",
    ) -> None:
        natom = len(species)
        arrays = {
            "lattice": _array(lattice, (3, 3), "lattice"),
            "positions": _array(positions, (natom, 3), "positions"),
            "moments": np.zeros(natom) if moments is None else _array(moments, (natom,), "moments"),
        }
        for key, value in arrays.items():
            value.flags.writeable = False
            object.__setattr__(self, key, value)
        object.__setattr__(self, "species", tuple(species))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "origin", origin)
        self._check()

    def _check(self) -> None:
        if not self.species:
            raise InputError("The structure has no atoms.")
        if len(self.species) > MAX_ATOMS:
            raise too_many_atoms(len(self.species))
        for symbol in self.species:
            atomic_number(symbol)
        longest = float(np.abs(self.lattice).max()) * BOHR_ANG
        if longest > LONGEST_ANG:
            raise InputError(
                f"The lattice vectors are up to {longest:.3g} angstrom long, and at most {LONGEST_ANG:g} are allowed."
            )
        if self.volume < SMALLEST_VOLUME_BOHR3 or not spans_volume(self.lattice):
            raise InputError(
                "The lattice vectors span no volume: they must be three linearly independent vectors, "
                f"but they enclose {self.volume * BOHR_ANG**3:.3g} cubic angstrom, nothing beside their lengths."
            )
        distance, first, second = closest_pair(self.lattice, self.positions)
        if distance < SHORTEST_DISTANCE_BOHR:
            raise too_close(self.species, distance, first, second)

    @property
    def volume(self) -> float:
        """Volume of the cell in bohr^3."""
        return float(abs(np.linalg.det(self.lattice)))

    @cached_property
    def reciprocal(self) -> NDArray[np.float64]:
        """Reciprocal lattice vectors as rows, B = 2 pi inv(A).T, in 1/bohr."""
        return np.asarray(2 * np.pi * np.linalg.inv(self.lattice).T)

    @property
    def formula(self) -> str:
        """Reduced formula, for example ``MgO``; elements in the order in which they appear."""
        counts = {symbol: self.species.count(symbol) for symbol in self.species}
        divisor = int(np.gcd.reduce(list(counts.values())))
        return "".join(s + (str(c // divisor) if c > divisor else "") for s, c in counts.items())

    @property
    def atomic_numbers(self) -> list[int]:
        """Atomic number of each atom."""
        return [atomic_number(symbol) for symbol in self.species]

    def same_lattice_as(self, other: Crystal, *, up_to_scaling: bool = False, tolerance: float = SAME_BOHR) -> bool:
        """Whether the lattice vectors are the same, one by one: another choice for the same lattice is another one.

        Args:
            other: the crystal to compare with.
            up_to_scaling: whether the volume does not count; then the smaller cell is enlarged to that of the other.
            tolerance: how far the ends of two vectors may lie apart, bohr.
        """
        first, second = self.lattice, other.lattice
        if up_to_scaling:
            largest = max(self.volume, other.volume)
            first, second = (crystal.lattice * np.cbrt(largest / crystal.volume) for crystal in (self, other))
        return bool(np.linalg.norm(first - second, axis=1).max() <= tolerance)

    def same_as(
        self,
        other: Crystal,
        *,
        up_to_scaling: bool = False,
        with_moments: bool = False,
        tolerance: float = SAME_BOHR,
    ) -> bool:
        """Whether two crystals are the same atoms in the same places of the same cell, whatever their names.

        Atoms are compared in their order, and positions modulo lattice vectors. A crystal that is turned, shifted as a
        whole, or described by other lattice vectors is another one, since the points of its grids are others.

        Args:
            other: the crystal to compare with.
            up_to_scaling: whether the volume does not count, see :meth:`same_lattice_as`.
            with_moments: whether the initial magnetic moments count.
            tolerance: how far the ends of two lattice vectors, or the places of an atom, may lie apart, bohr.
        """
        if self.species != other.species:
            return False
        if not self.same_lattice_as(other, up_to_scaling=up_to_scaling, tolerance=tolerance):
            return False
        if with_moments and np.abs(self.moments - other.moments).max() > SAME_MOMENT:
            return False
        larger = max(self, other, key=lambda crystal: crystal.volume)
        return largest_displacement(larger.lattice, self.positions, other.positions) <= tolerance

    def scaled(self, linear: float) -> Crystal:
        """The crystal with every lattice vector multiplied by ``linear``, fractional positions kept."""
        return replace(self, lattice=self.lattice * linear)

    def scaled_in_plane(self, linear: float, direction: int) -> Crystal:
        """The crystal stretched by ``linear`` in the plane of two lattice vectors, and not perpendicular to it.

        Fractional positions are kept, and so are distances of atoms from the plane.

        Args:
            linear: factor of all lengths in the plane.
            direction: index, 0 to 2, of the lattice vector that does not lie in it.
        """
        normal = self.reciprocal[direction] / np.linalg.norm(self.reciprocal[direction])
        stretch = linear * np.eye(3) + (1 - linear) * np.outer(normal, normal)
        return replace(self, lattice=self.lattice @ stretch)

    def supercell(self, n1: int, n2: int, n3: int) -> Crystal:
        """The same crystal described by a cell ``n1 x n2 x n3`` times as large."""
        repeats = np.array([n1, n2, n3])
        shifts = np.array(np.meshgrid(*[range(n) for n in repeats], indexing="ij")).reshape(3, -1).T
        positions = ((self.positions[:, None, :] + shifts[None, :, :]) / repeats).reshape(-1, 3)
        species = tuple(s for s in self.species for _ in shifts)
        moments = np.repeat(self.moments, len(shifts))
        return replace(
            self, lattice=self.lattice * repeats[:, None], species=species, positions=positions, moments=moments
        )

    def reduced(self) -> Crystal:
        """The same atoms in the cell of the shortest lattice vectors, in the same order and not turned.

        Energy, forces and stress are those of the crystal itself; fractional coordinates and k meshes are not.
        """
        return self.in_cell(shortest_basis(self.lattice))

    def in_cell(self, lattice: NDArray[np.float64]) -> Crystal:
        """The same atoms, in the same order and not turned, in a cell of other vectors that span the same lattice.

        Args:
            lattice: the vectors in rows, bohr, each an integer combination of the crystal's own.
        """
        positions = self.positions @ self.lattice @ np.linalg.inv(lattice)
        return replace(self, lattice=lattice, positions=_wrapped(positions))

    def primitive(self) -> Crystal:
        """The crystal in a primitive cell, which is not turned; itself if its cell is primitive.

        Atoms with different moments are different, so that an antiferromagnet keeps the cell of its moments. The first
        atom of each kind of place is kept, in the order given.
        """
        compact = self.reduced()
        cell = spglib_cell(compact.lattice, compact.positions, compact.species, compact.moments)
        lattice, kept = primitive_cell(cell, like=self.lattice)
        if len(kept) == len(self.species):
            return self
        positions = self.positions[kept] @ self.lattice @ np.linalg.inv(lattice)
        return replace(
            self,
            lattice=lattice,
            species=tuple(self.species[atom] for atom in kept),
            positions=_wrapped(positions),
            moments=self.moments[kept],
        )

    @classmethod
    def load(cls, source: str | Path, *, species: str | Sequence[str] = ()) -> Crystal:
        """Load a shipped structure by name, or a file (CIF, POSCAR, extxyz, ...).

        Args:
            source: the name or the path; behind it may stand the block of a CIF, ``FILE#BLOCK``, or the species of a
                POSCAR, ``POSCAR#Mg,O``.
            species: the elements of a POSCAR that does not say them, in the order of its counts.

        Raises:
            InputError: the name is not shipped and no such file exists, or the file cannot be read as a crystal.
        """
        from mlxc.structures.sources import load_structure

        return load_structure(source, species.split(",") if isinstance(species, str) and species else list(species))

    @classmethod
    def from_ase(cls, atoms: Atoms, name: str | None = None) -> Crystal:
        """Take over an ``ase.Atoms`` object with a cell; one that is not periodic everywhere is told in a warning.

        Raises:
            InputError: there is no cell, or a net charge.
        """
        parts = parts_of_atoms(atoms)
        return cls(*parts[:4], name or parts.name)

    @classmethod
    def from_pymatgen(cls, structure: Structure, name: str | None = None) -> Crystal:
        """Take over a ``pymatgen.core.Structure``; every site must be fully occupied by one element.

        Moments are the sites' property ``magmom``, else the spins of their species; oxidation states are left out.

        Raises:
            InputError: it is no such structure, or has a net charge.
        """
        parts = parts_of_structure(structure)
        return cls(*parts[:4], name or parts.name)

    @classmethod
    def from_optimade(cls, entry: str) -> Crystal:
        """Fetch a structure from a database that speaks OPTIMADE; this is the only method that asks the network.

        Args:
            entry: ``PROVIDER/ID``, such as ``"mp/mp-149"``, or ``https://HOST/.../v1/structures/ID``; see
                :mod:`mlxc.structures.optimade`.

        Raises:
            InputError: there is no network, no such entry, or the entry is no crystal whose sites are all occupied.
        """
        from mlxc.structures.sources import fetch_structure

        return fetch_structure(entry)

    def to_ase(self) -> Atoms:
        """The crystal as an ``ase.Atoms`` object (angstrom)."""
        from ase import Atoms

        return Atoms(
            symbols=list(self.species),
            scaled_positions=self.positions,
            cell=self.lattice * BOHR_ANG,
            pbc=True,
            magmoms=self.moments,
        )

    def to_pymatgen(self) -> Structure:
        """The crystal as a ``pymatgen.core.Structure`` (angstrom)."""
        from pymatgen.core.structure import Structure

        return Structure(
            self.lattice * BOHR_ANG, list(self.species), self.positions, site_properties={"magmom": list(self.moments)}
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain lists in angstrom and fractional coordinates, the inverse of :meth:`from_dict`."""
        origin = {"origin": self.origin} if self.origin else {}
        return {
            "name": self.name,
            **origin,
            "lattice_ang": (self.lattice * BOHR_ANG).tolist(),
            "species": list(self.species),
            "fractional_positions": self.positions.tolist(),
            "moments_bohr_magneton": self.moments.tolist(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Crystal:
        """Build a crystal from the lists that :meth:`to_dict` writes.

        Raises:
            InputError: they describe no crystal, or there is a net ``charge`` beside them.
        """
        check_neutral(data.get("charge"))
        try:
            lattice, species, positions = data["lattice_ang"], data["species"], data["fractional_positions"]
        except KeyError as missing:
            raise InputError(f"A structure needs the field {missing}.") from None
        lattice = _array(lattice, (3, 3), "lattice_ang") / BOHR_ANG
        name, origin = data.get("name", "crystal"), str(data.get("origin", ""))
        return cls(lattice, species, positions, data.get("moments_bohr_magneton"), name, origin)


def too_many_atoms(atoms: int) -> InputError:
    """The error for a cell that nobody can compute."""
    return InputError(f"The structure has {atoms} atoms in its cell, and at most {MAX_ATOMS} are allowed.")


def too_close(species: Sequence[str], distance: float, first: int, second: int) -> InputError:
    """The error for two atoms, of these indices and this distance in bohr, that are nearer than any two nuclei."""
    apart = f"{distance * BOHR_ANG:.3f} angstrom"
    needed = f"at least {SHORTEST_DISTANCE_BOHR * BOHR_ANG:.2f} angstrom is needed"
    if first == second:
        return InputError(f"The lattice vectors repeat each atom after {apart}, and {needed}; their cell is too flat.")
    pair = f"{first + 1} ({species[first]}) and {second + 1} ({species[second]})"
    return InputError(f"Atoms {pair} are on top of each other: they are {apart} apart, and {needed}.")


def _wrapped(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fractional coordinates from 0 to below 1, but for rounding, which is not to lead from 0 to 1."""
    return (positions + 1e-12) % 1.0 - 1e-12


def _array(values: ArrayLike, shape: tuple[int, ...], name: str) -> NDArray[np.float64]:
    try:
        array = np.array(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"The {name} of the structure must be numbers.") from None
    if array.size == 0 and 0 in shape:
        return np.zeros(shape)
    if array.shape != shape:
        raise InputError(f"The {name} of the structure must have the shape {shape}, not {array.shape}.")
    if not np.isfinite(array).all():
        raise InputError(f"The {name} of the structure must be finite numbers.")
    return array
