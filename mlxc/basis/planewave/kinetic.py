"""The kinetic energy of plane waves, and the operator that it is in the Hamiltonian."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mlxc.basis.planewave.plane_wave_set import PlaneWaveSet
from mlxc.basis.planewave.real_functions import RealFunctions


class KineticOperator:
    """-nabla^2 / 2, which is diagonal in plane waves.

    Args:
        waves: The plane waves of all k points, with their kinetic energies.
    """

    def __init__(self, waves: PlaneWaveSet) -> None:
        self._waves = waves

    def expectation(self, orbitals: Tensor, electrons: Tensor) -> Tensor:
        """See :class:`~mlxc.basis.protocol.OneElectronOperator`."""
        energies = self._waves.kinetic.repeat(len(orbitals) // self._waves.nkpoints, 1)
        return torch.einsum("kb,kbg,kg->", electrons, torch.view_as_real(orbitals).square().sum(-1), energies)

    def on_kpoints(self, kpoints: slice, dtype: torch.dtype = torch.complex128) -> Callable[[Tensor], Tensor]:
        """The operator on orbitals ``(nk, nband, nplanewave)`` of some k points and of a type."""
        kinetic = self._waves.kinetic[kpoints].where(self._waves.mask[kpoints], 0.0)[:, None, :].to(dtype.to_real())
        return lambda orbitals: orbitals * kinetic

    def on_real_functions(
        self, kpoint: slice, functions: RealFunctions, dtype: torch.dtype = torch.float64
    ) -> Callable[[Tensor], Tensor]:
        """The operator on real vectors of a type, at a k point that has real functions."""
        kinetic = self._waves.kinetic[kpoint, None, functions.half].repeat_interleave(2, dim=-1).to(dtype)
        return lambda vectors: vectors * kinetic


class KineticPreconditioner:
    """The preconditioner of Teter, Payne and Allan, Phys. Rev. B 40, 12255 (1989), equation 5.16.

    Args:
        kinetic: The kinetic energies of plane waves, hartree, shape ``(nk, nplanewave)``.
        mask: False where a plane wave is only padding, same shape.
    """

    def __init__(self, kinetic: Tensor, mask: Tensor) -> None:
        self._kinetic = kinetic.where(mask, 0.0)
        self._kinetic_of_parts = self._kinetic.repeat_interleave(2, dim=-1)[..., None]
        self._mask = mask

    def __call__(self, residuals: Tensor, orbitals: Tensor) -> Tensor:
        """Damp plane waves whose kinetic energy is large compared with that of the orbital."""
        own = torch.view_as_real(orbitals).flatten(2).square() @ self._kinetic_of_parts
        x = self._kinetic[:, None, :] / (own + 1e-8)
        squares = x * x
        numerator = 27 + 18 * x + squares * (12 + 8 * x)
        return residuals * (numerator / (numerator + 16 * squares * squares) * self._mask[:, None, :])
