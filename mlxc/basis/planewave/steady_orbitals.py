"""Orbitals in plane waves that stay as they are, while potentials act on them and changes are added to them."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.planewave import densities
from mlxc.basis.planewave.local_operator import LocalOperator
from mlxc.basis.planewave.plane_wave_set import PlaneWaveSet
from mlxc.grid.fields import TAU, FieldKinds, Fields
from mlxc.utils.parallel import map_in_threads

# In single precision, values of orbitals on the grid are kept up to this many bytes; a response uses them many times.
KEPT_BYTES = 256e6


class SteadyOrbitals:
    """See :class:`~mlxc.basis.protocol.SteadyOrbitals`.

    Args:
        waves: The plane waves of all k points.
        orbitals: The orbitals, shape ``(nk * nspin, nband, nplanewave)``.
    """

    def __init__(self, waves: PlaneWaveSet, orbitals: Tensor) -> None:
        self._waves, self._orbitals = waves, orbitals
        self._kept: dict[tuple[int, int], Tensor] = {}
        self._room = KEPT_BYTES if orbitals.dtype == torch.complex64 else 0.0

    def images(self, potential: EffectivePotential) -> Tensor:
        """See :class:`~mlxc.basis.protocol.SteadyOrbitals`."""
        waves, orbitals = self._waves, self._orbitals
        images = torch.zeros_like(orbitals)

        def act(block: tuple[int, slice]) -> None:
            spin, kpoints = block
            rows = waves.rows(spin, kpoints)
            operator = LocalOperator(waves, kpoints, spin, potential, orbitals.dtype)
            operator.add_to(images[rows], orbitals[rows], partial(self._on_grid, spin))

        map_in_threads(act, waves.spin_blocks(len(orbitals) // waves.nkpoints))
        return images

    def field_changes(self, changes: Tensor, kinds: FieldKinds) -> Fields:
        """See :class:`~mlxc.basis.protocol.SteadyOrbitals`."""
        tau = densities.kinetic_density_change(self._waves, self._orbitals, changes) if TAU in kinds else None
        return Fields(densities.density_change(self._waves, self._orbitals, changes, self._on_grid), tau=tau)

    def _on_grid(self, spin: int, kpoints: slice, bands: slice) -> Tensor:
        """The values of some orbitals of a spin on the grid, which are not to be changed."""
        rows = self._waves.rows(spin, kpoints)
        place = rows.start, bands.start
        if place in self._kept:
            return self._kept[place]
        values = self._waves.transform.to_grid(self._orbitals[rows, bands], kpoints)
        if (size := values.numel() * values.element_size()) <= self._room:
            self._room -= size
            self._kept[place] = values
        return values
