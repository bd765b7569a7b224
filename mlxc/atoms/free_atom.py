"""A free atom with spin: its orbitals, its energy, and what functionals see of it.

The atom has the symmetry of a cylinder and whole electrons in its orbitals; see :mod:`mlxc.atoms.shells`. It is solved
in spherical waves below the cutoff that a crystal has, with the same pseudopotential: what the cutoff does to the
energy of an atom in a crystal, it does to that of the free one.

At the points that functionals are given, energies of LDA and GGAs are right within 1e-7 Ha and those of smooth
meta-GGAs within 1e-6 Ha; that of SCAN, which is not analytic where alpha is 1, within 3e-5 Ha.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn

from mlxc.atoms.axial_problem import AxialProblem, Solution
from mlxc.atoms.shells import RADIUS, Filling, candidate_fillings, magnetisation
from mlxc.atoms.spherical_waves import Points, SphericalWaves
from mlxc.errors import MlxcError
from mlxc.pseudo.protocol import Pseudopotential
from mlxc.xc.functional import INGREDIENTS

# Angular momenta that an orbital is made of, one more than those of occupied shells in a spherical atom and two more.
ELLS = 5
# Points along the radius and along the angle in one hemisphere for the SCF, and for functionals afterwards, some of
# which change much faster with the place than PBE does.
OF_SCF, OF_FUNCTIONALS = (200, 12), (240, 16)
# Of fields over the angle, in units of themselves: less is none.
VARIATION = 1e-9


class FreeAtomError(MlxcError):
    """An atom did not converge."""


@dataclass(frozen=True)
class FreeAtom:
    """The state of lowest energy of a free atom.

    Attributes:
        energies: The energy by term, hartree, XC included.
        moment_bohr_magneton: Electrons with spin up less those with spin down.
        ingredients: ``rho``, ``grad`` and ``tau`` at some points, see :mod:`mlxc.xc.functional`, the core's included.
        volumes: The volume that each point stands for, bohr^3, shape ``(npoint,)``.
    """

    energies: dict[str, float]
    moment_bohr_magneton: int
    ingredients: dict[str, Tensor]
    volumes: Tensor

    @property
    def energy_ha(self) -> float:
        """The total energy."""
        return sum(self.energies.values())


def free_atom(pseudopotential: Pseudopotential, functional: nn.Module, ecut: float, smoothing: float = 0.0) -> FreeAtom:
    """Solve an atom in all ways of filling its shells, and keep the lowest.

    Args:
        pseudopotential: The pseudopotential.
        functional: The functional; a meta-GGA must be among those that need tau.
        ecut: The cutoff, hartree.
        smoothing: The width below it over which kinetic energies rise, hartree.

    Raises:
        InputError: the pseudopotential's core is not made of closed shells.
        FreeAtomError: no way of filling the shells converges.
    """
    waves = SphericalWaves(RADIUS, ecut, smoothing, ELLS)
    problem = AxialProblem(pseudopotential, functional, waves, Points.gauss(RADIUS, *OF_SCF), 2 * sqrt(2 * ecut))
    fillings = candidate_fillings(pseudopotential.symbol, pseudopotential.charge)
    solved = [(filling, found) for filling in fillings if (found := problem.solve(filling)) is not None]
    if not solved:
        raise FreeAtomError(f"The free atom of {pseudopotential.symbol} does not converge.")
    filling, solution = min(solved, key=lambda one: sum(one[1].energies.values()))
    return _seen(problem, filling, solution)


def _seen(problem: AxialProblem, filling: Filling, solution: Solution) -> FreeAtom:
    """What functionals see of orbitals, along one radius if that is all."""
    raw = problem.fields.raw(solution.orbitals).view(-1, *OF_SCF)
    is_spherical = bool(((raw - raw[..., :1]).abs() <= VARIATION * raw[[0, 3]].abs().max()).all())
    points = Points.gauss(RADIUS, OF_FUNCTIONALS[0], 1 if is_spherical else OF_FUNCTIONALS[1])
    fields = problem.fields_on(points)
    ingredients = fields.ingredients(fields.raw(solution.orbitals), INGREDIENTS)
    volumes = torch.from_numpy(points.volumes.ravel())
    return FreeAtom(solution.energies, magnetisation(filling), ingredients, volumes)
