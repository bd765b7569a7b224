"""What a run found, as text for a person. The same figures as the JSON, with units."""

from __future__ import annotations

from textwrap import wrap
from typing import Any

from mlxc.basis.kinds import BASES
from mlxc.codes.live import label_of
from mlxc.units import HARTREE_PER_BOHR3_GPA

_TERMS = {"entropy": "-TS", "xc": "exchange-correlation"}

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


def ground_state_report(summary: dict[str, Any]) -> str:
    """The result of ``mlxc scf`` as a table; ``summary`` is the object that ``--json`` prints."""
    calculation, seconds = summary["calculation"], summary["seconds"]
    lines = [_headline(calculation), _state(summary), ""]
    for name, energy in summary["energies_ha"].items():
        lines.append(_row(_TERMS.get(name, name.replace("_", " ")), f"{energy:18.10f} Ha"))
    lines += [_row("free energy F = E - TS", f"{summary['free_energy_ha']:18.10f} Ha"), ""]
    if summary["fermi_level_ha"] is not None:
        lines.append(_row("Fermi level", f"{summary['fermi_level_ha']:.6f} Ha"))
    if summary["magnetisation_bohr_magneton"] is not None:
        lines.append(_row("magnetisation", f"{summary['magnetisation_bohr_magneton']:.4f} Bohr magneton"))
    for atom, force in enumerate(summary["forces_ha_bohr"] or [], start=1):
        lines.append(_row(f"force on atom {atom}", _vector(force, 6) + " Ha/bohr"))
    if (stress := summary["stress_ha_bohr3"]) is not None:
        in_gpa = [x * HARTREE_PER_BOHR3_GPA for x in stress]
        lines.append(_row("stress xx, yy, zz", _vector(in_gpa[:3], 4) + " GPa"))
        lines.append(_row("stress yz, xz, xy", _vector(in_gpa[3:], 4) + " GPa"))
    if (outside := summary["outside_training_domain"]) is not None:
        shares = f"{outside['electrons']:.2%} of the electrons, {outside['volume']:.2%} of the volume"
        lines.append(_row("outside the training domain", shares))
    lines.append(_row("irreducible k points", str(summary["irreducible_kpoints"])))
    if (dependence := summary["linear_dependence"]) is not None:
        left_out = f", {dependence['dropped']} combinations left out" if dependence["dropped"] else ""
        lines.append(_row("Gaussian functions", f"{dependence['functions']}{left_out}"))
        lines.append(_row("condition of their overlap", f"{dependence['condition_number']:.2g}"))
    lines.append(_row("FFT grid", " x ".join(map(str, summary["fft_grid"]))))
    lines.append(_row("time", f"{seconds['setup']:.2f} s set-up, {seconds['scf']:.2f} s SCF"))
    return "\n".join(lines)


def equation_of_state_report(summary: dict[str, Any]) -> str:
    """The result of ``mlxc eos`` as a table; ``summary`` is the object that ``--json`` prints."""
    varied = summary["varied"]
    column, sizes = "volume / ang^3", summary["volumes_ang3"]
    if varied == "area":
        column, sizes = "area / ang^2", summary["areas_ang2"]
    lines = [_headline(summary["calculation"]), "", f"  {column:>14}      energy / eV"]
    for size, energy in zip(sizes, summary["energies_ev"], strict=True):
        lines.append(f"  {size:14.5f}{energy:17.7f}")
    lines.append("")
    for label, quantity, unit in _FITTED[varied]:
        if summary[quantity] is not None:
            lines.append(_row(label, f"{summary[quantity]:.4f}{unit}"))
    return "\n".join(lines)


def band_report(summary: dict[str, Any]) -> str:
    """The result of ``mlxc bands`` at the special points; ``summary`` is the object that ``--json`` prints."""
    lines = [_headline(summary["calculation"]), "", "  point   energies / eV, from the Fermi level"]
    for place, name in summary["labels"]:
        nearest = min(
            range(len(summary["distances_per_bohr"])), key=lambda i: abs(summary["distances_per_bohr"][i] - place)
        )
        for spin in summary["bands_ev"]:
            lines.append(f"  {name:5s}" + "".join(f"{energy:9.3f}" for energy in spin[nearest]))
    lines += ["", *_gap(summary)]
    return "\n".join(lines)


def _gap(summary: dict[str, Any]) -> list[str]:
    if summary["gap_kind"] is None:
        return [_row("gap", "none (a metal)")]
    size = f"{summary['gap_ev']:.3f} eV, {summary['gap_kind']}"
    lines = [_row("gap", "none, the bands touch" if summary["gap_kind"] == "touching" else size)]
    if summary["gap_kind"] == "indirect":
        lines.append(_row("smallest direct gap", f"{summary['direct_gap_ev']:.3f} eV"))
    for label, edge in (
        ("highest valence level", summary["valence_band_maximum"]),
        ("lowest conduction level", summary["conduction_band_minimum"]),
    ):
        lines.append(_row(label, f"{edge['energy_ev']:.3f} eV, {edge['place']}"))
    return lines


def gradient_report(summary: dict[str, Any]) -> str:
    """The result of ``mlxc gradient``; ``summary`` is the object that ``--json`` prints."""
    lines = [_headline(summary["calculation"]), ""]
    if summary["target"] is not None:
        lines.append(_row("target", f"{summary['target']:.6g} {summary['quantity_unit']} ({summary['target_source']})"))
    for stage in ("before", "after"):
        found = summary[stage]
        if found is None or found["loss"] is None:
            continue
        when = "" if summary["after"] is None else f", {stage} the step"
        lines.append(_row(f"loss{when}", f"{found['loss']:.8g} {summary['loss_unit']}"))
        lines.append(_row("  of", f"{summary['quantity']}, {found['quantity']:.6f} {summary['quantity_unit']}"))
        for name, value in found["single_parameters"].items():
            lines.append(_row(f"  {name}", f"{value:.6f}"))
    if summary["gradient_norm"] is not None:
        lines += ["", *_gradient_rows(summary)]
    return "\n".join(lines)


def _gradient_rows(summary: dict[str, Any]) -> list[str]:
    lines = [_row("norm of the gradient", f"{summary['gradient_norm']:.6g}")]
    lines += [_row(f"  of {layer}", f"{norm:.6g}") for layer, norm in summary["layers"].items()]
    for name, parameter in summary["parameters"].items():
        if parameter["gradient"] is not None:
            lines.append(_row(f"dL/d({name})", f"{parameter['gradient']:.8g}"))
    lines.append(_row("per factor of E_xc", f"{summary['pull']['integral']:.8g} {summary['loss_unit']}"))
    if adjoint := summary["adjoint"]:
        lines.append(_row("adjoint", f"{len(adjoint)} steps, residual {adjoint[-1]['residual']:.1e}"))
    if norms := summary["density_gradient_norms"]:
        lines.append(_row("|dL/dn| by SCF step", "  ".join(f"{norm:.1e}" for norm in norms)))
    seconds = summary["seconds"]
    return [*lines, _row("time", f"{seconds['scf']:.2f} s SCF, {seconds['gradient']:.2f} s gradient")]


def diagnosis_report(summary: dict[str, Any]) -> str:
    """The result of ``mlxc diagnose``; ``summary`` is the object that ``--json`` prints."""
    lines = [_headline(summary["calculation"]), ""]
    for finding in summary["findings"]:
        lines.append(f"  {finding['title']}")
        lines += [f"    {line}" for line in wrap(finding["sentence"], 110)]
        lines.append("")
    return "\n".join([*lines, *wrap(f"Verdict. {summary['verdict']}", 114), f"({summary['seconds']:.0f} s)"])


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
    lines = [_headline(summary["calculation"]), "", *_columns(rows)]
    if any(not run["energy_comparable"] and run["free_energy_ha"] is not None for run in runs):
        lines.append("  Energies in brackets have another zero and are not comparable.")
    lines += ["", *_columns(_difference_rows(names, found))]
    if any(run["eos"] for run in runs):
        lines += ["", *_columns(_curve_rows(names, runs, found))]
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
        _number(run["magnetisation_bohr_magneton"], ".4f"),
        _number(run["gap_ev"], ".4f"),
        _number(run["iterations"], "d"),
        _number(run["seconds"], ".1f"),
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
            rows.append([name, *(_number(own[key], form) for key, form in kinds)])
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
                _number(run["eos"][key], form) + (f" ({own[off]:+.2f} %)" if own.get(off) is not None else "")
                for _, key, off, form in shown
            ]
            rows.append([name, *cells])
    return rows


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _columns(rows: list[list[str]]) -> list[str]:
    """Lines of a table whose columns are as wide as what is in them."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]


def checkpoint_report(record: dict[str, Any]) -> str:
    """The record of a checkpoint as a table, from plain data; what is empty is left out."""
    lines = [f"{record['name']}: {record['description']}" if record["description"] else record["name"], ""]
    for key, value in record.items():
        if key in ("name", "description") or value in (None, "", {}, []):
            continue
        if key == "domain":
            value = {name: " to ".join("any" if x is None else f"{x:g}" for x in pair) for name, pair in value.items()}
        if isinstance(value, dict):
            value = ", ".join(f"{name} {item}" for name, item in value.items())
        elif isinstance(value, list):
            value = ", ".join(map(str, value))
        lines.append(_row(key.replace("_", " "), str(value)))
    return "\n".join(lines)


def _headline(calculation: dict[str, Any]) -> str:
    mesh = " x ".join(map(str, calculation["kmesh"]))
    occupations = "fixed occupations"
    if calculation["smearing"] != "none":
        occupations = f"{calculation['smearing']} smearing of {calculation['width_ha']:g} Ha"
    name = calculation["structure"]["name"]
    basis = BASES[calculation["basis"]].in_report(calculation)
    return f"{name}: {calculation['xc']}, {basis}, {mesh} k points, {occupations}"


def _state(summary: dict[str, Any]) -> str:
    outcome = "converged" if summary["converged"] else "NOT CONVERGED"
    return f"{outcome} after {summary['iterations']} iterations"


def _row(label: str, value: str) -> str:
    return f"  {label:28}{value}"


def _vector(components: list[float], digits: int) -> str:
    # Adding zero makes a zero of what rounds to minus zero.
    return "  ".join(f"{round(x, digits) + 0.0:10.{digits}f}" for x in components)
