"""What a calculation takes where nobody has chosen anything."""

from __future__ import annotations

from typing import Any

from mlxc.basis.kinds import BASES, DEFAULT_BASIS
from mlxc.calculation.settings import plain_structure
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.kohn_sham.spin import usual_spin
from mlxc.structures.shipped import default_settings

# Hartree, where a smearing is chosen for a crystal that has none by default.
USUAL_WIDTH_HA = 0.01


def with_structure_defaults(data: dict[str, Any]) -> dict[str, Any]:
    """Fill pseudopotentials, cutoff, k mesh, smearing and spin from the structure; what is given, and not None, wins.

    Raises:
        InputError: there is no structure, or what is given cannot be found for it.
    """
    given = {key: value for key, value in data.items() if value is not None}
    if "structure" not in given:
        raise InputError("structure: a calculation needs a structure: a shipped name, a file, or lattice and atoms.")
    structure = plain_structure(given["structure"])
    # What is no kind of basis is left for the validation, which says so.
    kind = BASES.get(str(given.get("basis", DEFAULT_BASIS)), BASES[DEFAULT_BASIS])
    given = kind.default_settings(structure, given) | given
    defaults = default_settings(structure)
    if given.get("smearing") == "none":
        given["width_ha"] = defaults["width_ha"] = None
    elif "smearing" in given and defaults.get("width_ha") is None:
        defaults["width_ha"] = USUAL_WIDTH_HA
    if "width_ha" in given and given["width_ha"] is not None and defaults.get("smearing") == "none":
        defaults["smearing"] = "fermi-dirac"
    settings = {**defaults, **given, "structure": structure}
    return {"spin": _usual_spin(settings), **settings}


def _usual_spin(settings: dict[str, Any]) -> bool:
    return usual_spin(
        Crystal.from_dict(settings["structure"]), settings.get("total_moment"), settings.get("smearing") == "none"
    )
