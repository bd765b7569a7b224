"""The separable nonlocal pseudopotentials in plane waves, sum_a sum_lm sum_ij |p_ai> h_ij <p_aj|."""

from __future__ import annotations

from collections.abc import Callable
from math import pi

import torch
from torch import Tensor

from mlxc.basis.planewave.plane_wave_set import PlaneWaveSet
from mlxc.pseudo.harmonics import solid_harmonics
from mlxc.pseudo.ions import Ions
from mlxc.pseudo.protocol import Pseudopotential


class NonlocalOperator:
    """The nonlocal pseudopotentials of all ions.

    Args:
        waves: The plane waves of all k points.
        ions: The ions with their pseudopotentials.
    """

    def __init__(self, waves: PlaneWaveSet, ions: Ions) -> None:
        self._projectors, self._coupling = projectors(waves, ions)

    def expectation(self, orbitals: Tensor, electrons: Tensor) -> Tensor:
        """See :class:`~mlxc.basis.protocol.OneElectronOperator`."""
        nspin, coupling = len(orbitals) // len(self._projectors), self._coupling.to(self._projectors.dtype)
        energy = electrons.new_zeros(())
        for own, filled in zip(orbitals.chunk(nspin), electrons.chunk(nspin), strict=True):
            # The conjugate of the orbitals takes less memory than that of the projectors.
            overlaps = own.conj() @ self._projectors.mT
            weighted = filled.to(overlaps.dtype)
            energy = energy + torch.einsum("kb,kbp,pq,kbq->", weighted, overlaps, coupling, overlaps.conj()).real
        return energy

    def on_kpoints(self, kpoints: slice, dtype: torch.dtype = torch.complex128) -> Callable[[Tensor], Tensor]:
        """The operator on orbitals ``(nk, nband, nplanewave)`` of some k points and of a type."""
        projectors = self._projectors[kpoints].to(dtype)
        coupling = self._coupling.to(projectors.dtype)

        def apply(orbitals: Tensor) -> Tensor:
            overlaps = (orbitals.conj() @ projectors.mT).conj()
            return overlaps @ coupling.mT @ projectors

        return apply


def projectors(waves: PlaneWaveSet, ions: Ions) -> tuple[Tensor, Tensor]:
    """All projectors of the ions and their coupling.

    Returns:
        <k+G|p>, shape ``(nk, nprojector, nplanewave)``, zero on padding, and h_pq, shape ``(nprojector, nprojector)``,
        hartree.
    """
    columns = {symbol: _atom_projectors(waves, p) for symbol, p in ions.pseudopotentials.items()}
    blocks, couplings = [], []
    for symbol, position in zip(ions.species, ions.positions, strict=True):
        form, coupling = columns[symbol]
        blocks.append(form * position_phases(waves, position)[:, None, :])
        couplings.append(coupling)
    return torch.cat(blocks, dim=1), torch.block_diag(*couplings).to(waves.device)


def position_phases(waves: PlaneWaveSet, position: Tensor) -> Tensor:
    """exp(-iG.R) for an atom at a fractional position, shape ``(nk, nplanewave)``."""
    return torch.exp(-2j * pi * (waves.miller.double() @ position))


def _atom_projectors(waves: PlaneWaveSet, pseudopotential: Pseudopotential) -> tuple[Tensor, Tensor]:
    """Projectors of one atom at the origin, shape ``(nk, nprojector, nplanewave)``, and their coupling."""
    forms: list[Tensor] = []
    couplings: list[Tensor] = []
    for angular_momentum, coupling in enumerate(pseudopotential.channels):
        harmonics = angular_part(waves.kplusg, angular_momentum)
        q = waves.kplusg.norm(dim=-1)
        radial = [pseudopotential.projector_form_factor(angular_momentum, i, q) for i in range(len(coupling))]
        for harmonic in harmonics:
            forms.extend(harmonic * r for r in radial)
            couplings.append(coupling)
    if not forms:
        return waves.kinetic.new_zeros(waves.nkpoints, 0, waves.nplanewaves, dtype=torch.complex128), torch.zeros(0, 0)
    stacked = torch.stack(forms, dim=1) * waves.mask[:, None, :] / waves.grid.volume**0.5
    return stacked, torch.block_diag(*couplings)


def angular_part(kplusg: Tensor, angular_momentum: int) -> Tensor:
    """(-i)^l Y_lm of the direction of k+G, shape ``(2 l + 1, nk, nplanewave)``; zero for k+G = 0 unless l = 0."""
    directions = torch.nn.functional.normalize(kplusg, dim=-1, eps=1e-10)
    return (-1j) ** angular_momentum * solid_harmonics(angular_momentum, directions)
