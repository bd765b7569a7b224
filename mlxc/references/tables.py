"""Reference values of lattice constants, volumes and bulk moduli, from the shipped tables.

``acwf_unaries_pbe.json`` holds what other codes compute with PBE (E. Bosoni et al., Nat. Rev. Phys. 6, 45 (2024)),
``sol58lc_experiment.json`` what is measured, ``sheets.json`` both of sheets. Nothing here imports torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.magnetism import often_magnetic
from mlxc.crystal.resizing import area_ang2, lattice_constant
from mlxc.errors import InputError
from mlxc.structures.shipped import shipped_record
from mlxc.units import BOHR_ANG
from mlxc.utils.assets import asset_path

# The name of the shipped table of solids: what is measured of 28 cubic ones.
SOL58LC = "sol58lc"
# Atoms in the conventional cubic cell.
_ATOMS_PER_CUBE = {"SC": 1, "BCC": 2, "FCC": 4, "Diamond": 8}
_ATOMS_PER_MEASURED_CUBE = {"bcc": 2, "fcc": 4, "diamond": 8, "b1": 8, "b2": 2, "b3": 8}
# What tables of measurements and of codes call the same structure of an element.
_STRUCTURES = {"bcc": "BCC", "fcc": "FCC", "diamond": "Diamond"}
_CODES = {
    "all_electron": "all-electron (WIEN2k, FLEUR)",
    "gpaw": "GPAW",
    "cp2k_gth_tzv2p": "CP2K (GTH, TZV2P)",
}
_MEASURED = (
    "lattice_constant_ang", "bulk_modulus_gpa", "cohesive_energy_ev", "gap_ev", "magnetisation_bohr_magneton",
)  # fmt: skip
# Farther than this from the all-electron volume a code's figure speaks of a calculation that went wrong, not of a
# method: in the source, CP2K's volumes of sodium are off by a third.
_LARGEST_DEVIATION = 0.1


@dataclass(frozen=True)
class ReferenceLine:
    """One reference value for a crystal, as a plot of an equation of state marks it.

    Attributes:
        label: What the value is: a code or a kind of measurement.
        lattice_constant_ang: Edge of the conventional cube, of a sheet length of the lattice vectors in the plane; or
            None.
        volume_per_atom_ang3: Equilibrium volume per atom; of a sheet that of the shipped cell, with its height.
        bulk_modulus_gpa: Bulk modulus at equilibrium, or None where the source has none.
        source: Where the value comes from.
        bulk_modulus_source: Where the bulk modulus comes from, if that is elsewhere; else empty.
        bulk_modulus_derivative: The derivative of the bulk modulus with respect to pressure, or None where the source
            has none.
        area_per_atom_ang2: Equilibrium area per atom of a sheet; None for other crystals.
    """

    label: str
    lattice_constant_ang: float | None
    volume_per_atom_ang3: float
    bulk_modulus_gpa: float | None
    source: str
    bulk_modulus_derivative: float | None = None
    area_per_atom_ang2: float | None = None
    bulk_modulus_source: str = ""


def reference_lines(name: str) -> list[ReferenceLine]:
    """Reference values for a crystal: other codes with non-spin-polarised PBE first, then experiment.

    Of a sheet they hold at the shipped height of its cell.

    A code whose volume is more than 10 % off the all-electron one is left out.

    Args:
        name: The name of a shipped structure, or of a solid as tables have them, such as ``Al_fcc`` or ``NaCl_b1``.

    Raises:
        InputError: no structure of this name is shipped, nor is it the name of a solid.
    """
    formula, _, structure = name.partition("_")
    is_solid = structure in _ATOMS_PER_MEASURED_CUBE
    record = _record_of_solid(formula, structure) if is_solid else shipped_record(name)
    lines: list[ReferenceLine] = []
    if record["reference"] is not None:
        codes = acwf(*record["reference"].split("/"))
        volume = codes[0].volume_per_atom_ang3
        lines += [line for line in codes if abs(line.volume_per_atom_ang3 / volume - 1) < _LARGEST_DEVIATION]
    if record["experiment"] is not None:
        lines.append(experiment(record["experiment"]))
    return [*lines, *_of_sheet(record)]


def _record_of_solid(formula: str, structure: str) -> dict[str, Any]:
    """Where a solid is in the tables, in the form of a shipped record.

    Codes have computed all elements without spin, which says nothing of those that often have a moment.
    """
    name, element = f"{formula}_{structure}", f"{formula}/{_STRUCTURES.get(structure)}"
    is_computed = element in _table("acwf_unaries_pbe.json")["structures"] and not often_magnetic([formula])
    return {
        "name": name,
        "reference": element if is_computed else None,
        "experiment": name if name in _table("sol58lc_experiment.json")["lattice_constant_ang"] else None,
    }


def best_reference(name: str) -> ReferenceLine | None:
    """What is measured for a crystal, or else what all-electron codes find with PBE; None without either.

    Args:
        name: Its name, see :func:`reference_lines`.

    Raises:
        InputError: no structure of this name is shipped, nor is it the name of a solid.
    """
    lines = reference_lines(name)
    measured = [line for line in lines if line.label.startswith("experiment")]
    return next(iter([*measured, *lines]), None)


def acwf(element: str, structure: str) -> list[ReferenceLine]:
    """What other codes find for an element in a cubic structure: all-electron, GPAW, and CP2K where there is one.

    Args:
        element: chemical symbol.
        structure: ``"FCC"``, ``"BCC"``, ``"SC"`` or ``"Diamond"``.

    Raises:
        InputError: the table has no such element or structure.
    """
    table = _table("acwf_unaries_pbe.json")
    entry = table["structures"].get(f"{element}/{structure}")
    if entry is None:
        known = ", ".join(_ATOMS_PER_CUBE)
        raise InputError(f"There is no reference for {element} in the structure {structure}; structures are {known}.")
    return [
        ReferenceLine(
            label=label,
            lattice_constant_ang=(_ATOMS_PER_CUBE[structure] * entry[code]["volume_per_atom_ang3"]) ** (1 / 3),
            volume_per_atom_ang3=entry[code]["volume_per_atom_ang3"],
            bulk_modulus_gpa=entry[code]["bulk_modulus_gpa"],
            source=table["source"],
            bulk_modulus_derivative=entry[code]["bulk_modulus_derivative"],
        )
        for code, label in _CODES.items()
        if code in entry
    ]


def experiment(system: str) -> ReferenceLine:
    """The measured lattice constant, corrected for zero-point expansion, of a system such as ``"Al_fcc"``.

    Raises:
        InputError: the table has no such system.
    """
    table = _table("sol58lc_experiment.json")
    lattice_constant = table["lattice_constant_ang"].get(system)
    if lattice_constant is None:
        raise InputError(f"There is no measured lattice constant for '{system}'.")
    atoms = _ATOMS_PER_MEASURED_CUBE[system.split("_")[1]]
    return ReferenceLine(
        label="experiment (zero-point corrected)",
        lattice_constant_ang=lattice_constant,
        volume_per_atom_ang3=lattice_constant**3 / atoms,
        bulk_modulus_gpa=table["bulk_modulus_gpa"].get(system),
        source=table["source"],
        bulk_modulus_source=table["source_of_bulk_moduli"],
    )


def _of_sheet(record: Mapping[str, Any]) -> list[ReferenceLine]:
    """What is known of a sheet; nothing for other crystals."""
    found = _table("sheets.json")["sheets"].get(record["name"], [])
    if not found:
        return []
    sheet = Crystal.from_dict(record["structure"])
    atoms, scales = len(sheet.species), [line["lattice_constant_ang"] / _edge_ang(sheet) for line in found]
    return [
        ReferenceLine(
            label=line["label"],
            lattice_constant_ang=line["lattice_constant_ang"],
            volume_per_atom_ang3=scale**2 * sheet.volume * BOHR_ANG**3 / atoms,
            bulk_modulus_gpa=None,
            source=line["source"],
            area_per_atom_ang2=scale**2 * area_ang2(sheet) / atoms,
        )
        for line, scale in zip(found, scales, strict=True)
    ]


def _edge_ang(sheet: Crystal) -> float:
    """The length of its lattice vectors in the plane."""
    edge = lattice_constant(sheet, sheet.volume * BOHR_ANG**3, "area")
    assert edge is not None
    return edge


def measured_solids() -> dict[str, dict[str, float]]:
    """What is measured of 28 solids, by names such as ``"Al_fcc"``.

    The keys are ``lattice_constant_ang``, and where it is known ``bulk_modulus_gpa`` and ``cohesive_energy_ev``, which
    is per atom, all of them free of zero-point motion, and ``gap_ev``, which is not. Nickel has
    ``magnetisation_bohr_magneton``, the spin part of its moment.
    """
    table = _table("sol58lc_experiment.json")
    return {
        name: {quantity: table[quantity][name] for quantity in _MEASURED if name in table[quantity]}
        for name in table["lattice_constant_ang"]
    }


def measured_sheets() -> dict[str, dict[str, float]]:
    """What is measured of sheets, in the form of :func:`measured_solids`, by the names of shipped structures."""
    return {
        name: {"lattice_constant_ang": line["lattice_constant_ang"]}
        for name, lines in _table("sheets.json")["sheets"].items()
        for line in lines
        if line["label"].startswith("experiment")
    }


@cache
def _table(filename: str) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(asset_path("references", filename).read_text(encoding="utf-8"))
    return table
