"""A set-up in a link: its settings, compressed into letters that an address may contain.

Whoever opens a link may have got it from anybody. So it can name shipped structures and functionals, and hold a
structure, but no path: what it names is never looked for among files. A folder of pseudopotentials travels by its name
and the hashes of its files.
"""

from __future__ import annotations

import binascii
import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc.export.carried_family import carried_family, family_here, is_carried_family
from mlxc.export.settings import settings_of
from mlxc.pseudo.library import FAMILIES
from mlxc.pseudo.pseudodojo import PSEUDODOJO
from mlxc.structures.shipped import shipped_names
from mlxc.tasks.kinds import required_calculation, settings_of_its_kind
from mlxc.tasks.task import AnyTask
from mlxc.xc.catalogue import check_name
from mlxc.xc.checkpoints.files import named_checkpoints
from mlxc.xc.checkpoints.record import SUFFIX
from mlxc.xc.sums.expression import split_sum

# Servers and browsers take addresses of this length, and no structure that fits the page needs more.
LONGEST_LINK = 16_000
LARGEST_SETUP_BYTES = 64_000
LONGEST_NAME = 60
DAMAGED = "The link to a set-up is damaged: its end may be missing. The page shows its usual set-up instead."


def encode_setup(task: AnyTask) -> str:
    """The value of ``?setup=`` in a link that restores the calculation that a task is about.

    What nobody has chosen, such as the smoothed cutoff of energies at several volumes, is left out.

    Raises:
        InputError: the task is about no calculation, or needs a file that only this machine has, or a structure too
            large for a link.
    """
    calculation = required_calculation(task)
    nobodys = settings_of_its_kind(task)
    settings = {name: value for name, value in settings_of(calculation).items() if name not in nobodys}
    for _, name in split_sum(calculation.xc):
        if _is_file(name):
            raise InputError(f"A link cannot hold the functional {name.split('/')[-1]}, which is a file of your own.")
    if calculation.terms:
        raise InputError("A link cannot hold further terms of the energy, which are files of your own.")
    if calculation.pseudo not in FAMILIES:
        settings["pseudo"] = carried_family(calculation)
    text = json.dumps(settings, separators=(",", ":"))
    encoded = urlsafe_b64encode(zlib.compress(text.encode(), 9)).decode().rstrip("=")
    if len(encoded) > LONGEST_LINK or len(text) > LARGEST_SETUP_BYTES:
        raise InputError("The structure has too many atoms for a link; take the run away as a zip file instead.")
    return encoded


def decode_setup(encoded: str) -> Calculation:
    """The calculation in a link.

    Raises:
        InputError: the link holds no calculation that can be taken; it is one sentence, whatever the link holds.
    """
    return Calculation.from_dict(_with_family(_checked(_settings(encoded))))


def _settings(encoded: str) -> dict[str, Any]:
    if len(encoded) > LONGEST_LINK:
        raise InputError(DAMAGED)
    try:
        packed = urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        # A few bytes can unpack to gigabytes.
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(packed, LARGEST_SETUP_BYTES)
        settings = json.loads(text) if unpacker.eof else None
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        raise InputError(DAMAGED) from None
    if not isinstance(settings, dict):
        raise InputError(DAMAGED)
    return settings


def _checked(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings, once it is certain that nothing in them leads to a file."""
    structure, functional = settings.get("structure"), settings.get("xc", "pbe")
    if isinstance(structure, str) and structure not in shipped_names():
        raise InputError("The link names a structure that does not come with mlxc.")
    names = [str(structure.get(key, "")) for key in ("name", "origin")] if isinstance(structure, dict) else []
    if any(len(name) > LONGEST_NAME for name in names):
        raise InputError(f"The link calls its structure by more than {LONGEST_NAME} letters.")
    if settings.get("terms"):
        raise InputError("The link asks for further terms of the energy, which are files.")
    pseudo = settings.get("pseudo", PSEUDODOJO)
    if pseudo not in tuple(FAMILIES) and not is_carried_family(pseudo):
        raise InputError(f"The link asks for pseudopotentials that are none of {', '.join(FAMILIES)}.")
    if not isinstance(functional, str) or any(_is_file(name) for _, name in split_sum(functional)):
        raise InputError("The link names a functional that is a file; choose that file under “Your own functional”.")
    check_name(functional)
    return settings


def _with_family(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with the family here that has the files of the folder that the link names, if it names one."""
    carried = settings.get("pseudo", PSEUDODOJO)
    if carried in tuple(FAMILIES):
        return settings
    # The rest of the settings is checked, and so are structure and names.
    calculation = Calculation.from_dict({name: value for name, value in settings.items() if name != "pseudo"})
    species, names = calculation.crystal.species, calculation.pseudo_names
    return settings | {"pseudo": family_here(carried, species, calculation.xc, names)}


def _is_file(name: str) -> bool:
    return name.lower() not in named_checkpoints() and ("/" in name or "\\" in name or name.lower().endswith(SUFFIX))
