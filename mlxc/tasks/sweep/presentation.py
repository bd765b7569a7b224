"""How a sweep is told to a person. The same figures as the JSON, with units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlxc.console.record_table import RecordTable
from mlxc.console.text import columns, headline, number, remark
from mlxc.tasks.sweep.varied import VARIED


def sweep_report(summary: dict[str, Any]) -> str:
    """The result of ``mlxc sweep`` as a table; ``summary`` is the object that ``--json`` prints."""
    with_sizes = any(point["size_ang"] is not None for point in summary["points"])
    heads = [VARIED[summary["vary"]].title, "F / Ha per atom", "F - last / meV per atom"]
    heads += ["lattice constant / ang", "size - last / %"] if with_sizes else []
    rows = [[*heads, "steps"]]
    for point in summary["points"]:
        cells = [point["label"], f"{point['free_energy_per_atom_ha']:.8f}", f"{point['difference_mev']:.3f}"]
        if with_sizes:
            cells += [number(point["lattice_constant_ang"], ".5f"), number(point["size_difference_percent"], ".4f")]
        rows.append([*cells, f"{point['iterations']}" + ("" if point["converged"] else " (not converged)")])
    lines = [headline(summary["calculation"]), "", *columns(rows), ""]
    return "\n".join([*lines, *(f"  {sentence}" for sentence in convergence_in_words(summary)), *remark(summary)])


def convergence_in_words(summary: Mapping[str, Any]) -> list[str]:
    """From which value on the energy, and the size, have converged, a sentence each; none without a limit."""
    varied = VARIED[summary["vary"]]
    if not varied.has_limit:
        return []
    energy = f"The energy is {{}}converged to {summary['energy_tolerance_mev']:g} meV per atom"
    sentences = [_from(energy, summary["energy_converged_from"], summary)]
    if any(point["size_ang"] is not None for point in summary["points"]):
        size = f"The lattice constant is {{}}converged to {summary['size_tolerance_percent']:g} %"
        sentences.append(_from(size, summary["size_converged_from"], summary))
    return sentences


def _from(words: str, value: str | None, summary: Mapping[str, Any]) -> str:
    varied, last = VARIED[summary["vary"]], summary["points"][-1]["label"]
    if value is None:
        return f"{words.format('not ')} up to {last}: no two of the largest values agree."
    return f"{words.format('')} from {varied.label(varied.read(value))} on."


def sweep_sentence(summary: Mapping[str, Any]) -> str:
    """What came out, in a few sentences."""
    varied = VARIED[summary["vary"]]
    done = f"{len(summary['points'])} values of the {varied.title} computed in {summary['seconds']:.1f} s."
    return " ".join([done, *convergence_in_words(summary)])


def sweep_outcome(summary: Mapping[str, Any]) -> str:
    """The value from which on the energy has converged; empty if there is none."""
    value = summary.get("energy_converged_from")
    if value is None:
        return ""
    varied = VARIED[summary["vary"]]
    return f"converged from {varied.label(varied.read(value))}"


def _value_line(point: Mapping[str, Any]) -> str:
    size = "" if point["lattice_constant_ang"] is None else f", a = {point['lattice_constant_ang']:.5f} ang"
    energy = f"F = {point['free_energy_per_atom_ha']:.10f} Ha per atom"
    return f"value {point['index'] + 1} of {point['values']}: {point['label']}, {energy}{size}"


VALUES = RecordTable("values", "one row per value of the setting that was varied", _value_line, stays=True)
