"""How a comparison of codes is told to a person. The same figures as the JSON, with units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlxc.codes.live import label_of
from mlxc.console.text import columns, headline, number


def comparison_report(summary: dict[str, Any]) -> str:
    """The result of ``mlxc compare`` as tables; ``summary`` is the object that ``--json`` prints."""
    natoms = len(summary["calculation"]["structure"]["species"])
    runs = summary["runs"]
    names = [f"{label_of(run['code'])} {run['version'] or ''}".strip() for run in runs]
    found = [summary["differences"].get(run["code"], {}) for run in runs]
    rows = [
        [
            "",
            "functional",
            "basis set",
            "pseudopotentials",
            "F / Ha per atom",
            "moment",
            "gap / eV",
            "steps",
            "seconds",
        ],
        *(_code_row(name, run, natoms) for name, run in zip(names, runs, strict=True)),
    ]
    lines = [headline(summary["calculation"]), "", *columns(rows)]
    if any(not run["energy_comparable"] and run["free_energy_ha"] is not None for run in runs):
        lines.append("  Energies in brackets have another zero and are not comparable.")
    lines += ["", *columns(_difference_rows(names, found))]
    if any(run["eos"] for run in runs):
        lines += ["", *columns(_curve_rows(names, runs, found))]
    sentences = [sentence for run in runs for sentence in (run["note"], run["message"]) if sentence]
    return "\n".join([*lines, *([""] if sentences else []), *(f"  {sentence}" for sentence in sentences)])


def _code_row(name: str, run: dict[str, Any], natoms: int) -> list[str]:
    energy = "-"
    if run["free_energy_ha"] is not None:
        energy = f"{run['free_energy_ha'] / natoms:.9f}"
        energy = energy if run["energy_comparable"] else f"({energy})"
    return [
        name,
        *(run[what] or "-" for what in ("xc", "basis", "pseudo")),
        energy,
        number(run["magnetisation_bohr_magneton"], ".4f"),
        number(run["gap_ev"], ".4f"),
        number(run["iterations"], "d"),
        number(run["seconds"], ".1f"),
    ]


def _difference_rows(names: list[str], found: list[dict[str, Any]]) -> list[list[str]]:
    rows = [["minus mlxc", "F / Ha per atom", "moment", "gap / eV", "largest force / (Ha/bohr)"]]
    kinds = (
        ("free_energy_ha_per_atom", "+.1e"),
        ("magnetisation_bohr_magneton", "+.4f"),
        ("gap_ev", "+.4f"),
        ("largest_force_ha_bohr", ".6f"),
    )
    for name, own in zip(names, found, strict=True):
        if own:
            rows.append([name, *(number(own[key], form) for key, form in kinds)])
    return rows


def _curve_rows(names: list[str], runs: list[dict[str, Any]], found: list[dict[str, Any]]) -> list[list[str]]:
    """Figures of each code, with how many percent they are off ours."""
    kinds = (
        ("lattice constant / ang", "lattice_constant_ang", "lattice_constant_percent", ".4f"),
        ("volume / ang^3", "volume0_ang3", "volume0_percent", ".4f"),
        ("bulk modulus / GPa", "bulk_modulus_gpa", "bulk_modulus_percent", ".2f"),
        ("layer modulus / (N/m)", "in_plane_modulus_n_per_m", "in_plane_modulus_percent", ".2f"),
        ("its derivative", "bulk_modulus_derivative", "bulk_modulus_derivative_percent", ".2f"),
    )
    shown = [kind for kind in kinds if any(run["eos"] and run["eos"][kind[1]] is not None for run in runs)]
    rows = [["", *(heading for heading, *_ in shown)]]
    for name, run, own in zip(names, runs, found, strict=True):
        if run["eos"]:
            cells = [
                number(run["eos"][key], form) + (f" ({own[off]:+.2f} %)" if own.get(off) is not None else "")
                for _, key, off, form in shown
            ]
            rows.append([name, *cells])
    return rows


def comparison_sentence(summary: Mapping[str, Any]) -> str:
    """What was compared."""
    return f"computed in {' and '.join(label_of(run['code']) for run in summary['runs'])}."
