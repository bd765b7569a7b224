"""One step of the self-consistent field: density -> potential -> orbitals -> density, and what to try next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.kohn_sham.eigensolver import Eigenpairs, diagonalise, orthonormalise
from mlxc.kohn_sham.extrapolation import extrapolated_density, extrapolated_orbitals
from mlxc.kohn_sham.guess import starting_orbitals, superposed_spin_density
from mlxc.kohn_sham.mixing import AndersonMixer
from mlxc.kohn_sham.mixing_schedule import is_stuck, rungs
from mlxc.kohn_sham.occupations import Occupations, band_count, occupy, occupy_fixed_moment
from mlxc.kohn_sham.problem import Problem
from mlxc.kohn_sham.residual import density_residual
from mlxc.kohn_sham.state import GroundState
from mlxc.terms.entropy import Smearing

# A state with less than this occupation may be missing without anybody noticing.
NEGLIGIBLE_OCCUPATION = 1e-6
# Extensions of the eigensolver's search space per step: many from a rough guess, few once the potential settles.
FIRST_STEPS = 8
LATER_STEPS = 4
# Residual of the orbitals (hartree) that is good enough for a density with a relative error of one.
EIGENSOLVER_ACCURACY = 0.03
# The same in the first step, when nobody knows how wrong the density is: much, if it is that of free atoms, and less
# if it comes from one, two or more results of similar crystals.
COLD_TOLERANCE = 1e-2
WARM_TOLERANCES = (1e-3, 1e-4)
# From free atoms, bands beyond so many times those that hold all electrons are likely empty, and matter this much.
LIKELY_ENOUGH = 1.1
LIKELY_EMPTY = 0.1


@dataclass(frozen=True)
class State:
    """What one step found.

    Attributes:
        fields: that came out, see :class:`~mlxc.kohn_sham.problem.Problem`.
        change: of the density, what came out minus what went in, Fourier coefficients ``(nspin, ngvector)``.
        potential: that the orbitals belong to.
        pairs: eigenvalues and orbitals.
        occupations: electrons in each state.
        energies: terms of the free energy at the orbitals and the density that came out, hartree.
        density_residual: integral |n_out - n_in| / number of electrons, summed over spins.
        magnetisation: integral of up minus down, Bohr magneton per cell; None without spin.
    """

    fields: Tensor
    change: Tensor
    potential: EffectivePotential
    pairs: Eigenpairs
    occupations: Occupations
    energies: dict[str, float]
    density_residual: float
    magnetisation: float | None

    @property
    def free_energy(self) -> float:
        """F per cell, hartree."""
        return sum(self.energies.values())


class SCFIteration:
    """Carries density and orbitals from step to step.

    Args:
        kohn_sham: the problem.
        smearing: None for fixed occupations.
        tolerance: of the density residual; the orbitals are never computed more accurately than it asks for.
        seed: of the noise in the starting orbitals.
        nspin: 1, or 2 for collinear spin.
        moment: total magnetic moment to hold, Bohr magneton per cell; None to let it find its value.

    Attributes:
        bands_suffice: False after a step in which smearing reached the highest computed band.
        converged: whether the last step changed the density by less than the tolerance.

    Raises:
        InputError: the basis is too small for the bands.
    """

    def __init__(
        self,
        kohn_sham: Problem,
        smearing: Smearing | None,
        tolerance: float,
        seed: int,
        nspin: int = 1,
        moment: float | None = None,
    ) -> None:
        self._ks = kohn_sham
        self._nspin = nspin
        self._moment = moment
        self._smearing = smearing
        self._tolerance = tolerance
        self._seed = seed
        self._rungs = iter(rungs(smearing is not None))
        self._climb()
        likely_moment = 0.0 if nspin == 1 else abs(kohn_sham.crystal.moments).sum() if moment is None else moment
        wanted = band_count(kohn_sham.ions.nelectrons, smearing is not None, likely_moment)
        occupied = band_count(kohn_sham.ions.nelectrons, False, likely_moment)
        self._nband = kohn_sham.basis.band_count(occupied, wanted)
        self._previous: State | None = None
        self._first_tolerance = COLD_TOLERANCE
        self.bands_suffice = True
        self.converged = False

    def prepare(self, starts: Sequence[GroundState]) -> None:
        """Choose the first density and orbitals: those of free atoms, or what results of similar crystals say."""
        ks = self._ks
        starts = [start for start in starts if self._fits(start)]
        if starts:
            density = extrapolated_density(starts, ks.basis.grid, ks.ions)
            self._orbitals = extrapolated_orbitals(starts, ks.basis)
            self._nband = self._orbitals.shape[1]
            self._importance = starts[-1].occupations * self._nspin / 2
            self._first_tolerance = WARM_TOLERANCES[min(len(starts), len(WARM_TOLERANCES)) - 1]
            self._fields = ks.extrapolated_fields(density, self._orbitals, starts[-1].occupations)
        else:
            density = superposed_spin_density(ks.basis.grid, ks.ions, ks.crystal.moments, self._nspin, self._moment)
            orbitals = starting_orbitals(ks.basis, ks.ions, self._nband, self._seed)
            self._orbitals = orbitals.repeat(self._nspin, 1, 1)
            self._importance = self._likely_importance()
            self._fields = ks.guessed_fields(density)

    def _likely_importance(self) -> Tensor:
        """How much each orbital matters while nobody knows which will be occupied."""
        importance = torch.full((len(self._orbitals), self._nband), LIKELY_EMPTY, device=self._orbitals.device)
        importance[:, : int(LIKELY_ENOUGH * self._ks.ions.nelectrons / 2) + 1] = 1
        return importance

    def _fits(self, start: GroundState) -> bool:
        return (
            start.crystal.species == self._ks.crystal.species
            and self._ks.basis.accepts(start.basis)
            and len(start.kpoints) == len(self._ks.basis.kpoints)
            and len(start.density) == self._nspin
            and start.orbitals.shape[1] >= self._nband
        )

    def step(self) -> State:
        """Diagonalise in the potential of the current density, and mix what comes out into it."""
        ks, grid = self._ks, self._ks.basis.grid
        potential = ks.effective_potential(self._fields)
        pairs = self._diagonalise(potential)
        occupations = self._occupy(pairs.eigenvalues)
        fields = ks.fields(pairs.orbitals, occupations.electrons)
        change = fields - self._fields
        residual = density_residual(grid, change[0], ks.ions.nelectrons)
        energies = ks.energies(pairs.orbitals, occupations, fields)
        magnetisation = float((fields[0, 0, 0] - fields[0, 1, 0]).real * grid.volume) if self._nspin == 2 else None
        # The orbitals of a start give back its density if they are left as they are, however wrong they may be.
        meaningful = self._previous is not None or pairs.residual < max(residual, self._tolerance)
        self._previous = State(fields, change[0], potential, pairs, occupations, energies, residual, magnetisation)
        if meaningful:
            self._residuals.append(residual)
            if is_stuck(self._residuals):
                self._climb()
            self._fields = self._mixer.next(self._fields, change)
        self._orbitals = pairs.orbitals
        # Empty bands steady the eigensolver, but their own residuals need not be small.
        self._importance = occupations.electrons * self._nspin / 2
        self._add_bands_if_needed(occupations)
        self.converged = meaningful and residual < self._tolerance and self.bands_suffice
        return self._previous

    def _climb(self) -> None:
        """Mix more carefully from now on, if there is a more careful way."""
        rung = next(self._rungs, None)
        if rung is not None:
            self._mixer = AndersonMixer(self._ks.basis.grid, rung.damping, rung.screening)
        self._residuals: list[float] = []

    def _occupy(self, eigenvalues: Tensor) -> Occupations:
        ks = self._ks
        if self._moment is not None:
            return occupy_fixed_moment(eigenvalues, ks.basis.weights, ks.ions.nelectrons, self._smearing, self._moment)
        return occupy(eigenvalues, ks.basis.weights.repeat(self._nspin), ks.ions.nelectrons, self._smearing)

    def _diagonalise(self, potential: EffectivePotential) -> Eigenpairs:
        hamiltonian = self._ks.hamiltonian(potential)
        if self._previous is None:
            tolerance, max_steps = self._first_tolerance, FIRST_STEPS
        else:
            tolerance = EIGENSOLVER_ACCURACY * max(self._previous.density_residual, self._tolerance)
            max_steps = LATER_STEPS
        importance = self._importance
        if importance.shape[1] < self._nband:
            importance = torch.nn.functional.pad(importance, (0, self._nband - importance.shape[1]), value=1.0)
        return diagonalise(hamiltonian, self._orbitals, self._nband, importance, tolerance, max_steps)

    def _add_bands_if_needed(self, occupations: Occupations) -> None:
        """Smearing may reach states above the highest computed band; then compute more of them from now on."""
        highest = float(occupations.electrons[:, -1].max())
        self.bands_suffice = self._smearing is None or highest < NEGLIGIBLE_OCCUPATION
        if self.bands_suffice:
            return
        total = self._ks.basis.band_count(self._nband, self._nband + max(2, self._nband // 8))
        more = total - self._nband
        if more == 0:
            self.bands_suffice = True  # there are no others
            return
        waves = self._ks.basis.lowest_functions(total, self._seed)[:, -more:]
        self._orbitals = orthonormalise(torch.cat([self._orbitals, waves.repeat(self._nspin, 1, 1)], dim=1))
        self._nband += more
