"""Runs a calculation, or an equation of state, here and in other codes, and sets the results side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mlxc import __version__
from mlxc.calculation import Calculation, EquationOfStateTask
from mlxc.comparison.cases import Case, Task, calculation_of, case_for, gaussian_sets_of
from mlxc.comparison.result import CodeResult, Comparison, mesh_gap_ev
from mlxc.errors import InputError, MlxcError
from mlxc.properties.birch_murnaghan import FitError, fit_birch_murnaghan
from mlxc.properties.eos import fitted_curve
from mlxc.pseudo.gth_table import GTHParameters
from mlxc.pseudo.library import find_pseudopotentials
from mlxc.references.live import CODES, ReferenceRun
from mlxc.response.levels import band_gap
from mlxc.scf.ground_state import GroundState
from mlxc.scf.monitor import SCFRecord
from mlxc.units import BOHR_ANG, HARTREE_EV
from mlxc.variation import height_ang

OURS = "mlxc"
# Takes the name of a code and one of its records, see :meth:`~mlxc.references.live.ReferenceRun.records`.
Watcher = Callable[[str, dict[str, Any]], None]


def compare(task: Task, codes: Sequence[str], watcher: Watcher) -> Comparison:
    """Compute a task here, and then in each of the codes, one after the other so that their times mean something.

    A code that fails says so in its result.

    Args:
        task: what to compute.
        codes: some of :data:`mlxc.references.live.CODES`, which must be available.
        watcher: told of every SCF step, volume and end.

    Raises:
        InputError: the task cannot be computed here.
    """
    runs = [_here(task, watcher)]
    runs += [_there(code, task, watcher) for code in codes]
    return Comparison(calculation_of(task).model_dump(mode="json"), runs)


def _here(task: Task, watcher: Watcher) -> CodeResult:
    steps = 0

    def monitor(record: SCFRecord) -> None:
        nonlocal steps
        steps += 1
        watcher(OURS, {"kind": "iteration", **record.to_dict()})

    def on_point(point: dict[str, Any]) -> None:
        watcher(OURS, {"kind": "point", **point, "free_energy_ha": point["energy_ev"] / HARTREE_EV})

    calculation = calculation_of(task)
    curve = None
    if isinstance(task, Calculation):
        state = task.run(monitor=monitor)
        converged, message, seconds = state.converged, state.message, state.seconds["total"]
    else:
        equation = task.run(monitor=monitor, on_point=on_point)
        state = equation.reference
        converged, message, seconds = equation.converged, equation.message, equation.seconds
        curve = fitted_curve(state.crystal, equation.volumes_ang3, equation.energies_ev, equation.fit, equation.varied)
    watcher(OURS, {"kind": "result", "converged": converged, "seconds": seconds})
    return CodeResult(
        code=OURS,
        version=__version__,
        xc=calculation.xc,
        basis=_basis(calculation),
        pseudo=_pseudo(calculation),
        converged=converged,
        message=message,
        free_energy_ha=float(state.energy.detach()),
        energy_comparable=True,
        magnetisation_bohr_magneton=state.magnetisation,
        gap_ev=_gap_ev(state),
        forces_ha_bohr=None if state.forces is None else state.forces.tolist(),
        iterations=steps,
        seconds=seconds,
        eos=curve,
    )


def _there(code: str, task: Task, watcher: Watcher) -> CodeResult:
    try:
        case = case_for(code, task)
        last: dict[str, Any] = {}
        with ReferenceRun(code, case.data) as run:
            for last in run.records():
                # A single volume has no number, as ours has none.
                watcher(code, last | {"point": None} if isinstance(task, Calculation) else last)
    except InputError as error:
        watcher(code, {"kind": "failure", "message": str(error)})
        return CodeResult(code, None, "", "", "", converged=False, message=str(error))
    described = CodeResult(
        code, None, case.xc, case.basis, case.pseudo, converged=False, message=last.get("message", ""), note=case.note
    )
    return described if last["kind"] == "failure" else _complete(described, case, last, task)


def _complete(described: CodeResult, case: Case, record: dict[str, Any], task: Task) -> CodeResult:
    """With what the last record of a code says that has computed all volumes."""
    curve, message = None, ""
    if isinstance(task, EquationOfStateTask):
        curve, message = _curve(record, task)
    if unconverged := record["converged"].count(False):
        counted = f"{unconverged} of {len(record['converged'])} volumes" if curve else "the SCF"
        message = f"{counted} did not converge in {calculation_of(task).max_iterations} steps."
    return replace(
        described,
        version=record["version"],
        converged=not message,
        message=message and f"{CODES[case.code].label}: {message}",
        free_energy_ha=record["energies_ha"][case.data["reference"]],
        energy_comparable=case.energy_comparable,
        magnetisation_bohr_magneton=record["magnetisation_bohr_magneton"],
        gap_ev=mesh_gap_ev(record["levels_ha"], record["electrons"]),
        forces_ha_bohr=record["forces_ha_bohr"],
        iterations=record["iterations"],
        seconds=record["seconds"],
        eos=curve,
    )


def _curve(record: dict[str, Any], task: EquationOfStateTask) -> tuple[dict[str, Any], str]:
    """Points and fit, and a sentence where there is no fit."""
    crystal = task.calculation.crystal
    volumes = np.array(task.ratios) * crystal.volume * BOHR_ANG**3
    energies = np.array(record["energies_ha"]) * HARTREE_EV
    sizes = volumes / height_ang(crystal) if task.vary == "area" else volumes
    try:
        return fitted_curve(crystal, volumes, energies, fit_birch_murnaghan(sizes, energies), task.vary), ""
    except FitError as error:
        return fitted_curve(crystal, volumes, energies, None, task.vary), str(error)


def _gap_ev(state: GroundState) -> float | None:
    if state.smearing is not None:
        shape = (len(state.density), len(state.kpoints), -1)
        return mesh_gap_ev(state.eigenvalues.reshape(shape).tolist(), state.occupations.reshape(shape).tolist())
    try:  # with fixed occupations no empty levels have been computed
        return float(band_gap(state).detach()) * HARTREE_EV
    except MlxcError:
        return None


def _basis(calculation: Calculation) -> str:
    if calculation.basis == "pw":
        return f"plane waves, {calculation.ecut_ha:g} Ha"
    return gaussian_sets_of(calculation)


def _pseudo(calculation: Calculation) -> str:
    species, family = calculation.crystal.species, calculation.pseudo
    found = find_pseudopotentials(species, family, calculation.xc, calculation.pseudo_names)
    names = [entry.name for entry in found.values() if isinstance(entry, GTHParameters)]
    return " ".join(names) or family
