"""How two set-ups differ, in words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.setting import settings_table
from mlxc.crystal.crystal import Crystal
from mlxc_app.choose.words import functional_in_words

# Relative differences of volumes below this are those of rounding.
SAME_VOLUME = 1e-9
# Settings that are compared in another way, or that say what is told of a result and not what is computed.
NOT_COMPARED = ("structure", "uncertainty")
CRYSTAL, FUNCTIONAL = "crystal", settings_table(Calculation)["xc"].in_sentence


@dataclass(frozen=True)
class Difference:
    """What is different in a second set-up.

    Attributes:
        what: The setting, in words for the middle of a sentence.
        first: What the first one has; empty where no words are shorter than the difference itself.
        second: What the second one has, likewise.
        unit: The unit of both, which ``what`` has in brackets.
    """

    what: str
    first: str = ""
    second: str = ""
    unit: str = ""

    @property
    def phrase(self) -> str:
        """Such as ``functional: lda → pbe``."""
        return f"{self.what}: {self.first} → {self.second}" if self.first else self.what

    def of(self, value: str) -> str:
        """One of the two values in a few words, such as ``cutoff 20 Ha``."""
        if self.what == FUNCTIONAL:
            return value
        return " ".join(filter(None, [self.what.removesuffix(f" ({self.unit})"), value, self.unit]))


def differences(
    first: Calculation, second: Calculation, among: Collection[str] | None = None, but: Collection[str] = ()
) -> list[Difference]:
    """Each setting in which the second differs from the first, the crystal first.

    For another crystal only the functional is compared: whatever else differs is what suits that crystal.

    Args:
        first: One set-up.
        second: The other.
        among: The settings that are compared; None for all.
        but: Settings that are not.
    """
    found = _of_structures(first.crystal, second.crystal)
    same_atoms = sorted(first.crystal.species) == sorted(second.crystal.species)
    table = settings_table(type(second))
    for name in table if same_atoms else ("xc",):
        is_asked = name not in (*NOT_COMPARED, *but) and (among is None or name in among)
        if is_asked and getattr(first, name) != getattr(second, name):
            words = _say(name, first), _say(name, second)
            found.append(Difference(table[name].in_sentence, *words, table[name].unit))
    return found


def setup_differences(first: Calculation, second: Calculation) -> list[str]:
    """One phrase for each of the :func:`differences`."""
    return [difference.phrase for difference in differences(first, second)]


def difference_sentence(first: str, second: str, phrases: list[str]) -> str:
    """What :func:`setup_differences` found, between runs of these names."""
    if not phrases:
        return f"{second} has the same set-up as {first}."
    return f"{second} differs from {first} in {'; '.join(phrases)}."


def _of_structures(first: Crystal, second: Crystal) -> list[Difference]:
    if sorted(first.species) != sorted(second.species):
        return [Difference(CRYSTAL, _with_atoms(first), _with_atoms(second))]
    ratio = second.volume / first.volume
    if abs(ratio - 1) > SAME_VOLUME:
        return [Difference(f"volume of the cell: {100 * (ratio - 1):+.3g} %".replace("-", "−"))]
    if not first.same_lattice_as(second):
        return [Difference("shape of the cell")]
    if not first.same_as(second):
        return [Difference("positions of the atoms")]
    return [] if first.same_as(second, with_moments=True) else [Difference("initial moments")]


def _with_atoms(crystal: Crystal) -> str:
    count = len(crystal.species)
    return f"{crystal.name} ({count} atom{'s' if count > 1 else ''})"


def _say(name: str, calculation: Calculation) -> str:
    value: Any = getattr(calculation, name)
    if name == "xc":
        return functional_in_words(value)
    if name == "pseudo":
        # A folder of files is known by its name, wherever it lies.
        return PurePath(value).name
    if name == "basis":
        return calculation.basis_kind.in_words(calculation.model_dump())
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return "×".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{symbol} {item}" for symbol, item in value.items()) or "the usual ones"
    return "not set" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
