"""The magnetic moment of each atom: its share of the magnetisation, by the densities of free atoms.

F. L. Hirshfeld, Theor. Chim. Acta 44, 129 (1977): what there is at a point belongs to each atom in proportion to what
the free atom would have there. The shares add up to one at every point, so that the moments add up to the
magnetisation of the cell.
"""

from __future__ import annotations

from torch import Tensor

from mlxc.kohn_sham.state import GroundState
from mlxc.pseudo.atom import free_atom

# Where all free atoms have less, which is far from all of them, each atom has the same share; electrons/bohr^3.
FAR_FROM_ATOMS = 1e-10


def atomic_moments(ground: GroundState) -> Tensor | None:
    """The moments of the atoms, Bohr magneton, shape ``(natom,)``; None without spin polarisation."""
    if len(ground.density) == 1:
        return None
    grid = ground.basis.grid
    magnetisation = (ground.density[0] - ground.density[1]).detach()
    total = magnetisation.new_zeros(grid.shape)
    shares = magnetisation.new_zeros(len(ground.crystal.species))
    # One atom at a time: the densities of all atoms of a large cell need not be held at once.
    for atom in range(len(shares)):
        total += _free_density(ground, atom)
    for atom in range(len(shares)):
        shares[atom] = grid.integrate(magnetisation * _free_density(ground, atom) / total)
    return shares


def _free_density(ground: GroundState, atom: int) -> Tensor:
    """The density of a free atom and its periodic images, never zero, electrons/bohr^3."""
    ions, grid = ground.problem.ions, ground.basis.grid
    form = free_atom(ions.pseudopotentials[ions.species[atom]]).density_form_factor(grid.lengths)
    density = grid.real(form / grid.volume * grid.phases(ions.positions[atom]))
    return density.detach().clamp(min=FAR_FROM_ATOMS)
