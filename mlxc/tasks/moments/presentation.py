"""How the energy against the moment is told to a person. The same figures as the JSON, with units."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from textwrap import wrap
from typing import Any

from mlxc.console.record_table import RecordTable
from mlxc.console.text import columns, headline, row
from mlxc.crystal.crystal import Crystal
from mlxc.units import HARTREE_EV

# Moments that differ by less are told as one, Bohr magneton.
SAME_MOMENT = 0.01
UNIT = "μB"
# Of lines of words in a report.
WIDTH = 100


def moments_report(summary: dict[str, Any]) -> str:
    """The result of ``mlxc moments`` as a table; ``summary`` is the object that ``--json`` prints."""
    natoms = summary["natoms"]
    lowest = min([*summary["free_energies_ha"], *(minimum["free_energy_ha"] for minimum in summary["minima"])])
    rows = [["moment / μB", "free energy / Ha", "above the lowest / (meV/atom)", "steps", "way"]]
    for point in summary["points"]:
        above = _mev(point["free_energy_ha"] - lowest, natoms)
        steps = f"{point['iterations']}" + ("" if point["converged"] else " (not converged)")
        energy = f"{point['free_energy_ha']:.8f}"
        rows.append([f"{point['moment']:.4f}", energy, f"{above:.3f}", steps, point["branch"]])
    lines = [headline(summary["calculation"]), "", *columns(rows), ""]
    for label, extrema in (("minimum", summary["minima"]), ("maximum", summary["maxima"])):
        for extremum in extrema:
            above = _mev(extremum["free_energy_ha"] - lowest, natoms)
            lines.append(row(label, f"{extremum['moment']:.4f} {UNIT}, {above:+.3f} meV/atom"))
    words = f"{moment_in_words(summary)} {summary['note']}".strip()
    return "\n".join([*lines, *(f"  {line}" for line in wrap(words, WIDTH))])


def moments_sentence(summary: Mapping[str, Any]) -> str:
    """What came out, in a few words and a sentence."""
    return f"energy against moment computed in {summary['seconds']:.1f} s. {_wants(summary) or summary['note']}"


def moments_outcome(summary: Mapping[str, Any]) -> str:
    """The moment at which the energy is lowest; empty as long as it is not known."""
    moment = summary.get("moment0_bohr_magneton")
    return "" if moment is None else f"M = {moment:.2f} {UNIT}"


def moment_in_words(summary: Mapping[str, Any]) -> str:
    """Which moment the crystal wants, what it gains by it, and what other minima there are; empty without a minimum."""
    if summary["moment0_bohr_magneton"] is None:
        return ""
    sentences = [_wants(summary), _what_is_gained(summary), *_other_minima(summary), *_two_ways(summary)]
    return " ".join(filter(None, sentences))


def _wants(summary: Mapping[str, Any]) -> str:
    """The moment at which the energy is lowest; empty where it is not known."""
    moment = summary["moment0_bohr_magneton"]
    if moment is None:
        return ""
    name = Crystal.from_dict(summary["calculation"]["structure"]).formula
    if abs(moment) < SAME_MOMENT:
        return f"{name} wants no moment: what it would cost in kinetic energy exceeds what exchange would gain."
    natoms = summary["natoms"]
    per_atom = f" ({moment / natoms:.2f} per atom)" if natoms > 1 else ""
    return f"{name} wants a moment of {moment:.2f} {UNIT} per cell{per_atom}."


def _what_is_gained(summary: Mapping[str, Any]) -> str:
    """How much lower the energy is than without a moment, and what exchange has gained of it, as Stoner tells it."""
    if abs(summary["moment0_bohr_magneton"]) < SAME_MOMENT:
        return ""
    # At each moment the lowest state, which comes last.
    at = {point["moment"]: point for point in sorted(summary["points"], key=lambda point: -point["free_energy_ha"])}
    without = at.get(0.0)
    if without is None:
        return ""
    natoms, zero = summary["natoms"], without["free_energy_ha"]
    lower = _mev(zero - summary["free_energy0_ha"], natoms)
    nearest = at[min(at, key=lambda moment: abs(moment - summary["moment0_bohr_magneton"]))]
    gained = _mev(without["polarisation_energy_ha"] - nearest["polarisation_energy_ha"], natoms)
    paid = gained - _mev(zero - nearest["free_energy_ha"], natoms)
    return (
        f"That is {lower:.1f} meV per atom below the state without one: the exchange energy gained exceeds the kinetic "
        f"energy paid. At {nearest['moment']:g} {UNIT} the polarisation of the spins gains {gained:.0f} meV per atom "
        f"by exchange and correlation, and costs {paid:.0f} in all other ways."
    )


def _other_minima(summary: Mapping[str, Any]) -> Iterable[str]:
    """What there is to say about zero and about further minima."""
    ground, lowest, natoms = abs(summary["moment0_bohr_magneton"]), summary["free_energy0_ha"], summary["natoms"]
    if ground >= SAME_MOMENT and any(abs(extremum["moment"]) < SAME_MOMENT for extremum in summary["maxima"]):
        yield "Without a moment the energy has a maximum: Stoner's criterion is met."
    for minimum in summary["minima"]:
        if abs(abs(minimum["moment"]) - ground) >= SAME_MOMENT:
            above = _mev(minimum["free_energy_ha"] - lowest, natoms)
            yield f"Another minimum lies at {minimum['moment']:.2f} {UNIT}, {above:.1f} meV per atom higher."


def _two_ways(summary: Mapping[str, Any]) -> Iterable[str]:
    for place in summary["hysteresis"]:
        where = f"{place['lowest_moment']:g} to {place['highest_moment']:g} {UNIT}"
        yield f"From {where} the way up and the way down find different states; the lower ones count."


def _mev(energy_ha: float, natoms: int) -> float:
    """An energy of the cell, meV per atom."""
    return 1000 * HARTREE_EV * energy_ha / natoms


def _moment_line(point: Mapping[str, Any]) -> str:
    at = f"moment {point['index'] + 1} of {point['points']}: {point['moment']:.4f} Bohr magneton"
    return f"{at}, F = {point['free_energy_ha']:.10f} Ha"


MOMENTS = RecordTable(
    "moments",
    "one row per total moment (Bohr magneton per cell) at which the energy was computed, in the order of computation",
    _moment_line,
    stays=True,
)
