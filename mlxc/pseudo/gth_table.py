"""Tables of Goedecker-Teter-Hutter pseudopotentials in CP2K's format, as PySCF carries them. Imports no torch."""

from __future__ import annotations

import importlib.util
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mlxc.errors import InputError
from mlxc.pseudo.made_for import LDA, PBE, made_for
from mlxc.utils.spelling import closest_names

GTH_TABLES = {"gth-pbe": "gth-pbe.dat", "gth-pade": "gth-pade.dat", "gth-uzh": "POTENTIAL_UZH"}
# What each table is made for; that of Zurich has pseudopotentials for several functionals, PBE's first.
MADE_FOR = {"gth-pbe": PBE, "gth-pade": LDA, "gth-uzh": PBE}
GTH_FAMILIES = ("gth", *GTH_TABLES)


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
        symbol: Chemical symbol.
        name: Name in the table, for example ``GTH-PBE-q3``.
        aliases: Further names.
        electrons: The numbers of valence electrons of angular momentum s, p, d, ...
        local_radius: r_loc, bohr.
        local_coefficients: C_1, C_2, ..., hartree.
        channels: The projectors of l = 0, 1, ...
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

    @property
    def projector_count(self) -> int:
        """Projectors of one atom, all magnetic quantum numbers counted."""
        return sum((2 * ell + 1) * len(channel.coupling) for ell, channel in enumerate(self.channels))

    def in_pyscf_form(self) -> list[Any]:
        """The parameters as PySCF's cells take them: plain lists."""
        channels = [[c.radius, len(c.coupling), [list(row) for row in c.coupling]] for c in self.channels]
        local = list(self.local_coefficients)
        return [list(self.electrons), self.local_radius, len(local), local, len(channels), *channels]


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


def gth_entries(table: str) -> list[GTHParameters]:
    """All entries of a table.

    Raises:
        InputError: PySCF, which brings the tables, is not there.
    """
    return [entry for entries in _table(table).values() for entry in entries]


def gth_elements(table: str) -> frozenset[str]:
    """The elements of a table; none where PySCF, which brings the tables, is not there."""
    try:
        return frozenset(_table(table))
    except InputError:
        return frozenset()


def gth_table(family: str, xc: str) -> str:
    """The table that a family means for a functional: ``gth`` is the one that is made for it, or else PBE's."""
    if family != "gth":
        return family
    return "gth-pade" if made_for(xc) == LDA else "gth-pbe"


def find_gth(symbol: str, family: str, xc: str, name: str | None = None) -> GTHParameters:
    """The pseudopotential of an element.

    Args:
        symbol: chemical symbol.
        family: one of ``GTH_FAMILIES``; ``gth`` is the table that suits the functional.
        xc: name of the functional.
        name: name or alias in the table, or only its charge such as ``q3``; without it the table's own default
            (the entry with an alias that names no charge, else the first).

    Raises:
        InputError: the family has no such element, or the element has no such pseudopotential.
    """
    family = gth_table(family, xc)
    entries = _table(family).get(symbol, [])
    if not entries:
        raise InputError(
            f"pseudo: the family {family} has no pseudopotential for {symbol}; "
            "name a folder that has one with --pseudo."
        )
    if name is None:
        return next((e for e in entries if any("-q" not in alias for alias in e.aliases)), entries[0])
    for entry in entries:
        if name in (entry.name, *entry.aliases) or (name.startswith("q") and entry.name.endswith(f"-{name}")):
            return entry
    names = [entry.name for entry in entries]
    shown = closest_names(name, names, 4)
    raise InputError(f"pseudo_names: {symbol} has no pseudopotential '{name}' in {family}; it has {', '.join(shown)}.")
