"""Where the SCF starts: superposed densities and orbitals of free atoms."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mlxc.basis.grid import Grid
from mlxc.basis.planewave import PlaneWaveBasis
from mlxc.crystal import Crystal
from mlxc.pseudo.gth import GTHPseudopotential
from mlxc.scf.atom import solve_atom
from mlxc.scf.eigensolver import orthonormalise
from mlxc.scf.ground_state import GroundState
from mlxc.terms.local_pseudopotential import structure_factor
from mlxc.terms.nonlocal_pseudopotential import angular_part, position_phases

Pseudopotentials = dict[str, GTHPseudopotential]


def superposed_density(grid: Grid, crystal: Crystal, pseudopotentials: Pseudopotentials) -> Tensor:
    """Fourier coefficients ``(ngvector,)`` of the free atoms' densities, scaled to the crystal's electrons."""
    lengths = grid.squares.sqrt()
    total = torch.zeros(len(lengths), dtype=torch.complex128, device=grid.device)
    for symbol, pseudopotential in pseudopotentials.items():
        form = solve_atom(pseudopotential.parameters).density_form_factor(lengths)
        total += form / grid.volume * structure_factor(grid, crystal, symbol)
    electrons = sum(pseudopotentials[symbol].charge for symbol in crystal.species)
    return total * (electrons / (total[0].real * grid.volume))


def superposed_spin_density(
    grid: Grid, crystal: Crystal, pseudopotentials: Pseudopotentials, nspin: int, moment: float | None = None
) -> Tensor:
    """Fourier coefficients ``(nspin, ngvector)`` of free atoms' densities, polarised by the crystal's moments.

    Args:
        grid: of the crystal.
        crystal: its moments, in Bohr magneton, are taken as they are; if all are zero each atom starts with one.
        pseudopotentials: by element.
        nspin: 1 or 2.
        moment: if given, the magnetisation is scaled to this total, Bohr magneton per cell.
    """
    total = superposed_density(grid, crystal, pseudopotentials)
    if nspin == 1:
        return total[None]
    moments = crystal.moments if crystal.moments.any() else np.ones(len(crystal.species))
    magnetisation = torch.zeros_like(total)
    lengths = grid.squares.sqrt()
    for symbol, position, wanted in zip(crystal.species, crystal.positions, moments, strict=True):
        charge = pseudopotentials[symbol].charge
        form = solve_atom(pseudopotentials[symbol].parameters).density_form_factor(lengths) / grid.volume
        magnetisation += form * grid.phases(position) * (np.clip(wanted, -charge, charge) / charge)
    if moment is not None and abs(moments.sum()) > 1e-6:
        magnetisation *= moment / (magnetisation[0].real * grid.volume)
    return torch.stack([total + magnetisation, total - magnetisation]) / 2


def atomic_orbitals(basis: PlaneWaveBasis, crystal: Crystal, pseudopotentials: Pseudopotentials) -> Tensor:
    """The occupied shells of all free atoms as plane waves, not orthonormal, shape ``(nk, norbital, nplanewave)``."""
    lengths = basis.kplusg.norm(dim=-1)
    shapes: dict[str, Tensor] = {}
    for symbol, pseudopotential in pseudopotentials.items():
        atom = solve_atom(pseudopotential.parameters)
        shapes[symbol] = torch.cat(
            [angular_part(basis.kplusg, ell) * atom.orbital_form_factor(ell, c, lengths) for ell, c in atom.shells]
        )
    blocks = [
        shapes[symbol] * position_phases(basis, torch.tensor(position, device=basis.device))
        for symbol, position in zip(crystal.species, crystal.positions, strict=True)
    ]
    return torch.cat(blocks).transpose(0, 1) * basis.mask[:, None, :] / basis.grid.volume**0.5


def starting_orbitals(
    basis: PlaneWaveBasis, crystal: Crystal, pseudopotentials: Pseudopotentials, nband: int, seed: int
) -> Tensor:
    """More than ``nband`` orthonormal orbitals for each k point: atomic ones and the lowest plane waves."""
    atomic = atomic_orbitals(basis, crystal, pseudopotentials)
    extra = max(nband - atomic.shape[1], 0) + nband // 2 + 2
    return orthonormalise(torch.cat([atomic, lowest_waves(basis, extra, seed)], dim=1))


def lowest_waves(basis: PlaneWaveBasis, count: int, seed: int) -> Tensor:
    """The plane waves of lowest kinetic energy, shape ``(nk, count, nplanewave)``.

    A little noise keeps the start from having a symmetry that the ground state has not.
    """
    generator = torch.Generator().manual_seed(seed)
    shape = (basis.nkpoints, count, basis.nplanewaves)
    noise = torch.randn(shape, generator=generator, dtype=torch.complex128).to(basis.device)
    waves = 0.02 * noise / (1 + basis.kinetic[:, None, :]) ** 2
    waves.diagonal(dim1=1, dim2=2).add_(1)
    return waves * basis.mask[:, None, :]


def carried_density(start: GroundState, grid: Grid, crystal: Crystal, pseudopotentials: Pseudopotentials) -> Tensor:
    """Fourier coefficients ``(nspin, ngvector)`` of a density guessed from a result at another volume.

    What bonding adds to the free atoms' density changes less with the volume than the density itself.
    """
    old = start.basis.grid
    nspin = len(start.density)
    bonding = old.fourier(start.density) - superposed_density(old, start.crystal, pseudopotentials) / nspin
    reach = int(torch.cat([old.miller, grid.miller]).abs().max())
    box = torch.zeros(len(bonding), *[2 * reach + 1] * 3, dtype=bonding.dtype, device=grid.device)
    box[:, *(old.miller + reach).T] = bonding * (old.volume / grid.volume)
    return superposed_density(grid, crystal, pseudopotentials) / nspin + box[:, *(grid.miller + reach).T]
