"""Reference values of lattice constants, volumes and bulk moduli, from the shipped tables.

``acwf_unaries_pbe.json`` holds what other codes compute with PBE (E. Bosoni et al., Nat. Rev. Phys. 6, 45 (2024)),
``sol58lc_experiment.json`` what is measured. Nothing here imports torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from typing import Any

from mlxc.errors import InputError
from mlxc.structures.shipped import shipped_record
from mlxc.utils.assets import asset_path

# Atoms in the conventional cubic cell.
_ATOMS_PER_CUBE = {"SC": 1, "BCC": 2, "FCC": 4, "Diamond": 8}
_ATOMS_PER_MEASURED_CUBE = {"bcc": 2, "fcc": 4, "diamond": 8, "b1": 8, "b2": 2, "b3": 8}
_CODES = {
    "all_electron": "all-electron (WIEN2k, FLEUR)",
    "gpaw": "GPAW",
    "cp2k_gth_tzv2p": "CP2K (GTH, TZV2P)",
}
# Farther than this from the all-electron volume a code's figure speaks of a calculation that went wrong, not of a
# method: in the source, CP2K's volumes of sodium are off by a third.
_LARGEST_DEVIATION = 0.1


@dataclass(frozen=True)
class ReferenceLine:
    """One reference value for a crystal, as a plot of an equation of state marks it.

    Attributes:
        label: What the value is: a code or a kind of measurement.
        lattice_constant_ang: Edge of the conventional cube, or None.
        volume_per_atom_ang3: Equilibrium volume per atom.
        bulk_modulus_gpa: Bulk modulus at equilibrium, or None where the source has none.
        source: Where the value comes from.
        bulk_modulus_derivative: The derivative of the bulk modulus with respect to pressure, or None where the source
            has none.
    """

    label: str
    lattice_constant_ang: float | None
    volume_per_atom_ang3: float
    bulk_modulus_gpa: float | None
    source: str
    bulk_modulus_derivative: float | None = None


def reference_lines(name: str) -> list[ReferenceLine]:
    """Reference values for a shipped structure: other codes with non-spin-polarised PBE first, then experiment.

    A code whose volume is more than 10 % off the all-electron one is left out.

    Raises:
        InputError: no structure of this name is shipped.
    """
    record = shipped_record(name)
    lines: list[ReferenceLine] = []
    if record["reference"] is not None:
        codes = acwf(*record["reference"].split("/"))
        volume = codes[0].volume_per_atom_ang3
        lines += [line for line in codes if abs(line.volume_per_atom_ang3 / volume - 1) < _LARGEST_DEVIATION]
    if record["experiment"] is not None:
        lines.append(experiment(record["experiment"]))
    return lines


def best_reference(name: str) -> ReferenceLine | None:
    """What is measured for a shipped structure, or else what all-electron codes find with PBE; None without either.

    Raises:
        InputError: no structure of this name is shipped.
    """
    if (system := shipped_record(name)["experiment"]) is not None:
        return experiment(system)
    return next(iter(reference_lines(name)), None)


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
        bulk_modulus_gpa=None,
        source=table["source"],
    )


def measured_solids() -> dict[str, float]:
    """Measured lattice constants, angstrom, corrected for zero-point expansion, by names such as ``"Al_fcc"``."""
    return dict(_table("sol58lc_experiment.json")["lattice_constant_ang"])


@cache
def _table(filename: str) -> dict[str, Any]:
    table: dict[str, Any] = json.loads(asset_path("references", filename).read_text(encoding="utf-8"))
    return table
