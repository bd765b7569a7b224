"""How bands are told to a person. The same figures as the JSON, with units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlxc.console.record_table import RecordTable
from mlxc.console.text import SPINS, headline, levels_of_spins, row
from mlxc.units import HARTREE_EV

# Points of the Brillouin zone that are written with Greek letters.
GREEK = {"G": "Γ"}
# Distances along a path within this of each other are the same, 1/bohr.
SAME_PLACE = 1e-6


def band_report(summary: dict[str, Any]) -> str:
    """The result of ``mlxc bands`` at the special points; ``summary`` is the object that ``--json`` prints."""
    zero = "the higher Fermi level" if levels_of_spins(summary) else "the Fermi level"
    lines = [headline(summary["calculation"]), "", f"  point   energies / eV, from {zero}"]
    for (_, name), point in zip(summary["labels"], points_of_labels(summary), strict=True):
        for spin in summary["bands_ev"]:
            lines.append(f"  {name:5s}" + "".join(f"{energy:9.3f}" for energy in spin[point]))
    lines += ["", *_levels(summary), *_gap(summary), *_gaps_of_spins(summary)]
    return "\n".join(lines)


def points_of_labels(summary: Mapping[str, Any]) -> list[int]:
    """The index of the k point of each label; where the path jumps, two labels and two points have one distance."""
    distances, places = summary["distances_per_bohr"], [place for place, _ in summary["labels"]]
    found = []
    for index, place in enumerate(places):
        apart = [abs(distance - place) for distance in distances]
        here = [point for point, distance in enumerate(apart) if distance < min(apart) + SAME_PLACE]
        before = sum(abs(other - place) < SAME_PLACE for other in places[:index])
        found.append(here[min(before, len(here) - 1)])
    return found


def _levels(summary: dict[str, Any]) -> list[str]:
    """The Fermi level of each spin, where they differ."""
    return [row(f"Fermi level, spin {spin}", f"{level:.3f} eV") for spin, level in own_levels_ev(summary)]


def _gap(summary: dict[str, Any]) -> list[str]:
    if summary["gap_ev"] is None:
        return [row("gap", "unknown, the basis has no empty levels")]
    if summary["gap_kind"] is None:
        return [row("gap", "none (a metal)")]
    size = f"{summary['gap_ev']:.3f}{_bar(summary, '.3f')} eV, {summary['gap_kind']}"
    lines = [row("gap", "none, the bands touch" if summary["gap_kind"] == "touching" else size)]
    if summary["gap_kind"] == "indirect":
        lines.append(row("smallest direct gap", f"{summary['direct_gap_ev']:.3f} eV"))
    for label, edge in (
        ("highest valence level", summary["valence_band_maximum"]),
        ("lowest conduction level", summary["conduction_band_minimum"]),
    ):
        spin = "" if edge["spin"] is None else f", spin {edge['spin']}"
        lines.append(row(label, f"{edge['energy_ev']:.3f} eV, {edge['place']}{spin}"))
    return lines


def _bar(summary: Mapping[str, Any], style: str) -> str:
    """The standard deviation of the gap, where it is known."""
    bar = (summary.get("uncertainty") or {}).get("gap_standard_deviation_ev")
    return "" if bar is None else f" ± {bar:{style}}"


def _gaps_of_spins(summary: dict[str, Any]) -> list[str]:
    gaps = zip(SPINS, summary.get("spin_gaps_ev") or [None, None], strict=True)
    return [row(f"gap of spin {spin}", f"{gap:.3f} eV" if gap else "none") for spin, gap in gaps if gap is not None]


def own_levels_ev(summary: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The name and the Fermi level of each spin, electronvolt from the higher one; empty where one serves both."""
    return [(spin, (level - summary["fermi_level_ha"]) * HARTREE_EV) for spin, level in levels_of_spins(summary)]


def bands_sentence(summary: Mapping[str, Any]) -> str:
    """What came out, in a few words and sentences."""
    return f"bands computed. {gap_in_words(summary)}"


def bands_outcome(summary: Mapping[str, Any]) -> str:
    """The gap; empty as long as it is not known."""
    if summary.get("gap_ev") is None:
        return ""
    return f"gap {summary['gap_ev']:.2f} eV" if summary["gap_ev"] else "no gap"


def gap_in_words(summary: Mapping[str, Any]) -> str:
    """The gap, that of each spin, and where the spins are filled to levels of their own, in a few sentences."""
    return " ".join([_gap_of_both(summary), *_gaps_of_spins_in_words(summary), *_levels_in_words(summary)])


def _gaps_of_spins_in_words(summary: Mapping[str, Any]) -> list[str]:
    gaps = [(spin, gap) for spin, gap in zip(SPINS, summary.get("spin_gaps_ev") or [0, 0], strict=True) if gap]
    if not gaps:
        return []
    told = " and ".join(f"{gap:.2f} eV for spin {spin}" for spin, gap in gaps)
    return [f"Within one spin it is {told}." if summary["gap_kind"] else f"Within one spin there is one, {told}."]


def _levels_in_words(summary: Mapping[str, Any]) -> list[str]:
    levels = " and ".join(f"{level:.2f} eV for spin {spin}" for spin, level in own_levels_ev(summary))
    return [f"The moment is held, so that each spin has a Fermi level of its own: {levels}."] if levels else []


def _gap_of_both(summary: Mapping[str, Any]) -> str:
    kind = summary["gap_kind"]
    if summary.get("gap_ev", 0.0) is None:
        return "The basis has no empty levels, so that nothing is known about a gap."
    if kind is None and all(summary.get("spin_gaps_ev") or [0]):
        return "No gap: each spin has one, but empty levels of one spin lie below filled ones of the other."
    if kind is None:
        return "A metal: bands cross the Fermi level, there is no gap."
    top, bottom = summary["valence_band_maximum"], summary["conduction_band_minimum"]
    if kind == "touching":
        return f"No gap, but no bands that cross either: the filled and the empty ones touch {_place(top)}."
    gap = f"gap of {summary['gap_ev']:.2f}{_bar(summary, '.2f')} eV"
    if kind == "direct" and {top["spin"], bottom["spin"]} == set(SPINS):
        return f"Direct {gap}: the highest filled level is {_place(top)}, the lowest empty one {_place(bottom)}."
    if kind == "direct":
        return f"Direct {gap}: the highest filled and the lowest empty level are both {_place(top)}."
    return (
        f"Indirect {gap}: the highest filled level is {_place(top)}, the lowest empty one {_place(bottom)}. "
        f"Without a change of k it takes at least {summary['direct_gap_ev']:.2f} eV."
    )


def _place(edge: Mapping[str, Any]) -> str:
    words = [GREEK.get(word, word) for word in edge["place"].split()]
    place = " ".join(words) if len(words) > 1 else f"at {words[0]}"
    return place if edge["spin"] is None else f"{place} (spin {edge['spin']})"


def _portion_line(done: Mapping[str, Any]) -> str:
    return f"bands: {done['computed']} of {done['points']} k points"


def _portion_in_words(done: Mapping[str, Any]) -> tuple[str, float]:
    return f"Bands at {done['computed']} of {done['points']} k points.", done["computed"] / done["points"]


PORTIONS = RecordTable(
    "bands",
    "one row per part of the path: at how many k points the bands are done",
    _portion_line,
    doing=_portion_in_words,
)
