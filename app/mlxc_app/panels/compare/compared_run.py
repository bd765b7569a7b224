"""What is compared of a finished run, whatever kind of run it is."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

import numpy as np

from mlxc.calculation.calculation import Calculation
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.resizing import lattice_constant
from mlxc.errors import InputError
from mlxc.properties.birch_murnaghan import FitError, fit_birch_murnaghan
from mlxc.pseudo.library import named_family
from mlxc.references.recognition import references_of
from mlxc.references.tables import ReferenceLine
from mlxc.runs.folder import RunFolder
from mlxc.tasks.kinds import required_calculation
from mlxc.units import HARTREE_EV
from mlxc_app.choose.words import functional_in_words

SMEARINGS = {"none": "none", "fermi-dirac": "Fermi-Dirac", "gaussian": "Gaussian", "marzari-vanderbilt": "Marzari-V."}


@dataclass(frozen=True)
class Curve:
    """An equation of state per atom.

    Attributes:
        varied: ``volume`` or ``area``.
        sizes: The sizes, cubic or square angstrom.
        energies: The energies above the minimum of the fit, or the lowest point, meV.
        fit_sizes, fit_energies: The fitted curve; empty where there is none.
    """

    varied: str
    sizes: tuple[float, ...]
    energies: tuple[float, ...]
    fit_sizes: tuple[float, ...]
    fit_energies: tuple[float, ...]


@dataclass(frozen=True)
class ReferenceError:
    """How far a run is from a reference.

    Attributes:
        quantity: ``a₀`` or ``B``.
        reference: The label of the reference.
        percent: The deviation in percent of the reference's value.
    """

    quantity: str
    reference: str
    percent: float


@dataclass(frozen=True)
class ComparedRun:
    """One column of the comparison; what a run has not computed is None.

    Attributes:
        letter: The letter that stands for the run in plots.
        title: The name of the run.
        kind: The kind of its task.
        state: The state of its folder.
        calculation: Its settings.
        settings: The settings in words, by label.
        energy_per_atom_ha: F = E - TS per atom; for an equation of state that at the minimum.
        energy_zero: What decides where energies have their zero; only those that agree in it are subtracted.
        results: The figures by their key in the result.
        errors: The deviations from references of the same crystal.
        curve: The curve of an equation of state.
        residuals: The residuals of the density in each step of a single SCF.
    """

    letter: str
    title: str
    kind: str
    state: str
    calculation: Calculation
    settings: Mapping[str, str]
    energy_per_atom_ha: float | None
    energy_zero: tuple[Hashable, ...]
    results: Mapping[str, float | None]
    errors: tuple[ReferenceError, ...]
    curve: Curve | None
    residuals: tuple[float, ...]


def compared_run(folder: RunFolder, letter: str) -> ComparedRun:
    """Read a finished run.

    Raises:
        InputError: it has no result, no valid task, or is about no calculation.
    """
    result, calculation = folder.result, required_calculation(folder.task)
    if result is None:
        raise InputError(f"“{folder.title}” has no result to compare: the run is {folder.status['state']}.")
    records, _ = folder.records()
    iterations = [record for record in records if record["kind"] == "iteration"]
    seconds = result.get("seconds")
    numbers = {name: result.get(name) for name in NUMBERS}
    numbers["iterations"] = len(iterations) or result.get("iterations")
    numbers["seconds"] = seconds.get("total") if isinstance(seconds, Mapping) else seconds
    curve = curve_of(result, calculation.crystal)
    return ComparedRun(
        letter=letter,
        title=folder.title,
        kind=folder.kind,
        state=folder.status["state"],
        calculation=calculation,
        settings=settings_in_words(calculation),
        energy_per_atom_ha=energy_per_atom(result, calculation.crystal),
        energy_zero=_energy_zero(calculation, folder.kind),
        results=numbers,
        errors=errors_of(result, calculation.crystal),
        curve=curve,
        residuals=tuple(record["density_residual"] for record in iterations) if folder.kind == "scf" else (),
    )


# Keys of results that are compared.
NUMBERS = (
    "lattice_constant_ang",
    "bulk_modulus_gpa",
    "in_plane_modulus_n_per_m",
    "bulk_modulus_derivative",
    "gap_ev",
    "magnetisation_bohr_magneton",
)


def settings_in_words(calculation: Calculation) -> dict[str, str]:
    """The settings that a comparison shows, by label."""
    smearing = SMEARINGS[calculation.smearing]
    if calculation.width_ha is not None and calculation.smearing != "none":
        smearing += f", {calculation.width_ha:g} Ha"
    return {
        "structure": calculation.structure["name"],
        "functional": functional_in_words(calculation.xc),
        "basis": calculation.basis_kind.in_words(calculation.model_dump()),
        "cutoff": f"{calculation.ecut_ha:g} Ha",
        "k mesh": "×".join(map(str, calculation.kmesh)),
        "smearing": smearing,
        "pseudopotentials": PurePath(calculation.pseudo).name,
    }


def difference_mha(run: ComparedRun, first: ComparedRun) -> float | None:
    """F per atom of a run minus that of the first, mHa; None where it would mean nothing."""
    if run.energy_per_atom_ha is None or first.energy_per_atom_ha is None or run.energy_zero != first.energy_zero:
        return None
    return 1000 * (run.energy_per_atom_ha - first.energy_per_atom_ha)


def _energy_zero(calculation: Calculation, kind: str) -> tuple[Hashable, ...]:
    """What the zero of energies depends on: pseudopotentials, and whether an energy is the minimum of a curve."""
    names = tuple(sorted(calculation.pseudo_names.items()))
    family = named_family(calculation.pseudo, calculation.crystal.species, calculation.xc)
    return (calculation.crystal.formula, family, names, kind == "eos")


def energy_per_atom(result: Mapping[str, Any], crystal: Crystal) -> float | None:
    """The energy per atom, hartree, in a result as ``mlxc scf --json`` or ``mlxc eos --json`` prints it."""
    if result.get("free_energy_ha") is not None:
        return float(result["free_energy_ha"]) / len(crystal.species)
    if result.get("energy0_ev") is not None:
        return float(result["energy0_ev"]) / HARTREE_EV / len(crystal.species)
    return None


def curve_of(result: Mapping[str, Any], crystal: Crystal) -> Curve | None:
    """The points of a result and the curve through them, None where it has none."""
    if not result.get("volumes_ang3"):
        return None
    areas = result.get("areas_ang2")
    varied: Sequence[float] = areas or result["volumes_ang3"]
    sizes = np.array(varied) / len(crystal.species)
    energies = 1000 * np.array(result["energies_ev"]) / len(crystal.species)
    try:
        fit = fit_birch_murnaghan(sizes, energies)
    except FitError:
        return Curve("area" if areas else "volume", tuple(sizes), tuple(energies - energies.min()), (), ())
    grid = np.linspace(sizes.min(), sizes.max(), 80)
    heights = fit(grid) - fit.energy0
    return Curve(
        "area" if areas else "volume", tuple(sizes), tuple(energies - fit.energy0), tuple(grid), tuple(heights)
    )


def errors_of(result: Mapping[str, Any], crystal: Crystal) -> tuple[ReferenceError, ...]:
    """The deviations from what is known of a crystal that has kept its cubic shape."""
    volume, modulus = result.get("volume0_ang3"), result.get("bulk_modulus_gpa")
    if volume is None:
        return ()
    constant = lattice_constant(crystal, volume, result.get("varied", "volume"))
    if constant is None:
        return ()
    errors = []
    for line in _compared_references(crystal):
        if line.lattice_constant_ang is not None:
            errors.append(ReferenceError("a₀", line.label, 100 * (constant / line.lattice_constant_ang - 1)))
        if modulus is not None and line.bulk_modulus_gpa is not None:
            errors.append(ReferenceError("B", line.label, 100 * (modulus / line.bulk_modulus_gpa - 1)))
    return tuple(errors)


def _compared_references(crystal: Crystal) -> list[ReferenceLine]:
    """The all-electron and experimental references: what a calculation should come near to, for different reasons."""
    return [line for line in references_of(crystal) if line.label.startswith(("all-electron", "experiment"))]
