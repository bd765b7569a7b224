"""How a ground state is told to a person. The same figures as the JSON, with units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlxc.console.text import headline, levels_of_spins, remark, row, vector
from mlxc.units import HARTREE_PER_BOHR3_GPA

# Hartree/bohr, which the digits of a report show.
VISIBLE_FORCE = 5e-7
_TERMS = {"entropy": "-TS", "xc": "exchange-correlation"}


def ground_state_report(summary: dict[str, Any]) -> str:
    """The result of ``mlxc scf`` as a table; ``summary`` is the object that ``--json`` prints."""
    calculation, seconds = summary["calculation"], summary["seconds"]
    lines = [headline(calculation), _state(summary), ""]
    for name, energy in summary["energies_ha"].items():
        lines.append(row(_TERMS.get(name, name.replace("_", " ")), f"{energy:18.10f} Ha"))
    lines += [row("free energy F = E - TS", f"{summary['free_energy_ha']:18.10f} Ha")]
    lines += [*_uncertainty(summary), ""]
    lines += _fermi_levels(summary)
    if summary["magnetisation_bohr_magneton"] is not None:
        lines.append(row("magnetisation", f"{summary['magnetisation_bohr_magneton']:.4f} Bohr magneton"))
    lines += _magnetisation_within(summary)
    bars = (summary.get("uncertainty") or {}).get("forces_standard_deviation_ha_bohr")
    for atom, force in enumerate(summary["forces_ha_bohr"] or [], start=1):
        lines.append(row(f"force on atom {atom}", vector(force, 6) + " Ha/bohr"))
        if bars:
            lines.append(row("its standard deviation", vector(bars[atom - 1], 6) + " Ha/bohr"))
    if max(map(abs, net := summary.get("net_force_ha_bohr") or [0.0])) > VISIBLE_FORCE:
        label = "net force" if calculation.get("terms") else "net force, taken off"
        lines.append(row(label, vector(net, 6) + " Ha/bohr"))
    if (stress := summary["stress_ha_bohr3"]) is not None:
        in_gpa = [x * HARTREE_PER_BOHR3_GPA for x in stress]
        lines.append(row("stress xx, yy, zz", vector(in_gpa[:3], 4) + " GPa"))
        lines.append(row("stress yz, xz, xy", vector(in_gpa[3:], 4) + " GPa"))
    if (outside := summary["outside_training_domain"]) is not None:
        shares = f"{outside['electrons']:.2%} of the electrons, {outside['volume']:.2%} of the volume"
        lines.append(row("outside the training domain", shares))
    lines.append(row("irreducible k points", str(summary["irreducible_kpoints"])))
    if (dependence := summary["linear_dependence"]) is not None:
        left_out = f", {dependence['dropped']} combinations left out" if dependence["dropped"] else ""
        lines.append(row("Gaussian functions", f"{dependence['functions']}{left_out}"))
        lines.append(row("condition of their overlap", f"{dependence['condition_number']:.2g}"))
    lines.append(row("FFT grid", " x ".join(map(str, summary["fft_grid"]))))
    lines.append(row("time", f"{seconds['setup']:.2f} s set-up, {seconds['scf']:.2f} s SCF"))
    return "\n".join([*lines, *remark(summary)])


def _uncertainty(summary: dict[str, Any]) -> list[str]:
    """Standard deviations, where they were asked for."""
    known = summary.get("uncertainty") or {}
    lines = [row("its standard deviation", f"{known['free_energy_standard_deviation_ha']:18.10f} Ha")] if known else []
    if known.get("gap_ev") is not None:
        lines.append(row("gap of the k mesh", f"{known['gap_ev']:.4f}{_bar(known['gap_standard_deviation_ev'])} eV"))
    if (bar := known.get("magnetisation_standard_deviation_bohr_magneton")) is not None:
        lines.append(row("standard deviation of the magnetisation", f"{bar:.4f} Bohr magneton"))
    if (bar := known.get("density_standard_deviation_percent")) is not None:
        lines.append(row("standard deviation of the density", f"{bar:.3f} % (root mean square)"))
    return lines


def _bar(deviation: float | None) -> str:
    return "" if deviation is None else f" ± {deviation:.4f}"


def _fermi_levels(summary: dict[str, Any]) -> list[str]:
    """One line, or one for each spin where their levels differ."""
    if levels := levels_of_spins(summary):
        return [row(f"Fermi level, spin {spin}", f"{level:.6f} Ha") for spin, level in levels]
    return [row("Fermi level", f"{summary['fermi_level_ha']:.6f} Ha")] if summary["fermi_level_ha"] is not None else []


def _magnetisation_within(summary: dict[str, Any]) -> list[str]:
    """What the magnetisation of the cell does not say: nothing without spin, nor for results of earlier versions."""
    if (absolute := summary.get("absolute_magnetisation_bohr_magneton")) is None:
        return []
    species, moments = summary["calculation"]["structure"]["species"], summary["atomic_moments_bohr_magneton"] or ()
    return [row("absolute magnetisation", f"{absolute:.4f} Bohr magneton")] + [
        row(f"moment of atom {atom}, {symbol}", f"{moment:.4f} Bohr magneton")
        for atom, (symbol, moment) in enumerate(zip(species, moments, strict=False), start=1)
    ]


def _state(summary: dict[str, Any]) -> str:
    outcome = "converged" if summary["converged"] else "NOT CONVERGED"
    return f"{outcome} after {summary['iterations']} iterations"


def ground_state_sentence(summary: Mapping[str, Any]) -> str:
    """What came out, in one sentence."""
    seconds = summary["seconds"]["total"]
    words = f"converged in {summary['iterations']} steps and {seconds:.1f} s: free energy {_free_energy(summary)}"
    return f"{words}{_moments(summary)}."


def _moments(summary: Mapping[str, Any]) -> str:
    """The moment of the cell, and how much there is where moments cancel; empty without spin."""
    moment, absolute = (summary.get(f"{kind}magnetisation_bohr_magneton") for kind in ("", "absolute_"))
    if moment is None:
        return ""
    # Adding zero makes a zero of what rounds to minus zero.
    words = f", moment {round(moment, 3) + 0.0:.3f} μB".replace("-", "−")
    return words if absolute is None else f"{words}, absolute {absolute:.3f} μB"


def ground_state_outcome(summary: Mapping[str, Any]) -> str:
    """The free energy; empty as long as there is none."""
    return "" if summary.get("free_energy_ha") is None else _free_energy(summary)


def _free_energy(summary: Mapping[str, Any]) -> str:
    return f"F = {summary['free_energy_ha']:.6f} Ha".replace("-", "−")
