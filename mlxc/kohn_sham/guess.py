"""Where the SCF starts: superposed densities and orbitals of free atoms."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.basis.planewave.basis import PlaneWaveBasis
from mlxc.basis.protocol import Basis
from mlxc.grid.grid import Grid
from mlxc.kohn_sham.eigensolver import orthonormalise
from mlxc.pseudo.atom import free_atom
from mlxc.pseudo.ions import Ions
from mlxc.terms.local_pseudopotential import structure_factor
from mlxc.terms.nonlocal_pseudopotential import angular_part, position_phases


def superposed_density(grid: Grid, ions: Ions) -> Tensor:
    """Fourier coefficients ``(ngvector,)`` of the free atoms' densities, scaled to the crystal's electrons."""
    lengths = grid.lengths
    total = torch.zeros(len(lengths), dtype=torch.complex128, device=grid.device)
    for symbol, pseudopotential in ions.pseudopotentials.items():
        form = free_atom(pseudopotential).density_form_factor(lengths)
        total += form / grid.volume * structure_factor(grid, ions.positions_of(symbol))
    return total * (ions.nelectrons / (total[0].real * grid.volume))


def superposed_spin_density(
    grid: Grid, ions: Ions, moments: NDArray[np.float64], nspin: int, moment: float | None = None
) -> Tensor:
    """Fourier coefficients ``(nspin, ngvector)`` of free atoms' densities, polarised by the atoms' moments.

    Args:
        grid: of the crystal.
        ions: whose electrons they are.
        moments: of each atom, Bohr magneton; if all are zero each atom starts with one.
        nspin: 1 or 2.
        moment: if given, the magnetisation is scaled to this total, Bohr magneton per cell.
    """
    total = superposed_density(grid, ions)
    if nspin == 1:
        return total[None]
    if not moments.any():
        moments = np.ones_like(moments)
    magnetisation = torch.zeros_like(total)
    lengths = grid.lengths
    for symbol, position, wanted in zip(ions.species, ions.positions, moments, strict=True):
        charge = ions.pseudopotentials[symbol].charge
        form = free_atom(ions.pseudopotentials[symbol]).density_form_factor(lengths) / grid.volume
        magnetisation += form * grid.phases(position) * (np.clip(wanted, -charge, charge) / charge)
    if moment is not None and abs(moments.sum()) > 1e-6:
        magnetisation *= moment / (magnetisation[0].real * grid.volume)
    return torch.stack([total + magnetisation, total - magnetisation]) / 2


def atomic_orbitals(basis: PlaneWaveBasis, ions: Ions) -> Tensor:
    """The occupied shells of all free atoms as plane waves, not orthonormal, shape ``(nk, norbital, nplanewave)``."""
    lengths = basis.kplusg.norm(dim=-1)
    shapes: dict[str, Tensor] = {}
    for symbol, pseudopotential in ions.pseudopotentials.items():
        atom = free_atom(pseudopotential)
        shapes[symbol] = torch.cat(
            [
                angular_part(basis.kplusg, ell) * atom.orbital_form_factor(shell, lengths)
                for shell, ell in enumerate(atom.angular_momenta)
            ]
        )
    blocks = [
        shapes[symbol] * position_phases(basis, position)
        for symbol, position in zip(ions.species, ions.positions, strict=True)
    ]
    return torch.cat(blocks).transpose(0, 1) * basis.mask[:, None, :] / basis.grid.volume**0.5


def starting_orbitals(basis: Basis, ions: Ions, nband: int, seed: int) -> Tensor:
    """At least ``nband`` orthonormal orbitals for each k point, shape ``(nk, norbital, nfunction)``.

    In plane waves they are atomic ones and the lowest waves. Where the Hamiltonian is a small matrix its eigenvectors
    need no guess.
    """
    if not isinstance(basis, PlaneWaveBasis):
        return orthonormalise(basis.lowest_functions(nband, seed))
    atomic = atomic_orbitals(basis, ions)
    extra = max(nband - atomic.shape[1], 0) + nband // 2 + 2
    return orthonormalise(torch.cat([atomic, basis.lowest_functions(extra, seed)], dim=1))
