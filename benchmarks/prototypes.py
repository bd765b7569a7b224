"""Compounds that the elements of a table make plausible in six simple structures, and crystals of them.

Nothing is known about most of them. Oxidation states decide what is neutral, ratios of radii what is plausible, and
sums of radii how large a cell is; each enters by the common values of pymatgen and ASE:

* rock salt AX and fluorite AX2 (A2X as well): ions of opposite charge (Pauling's ratio of radii);
* zinc blende AB: elements of eight valence electrons in all;
* CsCl, AB: a metal of groups 1 to 4 with one of groups 8 to 13;
* rutile AX2: fluorides and oxides of smaller cations;
* perovskite ABX3: Goldschmidt's tolerance factor from 0.82 to 1.04, and B within the octahedra of X.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import product
from math import sqrt

from ase.data import atomic_numbers, covalent_radii
from pymatgen.core import Element, Lattice, Structure

from mlxc import Crystal

# Anions and their charges.
CHARGES = {"F": -1, "Cl": -1, "Br": -1, "I": -1, "O": -2, "S": -2, "Se": -2, "Te": -2, "N": -3}
CORNER, MIDDLE, QUARTER = (0.0, 0.0, 0.0), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)
# Of rutile: the height of the cell by its edge, and the coordinate of the anion.
RUTILE_HEIGHT, RUTILE_ANION = 0.65, 0.305


@dataclass(frozen=True)
class Compound:
    """A compound in one of the structures.

    Attributes:
        structure: The name of the structure.
        species: The elements in the order of ``sites``.
        edge_ang: The edge of the conventional cell that sums of radii give, angstrom.
    """

    structure: str
    species: tuple[str, ...]
    edge_ang: float

    @property
    def name(self) -> str:
        """The elements and the structure."""
        return f"{'-'.join(self.species)}, {self.structure}"

    def crystal(self) -> Crystal:
        """The primitive cell."""
        group, sites, height = PROTOTYPES[self.structure]
        lattice = Lattice.tetragonal(self.edge_ang, height * self.edge_ang)
        structure = Structure.from_spacegroup(group, lattice, list(self.species), list(sites))
        return Crystal.from_pymatgen(structure.get_primitive_structure(), self.name)


# By structure: the space group, one position of each site, and the height of the cell by its edge.
PROTOTYPES = {
    "rock salt": ("Fm-3m", (CORNER, MIDDLE), 1.0),
    "zinc blende": ("F-43m", (CORNER, QUARTER), 1.0),
    "CsCl": ("Pm-3m", (CORNER, MIDDLE), 1.0),
    "fluorite": ("Fm-3m", (CORNER, QUARTER), 1.0),
    "rutile": ("P4_2/mnm", (CORNER, (RUTILE_ANION, RUTILE_ANION, 0.0)), RUTILE_HEIGHT),
    "perovskite": ("Pm-3m", (CORNER, MIDDLE, (0.5, 0.5, 0.0)), 1.0),
}


def compounds(elements: Collection[str]) -> dict[str, list[Compound]]:
    """The plausible compounds of these elements by structure, each list in alphabetical order."""
    cations, anions = list(_cations(elements)), [symbol for symbol in CHARGES if symbol in elements]
    found = {
        "rock salt": _rock_salts(cations, anions),
        "zinc blende": _zinc_blendes(elements),
        "CsCl": _intermetallics(elements),
        "fluorite": _fluorites(cations, anions),
        "rutile": _rutiles(cations, anions),
        "perovskite": _perovskites(cations, anions),
    }
    return {
        name: [Compound(name, species, edge) for species, edge in sorted(dict(entries).items())]
        for name, entries in found.items()
    }


Ion = tuple[str, int, float]
Entries = Iterable[tuple[tuple[str, ...], float]]


def _cations(elements: Iterable[str]) -> Iterator[Ion]:
    """Each metal in each of its common oxidation states, with its ionic radius, angstrom."""
    for symbol in elements:
        element = Element(symbol)
        for charge in element.common_oxidation_states:
            if charge > 0 and element.is_metal and charge in element.ionic_radii:
                yield symbol, charge, float(element.ionic_radii[charge])


def _radius(anion: str) -> float:
    return float(Element(anion).ionic_radii[CHARGES[anion]])


def _pairs(cations: Iterable[Ion], anions: Iterable[str], number: int) -> Iterator[tuple[str, float, str, float]]:
    """The neutral pairs with so many anions for each cation: symbols and radii."""
    for (cation, charge, small), anion in product(cations, anions):
        if charge == -number * CHARGES[anion]:
            yield cation, small, anion, _radius(anion)


def _rock_salts(cations: list[Ion], anions: list[str]) -> Entries:
    for cation, small, anion, large in _pairs(cations, anions, 1):
        if 0.35 < small / large < 1:
            yield (cation, anion), 2 * (small + large)


def _zinc_blendes(elements: Collection[str]) -> Entries:
    valence = {symbol: Element(symbol).group % 10 for symbol in elements if Element(symbol).group > 10}
    for first, second in product(valence, valence):
        ordered = (valence[first], first) < (valence[second], second)
        if ordered and valence[first] and valence[first] + valence[second] == 8:
            yield (first, second), 4 / sqrt(3) * _covalent(first, second)


def _covalent(*symbols: str) -> float:
    return float(sum(covalent_radii[atomic_numbers[symbol]] for symbol in symbols))


def _intermetallics(elements: Iterable[str]) -> Entries:
    metals = [Element(symbol) for symbol in elements if Element(symbol).is_metal]
    for early, late in product(metals, metals):
        if early.group <= 4 and 8 <= late.group <= 13:
            yield (early.symbol, late.symbol), 2 / sqrt(3) * 0.95 * (early.metallic_radius + late.metallic_radius)


def _fluorites(cations: list[Ion], anions: list[str]) -> Entries:
    for cation, small, anion, large in _pairs(cations, anions, 2):
        if small / large > 0.55:
            yield (cation, anion), 4 / sqrt(3) * (small + large)
    for cation, charge, small in cations:
        for anion in anions:
            if CHARGES[anion] == -2 * charge:
                yield (anion, cation), 4 / sqrt(3) * (small + _radius(anion))


def _rutiles(cations: list[Ion], anions: list[str]) -> Entries:
    for cation, small, anion, large in _pairs(cations, [anion for anion in anions if anion in ("F", "O")], 2):
        if 0.35 < small / large < 0.75:
            yield (cation, anion), (small + large) / (sqrt(2) * RUTILE_ANION)


def _perovskites(cations: list[Ion], anions: list[str]) -> Entries:
    for (a, charge_a, large), (b, charge_b, small), x in product(cations, cations, anions):
        if a == b or charge_a + charge_b != -3 * CHARGES[x]:
            continue
        tolerance = (large + _radius(x)) / (sqrt(2) * (small + _radius(x)))
        if 0.82 < tolerance < 1.04 and 0.4 < small / _radius(x) < 0.75:
            yield (a, b, x), 2 * (small + _radius(x))
