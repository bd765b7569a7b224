"""A calculation, or an equation of state, in another code. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mlxc.calculation.calculation import Calculation
from mlxc.codes.cases import Case, Task, Volumetric, calculation_of, case_for
from mlxc.codes.live import CODES, ReferenceRun
from mlxc.crystal.resizing import area_ang2
from mlxc.errors import InputError
from mlxc.properties.birch_murnaghan import FitError, fit_birch_murnaghan
from mlxc.properties.fitted_curve import fitted_curve
from mlxc.tasks.comparison.result import CodeResult, mesh_gap_ev
from mlxc.units import BOHR_ANG, HARTREE_EV

# Takes the name of a code and one of its records, see :meth:`~mlxc.codes.live.ReferenceRun.records`.
Watcher = Callable[[str, dict[str, Any]], None]


def run_in_code(
    code: str, task: Task, watcher: Watcher, started: Callable[[ReferenceRun], None] = lambda run: None
) -> CodeResult:
    """Compute a task in another code; a failure is told in the result.

    Args:
        code: one of :data:`mlxc.codes.live.CODES`.
        task: what to compute.
        watcher: told of every SCF step, volume and end.
        started: given the run, which any thread may stop, as soon as there is one.
    """
    try:
        case = case_for(code, task)
        last: dict[str, Any] = {}
        with ReferenceRun(code, case.data) as run:
            started(run)
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
    if not isinstance(task, Calculation):
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


def _curve(record: dict[str, Any], task: Volumetric) -> tuple[dict[str, Any], str]:
    """Points and fit, and a sentence where there is no fit."""
    crystal = task.calculation.crystal
    ratios = np.array(task.ratios)
    volumes = ratios * crystal.volume * BOHR_ANG**3
    sizes = ratios * area_ang2(crystal) if task.vary == "area" else volumes
    energies = np.array(record["energies_ha"]) * HARTREE_EV
    fit, message = None, ""
    try:
        fit = fit_birch_murnaghan(sizes, energies)
    except FitError as error:
        message = str(error)
    return fitted_curve(crystal, task.vary, volumes, energies, fit), message
