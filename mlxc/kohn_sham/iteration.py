"""One step of the self-consistent field: density -> potential -> orbitals -> density, and what to try next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.grid.fields import Fields
from mlxc.kohn_sham.diagonalisation.mirrored_spin import MirroredSpin
from mlxc.kohn_sham.eigensolver import Eigenpairs, Eigensolver
from mlxc.kohn_sham.level_above import exchanges_levels, has_room_above, levels_above
from mlxc.kohn_sham.mixing.mixers import Mixing
from mlxc.kohn_sham.occupations import Occupations, band_count, occupy, occupy_fixed_moment
from mlxc.kohn_sham.problem import Problem
from mlxc.kohn_sham.residual import DensityResidual, fields_residual
from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.kohn_sham.start.extrapolation import extrapolated_density, extrapolated_orbitals
from mlxc.kohn_sham.start.guess import starting_orbitals, superposed_spin_density, with_more_orbitals
from mlxc.terms.entropy import Smearing

# A state with less than this occupation may be missing without anybody noticing.
NEGLIGIBLE_OCCUPATION = 1e-6
# Of an SCF that converges, the residuals of orbitals (hartree) are below this times the relative one of the density.
ENOUGH = 10.0
# From free atoms, bands beyond so many times those that hold all electrons are likely empty, and matter this much.
LIKELY_ENOUGH = 1.1
LIKELY_EMPTY = 0.1
# The lowest empty band of each k point matters so much. While it is wrong it lies too high: the state that it stands
# for, such as the partner of a filled one by symmetry, may belong below the Fermi level.
LOWEST_EMPTY = 0.001


@dataclass(frozen=True)
class State:
    """What one step found.

    Attributes:
        fields: The fields that came out, see :class:`~mlxc.kohn_sham.problem.Problem`.
        change: The change of the density, what came out minus what went in, Fourier coefficients ``(nspin, ngvector)``.
        potential: The potential that the orbitals belong to.
        pairs: Eigenvalues and orbitals.
        occupations: The electrons in each state.
        energies: The terms of the free energy at the orbitals and the density that came out, hartree.
        density_residual: How far the fields are from self-consistency, see
            :func:`~mlxc.kohn_sham.residual.fields_residual`.
        orbital_residual: The largest |H psi - e psi| of any k point, hartree.
        magnetisation: The integral of up minus down, Bohr magneton per cell; None without spin.
        absolute_magnetisation: The integral of |up minus down|, Bohr magneton per cell; None without spin.
    """

    fields: Tensor
    change: Tensor
    potential: EffectivePotential
    pairs: Eigenpairs
    occupations: Occupations
    energies: dict[str, float]
    density_residual: float
    orbital_residual: float
    magnetisation: float | None
    absolute_magnetisation: float | None

    @property
    def free_energy(self) -> float:
        """F per cell, hartree."""
        return sum(self.energies.values())


class SCFIteration:
    """Carries density and orbitals from step to step.

    Args:
        problem: The problem.
        smearing: The smearing of the occupations; None for fixed ones.
        convergence: When to stop; the orbitals are never computed more accurately than it asks for.
        mixing: How the next density follows from past ones.
        eigensolver: How orbitals are found.
        seed: The seed of the noise in the starting orbitals.
        nspin: The number of spins: 1, or 2 for collinear spin.
        moments: The moments that the atoms start with, Bohr magneton, shape ``(natom,)``.
        total_moment: The total magnetic moment to hold, Bohr magneton per cell; None to let it find its value.

    Attributes:
        problem: The problem.
        moments: The moments that the atoms start with.
        bands_suffice: False after a step in which smearing reached the highest computed band.
        converged: Whether the last step changed the density by less than the tolerance.
        orbitals_above: The orbital above the filled ones that :meth:`fills_the_lowest` has found, or None, see
            :class:`~mlxc.kohn_sham.state.GroundState`.
        note: What :meth:`fills_the_lowest` has found that a person should know; empty if there is nothing.

    Raises:
        InputError: the basis is too small for the bands.
    """

    def __init__(
        self,
        problem: Problem,
        smearing: Smearing | None,
        convergence: DensityResidual,
        mixing: Mixing,
        eigensolver: Eigensolver,
        seed: int,
        nspin: int,
        moments: NDArray[np.float64],
        total_moment: float | None = None,
    ) -> None:
        self.problem = problem
        self._nspin = nspin
        self.moments, self._total_moment = moments, total_moment
        self._smearing = smearing
        self._convergence = convergence
        self._eigensolver, self._spins = eigensolver, MirroredSpin(problem)
        self._seed = seed
        self._mixing = mixing
        self._forget()
        likely_moment = 0.0 if nspin == 1 else abs(moments).sum() if total_moment is None else total_moment
        preferred = band_count(problem.ions.nelectrons, smearing is not None, likely_moment)
        occupied = band_count(problem.ions.nelectrons, False, likely_moment)
        filled = problem.band_count(occupied, preferred)
        # Where occupations are fixed, a band above the filled ones goes along, see :mod:`mlxc.kohn_sham.level_above`.
        self._spare = int(smearing is None and has_room_above(problem, filled))
        self._nband = filled + self._spare
        self._previous: State | None = None
        self._starts = 0
        self.bands_suffice = True
        self.converged = False
        self.orbitals_above: Tensor | None = None
        self.note = ""

    def prepare(self, starts: Sequence[SolvedState]) -> None:
        """Choose the first density and orbitals: those of free atoms, or what results of similar crystals say."""
        problem = self.problem
        starts = [start for start in starts if self._fits(start)]
        if starts:
            density = extrapolated_density(starts, problem.basis.grid, problem.ions)
            orbitals = extrapolated_orbitals(starts, problem.basis)
            self._fields = problem.extrapolated_fields(density, orbitals, starts[-1].occupations)
            self._nband = max(self._nband, orbitals.shape[1] + self._spare)
            self._orbitals = self._with_bands(orbitals)
            self._importance = self._importance_of(starts[-1].occupations)
            self._starts = len(starts)
        else:
            density = superposed_spin_density(
                problem.basis.grid, problem.ions, self.moments, self._nspin, self._total_moment
            )
            orbitals = starting_orbitals(problem.basis, problem.ions, self._nband, self._seed)
            self._orbitals = orbitals if self._nspin == 1 else orbitals.repeat(self._nspin, 1, 1)
            self._importance = self._likely_importance()
            self._fields = problem.guessed_fields(density)

    def refill(self, state: State, electrons: Tensor) -> None:
        """Start with the orbitals of another iteration of the same problem, filled otherwise.

        Args:
            state: What the last step of the other one has found.
            electrons: The electrons in each of its orbitals, shape ``(nk * nspin, nband)``.
        """
        self._fields = self.problem.fields(state.pairs.orbitals, electrons)
        self._nband = state.pairs.orbitals.shape[1] + self._spare
        self._orbitals = self._with_bands(state.pairs.orbitals)
        self._importance = self._likely_importance()
        self._starts = 1

    def _forget(self) -> None:
        """Mix from now on without what was learnt so far."""
        problem = self.problem
        self._mixer = self._mixing.start(problem.basis.grid, problem.kinds, metal=self._smearing is not None)

    @property
    def continues(self) -> bool:
        """Whether it has started from other results."""
        return self._starts > 0

    def _likely_importance(self) -> Tensor:
        """How much each orbital matters while nobody knows which will be occupied."""
        importance = torch.full((len(self._orbitals), self._nband), LIKELY_EMPTY, device=self._orbitals.device)
        importance[:, : int(LIKELY_ENOUGH * self.problem.ions.nelectrons / 2) + 1] = 1
        return importance

    def _importance_of(self, electrons: Tensor) -> Tensor:
        """How much each orbital matters: by its electrons, since empty bands merely steady the eigensolver."""
        importance = torch.nn.functional.pad(electrons, (0, self._spare)).abs() * self._nspin / 2
        first_empty = (importance < LOWEST_EMPTY).int().argmax(dim=1, keepdim=True)
        least = torch.zeros_like(importance).scatter_(1, first_empty, LOWEST_EMPTY)
        return torch.maximum(importance, least)

    def _fits(self, start: SolvedState) -> bool:
        return (
            start.crystal.species == self.problem.crystal.species
            and self.problem.basis.accepts(start.basis)
            and len(start.kpoints) == len(self.problem.basis.kpoints)
            and len(start.density) == self._nspin
        )

    def step(self) -> State:
        """Diagonalise in the potential of the current density, and mix what comes out into it."""
        problem = self.problem
        potential = problem.effective_potential(self._fields)
        with_spare = self._diagonalise(potential)
        pairs = with_spare.lowest(self._nband - self._spare)
        occupations = self._occupy(pairs.eigenvalues)
        fields = problem.fields(pairs.orbitals, occupations.electrons)
        change = fields - self._fields
        energies = problem.energies(pairs.orbitals, occupations, fields)
        residual, orbital_residual = self._residuals(change, energies["kinetic"], pairs)
        magnetisation, absolute = self._magnetisations(fields[0])
        # The orbitals of a start give back its density if they are left as they are, however wrong they may be.
        # Nor does a density that is stationary say anything if the orbitals were hardly improved.
        bound = max(residual, self._convergence.tolerance)
        meaningful = self._previous is not None or orbital_residual < bound
        if self._smearing is None and self._previous is not None:
            before = self._previous.pairs.orbitals
            if exchanges_levels(problem, before, pairs.orbitals, occupations.electrons):
                self._mixer.forget()
        self._previous = State(
            fields, change[0], potential, pairs, occupations, energies, residual, orbital_residual,
            magnetisation, absolute,
        )  # fmt: skip
        if meaningful:
            self._fields = problem.division.processes.agreed(self._mixer.next(self._fields, change, residual))
        self._orbitals = with_spare.orbitals
        self._importance = self._importance_of(occupations.electrons)
        self._add_bands_if_needed(occupations)
        solved = meaningful and orbital_residual < ENOUGH * bound
        self.converged = solved and self._convergence.reached(residual) and self.bands_suffice
        if self.converged and self._smearing is None:
            self.converged = self.fills_the_lowest(self._previous)
        return self._previous

    def fills_the_lowest(self, state: State) -> bool:
        """Whether no orbital is missing among those that fixed occupations fill; if one is, it is there from now on."""
        above = levels_above(
            self.problem,
            self.problem.hamiltonian(state.potential),
            state.pairs.eigenvalues,
            self._orbitals,
            state.occupations.electrons,
            self._seed,
        )
        if above is None:
            return True
        nband = state.pairs.orbitals.shape[1]
        self.orbitals_above = None if above.misses_a_state else above.orbitals[:, nband:].clone()
        self.note = above.told(self.converged)
        if above.misses_a_state:
            self._orbitals = above.orbitals
            # Past steps were those of other orbitals, and say nothing of these.
            self._forget()
        return not above.misses_a_state

    def _residuals(self, change: Tensor, kinetic_energy: float, pairs: Eigenpairs) -> tuple[float, float]:
        """The residuals of the density and of the orbitals, which are the same in all processes."""
        problem, largest = self.problem, self.problem.division.processes.largest
        fields = Fields.unstacked(change, problem.kinds)
        residual = fields_residual(problem.basis.grid, fields, problem.ions.nelectrons, kinetic_energy)
        return largest(residual), largest(pairs.residual)

    def _magnetisations(self, density: Tensor) -> tuple[float, float] | tuple[None, None]:
        """The integrals of the magnetisation and of its absolute value, of coefficients ``(nspin, ngvector)``."""
        if self._nspin == 1:
            return None, None
        grid = self.problem.basis.grid
        magnetisation = grid.real(density[0] - density[1])
        return float(grid.integrate(magnetisation)), float(grid.integrate(magnetisation.abs()))

    def _occupy(self, eigenvalues: Tensor) -> Occupations:
        division, nelectrons = self.problem.division, self.problem.ions.nelectrons
        levels, weights = division.gathered(eigenvalues), division.weights(eigenvalues)
        if self._total_moment is not None:
            found = occupy_fixed_moment(levels, weights, nelectrons, self._smearing, self._total_moment)
        else:
            found = occupy(levels, weights.repeat(self._nspin), nelectrons, self._smearing)
        return replace(found, electrons=division.own_rows(found.electrons))

    def _diagonalise(self, potential: EffectivePotential) -> Eigenpairs:
        previous = self._previous
        residual = None if previous is None else max(previous.density_residual, self._convergence.tolerance)
        importance = self._importance
        if importance.shape[1] < self._nband:
            importance = torch.nn.functional.pad(importance, (0, self._nband - importance.shape[1]), value=1.0)
        return self._spins.solve(
            self._eigensolver, potential, self._orbitals, self._nband, importance, residual, self._starts
        )

    def _add_bands_if_needed(self, occupations: Occupations) -> None:
        """Smearing may reach states above the highest computed band; then compute more of them from now on."""
        highest = self.problem.division.processes.largest(float(occupations.electrons[:, -1].abs().max()))
        self.bands_suffice = self._smearing is None or highest < NEGLIGIBLE_OCCUPATION
        if self.bands_suffice:
            return
        total = self.problem.band_count(self._nband, self._nband + max(2, self._nband // 8))
        more = total - self._nband
        if more == 0:
            self.bands_suffice = True  # there are no others
            return
        self._nband += more
        self._orbitals = self._with_bands(self._orbitals)

    def _with_bands(self, orbitals: Tensor) -> Tensor:
        """At least as many orthonormal orbitals as there are bands: those, and others outside their space."""
        return with_more_orbitals(orbitals, self.problem.basis, self.problem.ions, self._nband, self._seed)
