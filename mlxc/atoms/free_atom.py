"""A free atom with spin: its orbitals, its energy, and what functionals see of it.

The atom has the symmetry of a cylinder and whole electrons in its orbitals; see :mod:`mlxc.atoms.shells`. It is solved
in spherical waves below the cutoff that a crystal has, with the same pseudopotential: what the cutoff does to the
energy of an atom in a crystal, it does to that of the free one.

At the points that functionals are given, energies of LDA and GGAs are right within 1e-7 Ha and those of meta-GGAs
within 1e-6 Ha, SCAN among them, which is not analytic where alpha is 1.
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
# Points along the radius and along the angle in one hemisphere for the SCF.
OF_SCF = (200, 12)
# Those for functionals afterwards, some of which change much faster with the place than PBE does: points along the
# radius of a spherical atom, and of any other, whose shells up to some distances, bohr, have so many angles. Near the
# nucleus and far out there is less to see.
OF_SPHERICAL, OF_OTHERS = 960, 480
ANGLES = ((0.4, 14), (5.0, 40), (8.0, 16), (12.0, 8), (RADIUS, 6))
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
    found = []
    grids = points_for_functionals(is_spherical)
    for points in grids:
        fields = problem.fields_on(points)
        found.append(fields.ingredients(fields.raw(solution.orbitals), INGREDIENTS))
    ingredients = {name: torch.cat([one[name] for one in found], dim=-1) for name in INGREDIENTS}
    volumes = torch.cat([torch.from_numpy(points.volumes.ravel()) for points in grids])
    return FreeAtom(solution.energies, magnetisation(filling), ingredients, volumes)


def points_for_functionals(is_spherical: bool) -> list[Points]:
    """The points that functionals are given, as grids of some shells each.

    Args:
        is_spherical: Whether the atom is a sphere, of which one direction tells all.
    """
    if is_spherical:
        return [Points.gauss(RADIUS, OF_SPHERICAL, 1)]
    along_radius, starts = Points.gauss(RADIUS, OF_OTHERS, 1), [0.0, *(end for end, _ in ANGLES)]
    return [along_radius.shells(start, *shells) for start, shells in zip(starts, ANGLES, strict=False)]
