"""Orbitals in Gaussians that stay as they are, while potentials act on them and changes are added to them."""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.protocol import Basis
from mlxc.grid.fields import FieldKinds, Fields
from mlxc.utils.parallel import map_in_threads


class SteadyOrbitals:
    """See :class:`~mlxc.basis.protocol.SteadyOrbitals`.

    Args:
        basis: The basis.
        orbitals: The orbitals, shape ``(nk * nspin, nband, nfunction)``.
    """

    def __init__(self, basis: Basis, orbitals: Tensor) -> None:
        self._basis, self._orbitals = basis, orbitals

    def images(self, potential: EffectivePotential) -> Tensor:
        """See :class:`~mlxc.basis.protocol.SteadyOrbitals`."""
        basis, orbitals = self._basis, self._orbitals
        images = torch.zeros_like(orbitals)

        def act(block: tuple[int, slice]) -> None:
            spin, kpoints = block
            rows = basis.rows(spin, kpoints)
            basis.potential_operator(kpoints, spin, potential).add_to(images[rows], orbitals[rows])

        map_in_threads(act, basis.spin_blocks(len(orbitals) // basis.nkpoints))
        return images

    def field_changes(self, changes: Tensor, kinds: FieldKinds) -> Fields:
        """See :class:`~mlxc.basis.protocol.SteadyOrbitals`."""
        return self._basis.field_changes(self._orbitals, changes, kinds)
