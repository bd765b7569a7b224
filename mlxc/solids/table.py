"""Tables of solids: crystals, what is known of them, and how to compute them.

A table is a JSON, CSV or extended XYZ file. Each row has a ``name``; the crystal is what the name says (``Al_fcc``,
``NaCl_b1``: formula and structure; ``Al_atom``: a free atom), a ``structure`` (a shipped name or a file), or the frame
of the XYZ file itself.
Every other number in it is a reference value, named with its unit: ``lattice_constant_ang``, ``bulk_modulus_gpa``, ...
Saved response documents of the Materials Project are tables too, and ``mp:mp-149,mp-134`` asks it with the key in
``MP_API_KEY``.

A name is at most 100 letters, digits and ``._+-()``. In JSON a row may say more: ``settings``, fields of a
:class:`~mlxc.Calculation` other than ``xc`` and ``structure`` that win over the protocol's;
``relative_to``, how many of which other rows its energy is compared with, ``{"Si_atom": 2}``; ``rigid``, for atoms and
molecules in a box, whose volume means nothing; and ``density``, a saved result whose density is the reference.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from pathlib import Path
from typing import Any

import ase.io

from mlxc.basis.kinds import DEFAULT_BASIS
from mlxc.calculation.calculation import Calculation
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.observables.catalogue import targets_of
from mlxc.pseudo.library import default_family, find_pseudopotentials, fingerprint
from mlxc.pseudo.made_for import PBE
from mlxc.pseudo.pseudodojo import PSEUDODOJO
from mlxc.references.tables import SOL58LC as SOL58LC
from mlxc.references.tables import measured_sheets, measured_solids
from mlxc.solids.materials_project import PREFIX, fetch_documents, rows_of
from mlxc.solids.prototypes import ATOM, FERROMAGNETS, free_atom_in_box, with_moments
from mlxc.solids.prototypes import prototype as prototype
from mlxc.solids.table_values import fields, number, reason_of, text, truth
from mlxc.structures.default_settings import likely_metal, mesh_with_spacing

# The shipped table, with sheets; and the mesh of these, none of which has a gap wide enough for fewer points.
SHIPPED = "shipped"
SHEETS = {"kmesh": [12, 12, 1]}
KSPACING_PER_ANG = {"metal": 0.2, "other": 0.3}
WIDTH_HA = 0.005
SMOOTHING_HA = 0.5
_NOT_NUMBERS = {"name", "structure", "settings", "relative_to", "rigid", "density"}
_POSITIVE = {"lattice_constant_ang", "volume_ang3", "bulk_modulus_gpa"}
# Names of solids are names of folders too.
_NAME = re.compile(r"[A-Za-z0-9._+()-]{1,100}")


@dataclass(frozen=True)
class Solid:
    """A crystal and what is known of it.

    Attributes:
        name: The name in tables and results.
        crystal: The crystal near its equilibrium.
        references: The known values by name, which ends with the unit.
        settings: The fields of a :class:`~mlxc.Calculation` that are not the defaults of :meth:`calculation`.
        relative_to: How many of which other solids of the table its energy is compared with.
        rigid: Whether it has one volume only, that of its crystal.
        is_free_atom: Whether it is a single atom far from any other, see :mod:`mlxc.atoms`; its crystal is a box then.
        density: The file of a result that has the reference density.
        teacher: The name of the functional whose energies are the reference curve where the table has none; empty for
            none.
    """

    name: str
    crystal: Crystal
    references: dict[str, float]
    settings: dict[str, Any] = field(default_factory=dict)
    relative_to: dict[str, float] = field(default_factory=dict)
    rigid: bool = False
    is_free_atom: bool = False
    density: Path | None = None
    teacher: str = ""

    def calculation(self, xc: str = "pbe", **settings: Any) -> Calculation:
        """How this solid is computed: one protocol for metals and insulators.

        K points every 0.2 per angstrom (0.3 where elements suggest a gap), Fermi-Dirac smearing of 5 mHa, and spin for
        ferromagnets and for what has a magnetisation or an energy of a magnetic order in the table. PseudoDojo's
        pseudopotentials are those for PBE, whatever the functional, so that only functionals differ.
        """
        metal = likely_metal(self.crystal)
        magnetisation = self.references.get("magnetisation_bohr_magneton", 0.0)
        crystal = self.crystal
        if magnetisation and not crystal.moments.any():
            crystal = with_moments(crystal, [magnetisation / len(crystal.species)] * len(crystal.species))
        defaults = {
            "structure": crystal.to_dict(),
            "xc": xc,
            "kmesh": mesh_with_spacing(self.crystal, KSPACING_PER_ANG["metal" if metal else "other"]),
            "smearing": "fermi-dirac",
            "width_ha": WIDTH_HA,
            "cutoff_smoothing_ha": SMOOTHING_HA,
            "spin": bool(magnetisation)
            or not targets_of("orders").keys().isdisjoint(self.references)
            or not FERROMAGNETS.isdisjoint(crystal.species),
        }
        return Calculation.from_dict(self._with_one_table(defaults | self.settings | settings))

    def _with_one_table(self, settings: dict[str, Any]) -> dict[str, Any]:
        """Functionals are compared with the same pseudopotentials, PBE's, where PseudoDojo's are taken."""
        plane_waves = settings.get("basis", DEFAULT_BASIS) == DEFAULT_BASIS
        family = settings.get("pseudo") or (default_family(self.crystal.species) if plane_waves else None)
        return settings | {"pseudo": f"{PSEUDODOJO}-{PBE}"} if family == PSEUDODOJO else settings

    def identity(self, xc: str = "pbe") -> dict[str, Any]:
        """All but the functional that makes a result of this solid what it is, as plain data.

        Args:
            xc: The name of the functional, which decides what the family ``gth`` means.

        Raises:
            InputError: there is no such calculation, or an element has no pseudopotential.
        """
        calculation = self.calculation(xc)
        entries = find_pseudopotentials(self.crystal.species, calculation.pseudo, xc, calculation.pseudo_names)
        # A folder of pseudopotentials may be elsewhere tomorrow; what counts is what is in it.
        settings = calculation.model_dump(mode="json", exclude={"structure", "xc", "pseudo", "pseudo_names"})
        return ({"is_free_atom": True} if self.is_free_atom else {}) | {
            "crystal": calculation.structure,
            "calculation": settings,
            "rigid": self.rigid,
            "pseudopotentials": {
                symbol: {"name": data.name, "sha256": fingerprint(data)} for symbol, data in entries.items()
            },
        }


def read_solids(source: str | Path) -> dict[str, Solid]:
    """The solids of a table by name, in its order.

    Args:
        source: ``sol58lc``, ``shipped`` (which has sheets as well), a JSON, CSV or extended XYZ file, or ``mp:`` and
            identifiers of the Materials Project.

    Raises:
        InputError: the table is not in order; a sentence says what is wrong with it.
    """
    if str(source) in (SOL58LC, SHIPPED):
        sheets = measured_sheets() if str(source) == SHIPPED else {}
        return _solids(_measured_rows(sheets), str(source))
    if str(source).startswith(PREFIX):
        identifiers = [name for name in str(source).removeprefix(PREFIX).split(",") if name]
        return _solids(rows_of(fetch_documents(identifiers)), str(source))
    path = Path(source)
    readers = {".json": _json_rows, ".csv": _csv_rows, ".xyz": _xyz_rows, ".extxyz": _xyz_rows}
    try:
        if not path.is_file():
            raise InputError(f"There is no table of solids {str(path)!r}; '{SOL58LC}' is the one that comes with mlxc.")
        if path.suffix not in readers:
            raise InputError(f"{path.name}: a table of solids is a file {', '.join(readers)}.")
        rows = readers[path.suffix](path)
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, OSError, StopIteration, RecursionError, csv.Error) as error:
        raise InputError(f"{path.name} cannot be read as a table of solids: {reason_of(error)}.") from None
    return _solids(rows, path.name)


def _measured_rows(sheets: Mapping[str, dict[str, float]]) -> list[dict[str, Any]]:
    """Rows of what is measured, and of the atoms that cohesive energies refer to."""
    rows: list[dict[str, Any]] = [{"name": name} | known for name, known in measured_solids().items()]
    rows += [{"name": name, "structure": name, "settings": SHEETS} | known for name, known in sheets.items()]
    for row in rows:
        crystal = _crystal(row, row["name"], row, SOL58LC)
        row["relative_to"] = {f"{symbol}{ATOM}": count for symbol, count in Counter(crystal.species).items()}
    atoms = dict.fromkeys(name for row in rows for name in row["relative_to"])
    return [*rows, *({"name": name} for name in atoms)]


def chosen_solids(table: Mapping[str, Solid], names: Sequence[str] | None) -> list[Solid]:
    """Some solids of a table, or all of them.

    Raises:
        InputError: a name is not in the table.
    """
    for name in names or []:
        if name not in table:
            raise InputError(f"--solids: there is no {name!r} in the table; there are {', '.join(table)}.")
    return [table[name] for name in names or table]


def _solids(rows: Iterable[dict[str, Any]], table: str) -> dict[str, Solid]:
    solids = [_solid(row, table) for row in rows]
    names = [solid.name for solid in solids]
    if not names:
        raise InputError(f"{table}: the table has no solids.")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{table}: {twice!r} is there more than once.")
    for solid in solids:
        for other in solid.relative_to:
            if other not in names:
                raise InputError(f"{table}: {solid.name!r} is relative to {other!r}, which is not in the table.")
    return dict(zip(names, solids, strict=True))


def _solid(row: dict[str, Any], table: str) -> Solid:
    name = str(row.get("name") or "")
    if not name:
        raise InputError(f"{table}: a row has no name.")
    if not _NAME.fullmatch(name):
        raise InputError(f"{table}: the name {name[:100]!r} is not made of at most 100 letters, digits and ._+-().")
    place = f"{table}: {name!r}"
    references = {key: number(value, key, place) for key, value in row.items() if key not in _NOT_NUMBERS}
    for key in _POSITIVE.intersection(references):
        if references[key] <= 0:
            raise InputError(f"{place}: {key} must be positive, not {references[key]:g}.")
    settings = fields(row.get("settings", {}), "settings", place)
    for key in ("xc", "structure"):
        if key in settings:
            raise InputError(f"{place}: the settings must not contain {key!r}, which is chosen elsewhere.")
    others = fields(row.get("relative_to", {}), "relative_to", place)
    relative_to = {other: number(count, f"relative_to {other}", place) for other, count in others.items()}
    density = text(row.get("density"), "density", place)
    is_free_atom = name.endswith(ATOM) and not row.get("structure") and "lattice_constant_ang" not in references
    return Solid(
        name=name,
        crystal=_crystal(row, name, references, place),
        references=references,
        settings=settings,
        relative_to=relative_to,
        rigid=is_free_atom or truth(row.get("rigid", False), "rigid", place),
        is_free_atom=is_free_atom,
        density=Path(density) if density else None,
    )


def _crystal(row: dict[str, Any], name: str, references: dict[str, float], place: str) -> Crystal:
    if isinstance(structure := row.get("structure"), Crystal):
        return structure
    if source := text(row.get("structure"), "structure", place):
        return Crystal.load(source)
    if "lattice_constant_ang" in references:
        return prototype(name, references["lattice_constant_ang"])
    if name.endswith(ATOM):
        return free_atom_in_box(name.removesuffix(ATOM))
    raise InputError(f"{place} has neither a structure nor a lattice_constant_ang.")


def _json_rows(path: Path) -> list[dict[str, Any]]:
    data = json.loads(path.read_text(encoding="utf-8-sig"))
    rows = data.get("solids", data.get("data")) if isinstance(data, dict) else data
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it is not a list of objects")
    return rows_of(rows) if rows and "material_id" in rows[0] else rows


def _csv_rows(path: Path) -> list[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    # An empty cell is no value.
    return [{key: value for key, value in row.items() if key and value not in (None, "")} for row in rows]


def _xyz_rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    for index, atoms in enumerate(ase.io.read(path, index=":", format="extxyz")):
        is_number = {key: isinstance(value, Real) and not isinstance(value, bool) for key, value in atoms.info.items()}
        numbers = {key: value for key, value in atoms.info.items() if is_number[key] or key == "rigid"}
        name = str(atoms.info.get("name", f"{atoms.get_chemical_formula()}-{index + 1}"))
        rows.append(numbers | {"name": name, "structure": Crystal.from_ase(atoms, name)})
    return rows
