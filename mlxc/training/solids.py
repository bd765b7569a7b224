"""Tables of solids: crystals, what is known of them, and how to compute them.

A table is a JSON, CSV or extended XYZ file. Each row has a ``name``; the crystal is what the name says (``Al_fcc``,
``NaCl_b1``: formula and structure), a ``structure`` (a shipped name or a file), or the frame of the XYZ file itself.
Every other number in it is a reference value, named with its unit: ``lattice_constant_ang``, ``bulk_modulus_gpa``, ...
Saved response documents of the Materials Project are tables too, and ``mp:mp-149,mp-134`` asks it with the key in
``MP_API_KEY``.

In JSON a row may say more: ``settings``, fields of a :class:`~mlxc.Calculation` that win over the protocol's;
``relative_to``, how many of which other rows its energy is compared with, ``{"Si_atom": 2}``; ``rigid``, for atoms and
molecules in a box, whose volume means nothing; and ``density``, a saved result whose density is the reference.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
from ase.build import bulk

from mlxc.calculation import Calculation
from mlxc.crystal import Crystal
from mlxc.default_settings import likely_metal, mesh_with_spacing
from mlxc.errors import InputError
from mlxc.pseudo.library import find_pseudopotentials, fingerprint
from mlxc.pseudo.library import PseudopotentialData, find_pseudopotentials
from mlxc.references.tables import measured_solids
from mlxc.training.materials_project import PREFIX, fetch_documents, rows_of

# Names of structures in tables, and of the same in ASE.
PROTOTYPES = {
    "sc": "sc", "fcc": "fcc", "bcc": "bcc", "diamond": "diamond", "b1": "rocksalt", "b2": "cesiumchloride",
    "b3": "zincblende",
}  # fmt: skip
FERROMAGNETS = {"Fe", "Co", "Ni"}
KSPACING_PER_ANG = {"metal": 0.2, "other": 0.3}
WIDTH_HA = 0.005
SMOOTHING_HA = 0.5
# The name of the shipped table: measured lattice constants of 28 cubic solids.
SOL58LC = "sol58lc"
_NOT_NUMBERS = {"name", "structure", "settings", "relative_to", "rigid", "density"}


@dataclass(frozen=True)
class Solid:
    """A crystal and what is known of it.

    Attributes:
        name: in tables and results.
        crystal: near its equilibrium.
        references: known values by name, which ends with the unit.
        settings: fields of a :class:`~mlxc.Calculation` that are not the defaults of :meth:`calculation`.
        relative_to: how many of which other solids of the table its energy is compared with.
        rigid: whether it has one volume only, that of its crystal.
        density: file of a result that has the reference density.
    """

    name: str
    crystal: Crystal
    references: dict[str, float]
    settings: dict[str, Any] = field(default_factory=dict)
    relative_to: dict[str, float] = field(default_factory=dict)
    rigid: bool = False
    density: Path | None = None

    def calculation(self, xc: str = "pbe", **settings: Any) -> Calculation:
        """How this solid is computed: one protocol for metals and insulators.

        K points every 0.2 per angstrom (0.3 where elements suggest a gap), Fermi-Dirac smearing of 5 mHa, and spin for
        ferromagnets.
        """
        metal = likely_metal(self.crystal)
        defaults = {
            "structure": self.crystal.to_dict(),
            "xc": xc,
            "kmesh": mesh_with_spacing(self.crystal, KSPACING_PER_ANG["metal" if metal else "other"]),
            "smearing": "fermi-dirac",
            "width_ha": WIDTH_HA,
            "cutoff_smoothing_ha": SMOOTHING_HA,
            "spin": bool(FERROMAGNETS.intersection(self.crystal.species)),
        }
        return Calculation.from_dict(defaults | self.settings | settings)

    def identity(self, xc: str = "pbe") -> dict[str, Any]:
        """All that determines what is computed for this solid, as plain data; without the functional itself.

        Args:
            xc: name of the functional, which has a say in the choice of pseudopotentials.

        Raises:
            InputError: there is no such calculation, or an element has no pseudopotential.
        """
        calculation = self.calculation(xc)
        species = self.crystal.species
        found = find_pseudopotentials(species, calculation.pseudo, xc, calculation.pseudo_names)
        return {
            "crystal": calculation.structure,
            "calculation": calculation.model_dump(mode="json", exclude={"structure", "xc"}),
            "rigid": self.rigid,
            "pseudopotentials": {
                symbol: {"name": data.name, "sha256": _sha256(data)} for symbol, data in found.items()
            },
        }


@cache
def _sha256(data: PseudopotentialData) -> str:
    """Of the numbers in a pseudopotential, however its file is compressed."""
    plain = json.dumps(asdict(data), sort_keys=True, default=np.ndarray.tolist)
    return hashlib.sha256(plain.encode()).hexdigest()

    def identity(self, xc: str = "pbe") -> dict[str, Any]:
        """All that makes a result of this solid what it is but the functional: plain data.

        Args:
            xc: name of the functional, which decides what the family ``gth`` means.

        Raises:
            InputError: an element has no pseudopotential.
        """
        calculation = self.calculation(xc)
        entries = find_pseudopotentials(self.crystal.species, calculation.pseudo, xc, calculation.pseudo_names)
        # A folder may be elsewhere tomorrow; what counts is what is in it.
        described = calculation.model_dump(mode="json", exclude={"xc", "pseudo", "pseudo_names", "tolerance"})
        described["pseudopotentials"] = {symbol: [data.name, fingerprint(data)] for symbol, data in entries.items()}
        return described | {"rigid": self.rigid}


def prototype(name: str, lattice_constant_ang: float) -> Crystal:
    """The crystal that a name such as ``Al_fcc`` or ``NaCl_b1`` means.

    Raises:
        InputError: the name is not a formula and a structure.
    """
    formula, _, structure = name.partition("_")
    if structure not in PROTOTYPES:
        raise InputError(f"{name!r} is no solid: a name is a formula, '_' and one of {', '.join(PROTOTYPES)}.")
    try:
        atoms = bulk(formula, PROTOTYPES[structure], a=lattice_constant_ang)
    except (ValueError, RuntimeError, KeyError) as error:
        raise InputError(f"{name!r}: there is no such crystal; {error}.") from None
    crystal = Crystal.from_ase(atoms, name)
    moments = [2.0 if symbol in FERROMAGNETS else 0.0 for symbol in crystal.species]
    return Crystal(crystal.lattice, crystal.species, crystal.positions, moments, name)


def read_solids(source: str | Path) -> dict[str, Solid]:
    """The solids of a table by name, in its order.

    Args:
        source: ``sol58lc``, a JSON, CSV or extended XYZ file, or ``mp:`` and identifiers of the Materials Project.

    Raises:
        InputError: with a sentence that says what is wrong with the table.
    """
    if str(source) == SOL58LC:
        rows: Iterable[dict[str, Any]] = [
            {"name": name, "lattice_constant_ang": value} for name, value in measured_solids().items()
        ]
        return _solids(rows, SOL58LC)
    if str(source).startswith(PREFIX):
        identifiers = [name for name in str(source).removeprefix(PREFIX).split(",") if name]
        return _solids(rows_of(fetch_documents(identifiers)), str(source))
    path = Path(source)
    if not path.is_file():
        raise InputError(f"There is no table of solids {str(path)!r}; '{SOL58LC}' is the one that comes with mlxc.")
    readers = {".json": _json_rows, ".csv": _csv_rows, ".xyz": _xyz_rows, ".extxyz": _xyz_rows}
    if path.suffix not in readers:
        raise InputError(f"{path.name}: a table of solids is a file {', '.join(readers)}.")
    try:
        rows = readers[path.suffix](path)
    except (ValueError, KeyError, TypeError, OSError, StopIteration) as error:
        raise InputError(f"{path.name} cannot be read as a table of solids: {error}.") from None
    return _solids(rows, path.name)


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
    references = {key: _number(value, key, name, table) for key, value in row.items() if key not in _NOT_NUMBERS}
    settings = row.get("settings", {})
    if not isinstance(settings, dict):
        raise InputError(f"{table}: the settings of {name!r} are not an object.")
    if isinstance(structure := row.get("structure"), Crystal):
        crystal = structure
    elif structure:
        crystal = Crystal.load(str(structure))
    elif "lattice_constant_ang" in references:
        crystal = prototype(name, references["lattice_constant_ang"])
    else:
        raise InputError(f"{table}: {name!r} has neither a structure nor a lattice_constant_ang.")
    others = row.get("relative_to", {})
    if not isinstance(others, dict):
        raise InputError(f"{table}: {name!r} is relative to {others!r}, which is not an object of names and numbers.")
    others = {other: _number(count, f"relative_to {other}", name, table) for other, count in others.items()}
    density = Path(row["density"]) if row.get("density") else None
    return Solid(name, crystal, references, settings, others, bool(row.get("rigid", False)), density)


def _number(value: Any, key: str, name: str, table: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{table}: {key} of {name!r} is {value!r}, not a number.") from None
    if not np.isfinite(number):
        raise InputError(f"{table}: {key} of {name!r} is not a finite number.")
    return number


def _json_rows(path: Path) -> list[dict[str, Any]]:
    data = json.loads(path.read_text(encoding="utf-8"))
    rows = data.get("solids", data.get("data")) if isinstance(data, dict) else data
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("it is not a list of objects")
    return rows_of(rows) if rows and "material_id" in rows[0] else rows


def _csv_rows(path: Path) -> list[dict[str, Any]]:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    # An empty cell is no value.
    return [{key: value for key, value in row.items() if key and value not in (None, "")} for row in rows]


def _xyz_rows(path: Path) -> list[dict[str, Any]]:
    rows = []
    for index, atoms in enumerate(ase.io.read(path, index=":", format="extxyz")):
        numbers = {key: value for key, value in atoms.info.items() if isinstance(value, int | float)}
        name = str(atoms.info.get("name", f"{atoms.get_chemical_formula()}-{index + 1}"))
        rows.append(numbers | {"name": name, "structure": Crystal.from_ase(atoms, name)})
    return rows
