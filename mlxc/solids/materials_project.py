"""Solids of the Materials Project: documents fetched with a key, or saved response documents.

A. Jain et al., APL Materials 1, 011002 (2013). Its values are computed with PBE, not measured.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from pymatgen.core.structure import Structure

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError

KEY = "MP_API_KEY"
PREFIX = "mp:"
FIELDS = ("material_id", "structure", "bulk_modulus", "band_gap", "total_magnetization")


def fetch_documents(identifiers: Sequence[str]) -> list[dict[str, Any]]:
    """Summary documents of materials such as ``mp-149``.

    Raises:
        InputError: there is no key, mp-api is not installed, or the service does not answer.
    """
    key = os.environ.get(KEY)
    if not key:
        raise InputError(f"The Materials Project wants a key in {KEY}; without one, name a file of saved documents.")
    try:
        from mp_api.client import MPRester
    except ImportError:
        raise InputError("The Materials Project needs mp-api: pip install mp-api.") from None
    try:
        with MPRester(key) as client:
            found = client.materials.summary.search(material_ids=list(identifiers), fields=list(FIELDS))
    except Exception as error:  # whatever the client raises, a person can only look at key and network
        raise InputError(f"The Materials Project did not answer ({type(error).__name__}: {error}).") from None
    return [document if isinstance(document, dict) else document.model_dump(mode="json") for document in found]


def rows_of(documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows of a table of solids, see :func:`~mlxc.solids.table.read_solids`.

    Raises:
        InputError: a document has no structure.
    """
    return [_row(document) for document in documents]


def _row(document: dict[str, Any]) -> dict[str, Any]:
    name = str(document.get("material_id"))
    try:
        structure = Structure.from_dict(document["structure"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(f"The document {name!r} of the Materials Project has no structure.") from None
    row: dict[str, Any] = {"name": name, "structure": Crystal.from_pymatgen(structure, name)}
    row["volume_ang3"] = structure.volume
    modulus = document.get("bulk_modulus")
    if isinstance(modulus, dict) and modulus.get("vrh") is not None:
        row["bulk_modulus_gpa"] = modulus["vrh"]
    for field, column in (("band_gap", "gap_ev"), ("total_magnetization", "magnetisation_bohr_magneton")):
        # A metal has no gap that could be trained, nor has what is not magnetic a moment.
        if document.get(field):
            row[column] = document[field]
    return row
