"""Where crystals come from: the shipped structures by name, and files.

Nothing here imports torch.
"""

from __future__ import annotations

import json
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.structures.default_settings import general_settings
from mlxc.structures.files import MAX_FILE_BYTES, read_structure, too_large
from mlxc.utils.assets import asset_path

__all__ = [
    "default_settings", "gth_settings", "load_structure", "read_structure", "shipped_name_of", "shipped_names",
    "shipped_record",
]  # fmt: skip


@cache
def shipped_names() -> tuple[str, ...]:
    """Names of the shipped structures, in alphabetical order."""
    return tuple(sorted(path.stem for path in asset_path("structures").glob("*.json")))


def shipped_record(name: str) -> dict[str, Any]:
    """Everything that is known of a shipped structure.

    Returns:
        ``name``, ``title``, ``structure`` (see :meth:`Crystal.from_dict`), ``source`` of the lattice constants,
        recommended ``settings`` (see :func:`default_settings`) and ``gth_settings`` (see :func:`gth_settings`),
        ``reference`` and ``experiment`` (its names in the reference tables, or None), and a ``note`` on the
        ``gth_settings``, or None.

    Raises:
        InputError: no structure of this name is shipped.
    """
    if name not in shipped_names():
        raise InputError(f"There is no shipped structure called '{name}'; there are {', '.join(shipped_names())}.")
    record: dict[str, Any] = json.loads(asset_path("structures", f"{name}.json").read_text(encoding="utf-8"))
    return record


def load_structure(source: str) -> Crystal:
    """A shipped structure by its name, else the crystal in a file (CIF, POSCAR, extxyz, or what else ASE reads).

    Raises:
        InputError: with one sentence that names the source and what is wrong with it.
    """
    if source.lower() in shipped_names():
        return Crystal.from_dict(shipped_record(source.lower())["structure"])
    path = Path(source)
    try:
        if path.is_dir():
            raise InputError(f"'{source}' is a folder; give a file that holds a structure.")
        if not path.exists():
            raise InputError(_nothing_called(source))
        if path.stat().st_size > MAX_FILE_BYTES:
            raise too_large(path.name)
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"'{source}' cannot be opened: {(error.strerror or str(error)).lower()}.") from None
    return read_structure(content, path.name)


def default_settings(structure: dict[str, Any]) -> dict[str, Any]:
    """Settings that suit a structure: those shipped with it, else what general rules give.

    A shipped structure is recognised at any volume, so that all points of an equation of state share their settings.

    Args:
        structure: see :meth:`Crystal.from_dict`.

    Returns:
        ``kmesh``, ``smearing`` and ``width_ha``.
    """
    crystal = Crystal.from_dict(structure)
    record = _record_of(crystal)
    return general_settings(crystal) if record is None else dict(record["settings"])


def gth_settings(structure: dict[str, Any]) -> dict[str, Any]:
    """``ecut_ha`` and ``pseudo_names`` that suit a shipped structure with GTH pseudopotentials, else nothing."""
    record = _record_of(Crystal.from_dict(structure))
    return {} if record is None else dict(record["gth_settings"])


def shipped_name_of(crystal: Crystal) -> str | None:
    """The name of the shipped structure that a crystal is, at whatever volume; None for others."""
    return None if _record_of(crystal) is None else crystal.name


def _record_of(crystal: Crystal) -> dict[str, Any] | None:
    if crystal.name in shipped_names():
        record = shipped_record(crystal.name)
        if _same_up_to_scaling(crystal, Crystal.from_dict(record["structure"])):
            return record
    return None


def _same_up_to_scaling(first: Crystal, second: Crystal) -> bool:
    return (
        first.species == second.species
        and np.allclose(first.lattice / np.cbrt(first.volume), second.lattice / np.cbrt(second.volume), atol=1e-3)
        and np.allclose(first.positions, second.positions, atol=1e-3)
    )


def _nothing_called(source: str) -> str:
    close = get_close_matches(source.lower(), shipped_names(), n=1, cutoff=0.5)
    hint = f" (did you mean '{close[0]}'?)" if close else ""
    names = ", ".join(shipped_names())
    return f"There is no file and no shipped structure called '{source}'{hint}; shipped are {names}."
