"""Is the basis set complete enough? Gaussians beside plane waves, plane waves beside a higher cutoff."""

from __future__ import annotations

from math import ceil
from typing import Any

from mlxc.basis.gaussian.kind import GAUSSIAN_ORBITALS
from mlxc.basis.gaussian.sets import grid_cutoff, has_functions
from mlxc.basis.planewave.kind import PLANE_WAVES
from mlxc.calculation.calculation import Calculation
from mlxc.tasks.diagnosis.finding import Curve, Finding, Plot
from mlxc.tasks.diagnosis.prediction import Prediction, size_in_words
from mlxc.tasks.diagnosis.tolerable import error_in_words, severity_of
from mlxc.tasks.diagnosis.under_test import CalculationUnderTest

TITLE = "Is the basis set complete enough?"
# Sets that are compared, from small to large, as far as there are functions for all elements.
SETS = ("gth-szv", "gth-szv-molopt-sr", "gth-dzvp", "gth-dzvp-molopt-sr", "gth-tzvp")
# How many of them.
COMPARED = 3
# How much coarser the k mesh is on which they are compared: it matters little for differences between basis sets. That
# of gth-szv from plane waves is 74.5 mHa per atom in graphene on 9 x 9 x 1 and on 3 x 3 x 1.
COARSER = 3
# Density residual at which they stop: the energy, of second order in it, is then right to microhartrees.
TOLERANCE = 3e-4
# They inform only: after the first one none is begun when less time is left for what is to come.
LATE_SECONDS = 110.0
# A cutoff that much higher shows what the given one leaves out.
HIGHER = 1.3


def examine_basis_set(tested: CalculationUnderTest) -> Finding:
    """Compare the answer with that of a basis that is as good as complete, and some sets with each other."""
    given = tested.sound
    if not given.converged:
        why = f"there is no answer to compare with, {given.message}"
        return Finding("basis", TITLE, f"Not measured: {why}.", "basis", None, why)
    in_gaussians = tested.calculation.basis_kind is GAUSSIAN_ORBITALS
    better_calculation = (
        _in_plane_waves(tested.calculation, tested.calculation.ecut_ha)
        if in_gaussians
        else _at_higher_cutoff(tested.calculation)
    )
    better = tested.predict_soundly(better_calculation)
    size, energy = given.size_change_percent(better), given.energy_change_mha(better)
    compared = _compared_sets(tested)
    what = (
        f"{tested.calculation.gaussian_basis} beside plane waves with the same pseudopotentials"
        if in_gaussians
        else f"{tested.calculation.ecut_ha:g} Ha beside {better_calculation.ecut_ha:g} Ha"
    )
    sizes = " beside ".join(size_in_words(answer, tested.calculation) for answer in (given, better))
    sentence = (
        f"{what}: not measured, {better.message}."
        if energy is None
        else f"{what}: {sizes}; {error_in_words(size, energy)}."
    )
    if compared:
        rows = ", ".join(
            f"{name} {row['energy_above_plane_waves_mha_per_atom']:+z.1f}" for name, row in compared.items()
        )
        sentence += f" Above the limit of plane waves, on a coarser k mesh, mHa per atom: {rows}."
    numbers = {
        "size_change_percent": size,
        "energy_change_mha_per_atom": energy,
        "gaussian_sets": compared,
        "condition_number": _condition_number(given),
    }
    return Finding(
        test="basis",
        title=TITLE,
        sentence=sentence,
        cause="basis",
        # Without a size it is not known: most of an error of the energy is the same at all of them.
        severity=None if size is None else severity_of(size, energy),
        effect=_effect(given, better, size, energy),
        numbers=numbers,
        # One set has nothing to be seen beside.
        plots=[_plot(compared)] if len(compared) > 1 else [],
    )


def _effect(given: Prediction, better: Prediction, size_percent: float | None, energy_mha: float | None) -> str:
    if size_percent is not None:
        return error_in_words(size_percent, energy_mha)
    return given.without_size or better.message or f"in the better basis {better.without_size}"


def _in_plane_waves(calculation: Calculation, ecut_ha: float) -> Calculation:
    """The calculation in plane waves, with the same pseudopotentials."""
    changes: dict[str, Any] = {
        "basis": PLANE_WAVES.name, "gaussian_basis": None, "gaussian_basis_names": {}, "fft_grid": None,
    }  # fmt: skip
    return calculation.model_copy(update=changes | {"ecut_ha": ecut_ha})


def _with_gth(calculation: Calculation) -> Calculation:
    """The calculation with the pseudopotentials that Gaussian sets are made for, unless it is in such a set already."""
    if calculation.basis_kind is GAUSSIAN_ORBITALS:
        return calculation
    return calculation.model_copy(update={"pseudo": "gth", "pseudo_names": {}})


def _at_higher_cutoff(calculation: Calculation) -> Calculation:
    return calculation.model_copy(update={"ecut_ha": HIGHER * calculation.ecut_ha, "fft_grid": None})


def _compared_sets(tested: CalculationUnderTest) -> dict[str, dict[str, float]]:
    """Energies above the limit of plane waves, and how close to linear dependence each set is."""
    kmesh = tuple(ceil(n / COARSER) for n in tested.calculation.kmesh)
    calculation = tested.calculation.model_copy(update={"kmesh": kmesh, "tolerance": TOLERANCE})
    species = calculation.crystal.species
    names = [name for name in SETS if all(has_functions(symbol, name) for symbol in set(species))]
    chosen = _spread(names, tested.calculation.gaussian_basis)
    found: dict[str, dict[str, float]] = {}
    if not chosen or tested.seconds_left < 0:
        return found
    sharpest = max(grid_cutoff(species, name, {}) for name in chosen)
    limit = tested.predict_soundly(_in_plane_waves(_with_gth(calculation), sharpest), with_size=False)
    for name in chosen:
        if found and tested.seconds_left < LATE_SECONDS:
            break
        answer = tested.predict_soundly(_in_set(calculation, name), with_size=False)
        above = answer.energy_change_mha(limit)
        if above is not None and answer.state is not None and answer.state.basis.linear_dependence is not None:
            found[name] = {
                "functions": answer.state.basis.linear_dependence.functions,
                "condition_number": answer.state.basis.linear_dependence.condition_number,
                "energy_above_plane_waves_mha_per_atom": above,
            }
    return found


def _spread(names: list[str], given: str | None) -> list[str]:
    """The smallest set, the largest and one between them, without the given one, which is known."""
    others = [name for name in names if name != given]
    if len(others) <= COMPARED:
        return others
    return [others[0], others[len(others) // 2], others[-1]]


def _in_set(calculation: Calculation, name: str) -> Calculation:
    ecut = grid_cutoff(calculation.crystal.species, name, {})
    changes: dict[str, Any] = {
        "basis": GAUSSIAN_ORBITALS.name, "gaussian_basis": name, "gaussian_basis_names": {}, "ecut_ha": ecut,
        "fft_grid": None,
    }  # fmt: skip
    return _with_gth(calculation).model_copy(update=changes)


def _condition_number(answer: Prediction) -> float | None:
    dependence = None if answer.state is None else answer.state.basis.linear_dependence
    return None if dependence is None else dependence.condition_number


def _plot(compared: dict[str, dict[str, float]]) -> Plot:
    functions = [row["functions"] for row in compared.values()]
    above = [row["energy_above_plane_waves_mha_per_atom"] for row in compared.values()]
    return Plot(
        "Gaussian basis sets beside plane waves: " + ", ".join(compared),
        "functions per cell",
        "energy above the limit (mHa per atom)",
        [Curve("Gaussian sets", functions, above, "points")],
    )
