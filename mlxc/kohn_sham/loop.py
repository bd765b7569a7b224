"""The self-consistent field of one Kohn-Sham problem, from the first density to a state."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import torch

from mlxc.grid.fields import Fields
from mlxc.grid.grid import Grid
from mlxc.kohn_sham.eigensolver import Eigensolver
from mlxc.kohn_sham.iteration import SCFIteration, State
from mlxc.kohn_sham.mixing.mixers import Mixing
from mlxc.kohn_sham.mixing.schedule import reason
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.problem import Problem
from mlxc.kohn_sham.residual import DensityResidual, residual_energy, residual_spectrum
from mlxc.kohn_sham.solved_state import Course, Electrons, SolvedState
from mlxc.kohn_sham.state import GroundState
from mlxc.terms.entropy import Smearing
from mlxc.xc.identity import identity_of


def converge(
    problem: Problem,
    *,
    smearing: Smearing | None,
    spin: bool,
    total_moment: float | None,
    convergence: DensityResidual,
    mixer: Mixing,
    eigensolver: Eigensolver,
    max_iterations: int,
    seed: int,
    monitor: Monitor | None,
    start: Sequence[SolvedState],
    calculation: dict[str, Any],
    started: float,
) -> GroundState:
    """Iterate until the density has converged; arguments as of :func:`mlxc.scf`.

    Args:
        problem: What is to be solved.
        smearing: The smearing of the occupations; None for fixed ones.
        spin: Whether up and down electrons are told apart.
        total_moment: The magnetic moment to hold, Bohr magneton; None to let it find its own value.
        convergence: When to stop.
        mixer: How the next density follows from past ones.
        eigensolver: How orbitals are found.
        max_iterations: The largest number of steps, at least one.
        seed: The seed of the noise in the starting orbitals.
        monitor: A function that is called with a record after each step.
        start: Results of similar crystals to start from, the most similar one last.
        calculation: The settings of the run as plain data, for the record.
        started: When the set-up of the problem began, by ``time.perf_counter``.

    Raises:
        InputError: the basis is too small for the bands.
        RunStoppedError: the monitor stopped the run.
    """
    iteration = SCFIteration(problem, smearing, convergence, mixer, eigensolver, seed, 2 if spin else 1, total_moment)
    with torch.no_grad():
        iteration.prepare(start)
        prepared = time.perf_counter()
        history: list[SCFRecord] = []
        for _ in range(max_iterations):
            state = iteration.step()
            history.append(_record(problem.basis.grid, len(history) + 1, state, time.perf_counter() - prepared))
            if monitor is not None:
                monitor(history[-1])
            if iteration.converged:
                break
    finished = time.perf_counter()
    seconds = {"setup": prepared - started, "scf": finished - prepared, "total": finished - started}
    message = (
        "" if iteration.converged else _why(problem, state, history, convergence.tolerance, iteration.bands_suffice)
    )
    # F is variational: with respect to the functional's parameters only the explicit dependence of E_xc counts.
    fields = Fields.unstacked(state.fields, problem.kinds)
    xc = problem.xc.energy_of(fields)
    return GroundState(
        crystal=problem.crystal,
        basis=problem.basis,
        energy=state.free_energy + (xc - xc.detach()),
        energies=state.energies,
        electrons=_electrons(problem, state),
        course=Course(history, seconds, message),
        calculation=calculation,
        functional=identity_of(problem.functional),
        outside_training_domain=problem.xc.outside_training_domain(fields),
        problem=problem,
        smearing=smearing,
        total_moment=total_moment,
    )


def _electrons(problem: Problem, state: State) -> Electrons:
    fields = Fields.unstacked(problem.basis.grid.real(state.fields), problem.kinds)
    return Electrons(
        density=fields.density,
        density_gradient=fields.gradient,
        kinetic_density=fields.tau,
        potential=state.potential,
        eigenvalues=state.pairs.eigenvalues,
        occupations=state.occupations.electrons,
        orbitals=state.pairs.orbitals,
        fermi_levels=state.occupations.fermi_levels,
        magnetisation=state.magnetisation,
    )


def _record(grid: Grid, iteration: int, state: State, seconds: float) -> SCFRecord:
    return SCFRecord(
        iteration=iteration,
        free_energy_ha=state.free_energy,
        energies_ha=state.energies,
        density_residual=state.density_residual,
        residual_energy_ha=residual_energy(grid, state.change),
        fermi_level_ha=state.occupations.fermi_level,
        magnetisation_bohr_magneton=state.magnetisation,
        eigensolver_residual=state.pairs.residual,
        hamiltonian_applications=state.pairs.applications,
        seconds=seconds,
        residual_spectrum=residual_spectrum(grid, state.change),
    )


def _why(problem: Problem, state: State, history: list[SCFRecord], tolerance: float, bands_suffice: bool) -> str:
    """One sentence about an SCF that has not converged."""
    cause = reason(problem.basis.grid, state.change, history, bands_suffice)
    return (
        f"Not converged: after {len(history)} steps the density residual is {state.density_residual:.1e}, where "
        f"{tolerance:.1e} is asked for: {cause}."
    )
