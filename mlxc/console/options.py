"""What commands that compute share: the options of a calculation, and how the result is printed."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from mlxc.basis.kinds import DEFAULT_BASIS
from mlxc.calculation.setting import Setting, settings_table
from mlxc.calculation.settings import CalculationSettings
from mlxc.errors import InputError
from mlxc.utils.writable import is_writable_file

if TYPE_CHECKING:
    from mlxc.crystal.crystal import Crystal

CONVERGED, BAD_INPUT, NOT_CONVERGED, INTERRUPTED = 0, 2, 3, 130


def add_calculation(parser: argparse.ArgumentParser, basis: str = DEFAULT_BASIS) -> None:
    """Define the options of a calculation; :class:`mlxc.Calculation` fills what is not given, except the ``basis``."""
    for name, setting in settings_table(CalculationSettings).items():
        if setting.option.startswith("-"):
            named: dict[str, Any] = {"metavar": setting.metavar} if setting.metavar else {}
            values = _values(CalculationSettings.model_fields[name].annotation)
            parser.add_argument(setting.option, dest=name, help=setting.help, **named, **values)
        else:
            parser.add_argument(name, help=setting.help)
    parser.add_argument("--primitive", action="store_true", help="take the primitive cell of the structure")
    parser.add_argument(
        "--species", metavar="EL,EL", help="the elements of a POSCAR that does not say them, in the order of its counts"
    )
    parser.set_defaults(basis=basis)
    parser.add_argument("--json", action="store_true", help="print one JSON object to standard output")


def _values(kind: Any) -> dict[str, Any]:
    """What argparse is told about the values of a field of this type."""
    if type(None) in get_args(kind):
        kind = next(choice for choice in get_args(kind) if choice is not type(None))
    if kind is bool:
        return {"action": argparse.BooleanOptionalAction, "default": None}
    if kind in (int, float):
        return {"type": kind}
    if get_origin(kind) is dict:
        return {"nargs": "+", "action": "extend"}
    if get_origin(kind) is tuple:
        return {"nargs": len(get_args(kind)), "type": int}
    return {}


def add_save(parser: argparse.ArgumentParser) -> None:
    """Define the option of commands that have a state to keep."""
    parser.add_argument(
        "--save", type=Path, metavar="FILE.h5", help="write density, potential, eigenvalues and orbitals"
    )


def calculation_fields(options: argparse.Namespace) -> dict[str, Any]:
    """What of these options is given, by the names of :class:`mlxc.Calculation`."""
    fields: dict[str, Any] = {}
    for name, setting in settings_table(CalculationSettings).items():
        value = getattr(options, name)
        if name == "structure":
            value = _structure(value, options.species, options.primitive)
        elif get_origin(CalculationSettings.model_fields[name].annotation) is dict and value is not None:
            value = _pairs(setting, value)
        if value is not None:
            fields[name] = value
    return fields


def _structure(named: str, species: str | None, primitive: bool) -> str | Crystal:
    """A name or a file as it is; an entry of a database is fetched, a file whose species are told is read, and a
    primitive cell made where one is wanted.
    """
    from mlxc.crystal.crystal import Crystal
    from mlxc.structures.optimade import PREFIX, fetch_structure

    if named.startswith(PREFIX):
        structure: str | Crystal = fetch_structure(named.removeprefix(PREFIX))
    else:
        structure = named if species is None else Crystal.load(named, species=species)
    if not primitive:
        return structure
    return (structure if isinstance(structure, Crystal) else Crystal.load(structure)).primitive()


def _pairs(setting: Setting, assignments: list[str]) -> dict[str, str]:
    for assignment in assignments:
        if not all(assignment.partition("=")):
            raise InputError(f"{setting.option} takes {setting.takes}, not '{assignment}'.")
    return dict(assignment.split("=", 1) for assignment in assignments)


def check_writable(path: Path | None, option: str = "--save") -> None:
    """Find out before the calculation, not after it, that its result cannot be written."""
    if path is not None and not is_writable_file(path):
        raise InputError(f"{option}: the file '{path}' cannot be written.")


def tell(sentence: str) -> None:
    print(f"mlxc: {' '.join(sentence.split())}", file=sys.stderr)


def fail(sentence: str, code: int) -> int:
    tell(sentence)
    return code
