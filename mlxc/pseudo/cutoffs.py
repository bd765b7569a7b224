"""Plane-wave cutoffs that suit a pseudopotential. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache

from mlxc.errors import InputError
from mlxc.pseudo.files.radial import RadialPseudopotential
from mlxc.pseudo.gth_table import GTH_TABLES, find_gth
from mlxc.pseudo.library import find_pseudopotential, named_family
from mlxc.pseudo.made_for import PBE
from mlxc.pseudo.pseudodojo import PSEUDODOJO, TABLES, pseudodojo_cutoffs
from mlxc.utils.assets import asset_path

# Below this share of the recommended cutoff even differences of energies have large errors.
FAR_TOO_LOW = 0.7
# For a file that does not say, of an element that PseudoDojo does not have.
_CAREFUL_CUTOFF_HA = 50.0
_UNMEASURED_CUTOFF_HA = 150.0


@cache
def gth_cutoffs() -> dict[str, dict[str, dict[str, float]]]:
    """What GTH pseudopotentials need for 1 mHa per atom, hartree, by table, element and name in the table.

    They are measured for a free atom: ``scripts/gth_cutoffs.py``.
    """
    path = asset_path("pseudopotentials", "gth_cutoffs.json")
    cutoffs: dict[str, dict[str, dict[str, float]]] = json.loads(path.read_text(encoding="utf-8"))["cutoffs"]
    return cutoffs


def recommended_cutoff(symbol: str, family: str, name: str | None = None, xc: str = "pbe") -> float:
    """Plane-wave cutoff, hartree: PseudoDojo's for its tables, a measured one for GTH, else what the file says.

    Args:
        symbol: Chemical symbol.
        family: See :func:`~mlxc.pseudo.library.find_pseudopotentials`.
        name: The name of the pseudopotential, where the default is not wanted.
        xc: The name of the functional, which decides which table ``pseudodojo`` and ``gth`` mean.

    Raises:
        InputError: there is no such file.
    """
    table = named_family(family, (symbol,), xc)
    if table in GTH_TABLES:
        return _gth_cutoff(symbol, table, xc, name)
    data = find_pseudopotential(symbol, table, xc, name)
    assert isinstance(data, RadialPseudopotential)  # as in every table but those of GTH
    hints = pseudodojo_cutoffs(table if table in TABLES else f"{PSEUDODOJO}-{PBE}")
    hint = hints.get(symbol, {}).get("normal")
    if table in TABLES and hint is not None:
        return float(hint)
    return data.recommended_cutoff or float(hint or _CAREFUL_CUTOFF_HA)


def _gth_cutoff(symbol: str, table: str, xc: str, name: str | None) -> float:
    try:
        entry = find_gth(symbol, table, xc, name)
    except InputError:  # which is said where the calculation is checked
        return _CAREFUL_CUTOFF_HA
    # A newer PySCF may have entries that nobody has measured.
    return float(gth_cutoffs()[table].get(symbol, {}).get(entry.name, _UNMEASURED_CUTOFF_HA))


def cutoff_note(species: Iterable[str], ecut: float, family: str, names: Mapping[str, str], xc: str = "pbe") -> str:
    """What a person should know of a cutoff that is far too low; empty if it is not.

    Args:
        species: The elements of the crystal.
        ecut: The cutoff of the plane waves, hartree.
        family: The family of the pseudopotentials.
        names: Their names in the family by element, where the default is not wanted.
        xc: The name of the functional.

    Raises:
        InputError: there is no such pseudopotential.
    """
    elements = tuple(dict.fromkeys(species))
    table = named_family(family, elements, xc)
    needs = {symbol: recommended_cutoff(symbol, table, names.get(symbol), xc) for symbol in elements}
    symbol, needed = max(needs.items(), key=lambda need: need[1])
    if ecut >= FAR_TOO_LOW * needed:
        return ""
    return (
        f"The cutoff of {ecut:g} hartree is far below the {needed:g} that the pseudopotential of {symbol} needs: "
        "energies and their differences are not to be trusted."
    )
