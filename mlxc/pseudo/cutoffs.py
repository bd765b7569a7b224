"""Plane-wave cutoffs that suit a pseudopotential. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import cache

from mlxc.pseudo.gth_table import GTH_FAMILIES
from mlxc.pseudo.library import PSEUDODOJO, find_pseudopotential
from mlxc.pseudo.upf import UPFPseudopotential
from mlxc.utils.assets import asset_path

# About 3.6/r^2 with the smallest radius r of the element's default GTH-PBE pseudopotential, to the next 10 Ha, and at
# most 60 Ha: enough to see the physics within minutes on a small machine; converged figures of the hard ones need more.
_GTH_CUTOFFS_HA = {
    20: "Li Al Si P Ge As Se Br Kr Pd Ag Sn Sb Te I Xe Pt Au Hg Tl Pb Bi Po At Rn",
    40: "C Ar K Ca Ba La Ce Pr Nd Pm Sm Hf",
    50: "Cu Rb Sr Zr Eu Gd Tb Dy",
    60: "H He N O F Ne Na Mg Sc Ti V Cr Mn Fe Co Ni Zn Ga Y Ho Er Tm Yb Lu",
}
_GTH_CUTOFF_HA = {symbol: float(cutoff) for cutoff, symbols in _GTH_CUTOFFS_HA.items() for symbol in symbols.split()}
_DEFAULT_GTH_CUTOFF_HA = 30.0
# Below this share of the recommended cutoff even differences of energies have large errors.
FAR_TOO_LOW = 0.7
# For a UPF file that does not say, of an element that PseudoDojo does not have.
_CAREFUL_CUTOFF_HA = 50.0


@cache
def pseudodojo_cutoffs() -> dict[str, dict[str, float]]:
    """Plane-wave cutoffs that PseudoDojo recommends, hartree, by element: ``low``, ``normal`` and ``high``."""
    path = asset_path("pseudopotentials", "pseudodojo", "cutoffs.json")
    cutoffs: dict[str, dict[str, float]] = json.loads(path.read_text(encoding="utf-8"))["cutoffs"]
    return cutoffs


def recommended_cutoff(symbol: str, family: str, name: str | None = None) -> float:
    """Plane-wave cutoff, hartree: what the UPF file says, else PseudoDojo for the element; a table's own for GTH.

    Args:
        symbol: Chemical symbol.
        family: See :func:`~mlxc.pseudo.library.find_pseudopotentials`.
        name: The name of the pseudopotential, where the default is not wanted.

    Raises:
        InputError: there is no such pseudopotential.
    """
    if family in GTH_FAMILIES:
        return _GTH_CUTOFF_HA.get(symbol, _DEFAULT_GTH_CUTOFF_HA)
    data = find_pseudopotential(symbol, family, "pbe", name)
    own = data.recommended_cutoff if isinstance(data, UPFPseudopotential) and family != PSEUDODOJO else None
    return own or pseudodojo_cutoffs().get(symbol, {}).get("normal", _CAREFUL_CUTOFF_HA)


def cutoff_note(species: Iterable[str], ecut: float, family: str, names: Mapping[str, str]) -> str:
    """What a person should know of a cutoff that is far too low; empty if it is not.

    Args:
        species: The elements of the crystal.
        ecut: The cutoff of the plane waves, hartree.
        family: The family of the pseudopotentials.
        names: Their names in the family by element, where the default is not wanted.

    Raises:
        InputError: there is no such pseudopotential.
    """
    needs = {symbol: recommended_cutoff(symbol, family, names.get(symbol)) for symbol in dict.fromkeys(species)}
    symbol, needed = max(needs.items(), key=lambda need: need[1])
    if ecut >= FAR_TOO_LOW * needed:
        return ""
    return (
        f"The cutoff of {ecut:g} hartree is far below the {needed:g} that the pseudopotential of {symbol} needs: "
        "energies and their differences are not to be trusted."
    )
