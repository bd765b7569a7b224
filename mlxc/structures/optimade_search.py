"""Searching a database that speaks OPTIMADE for the structures of a formula, see :mod:`mlxc.structures.optimade`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import reduce
from math import gcd
from typing import Any
from urllib.parse import quote

from mlxc.crystal.crystal import MAX_ATOMS
from mlxc.errors import InputError
from mlxc.structures.optimade import PROVIDERS, fetched, in_a_sentence

# As many as a list shows.
MOST_FOUND = 20
FOUND_FIELDS = "chemical_formula_reduced,nsites"


@dataclass(frozen=True)
class FoundStructure:
    """An entry of a database.

    Attributes:
        entry: What :meth:`mlxc.Crystal.from_optimade` takes.
        formula: The reduced formula, elements in alphabetical order.
        atoms: The number of atoms in the cell.
    """

    entry: str
    formula: str
    atoms: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def search_structures(formula: str, provider: str) -> list[FoundStructure]:
    """The entries of a formula, those with the fewest atoms first, ``MOST_FOUND`` at most.

    Args:
        formula: A chemical formula, such as ``TiO2``.
        provider: One of :data:`~mlxc.structures.optimade.PROVIDERS`.

    Raises:
        InputError: this is no formula, there is no such provider, or the database cannot be asked; one sentence says
            so.
    """
    if provider not in PROVIDERS:
        raise InputError(f"'{in_a_sentence(provider)}' is no database; there are {', '.join(PROVIDERS)}.")
    reduced = reduced_formula(formula)
    asked = quote(f'chemical_formula_reduced="{reduced}" AND nsites<={MAX_ATOMS}')
    url = f"{PROVIDERS[provider]}/v1/structures?filter={asked}&response_fields={FOUND_FIELDS}&page_limit={MOST_FOUND}"
    found = entries_in(fetched(url, in_a_sentence(formula)), provider)
    return sorted(found, key=lambda structure: structure.atoms)


def reduced_formula(formula: str) -> str:
    """A formula as OPTIMADE's ``chemical_formula_reduced`` writes it: ``O2Ti`` for ``Ti2O4``.

    Raises:
        InputError: this is no formula.
    """
    from ase.formula import Formula

    try:
        counts = Formula(formula.strip(), strict=True).count()
    except ValueError:
        counts = {}
    if not counts:
        raise InputError(f"'{in_a_sentence(formula)}' is no chemical formula; write one such as TiO2.")
    divisor = reduce(gcd, counts.values())
    numbers = {symbol: count // divisor for symbol, count in sorted(counts.items())}
    return "".join(f"{symbol}{count if count > 1 else ''}" for symbol, count in numbers.items())


def entries_in(content: bytes, provider: str) -> list[FoundStructure]:
    """The entries in an answer; what is no entry is left out.

    Raises:
        InputError: the answer is none of OPTIMADE.
    """
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list):
        raise InputError(f"{provider}: the answer is none of OPTIMADE.")
    return [found for one in data[:MOST_FOUND] if (found := _entry(one, provider)) is not None]


def _entry(data: Any, provider: str) -> FoundStructure | None:
    attributes = data.get("attributes") if isinstance(data, dict) else None
    if not isinstance(attributes, dict) or not isinstance(data.get("id"), str):
        return None
    formula, atoms = attributes.get("chemical_formula_reduced"), attributes.get("nsites")
    if not isinstance(formula, str) or not isinstance(atoms, int):
        return None
    return FoundStructure(f"{provider}/{data['id']}", in_a_sentence(formula), atoms)
