"""The chemical formula of a CIF, and whether the atoms in the cell are those that it says. Imports no torch."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from math import gcd

from mlxc.errors import InputError
from mlxc.structures.cif.document import Block, shortened
from mlxc.structures.cif.elements import DEUTERIUM, is_element

SUM = "_chemical_formula_sum"
# What stands in for a sum formula, where it reads like one.
STRUCTURAL = "_chemical_formula_structural"
UNITS = "_cell_formula_units_Z"
# How much a number of a formula may be rounded, relative to it.
ROUNDED = 0.006

_GROUP = re.compile(r"[(\[]([^()\[\]]*)[)\]](\d+\.?\d*|\.\d+)?")
_PART = re.compile(r"([A-Z][a-z]?)(\d+\.?\d*|\.\d+)?")


@dataclass(frozen=True)
class Formula:
    """A formula of what is in the cell.

    Attributes:
        tag: Its tag in the file.
        text: As it stands there.
        counts: How many atoms of each element are in a formula unit; deuterium is hydrogen.
        units: How many formula units are in the cell, if the file says.
    """

    tag: str
    text: str
    counts: dict[str, float]
    units: float | None

    def check(self, elements: Iterable[str]) -> None:
        """Hold the atoms in the cell against the formula.

        The number of units may count formulas in lowest terms, as where ``Mg4 O4`` has four of them.

        Raises:
            InputError: they are others; the sentence says both.
        """
        atoms = Counter(elements)
        per_unit = {element: atoms[element] / count for element, count in self.counts.items()}
        found = max(per_unit.values())
        agree = set(atoms) == set(self.counts) and min(per_unit.values()) > found * (1 - ROUNDED)
        allowed = [found] if self.units is None else [self.units, self.units / self._divisor()]
        if not agree or all(abs(found - units) > units * ROUNDED for units in allowed):
            cell = " ".join(f"{element}{count}" for element, count in sorted(atoms.items()))
            units_text = "" if self.units is None else f" with {self.units:g} formula units ({UNITS})"
            raise InputError(
                f"The atoms in the cell of the CIF are {cell}, but {self.tag} is '{shortened(self.text)}'{units_text}."
            )

    def _divisor(self) -> float:
        counts = list(self.counts.values())
        return reduce(gcd, [int(count) for count in counts]) if all(count % 1 == 0 for count in counts) else 1


def formula_of(block: Block) -> Formula | None:
    """The sum formula of a block, else its structural one if that reads like a sum; None if it has neither.

    Raises:
        InputError: the sum formula is not understood.
    """
    tag = STRUCTURAL if block.text(SUM) is None else SUM
    text = block.text(tag)
    if text is None:
        return None
    counts = _counts(text) or _counts(" ".join(word.capitalize() for word in text.split()))
    if counts is None and tag == STRUCTURAL:
        return None
    if counts is None:
        raise InputError(f"{SUM} of the CIF must be a formula such as 'Al2 Mg O4', not '{shortened(text)}'.")
    units = block.number(UNITS)
    return Formula(tag, text, counts, units or None)


def _counts(text: str) -> dict[str, float] | None:
    """How many atoms of each element a sum formula has; None if it is none."""
    while group := _GROUP.search(text):
        inside = _counts(group[1])
        if inside is None:
            return None
        times = float(group[2] or 1)
        written = " ".join(f"{element}{count * times:g}" for element, count in inside.items())
        text = f"{text[: group.start()]} {written} {text[group.end() :]}"
    counts: dict[str, float] = {}
    for word in text.split():
        end = 0
        while end < len(word):
            match = _PART.match(word, end)
            if match is None:
                if re.fullmatch(r"\d*[+-]", word):  # the charge of an ion
                    break
                return None
            element = "H" if match[1] in DEUTERIUM else match[1]
            if not is_element(element):
                return None
            counts[element] = counts.get(element, 0) + float(match[2] or 1)
            end = match.end()
    counts = {element: count for element, count in counts.items() if count > 0}
    return counts or None
