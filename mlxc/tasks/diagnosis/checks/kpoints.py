"""Are there enough k points, and the right ones? Points of high symmetry, a denser mesh, less smearing."""

from __future__ import annotations

from math import ceil, prod

import numpy as np
from numpy.typing import NDArray

from mlxc.calculation.calculation import Calculation
from mlxc.crystal.brillouin import special_points
from mlxc.crystal.vacuum import vacuum_directions
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.band_edges import band_edges
from mlxc.properties.bands import eigenvalues_at
from mlxc.tasks.diagnosis.finding import Finding
from mlxc.tasks.diagnosis.prediction import Prediction
from mlxc.tasks.diagnosis.tolerable import TOLERABLE_GAP_EV, error_in_words, severity_of
from mlxc.tasks.diagnosis.under_test import CalculationUnderTest
from mlxc.units import HARTREE_EV

TITLE = "Does the k mesh hold the points that matter, and is it dense enough?"
# How much denser the mesh that the given one is compared with is, at least.
DENSER = 1.3
# Width that is halved down to, and given where occupations are fixed, hartree.
SMALL_WIDTH = 0.005
# Gaps that are the same, electronvolt; and what three sizes cost, in units of the first one.
SAME_GAP_EV, SIZES = 5e-3, 2.0


def examine_kpoints(tested: CalculationUnderTest) -> Finding:
    """Compare the gap of the mesh with that of special points, and the answer with that of a denser mesh."""
    with_size = _can_afford_sizes(tested)
    given = _on_given_mesh(tested, with_size)
    if not given.converged or given.state is None:
        return Finding("k points", TITLE, f"Not measured: {given.message}.", "k points", None, given.message)
    crystal = tested.asked.crystal
    special = special_points(crystal)
    missing = [name for name, point in special.items() if not mesh_holds(tested.asked.kmesh, point)]
    mesh_points = given.state.kpoints.fractional
    levels = eigenvalues_at(given.state, np.concatenate([mesh_points, list(special.values())]))
    mesh_gap, special_gap = gap_ev(given.state, levels[:, : len(mesh_points)]), gap_ev(given.state, levels)
    denser = denser_calculation(tested.asked)
    better = tested.predict_soundly(denser, with_size=with_size)
    size, energy = given.size_change_percent(better), given.energy_change_mha(better)
    errors = {_gap_in_words(mesh_gap, special_gap): (mesh_gap - special_gap) / TOLERABLE_GAP_EV}
    if (severity := severity_of(size, energy)) is not None:
        errors[error_in_words(size, energy)] = severity
    effect = max(errors, key=lambda words: errors[words])
    # That a gap is right says nothing of a mesh on which nothing else is known.
    is_measured = energy is not None or errors[effect] >= 1
    mesh, better_mesh = (" x ".join(map(str, c.kmesh)) for c in (tested.asked, denser))
    beside = error_in_words(size, energy) or f"not measured, {better.message}"
    sentence = (
        f"The {mesh} mesh {_holds(missing, list(special))}. Its levels leave a gap of {mesh_gap:.2f} eV; with these "
        f"points it is {special_gap:.2f} eV. Beside {better_mesh} with {_smearing(denser)}: {beside}."
    )
    return Finding(
        test="k points",
        title=TITLE,
        sentence=sentence,
        cause="k points",
        severity=max(errors.values()) if is_measured else None,
        effect=effect if is_measured else f"on the denser mesh {better.message}",
        numbers={
            "special_points": {name: list(point) for name, point in special.items()},
            "missing_points": missing,
            "mesh_gap_ev": mesh_gap,
            "gap_with_special_points_ev": special_gap,
            "denser_kmesh": list(denser.kmesh),
            "denser_width_ha": denser.width_ha,
            "size_change_percent": size,
            "energy_change_mha_per_atom": energy,
            "sheet": bool(vacuum_directions(crystal)),
        },
    )


def _on_given_mesh(tested: CalculationUnderTest, with_size: bool) -> Prediction:
    """The answer on the mesh in question; the other tests may have had a coarser one."""
    if tested.asked == tested.calculation or not tested.sound.converged:
        return tested.sound
    return tested.predict_soundly(tested.asked, with_size=with_size)


def _can_afford_sizes(tested: CalculationUnderTest) -> bool:
    """Whether there is time left for three sizes on both meshes, judged by one SCF on the mesh of the other tests."""
    state = tested.sound.state
    if state is None:
        return False
    asked, denser = (prod(calculation.kmesh) for calculation in (tested.asked, denser_calculation(tested.asked)))
    own = asked if tested.asked != tested.calculation else 0
    return state.seconds["total"] * SIZES * (own + denser) / prod(tested.calculation.kmesh) < tested.seconds_left


def _gap_in_words(mesh_gap: float, special_gap: float) -> str:
    if mesh_gap - special_gap < SAME_GAP_EV:
        return "the gap is that of the points of high symmetry"
    if special_gap < TOLERABLE_GAP_EV:
        return f"a gap of {mesh_gap:.2f} eV that is none"
    return f"a gap that is {mesh_gap - special_gap:.2f} eV too large"


def mesh_holds(kmesh: tuple[int, int, int], point: tuple[float, float, float]) -> bool:
    """Whether a Gamma-centred mesh has a point among its own."""
    places = np.array(kmesh) * np.array(point)
    return bool(np.allclose(places, places.round(), atol=1e-6))


def denser_calculation(calculation: Calculation) -> Calculation:
    """The same calculation with a denser mesh that holds the points of high symmetry, and less smearing."""
    points = special_points(calculation.crystal).values()
    kmesh = calculation.kmesh
    for multiple in (1, 2, 3, 4, 6, 12):
        kmesh = tuple(1 if n == 1 else multiple * ceil(DENSER * n / multiple) for n in calculation.kmesh)  # type: ignore[assignment]
        if all(mesh_holds(kmesh, point) for point in points):
            break
    changes = {"kmesh": kmesh, "width_ha": min(SMALL_WIDTH, (calculation.width_ha or 1.0) / 2)}
    if calculation.smearing == "none":
        changes |= {"smearing": "fermi-dirac"}
    return calculation.model_copy(update=changes)


def gap_ev(state: GroundState, levels: NDArray[np.float64]) -> float:
    """The gap from the highest occupied to the lowest empty level, electronvolt; zero for a metal.

    Args:
        state: The state whose electrons fill the levels.
        levels: The levels at some k points, hartree, shape ``(nspin, nk, nband)``.
    """
    edges = band_edges(state, levels)
    return 0.0 if edges is None else edges.gap * HARTREE_EV


def _holds(missing: list[str], names: list[str]) -> str:
    if missing:
        return f"misses {', '.join(missing)} of the points of high symmetry {', '.join(names)}"
    return f"holds all points of high symmetry, {', '.join(names)}"


def _smearing(calculation: Calculation) -> str:
    return f"{calculation.smearing} smearing of {calculation.width_ha:g} Ha"
