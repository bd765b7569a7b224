"""How two set-ups differ, in words."""

from __future__ import annotations

from typing import Any

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.setting import settings_table
from mlxc.crystal.crystal import Crystal
from mlxc_app.choose.words import functional_in_words

# Relative differences of volumes below this are those of rounding.
SAME_VOLUME = 1e-9


def setup_differences(first: Calculation, second: Calculation) -> list[str]:
    """One phrase for each setting in which the second differs from the first, such as ``functional: lda → pbe``.

    For another crystal only the functional is compared: whatever else differs is what suits that crystal.
    """
    phrases = _of_structures(first.crystal, second.crystal)
    same_atoms = sorted(first.crystal.species) == sorted(second.crystal.species)
    table = settings_table(type(second))
    for name in table if same_atoms else ("xc",):
        if name != "structure" and getattr(first, name) != getattr(second, name):
            phrases.append(f"{table[name].in_sentence}: {_say(name, first)} → {_say(name, second)}")
    return phrases


def difference_sentence(first: str, second: str, phrases: list[str]) -> str:
    """What :func:`setup_differences` found, between runs of these names."""
    if not phrases:
        return f"{second} has the same set-up as {first}."
    return f"{second} differs from {first} in {'; '.join(phrases)}."


def _of_structures(first: Crystal, second: Crystal) -> list[str]:
    if sorted(first.species) != sorted(second.species):
        return [f"crystal: {_with_atoms(first)} → {_with_atoms(second)}"]
    ratio = second.volume / first.volume
    if abs(ratio - 1) > SAME_VOLUME:
        return [f"volume of the cell: {100 * (ratio - 1):+.3g} %".replace("-", "−")]
    if not first.same_lattice_as(second):
        return ["shape of the cell"]
    if not first.same_as(second):
        return ["positions of the atoms"]
    return [] if first.same_as(second, with_moments=True) else ["initial moments"]


def _with_atoms(crystal: Crystal) -> str:
    count = len(crystal.species)
    return f"{crystal.name} ({count} atom{'s' if count > 1 else ''})"


def _say(name: str, calculation: Calculation) -> str:
    value: Any = getattr(calculation, name)
    if name == "xc":
        return functional_in_words(value)
    if name == "basis":
        return calculation.basis_kind.in_words(calculation.model_dump())
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return "×".join(map(str, value))
    if isinstance(value, dict):
        return ", ".join(f"{symbol} {item}" for symbol, item in value.items()) or "the usual ones"
    return "not set" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
