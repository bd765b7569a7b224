"""Finding pseudopotentials by family and name. Imports no torch, so that a page can check a choice at once.

The tables of Goedecker-Teter-Hutter potentials in CP2K's format are the ones that PySCF carries.
"""

from __future__ import annotations

import importlib.util
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from mlxc.elements import atomic_number
from mlxc.errors import InputError

GTH_TABLES = {"gth-pbe": "gth-pbe.dat", "gth-pade": "gth-pade.dat", "gth-uzh": "POTENTIAL_UZH"}
FAMILIES = ("gth", *GTH_TABLES)


@dataclass(frozen=True)
class Channel:
    """Projectors of one angular momentum.

    Attributes:
        radius: r_l, bohr.
        coupling: the symmetric matrix h_ij, hartree, as rows.
    """

    radius: float
    coupling: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class GTHParameters:
    """One entry of a table: the parameters of Hartwigsen, Goedecker and Hutter, Phys. Rev. B 58, 3641 (1998).

    Attributes:
        symbol: chemical symbol.
        name: name in the table, for example ``GTH-PBE-q3``.
        aliases: further names.
        electrons: valence electrons of angular momentum s, p, d, ...
        local_radius: r_loc, bohr.
        local_coefficients: C_1, C_2, ..., hartree.
        channels: projectors of l = 0, 1, ...
    """

    symbol: str
    name: str
    aliases: tuple[str, ...]
    electrons: tuple[int, ...]
    local_radius: float
    local_coefficients: tuple[float, ...]
    channels: tuple[Channel, ...]

    @property
    def charge(self) -> int:
        """Number of valence electrons, which is the charge of the ion."""
        return sum(self.electrons)


def parse_gth(text: str) -> list[GTHParameters]:
    """Read a table in CP2K's GTH format.

    All-electron entries are left out, and so are those that the table marks as not available or that break off (as
    one of bismuth does in POTENTIAL_UZH).
    """
    lines = [line.split("#")[0].split() for line in text.splitlines()]
    lines = [words for words in lines if words]
    starts = [i for i, words in enumerate(lines) if len(words) > 1 and words[0][0].isalpha()]
    entries = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        symbol, name, *aliases = lines[start]
        if name.startswith("GTH"):
            with suppress(StopIteration, ValueError):
                entries.append(_parse_entry(symbol, name, tuple(aliases), lines[start + 1 : end]))
    return entries


def _parse_entry(symbol: str, name: str, aliases: tuple[str, ...], lines: list[list[str]]) -> GTHParameters:
    electrons = tuple(int(word) for word in lines[0])
    numbers = iter([word for line in lines[1:] for word in line])
    local_radius = float(next(numbers))
    local = tuple(float(next(numbers)) for _ in range(int(next(numbers))))
    channels = []
    for _ in range(int(next(numbers, "0"))):
        radius, size = float(next(numbers)), int(next(numbers))
        coupling = [[0.0] * size for _ in range(size)]
        for i in range(size):
            for j in range(i, size):
                coupling[i][j] = coupling[j][i] = float(next(numbers))
        channels.append(Channel(radius, tuple(map(tuple, coupling))))
    return GTHParameters(symbol, name, aliases, electrons, local_radius, local, tuple(channels))


@cache
def _table(family: str) -> dict[str, list[GTHParameters]]:
    pyscf = importlib.util.find_spec("pyscf")
    if pyscf is None or pyscf.origin is None:
        raise InputError("The GTH pseudopotentials come with PySCF, which is not installed.")
    path = Path(pyscf.origin).parent / "pbc" / "gto" / "pseudo" / GTH_TABLES[family]
    table: dict[str, list[GTHParameters]] = {}
    for entry in parse_gth(path.read_text(encoding="utf-8")):
        table.setdefault(entry.symbol, []).append(entry)
    return table


def gth_family(family: str, xc: str) -> str:
    """The table behind a family name; ``gth`` is the table that suits the functional.

    Raises:
        InputError: there is no such family.
    """
    if family == "gth":
        return "gth-pade" if xc.startswith("lda") else "gth-pbe"
    if family not in GTH_TABLES:
        raise InputError(f"pseudo: '{family}' is not a family of pseudopotentials; there are {', '.join(FAMILIES)}.")
    return family


def find_gth(symbol: str, family: str, xc: str, name: str | None = None) -> GTHParameters:
    """The pseudopotential of an element.

    Args:
        symbol: chemical symbol.
        family: one of ``FAMILIES``.
        xc: name of the functional, which decides what ``gth`` means.
        name: name or alias in the table, or only its charge such as ``q3``; without it the table's own default
            (the entry with an alias that names no charge, else the first).

    Raises:
        InputError: the family has no such element, or the element has no such pseudopotential.
    """
    atomic_number(symbol)
    family = gth_family(family, xc)
    entries = _table(family).get(symbol, [])
    if not entries:
        raise InputError(f"pseudo: the family {family} has no pseudopotential for {symbol}.")
    if name is None:
        return next((e for e in entries if any("-q" not in alias for alias in e.aliases)), entries[0])
    for entry in entries:
        if name in (entry.name, *entry.aliases) or (name.startswith("q") and entry.name.endswith(f"-{name}")):
            return entry
    names = [entry.name for entry in entries]
    shown = get_close_matches(name, names, n=4, cutoff=0) or names[:4]
    raise InputError(f"pseudo_names: {symbol} has no pseudopotential '{name}' in {family}; it has {', '.join(shown)}.")


def find_pseudopotentials(
    species: tuple[str, ...], family: str, xc: str, names: dict[str, str]
) -> dict[str, GTHParameters]:
    """Pseudopotential of each element of a crystal.

    Raises:
        InputError: a pseudopotential is missing, or ``names`` speaks of an element that the crystal does not have.
    """
    for symbol in names:
        if symbol not in species:
            raise InputError(
                f"pseudo_names: the structure has no {symbol}; it has {', '.join(dict.fromkeys(species))}."
            )
    return {symbol: find_gth(symbol, family, xc, names.get(symbol)) for symbol in dict.fromkeys(species)}
