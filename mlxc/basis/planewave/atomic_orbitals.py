"""The orbitals of free atoms as plane waves: where those of a crystal start."""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.basis.planewave.plane_wave_set import PlaneWaveSet
from mlxc.basis.planewave.projectors import angular_part, position_phases
from mlxc.pseudo.atom import free_atom
from mlxc.pseudo.ions import Ions


def atomic_orbitals(waves: PlaneWaveSet, ions: Ions) -> Tensor:
    """The occupied shells of all free atoms as plane waves, not orthonormal, shape ``(nk, norbital, nplanewave)``.

    Atoms whose pseudopotential does not say what its orbitals are have none.
    """
    lengths = waves.kplusg.norm(dim=-1)
    shapes: dict[str, Tensor] = {}
    for symbol, pseudopotential in ions.pseudopotentials.items():
        atom = free_atom(pseudopotential)
        none = torch.zeros((0, *waves.mask.shape), dtype=torch.complex128, device=waves.mask.device)
        shells = [
            angular_part(waves.kplusg, ell) * atom.orbital_form_factor(shell, lengths)
            for shell, ell in enumerate(atom.angular_momenta)
        ]
        shapes[symbol] = torch.cat([none, *shells]) * waves.mask / waves.grid.volume**0.5
    counts = [len(shapes[symbol]) for symbol in ions.species]
    orbitals = torch.empty(waves.nkpoints, sum(counts), waves.nplanewaves, dtype=torch.complex128, device=waves.device)
    for own, symbol, position in zip(orbitals.split(counts, dim=1), ions.species, ions.positions, strict=True):
        torch.mul(shapes[symbol].transpose(0, 1), position_phases(waves, position[None]), out=own)
    return orbitals
