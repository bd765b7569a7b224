"""The bands around which a state is varied: their occupations, and how these change with the levels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential, Hamiltonian
from mlxc.kohn_sham.diagonalisation.orthonormal import inner_products
from mlxc.kohn_sham.eigensolver import diagonalise
from mlxc.kohn_sham.problem import Problem
from mlxc.kohn_sham.state import GroundState
from mlxc.response.exchanged_spins import ExchangedSpins
from mlxc.response.fillings import Filling
from mlxc.response.sternheimer import AnySternheimerSolver, sternheimer_solver
from mlxc.terms.entropy import Smearing

# Bands with a smaller fraction of the electrons that they could hold do not show in the response: in units of the
# accuracy that is asked for, but never more than a small number.
NEGLIGIBLE_OCCUPATION = 0.1
SMALLEST_OCCUPATION = 1e-8
# Levels that are closer, in units of the smearing width, count as degenerate.
DEGENERATE = 1e-4
# Residual of the orbitals, hartree; the error of a response is of first order in it.
ORBITAL_ACCURACY = 0.1
MAX_STEPS = 20
# A response is as accurate as the SCF, within these bounds.
TOLERANCES = (1e-10, 1e-6)


@dataclass(frozen=True)
class Bands:
    """Eigenstates in the potential of a density, and the response of their occupations.

    Attributes:
        problem: The Kohn-Sham problem.
        hamiltonian: The Hamiltonian in that potential.
        orbitals: The orbitals, shape ``(nk * nspin, nband, nplanewave)``; those that are not active only help solvers.
        eigenvalues: The eigenvalues, shape ``(nk * nspin, nband)``, hartree.
        electrons: The electrons in each state, same shape.
        active: Whether a state holds enough electrons to matter; those that do are converged. Same shape.
        pairs: (f_n - f_m) / (e_n - e_m) of active states at the same k point, shape ``(nk * nspin, nband, nband)``.
        slopes: df/de at fixed Fermi level, electrons/hartree, shape ``(nk * nspin, nband)``.
        fillings: How the states are filled, those that share a Fermi level together; none for fixed occupations.
        capacity: The electrons that a state can hold.
        spins: The symmetry by which the rows of spin up stand for those of both spins; else None.
    """

    problem: Problem
    hamiltonian: Hamiltonian
    orbitals: Tensor
    eigenvalues: Tensor
    electrons: Tensor
    active: Tensor
    pairs: Tensor
    slopes: Tensor
    fillings: list[Filling]
    capacity: float
    spins: ExchangedSpins | None = None

    @property
    def weights(self) -> Tensor:
        """The weight of the k point of each row, shape ``(nk * nspin, 1)``."""
        return self.problem.basis.weights.repeat(self.nspin)[:, None]

    @property
    def nspin(self) -> int:
        """The number of spins that there are rows of."""
        return len(self.eigenvalues) // self.problem.basis.nkpoints

    @property
    def count(self) -> int:
        """The number of bands among which are all that are active; those above them only help to solve for these."""
        return int(self.active.any(0).nonzero().max()) + 1

    @cached_property
    def removed(self) -> Tensor:
        """The active orbitals, with zeros in the place of the others."""
        return self.orbitals * self.active[..., None]

    @cached_property
    def solvers(self) -> list[AnySternheimerSolver]:
        """What solves for changes of orbitals outside the active bands: one for each block, for all losses."""
        orbitals, energies = self.orbitals[:, : self.count], self.eigenvalues[:, : self.count]
        return [
            sternheimer_solver(block, orbitals[block.rows], energies[block.rows], self.removed[block.rows])
            for block in self.hamiltonian.blocks
        ]

    def shared_changes(self, shifts: Tensor) -> Tensor:
        """The electrons that each state gains when levels shift, beside those that the shift of its own level brings.

        Args:
            shifts: The shifts of the levels, hartree, shape ``(nk * nspin, nband)``, that of the answer as well.
        """
        gained = torch.zeros_like(shifts)
        density_of_states = self.weights * self.slopes
        for filling in self.fillings:
            rows = filling.rows
            if filling.changes is not None:
                changed = self.capacity * filling.changes(shifts[rows])
                gained[rows] = (changed - self.slopes[rows] * shifts[rows]) * self.active[rows]
                continue
            states = density_of_states[rows].sum()
            # In a gap there is no density of states, and no occupation depends on the level.
            if abs(float(states)) > SMALLEST_OCCUPATION:
                gained[rows] = -self.slopes[rows] * (density_of_states[rows] * shifts[rows]).sum() / states
        return gained


def tolerance_of(ground: GroundState) -> float:
    """The relative accuracy that responses of a state deserve: that of its density, within bounds."""
    return min(max(ground.history[-1].density_residual, TOLERANCES[0]), TOLERANCES[1])


def refined_bands(ground: GroundState, tolerance: float, spins: ExchangedSpins | None = None) -> Bands:
    """Bands in the potential of a ground state's density, of which its orbitals are nearly eigenstates.

    Args:
        ground: a converged state.
        tolerance: relative accuracy that a response is to have.
        spins: the symmetry by which spin up stands for both spins, if there is any.
    """
    problem = ground.problem
    with torch.no_grad():
        potential = problem.effective_potential(problem.basis.grid.fourier(ground.fields.detach()))
        return bands_in(problem, potential, ground, ground.orbitals.detach(), tolerance, spins)


def bands_in(
    problem: Problem,
    potential: EffectivePotential,
    like: GroundState,
    guess: Tensor,
    tolerance: float,
    spins: ExchangedSpins | None = None,
) -> Bands:
    """Bands in a potential.

    Args:
        problem: The Kohn-Sham problem.
        potential: The potential in which they are eigenstates.
        like: A state with about the same occupations, and the smearing that they have.
        guess: A guess of the orbitals, orthonormal, shape ``(nk * nspin, nband, nplanewave)``.
        tolerance: Relative accuracy that a response is to have.
        spins: The symmetry by which spin up stands for both spins, if there is any.
    """
    nk, smearing, moment = problem.basis.nkpoints, like.smearing, like.total_moment
    capacity = 2 * nk / len(guess)
    electrons = like.occupations.detach()
    if spins is not None:
        # Spins that mirror each other have the same number of electrons, whether their moment is held or not.
        potential, guess, electrons, moment = potential.of_spin(0), guess[:nk], electrons[:nk], None
    hamiltonian = problem.hamiltonian(potential)
    accuracy = ORBITAL_ACCURACY * tolerance
    threshold = max(NEGLIGIBLE_OCCUPATION * tolerance, SMALLEST_OCCUPATION) * capacity
    active = electrons.abs() > threshold
    pairs = diagonalise(hamiltonian, guess, guess.shape[1], active.double(), accuracy, MAX_STEPS)
    if smearing is None:
        none = torch.zeros_like(electrons)
        unpaired = none[:, None] * none[..., None]
        return Bands(
            problem, hamiltonian, pairs.orbitals, pairs.eigenvalues, electrons, active, unpaired, none, [], capacity,
            spins,
        )  # fmt: skip
    fillings = _fillings(pairs.eigenvalues, problem, smearing, moment)
    electrons = capacity * torch.cat([own.occupation(own.x) for own in fillings])
    if bool(((electrons.abs() > threshold) & ~active).any()):
        active = active | (electrons.abs() > threshold)
        pairs = diagonalise(hamiltonian, pairs.orbitals, guess.shape[1], active.double(), accuracy, MAX_STEPS)
        fillings = _fillings(pairs.eigenvalues, problem, smearing, moment)
        electrons = capacity * torch.cat([own.occupation(own.x) for own in fillings])
    both = active[:, :, None] & active[:, None]
    return Bands(
        problem,
        hamiltonian,
        pairs.orbitals,
        pairs.eigenvalues,
        electrons,
        active,
        -capacity / smearing.width * torch.cat([_divided_differences(own) for own in fillings]) * both,
        -capacity / smearing.width * torch.cat([_derivative(own.occupation, own.x) for own in fillings]) * active,
        fillings,
        capacity,
        spins,
    )


def _fillings(eigenvalues: Tensor, problem: Problem, smearing: Smearing, moment: float | None) -> list[Filling]:
    """How the states are filled: those of each spin by themselves where the moment is held, else all alike."""
    weights, nelectrons, nrow = problem.basis.weights, problem.ions.nelectrons, len(eigenvalues)
    if moment is None:
        return [Filling.of(slice(0, nrow), eigenvalues, weights.repeat(nrow // len(weights)), nelectrons, smearing)]
    # A spin channel is filled as an unpolarised system with twice its electrons.
    return [
        Filling.of(rows, eigenvalues[rows], weights, nelectrons + sign * moment, smearing)
        for rows, sign in ((slice(0, nrow // 2), 1), (slice(nrow // 2, nrow), -1))
    ]


def _derivative(occupation: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        (derivative,) = torch.autograd.grad(occupation(x).sum(), x)
    return derivative


def _divided_differences(filling: Filling) -> Tensor:
    """(f_n - f_m) / (x_n - x_m) of all pairs of states at a k point, the derivative where they are degenerate."""
    x = filling.x
    differences = x[:, :, None] - x[:, None]
    occupied = filling.occupation(x)
    middle = _derivative(filling.occupation, (x[:, :, None] + x[:, None]) / 2)
    close = differences.abs() < DEGENERATE
    quotients = (occupied[:, :, None] - occupied[:, None]) / differences.where(~close, 1.0)
    return torch.where(close, middle, quotients)


def rotated_like(values: Tensor, old: Tensor, new: Tensor) -> Tensor:
    """What belongs to old orbitals, shape of the orbitals, expressed for new ones that span nearly the same space."""
    return inner_products(old, new).mT @ values
