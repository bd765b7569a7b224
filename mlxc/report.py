"""What a run found, as text for a person. The same figures as the JSON, with units."""

from __future__ import annotations

from typing import Any

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
        lines.append(_row(f"force on atom {atom}", "  ".join(f"{x:10.6f}" for x in force) + " Ha/bohr"))
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
    lines += ["", _row("gap", f"{summary['gap_ev']:.3f} eV" if summary["gap_ev"] else "none (a metal)")]
    return "\n".join(lines)


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
    basis = f"{calculation['ecut_ha']:g} Ha"
    if calculation["basis"] == "gaussian":
        sets = dict.fromkeys([calculation["gaussian_basis"], *calculation["gaussian_basis_names"].values()])
        basis = f"{' and '.join(sets)} on a grid for {basis}"
    return f"{name}: {calculation['xc']}, {basis}, {mesh} k points, {occupations}"


def _state(summary: dict[str, Any]) -> str:
    outcome = "converged" if summary["converged"] else "NOT CONVERGED"
    return f"{outcome} after {summary['iterations']} iterations"


def _row(label: str, value: str) -> str:
    return f"  {label:28}{value}"
