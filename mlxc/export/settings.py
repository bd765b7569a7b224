"""The settings of a task as a person would write them: what matters always, and whatever is not the default."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.structures.shipped import shipped_crystal, shipped_names
from mlxc.tasks.kinds import calculation_of, required_calculation
from mlxc.tasks.task import PARTS, AnyTask, Task

# What says what was computed, and is told even where it is the default: defaults are for people who ask for nothing.
ALWAYS_TOLD = ("structure", "xc", "pseudo", "ecut_ha", "kmesh", "smearing", "width_ha")
# Of lengths in angstrom and fractions; an energy changes by less than 1e-10 Ha by what is behind them.
DECIMALS = 12
# Differences of rounding, bohr.
EXACTLY_BOHR = 1e-9


def settings_of(task: AnyTask) -> dict[str, Any]:
    """The shortest data of which ``type(task).from_dict`` makes the same task, but for what is always told.

    The structure is the name of a shipped one, where it is that; else its lists, see :func:`structure_lists`.
    """
    told = _all_settings(task)
    wanted = type(task).from_dict(told)
    # Whether a setting can be left out is for the task to say: defaults depend on structure and on other settings.
    for path in _dispensable(task, told):
        shorter = _without(told, path)
        if _makes(wanted, shorter):
            told = shorter
    return told


def calculation_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """The part of what :func:`settings_of` returns that is about the calculation."""
    own: dict[str, Any] = settings.get("calculation", settings)
    return own


def further_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """The part of what :func:`settings_of` returns that a task says beyond its calculation."""
    is_calculation = "calculation" not in settings
    return {} if is_calculation else {name: value for name, value in settings.items() if name != "calculation"}


def _all_settings(task: AnyTask) -> dict[str, Any]:
    """Whatever is set, what is always told first."""
    of_task = calculation_of(task)
    if of_task is None:
        return _set(task.model_dump(mode="json"))
    dumped = _set(of_task.model_dump(mode="json"))
    dumped["structure"] = shipped_structure(task) or structure_lists(task)
    names = [*(name for name in ALWAYS_TOLD if name in dumped), *(name for name in dumped if name not in ALWAYS_TOLD)]
    calculation = {name: dumped[name] for name in names}
    if task is of_task:
        return calculation
    return {"calculation": calculation, **_set(task.model_dump(mode="json", exclude={"calculation"}))}


def _set(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _dispensable(task: AnyTask, told: dict[str, Any]) -> list[tuple[str, ...]]:
    """The places of the settings that need not be told if they are the default."""
    if task is calculation_of(task):
        return [(name,) for name in told if name not in ALWAYS_TOLD]
    parts = [(part, name) for part in PARTS if part in told for name in told[part] if name not in ALWAYS_TOLD]
    always = (*PARTS, *(task.always_told if isinstance(task, Task) else ()))
    return [*parts, *((name,) for name in told if name not in always)]


def _without(settings: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    first, *rest = path
    if rest:
        return {**settings, first: _without(settings[first], tuple(rest))}
    return {name: value for name, value in settings.items() if name != first}


def _makes(wanted: AnyTask, settings: dict[str, Any]) -> bool:
    try:
        return bool(type(wanted).from_dict(settings) == wanted)
    except InputError:
        return False


def shipped_structure(task: AnyTask) -> str | None:
    """The name of the shipped structure that a task computes, None for any other structure and where there is none."""
    calculation = calculation_of(task)
    if calculation is None:
        return None
    crystal = calculation.crystal
    if crystal.name not in shipped_names():
        return None
    shipped = shipped_crystal(crystal.name)
    return crystal.name if crystal.same_as(shipped, with_moments=True, tolerance=EXACTLY_BOHR) else None


def structure_lists(task: AnyTask) -> dict[str, Any]:
    """The structure as plain lists with a name that may be one of a file, without digits that mean nothing.

    Where it was read from is left out, since whoever gets the lists may not have that file.

    Raises:
        InputError: the task is about no crystal.
    """
    crystal = required_calculation(task).crystal
    lists: dict[str, Any] = {"name": file_stem(crystal.name)}
    for name, value in crystal.to_dict().items():
        if name not in ("name", "origin", "species"):
            lists[name] = (np.round(value, DECIMALS) + 0.0).tolist()
        elif name == "species":
            lists[name] = value
    if not any(lists["moments_bohr_magneton"]):
        del lists["moments_bohr_magneton"]
    return lists


def structure_file(task: AnyTask) -> tuple[str, str]:
    """Name and content of an extended XYZ file with all digits of the structure, and its magnetic moments."""
    crystal = Crystal.from_dict(structure_lists(task))
    atoms = crystal.to_ase()
    cell = " ".join(f"{x:.15g}" for x in np.asarray(atoms.cell).ravel())
    columns = "species:S:1:pos:R:3" + (":initial_magmoms:R:1" if crystal.moments.any() else "")
    lines = [str(len(atoms)), f'Lattice="{cell}" Properties={columns} pbc="T T T"']
    for symbol, position, moment in zip(crystal.species, atoms.positions, crystal.moments, strict=True):
        numbers = [*position, moment] if crystal.moments.any() else position
        lines.append(" ".join([symbol, *(f"{x:.15g}" for x in numbers)]))
    return f"{crystal.name}.xyz", "\n".join(lines) + "\n"


def file_stem(name: str) -> str:
    """A name in letters that mean nothing to a shell."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip(".-")[:60] or "structure"
