"""Runs a calculation, or an equation of state, here and in other codes, and sets the results side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlxc import __version__
from mlxc.calculation.calculation import Calculation
from mlxc.codes.cases import AS_GIVEN, Sizes
from mlxc.codes.other_code import Watcher, run_in_code
from mlxc.codes.result import CodeResult
from mlxc.console.record_table import Tell
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.kohn_sham.state import GroundState
from mlxc.properties.band_edges import gap_of_mesh_ev
from mlxc.pseudo.gth_table import GTHParameters
from mlxc.pseudo.library import find_pseudopotentials
from mlxc.tasks.comparison.progress import record_of
from mlxc.tasks.comparison.result import Comparison
from mlxc.tasks.comparison.task import ComparisonTask
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.units import HARTREE_EV

OURS = "mlxc"


def run_comparison(task: ComparisonTask, codes: Sequence[str], monitor: Monitor | None, tell: Tell) -> Comparison:
    """Compute a task here and in the codes; see :meth:`ComparisonTask.run`."""

    def watcher(code: str, record: dict[str, Any]) -> None:
        tell(record_of(code, record))

    return compare(task.compared, codes, watcher, monitor)


def compare(
    task: Calculation | EquationOfStateTask, codes: Sequence[str], watcher: Watcher, monitor: Monitor | None = None
) -> Comparison:
    """Compute a task here, and then in each of the codes, one after the other so that their times mean something.

    A code that fails says so in its result.

    Args:
        task: What to compute.
        codes: Some of :data:`mlxc.codes.live.CODES`, which must be available.
        watcher: The object that is told of every SCF step, volume and end.
        monitor: A function that is called with one record per SCF step here; it may stop the run.

    Raises:
        InputError: the task cannot be computed here.
    """
    calculation, sizes = calculation_and_sizes(task)
    runs = [_here(task, watcher, monitor)]
    runs += [run_in_code(code, calculation, watcher, sizes=sizes) for code in codes]
    return Comparison(calculation.model_dump(mode="json"), runs)


def calculation_and_sizes(task: Calculation | EquationOfStateTask) -> tuple[Calculation, Sizes]:
    """A task as other codes take it."""
    if isinstance(task, Calculation):
        return task, AS_GIVEN
    return task.calculation, Sizes(tuple(task.ratios), task.vary)


def _here(task: Calculation | EquationOfStateTask, watcher: Watcher, monitor: Monitor | None) -> CodeResult:
    steps = 0

    def step(record: SCFRecord) -> None:
        nonlocal steps
        steps += 1
        if monitor is not None:
            monitor(record)
        watcher(OURS, {"kind": "iteration", **record.to_dict()})

    def on_point(point: dict[str, Any]) -> None:
        watcher(OURS, {"kind": "point", **point, "free_energy_ha": point["energy_ev"] / HARTREE_EV})

    calculation, _ = calculation_and_sizes(task)
    curve = None
    state: SolvedState
    if isinstance(task, Calculation):
        state = task.run(monitor=step, differentiate=None)
        converged, message, seconds = state.converged, state.message, state.seconds["total"]
    else:
        equation = task.run(monitor=step, on_point=on_point)
        state = equation.reference
        converged, message, seconds = equation.converged, equation.message, equation.seconds
        curve = equation.curve
    watcher(OURS, {"kind": "result", "converged": converged, "seconds": seconds})
    return CodeResult(
        code=OURS,
        version=__version__,
        xc=calculation.xc,
        basis=calculation.basis_kind.in_full(calculation.model_dump()),
        pseudo=_pseudo(calculation),
        converged=converged,
        message=message,
        free_energy_ha=float(state.energy.detach()),
        energy_comparable=True,
        magnetisation_bohr_magneton=state.magnetisation,
        # What another process has computed has no Hamiltonian here.
        gap_ev=gap_of_mesh_ev(state) if isinstance(state, GroundState) else None,
        forces_ha_bohr=None if state.forces is None else state.forces.tolist(),
        iterations=steps,
        seconds=seconds,
        eos=curve,
    )


def _pseudo(calculation: Calculation) -> str:
    species, family = calculation.crystal.species, calculation.pseudo
    found = find_pseudopotentials(species, family, calculation.xc, calculation.pseudo_names)
    names = [entry.name for entry in found.values() if isinstance(entry, GTHParameters)]
    return " ".join(names) or family
