"""A calculation, or an equation of state, in another code. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from mlxc.calculation.calculation import Calculation
from mlxc.codes.cases import AS_GIVEN, Case, Sizes, case_for
from mlxc.codes.live import CODES, ReferenceRun
from mlxc.codes.result import CodeResult
from mlxc.crystal.resizing import natural_variation
from mlxc.errors import InputError
from mlxc.kohn_sham.gap import mesh_gap
from mlxc.properties.fitted_curve import FittedCurve, fitted_curve
from mlxc.units import BOHR_ANG, HARTREE_EV

# Takes the name of a code and one of its records, see :meth:`~mlxc.codes.live.ReferenceRun.records`.
Watcher = Callable[[str, dict[str, Any]], None]


def run_in_code(
    code: str,
    calculation: Calculation,
    watcher: Watcher,
    started: Callable[[ReferenceRun], None] = lambda run: None,
    sizes: Sizes = AS_GIVEN,
) -> CodeResult:
    """Compute a crystal in another code; a failure is told in the result.

    Args:
        code: One of :data:`mlxc.codes.live.CODES`.
        calculation: What to compute.
        watcher: The object that is told of every SCF step, volume and end.
        started: A function that is given the run, which any thread may stop, as soon as there is one.
        sizes: The volumes, or areas, of an equation of state, if that is wanted.
    """
    try:
        case = case_for(code, calculation, sizes)
        last: dict[str, Any] = {}
        with ReferenceRun(code, case.data) as run:
            started(run)
            for last in run.records():
                # A single volume has no number, as ours has none.
                watcher(code, last | {"point": None} if sizes == AS_GIVEN else last)
    except InputError as error:
        watcher(code, {"kind": "failure", "message": str(error)})
        return CodeResult(code, None, "", "", "", converged=False, message=str(error))
    described = CodeResult(
        code, None, case.xc, case.basis, case.pseudo, converged=False, message=last.get("message", ""), note=case.note
    )
    if last["kind"] == "failure":
        return described
    curve = None if sizes == AS_GIVEN else _curve(last, calculation, sizes)
    return _complete(described, case, last, curve, calculation.max_iterations)


def _complete(
    described: CodeResult, case: Case, record: dict[str, Any], curve: FittedCurve | None, max_iterations: int
) -> CodeResult:
    """The result with what the last record of a code says that has computed all volumes."""
    message = "" if curve is None else curve.message
    if unconverged := record["converged"].count(False):
        counted = f"{unconverged} of {len(record['converged'])} volumes" if curve else "the SCF"
        message = f"{counted} did not converge in {max_iterations} steps."
    gap = mesh_gap(record["levels_ha"], record["electrons"])
    return replace(
        described,
        version=record["version"],
        converged=not message,
        message=message and f"{CODES[case.code].label}: {message}",
        free_energy_ha=record["energies_ha"][case.data["reference"]],
        energy_comparable=case.energy_comparable,
        magnetisation_bohr_magneton=record["magnetisation_bohr_magneton"],
        gap_ev=None if gap is None else gap * HARTREE_EV,
        forces_ha_bohr=record["forces_ha_bohr"],
        iterations=record["iterations"],
        seconds=record["seconds"],
        eos=None if curve is None else curve.to_dict(),
    )


def _curve(record: dict[str, Any], calculation: Calculation, sizes: Sizes) -> FittedCurve:
    """The equation of state that the last record of a code holds the energies of."""
    crystal = calculation.crystal
    volumes = np.array(sizes.ratios) * crystal.volume * BOHR_ANG**3
    energies = np.array(record["energies_ha"]) * HARTREE_EV
    return fitted_curve(crystal, sizes.vary or natural_variation(crystal), volumes, energies)
