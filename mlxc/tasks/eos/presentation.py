"""How an equation of state is told to a person. The same figures as the JSON, with units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlxc.console.record_table import Record, RecordTable
from mlxc.console.text import headline, remark, row
from mlxc.observables.of_curves import OF_CURVES
from mlxc.properties.fitted_curve import has_bad_fit

_FITTED = {
    "volume": (
        ("equilibrium volume", "volume0_ang3", " ang^3"),
        ("lattice constant", "lattice_constant_ang", " ang"),
        ("bulk modulus", "bulk_modulus_gpa", " GPa"),
        ("its pressure derivative", "bulk_modulus_derivative", ""),
    ),
    "area": (
        ("equilibrium area", "area0_ang2", " ang^2"),
        ("in-plane lattice constant", "lattice_constant_ang", " ang"),
        ("layer modulus A d2E/dA2", "in_plane_modulus_n_per_m", " N/m"),
        ("its pressure derivative", "bulk_modulus_derivative", ""),
    ),
}
# An observable of a curve is at the minimum; what the summary calls that.
_AT_MINIMUM = {"volume_ang3": "volume0_ang3", "area_ang2": "area0_ang2"}
# The name of the standard deviation of each figure.
_DEVIATIONS = {_AT_MINIMUM.get(kind.column or "", kind.column): kind.deviation_column for kind in OF_CURVES}
# What to do about points that have all converged and have no minimum.
NO_MINIMUM = (
    "More k points or a higher cutoff may move the minimum into the range; else change the lattice constant of the "
    "crystal, around which the range lies."
)


def equation_of_state_report(summary: dict[str, Any]) -> str:
    """The result of ``mlxc eos`` as a table; ``summary`` is the object that ``--json`` prints."""
    varied = summary["varied"]
    column, sizes = "volume / ang^3", summary["volumes_ang3"]
    if varied == "area":
        column, sizes = "area / ang^2", summary["areas_ang2"]
    lines = [headline(summary["calculation"]), "", f"  {column:>14}      energy / eV"]
    for size, energy in zip(sizes, summary["energies_ev"], strict=True):
        lines.append(f"  {size:14.5f}{energy:17.7f}")
    lines.append("")
    for label, quantity, unit in _FITTED[varied]:
        if summary[quantity] is not None:
            lines.append(row(label, f"{_with_bar(summary, quantity, '.4f')}{unit}"))
    return "\n".join([*lines, *remark(summary)])


def equation_of_state_sentence(summary: Mapping[str, Any]) -> str:
    """What came out, in one sentence."""
    doubt = ", from a bad fit" if has_bad_fit(summary) else ""
    return f"equation of state computed in {summary['seconds']:.1f} s: {_equilibrium(summary)}{doubt}."


def equation_of_state_outcome(summary: Mapping[str, Any]) -> str:
    """The lattice constant, or else the size of the cell, with a word on a bad fit; empty as long as there is none."""
    size = _size_of_outcome(summary)
    return f"{size}, bad fit" if size and has_bad_fit(summary) else size


def _size_of_outcome(summary: Mapping[str, Any]) -> str:
    if summary.get("lattice_constant_ang") is not None:
        return f"a₀ = {summary['lattice_constant_ang']:.4f} Å"
    if summary.get("area0_ang2") is not None:
        return f"A₀ = {summary['area0_ang2']:.3f} Å²"
    return "" if summary.get("volume0_ang3") is None else f"V₀ = {summary['volume0_ang3']:.3f} Å³"


def advice_without_minimum(records: Sequence[Record]) -> str:
    """What to do if all points have converged; empty if they have not, or there are none."""
    converged = [record["converged"] for record in records if record["kind"] == "point"]
    return NO_MINIMUM if converged and all(converged) else ""


def _equilibrium(summary: Mapping[str, Any]) -> str:
    """Size and stiffness at the minimum."""
    is_sheet = summary["bulk_modulus_gpa"] is None
    if summary["lattice_constant_ang"]:
        size = f"a₀ = {_with_bar(summary, 'lattice_constant_ang', '.4f')} Å{' in the plane' if is_sheet else ''}"
    elif is_sheet:
        size = f"A₀ = {_with_bar(summary, 'area0_ang2', '.3f')} Å²"
    else:
        size = f"V₀ = {_with_bar(summary, 'volume0_ang3', '.3f')} Å³"
    if is_sheet:
        modulus = _with_bar(summary, "in_plane_modulus_n_per_m", ".1f")
        return f"{size}, layer modulus B = {modulus} N/m, at fixed height of the cell"
    return f"{size}, B = {_with_bar(summary, 'bulk_modulus_gpa', '.1f')} GPa"


def _with_bar(summary: Mapping[str, Any], quantity: str, style: str) -> str:
    """A figure, and its standard deviation where that is known."""
    bar = (summary.get("uncertainty") or {}).get(_DEVIATIONS[quantity])
    return f"{summary[quantity]:{style}}" + ("" if bar is None else f" ± {bar:{style}}")


def _point_line(point: Mapping[str, Any]) -> str:
    varied, size = "volume", f"{point['volume_ang3']:.4f} ang^3"
    if point["area_ang2"] is not None:
        varied, size = "area", f"{point['area_ang2']:.4f} ang^2"
    return f"{varied} {point['index'] + 1} of {point['points']}: {size}, {point['energy_ev']:.6f} eV"


def _branch_line(point: Mapping[str, Any]) -> str:
    moment = f"{point['moment_per_atom_bohr_magneton']:.3f} Bohr magneton per atom"
    return f"another magnetic branch: {point['volume_ang3']:.4f} ang^3, {point['energy_ev']:.6f} eV, {moment}"


BRANCHES = RecordTable(
    "branches", "one row per volume at which a second magnetic branch was found", _branch_line, stays=True
)
POINTS = RecordTable("points", "one row per volume, or area, of an equation of state", _point_line, stays=True)
