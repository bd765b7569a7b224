"""The self-consistent field of one Kohn-Sham problem, from the first density to a state."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.crystal.magnetism import starting_moments
from mlxc.grid.fields import Fields
from mlxc.kohn_sham.eigensolver import Eigensolver
from mlxc.kohn_sham.iteration import SCFIteration, State
from mlxc.kohn_sham.mixing.mixers import Mixing
from mlxc.kohn_sham.mixing.schedule import is_stuck, reason
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.kohn_sham.problem import Problem
from mlxc.kohn_sham.residual import DensityResidual, residual_energy, residual_spectrum
from mlxc.kohn_sham.solved_state import Course, Electrons, SolvedState
from mlxc.kohn_sham.start.open_shell import is_free_atom, other_filling, told_of_shells
from mlxc.kohn_sham.start.second_start import larger_moments, told, was_lost
from mlxc.kohn_sham.state import GroundState
from mlxc.terms.entropy import Smearing
from mlxc.utils.stages import stage
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
    note: str,
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
        note: What a person should know of the result, whatever comes out; empty if there is nothing.
        started: When the set-up of the problem began, by ``time.perf_counter``.

    Raises:
        InputError: the basis is too small for the bands.
        RunStoppedError: the monitor stopped the run.
    """

    def iteration_from(moments: NDArray[np.float64]) -> SCFIteration:
        nspin = 2 if spin else 1
        return SCFIteration(problem, smearing, convergence, mixer, eigensolver, seed, nspin, moments, total_moment)

    with torch.no_grad():
        attempt = _Attempt(iteration_from(starting_moments(problem.crystal)))
        stage("Making the first density and orbitals")
        attempt.iteration.prepare(start)
        stage("The first SCF step")
        prepared = time.perf_counter()
        attempt.iterate(max_iterations, monitor, prepared)
        of_starts, history = "", attempt.history
        second = _second(attempt, iteration_from, spin and total_moment is None)
        if second is not None:
            second.iterate(max_iterations, monitor, prepared)
            attempt, other, of_starts = _better(attempt, second)
            # What was kept comes last, whichever was first.
            history = [replace(r, iteration=n) for n, r in enumerate([*other.history, *attempt.history], start=1)]
        if smearing is None and not attempt.iteration.converged:
            attempt.iteration.fills_the_lowest(attempt.state)
    finished = time.perf_counter()
    seconds = {"setup": prepared - started, "scf": finished - prepared, "total": finished - started}
    iteration, state = attempt.iteration, attempt.state
    of_end = "" if iteration.converged else _why(problem, attempt, convergence.tolerance, smearing is not None)
    message = " ".join(filter(None, (of_end, iteration.note, of_starts, note)))
    # F is variational: with respect to the functional's parameters only the explicit dependence of E_xc counts.
    fields = Fields.unstacked(state.fields, problem.kinds)
    xc = problem.xc.energy_of(fields)
    return GroundState(
        crystal=problem.crystal,
        basis=problem.basis,
        energy=state.free_energy + (xc - xc.detach()),
        energies=state.energies,
        electrons=_electrons(problem, state),
        course=Course(history, seconds, iteration.converged, message),
        calculation=calculation,
        functional=identity_of(problem.functional),
        outside_training_domain=problem.xc.outside_training_domain(fields),
        problem=problem,
        smearing=smearing,
        total_moment=total_moment,
        orbitals_above=iteration.orbitals_above,
    )


class _Attempt:
    """One SCF from one start.

    Args:
        iteration: The iteration, to be prepared before it is iterated.
        before: The attempt before this one, whose steps the records go on from; None for the first one.

    Attributes:
        state: What the last step has found.
        history: A record for each step.
    """

    def __init__(self, iteration: SCFIteration, before: _Attempt | None = None) -> None:
        self.iteration = iteration
        self._number: int = before._number + 1 if before else 1
        self._steps = len(before.history) if before else 0
        self.history: list[SCFRecord] = []

    def iterate(self, max_iterations: int, monitor: Monitor | None, began: float) -> None:
        """Take steps until the fields have converged, or there were as many as are allowed."""
        for count in range(1, max_iterations + 1):
            self.state = self.iteration.step()
            seconds = time.perf_counter() - began
            record = self._record(self._steps + count, seconds)
            self.history.append(replace(record, start=self._number))
            if monitor is not None:
                monitor(self.history[-1])
            if self.iteration.converged:
                break

    def _record(self, iteration: int, seconds: float) -> SCFRecord:
        problem, state = self.iteration.problem, self.state
        return SCFRecord(
            iteration=iteration,
            free_energy_ha=state.free_energy,
            energies_ha=state.energies,
            density_residual=state.density_residual,
            residual_energy_ha=residual_energy(problem.basis.grid, state.change),
            fermi_level_ha=state.occupations.fermi_level,
            magnetisation_bohr_magneton=state.magnetisation,
            absolute_magnetisation_bohr_magneton=state.absolute_magnetisation,
            eigensolver_residual=state.orbital_residual,
            hamiltonian_applications=problem.division.mean(state.pairs.applications),
            seconds=seconds,
            residual_spectrum=residual_spectrum(problem.basis.grid, state.change),
        )

    @property
    def absolute(self) -> list[float]:
        """The integral of the absolute magnetisation after each step, Bohr magneton."""
        return [record.absolute_magnetisation_bohr_magneton or 0.0 for record in self.history]

    def larger_moments(self) -> NDArray[np.float64] | None:
        """The moments of a second start, if one may lead to a lower energy."""
        moments = self.iteration.moments
        stuck = is_stuck([record.density_residual for record in self.history])
        lost = was_lost(moments, self.absolute) if self.iteration.converged else stuck
        if self.iteration.continues or not lost:
            return None
        return larger_moments(self.iteration.problem.crystal.species, moments, self.absolute)

    def other_filling(self) -> Tensor | None:
        """The electrons in each orbital of a second start, if one may lead to a lower energy."""
        if self.iteration.continues or not self.iteration.converged or not is_free_atom(self.iteration.problem.crystal):
            return None
        division = self.iteration.problem.division
        parts = (self.state.pairs.eigenvalues, self.state.occupations.electrons)
        filling = other_filling(*map(division.gathered, parts))
        return None if filling is None else division.own_rows(filling)


def _second(
    first: _Attempt, iteration_from: Callable[[NDArray[np.float64]], SCFIteration], moment_is_free: bool
) -> _Attempt | None:
    """An attempt from another start, if one may lead to a lower energy."""
    if moment_is_free and (moments := first.larger_moments()) is not None:
        second = _Attempt(iteration_from(moments), first)
        second.iteration.prepare(())
        return second
    if (filling := first.other_filling()) is not None:
        second = _Attempt(iteration_from(first.iteration.moments), first)
        second.iteration.refill(first.state, filling)
        return second
    return None


def _better(first: _Attempt, second: _Attempt) -> tuple[_Attempt, _Attempt, str]:
    """The attempt to keep, the lower one if both have converged; the other one, and what to tell of both."""
    atoms = len(first.iteration.moments)
    if not (first.iteration.converged and second.iteration.converged):
        return (second, first, "") if second.iteration.converged else (first, second, "")
    difference = (second.state.free_energy - first.state.free_energy) / atoms
    if second.iteration.moments is first.iteration.moments:
        note = told_of_shells(difference)
    else:
        ended = first.absolute[-1] / atoms, second.absolute[-1] / atoms
        note = told(first.iteration.moments, second.iteration.moments, difference, ended)
    return (first, second, note) if difference > 0 else (second, first, note)


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


def _why(problem: Problem, attempt: _Attempt, tolerance: float, has_smearing: bool) -> str:
    """One sentence about an SCF that has not converged."""
    state, history = attempt.state, attempt.history
    cause = reason(problem.basis.grid, state.change, history, attempt.iteration.bands_suffice, has_smearing)
    return (
        f"Not converged: after {len(history)} steps the density residual is {state.density_residual:.1e}, where "
        f"{tolerance:.1e} is asked for: {cause}."
    )
