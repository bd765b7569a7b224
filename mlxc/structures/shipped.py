"""The shipped structures, and the settings that suit them. Imports no torch."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.structures.default_settings import general_settings
from mlxc.utils.assets import asset_path

# Vectors and places within this of those of a shipped structure are the same, bohr: files round them.
SAME_BOHR = 0.01


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


def shipped_crystal(name: str) -> Crystal:
    """The shipped structure of this name, whatever files there are.

    Raises:
        InputError: no structure of this name is shipped.
    """
    return Crystal.from_dict(shipped_record(name)["structure"])


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
        if crystal.same_as(Crystal.from_dict(record["structure"]), up_to_scaling=True, tolerance=SAME_BOHR):
            return record
    return None
