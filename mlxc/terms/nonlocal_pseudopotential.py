"""The electrons' energy in the separable nonlocal part of the pseudopotentials.

E = sum_n f_n sum_a sum_lm sum_ij <psi_n|p_ai> h_ij <p_aj|psi_n>.
"""

from __future__ import annotations

from math import pi
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mlxc.pseudo.harmonics import solid_harmonics
from mlxc.pseudo.ions import Ions
from mlxc.pseudo.protocol import Pseudopotential

if TYPE_CHECKING:
    from mlxc.basis.planewave.basis import PlaneWaveBasis


def projectors(basis: PlaneWaveBasis, ions: Ions) -> tuple[Tensor, Tensor]:
    """All projectors of the ions and their coupling.

    Returns:
        <k+G|p>, shape ``(nk, nprojector, nplanewave)``, zero on padding, and h_pq, shape ``(nprojector, nprojector)``,
        hartree.
    """
    columns = {symbol: _atom_projectors(basis, p) for symbol, p in ions.pseudopotentials.items()}
    blocks, couplings = [], []
    for symbol, position in zip(ions.species, ions.positions, strict=True):
        form, coupling = columns[symbol]
        blocks.append(form * position_phases(basis, position)[:, None, :])
        couplings.append(coupling)
    return torch.cat(blocks, dim=1), torch.block_diag(*couplings).to(basis.device)


def position_phases(basis: PlaneWaveBasis, position: Tensor) -> Tensor:
    """exp(-iG.R) for an atom at a fractional position, shape ``(nk, nplanewave)``."""
    return torch.exp(-2j * pi * (basis.miller.double() @ position))


def _atom_projectors(basis: PlaneWaveBasis, pseudopotential: Pseudopotential) -> tuple[Tensor, Tensor]:
    """Projectors of one atom at the origin, shape ``(nk, nprojector, nplanewave)``, and their coupling."""
    forms: list[Tensor] = []
    couplings: list[Tensor] = []
    for angular_momentum, coupling in enumerate(pseudopotential.channels):
        harmonics = angular_part(basis.kplusg, angular_momentum)
        q = basis.kplusg.norm(dim=-1)
        radial = [pseudopotential.projector_form_factor(angular_momentum, i, q) for i in range(len(coupling))]
        for harmonic in harmonics:
            forms.extend(harmonic * r for r in radial)
            couplings.append(coupling)
    if not forms:
        return basis.kinetic.new_zeros(basis.nkpoints, 0, basis.nplanewaves, dtype=torch.complex128), torch.zeros(0, 0)
    stacked = torch.stack(forms, dim=1) * basis.mask[:, None, :] / basis.grid.volume**0.5
    return stacked, torch.block_diag(*couplings)


def angular_part(kplusg: Tensor, angular_momentum: int) -> Tensor:
    """(-i)^l Y_lm of the direction of k+G, shape ``(2 l + 1, nk, nplanewave)``; zero for k+G = 0 unless l = 0."""
    directions = torch.nn.functional.normalize(kplusg, dim=-1, eps=1e-10)
    return (-1j) ** angular_momentum * solid_harmonics(angular_momentum, directions)


def nonlocal_energy(orbitals: Tensor, electrons: Tensor, projectors: Tensor, coupling: Tensor) -> Tensor:
    """Nonlocal energy per cell, hartree.

    Args:
        orbitals: shape ``(nk * nspin, nband, nplanewave)``.
        electrons: occupation times k-point weight, shape ``(nk * nspin, nband)``.
        projectors: shape ``(nk, nprojector, nplanewave)``.
        coupling: shape ``(nprojector, nprojector)``, hartree.
    """
    nspin = len(orbitals) // len(projectors)
    overlaps = orbitals @ projectors.repeat(nspin, 1, 1).mH
    return torch.einsum(
        "kb,kbp,pq,kbq->", electrons.to(overlaps.dtype), overlaps.conj(), coupling.to(overlaps.dtype), overlaps
    ).real
