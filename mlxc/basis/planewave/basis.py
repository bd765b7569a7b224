"""Plane waves as a basis: orbitals as coefficients of exp(i(k+G).r) with kinetic energy below a cutoff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from math import prod, sqrt
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.planewave import densities
from mlxc.basis.planewave.atomic_orbitals import atomic_orbitals
from mlxc.basis.planewave.hamiltonian import PlaneWaveHamiltonian
from mlxc.basis.planewave.kinetic import KineticOperator
from mlxc.basis.planewave.local_operator import LocalOperator
from mlxc.basis.planewave.plane_wave_set import PlaneWaveSet
from mlxc.basis.planewave.projectors import NonlocalOperator, position_phases
from mlxc.basis.planewave.steady_orbitals import SteadyOrbitals
from mlxc.basis.protocol import Basis, OneElectronOperator
from mlxc.crystal.brillouin import KPoints
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.errors import InputError
from mlxc.grid.fields import TAU, FieldKinds, Fields
from mlxc.grid.grid import Grid
from mlxc.grid.shape import Shape, check_shape, choose_shape
from mlxc.pseudo.ions import Ions
from mlxc.pseudo.library import default_family


@dataclass(frozen=True)
class PlaneWaves:
    """Settings of a plane-wave basis.

    Attributes:
        ecut: The kinetic-energy cutoff, hartree.
        fft_grid: The points of the real-space grid; by default the smallest suitable grid on which every product of two
            orbitals is exact.
        cutoff_smoothing: The width, hartree, below the cutoff over which the kinetic energy rises to infinity, so that
            energies are smooth functions of the volume.
    """

    ecut: float
    fft_grid: Shape | None = None
    cutoff_smoothing: float = 0.0

    def symmetry(self, crystal: Crystal) -> SpaceGroup:
        """All of the crystal's space group, whether or not it maps the grid onto itself: densities are band-limited."""
        return SpaceGroup.of(crystal)

    def discretise(
        self, crystal: Crystal, kpoints: KPoints, group: SpaceGroup, device: torch.device | str = "cpu"
    ) -> PlaneWaveBasis:
        """The basis for one crystal and its k points."""
        return PlaneWaveBasis(self, crystal, kpoints, group, torch.device(device))

    def pseudopotential_family(self, crystal: Crystal) -> str:
        """See :func:`~mlxc.pseudo.library.default_family`."""
        return default_family(crystal.species)

    def with_grid(self, shape: Shape) -> PlaneWaves:
        """The same settings with this grid."""
        return replace(self, fft_grid=shape)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, from which :func:`~mlxc.basis.kinds.saved_settings` makes them again."""
        return asdict(self)


class PlaneWaveBasis(PlaneWaveSet):
    """The plane waves of a crystal, as :class:`~mlxc.basis.protocol.Basis` asks for them.

    Args:
        settings: The cutoff and the grid.
        crystal: The crystal.
        kpoints: The k points at which there are orbitals.
        group: The operations that the grid is to be mapped onto itself by.
        device: The device that tensors are on.
    """

    represents_densities = True
    gives_forces = True
    linear_dependence = None

    def __init__(
        self, settings: PlaneWaves, crystal: Crystal, kpoints: KPoints, group: SpaceGroup, device: torch.device
    ) -> None:
        self.settings = settings
        radius = 2 * sqrt(2 * settings.ecut)
        if settings.fft_grid is None:
            shape = choose_shape(crystal.lattice, radius, group.with_exchanges(crystal))
        else:
            shape = check_shape(settings.fft_grid, crystal.lattice, radius, group)
        lattice = torch.tensor(crystal.lattice, dtype=torch.float64, device=device)
        super().__init__(kpoints, Grid(lattice, shape, radius), settings.ecut, settings.cutoff_smoothing)

    def fields(self, orbitals: Tensor, electrons: Tensor, kinds: FieldKinds) -> Fields:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        tau = densities.kinetic_density(self, orbitals, electrons) if TAU in kinds else None
        return Fields(densities.density(self, orbitals, electrons), tau=tau)

    def field_changes(self, orbitals: Tensor, changes: Tensor, kinds: FieldKinds) -> Fields:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        tau = densities.kinetic_density_change(self, orbitals, changes) if TAU in kinds else None
        return Fields(densities.density_change(self, orbitals, changes), tau=tau)

    def steady(self, orbitals: Tensor) -> SteadyOrbitals:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return SteadyOrbitals(self, orbitals)

    def release(self) -> None:
        """See :class:`~mlxc.basis.protocol.Basis`; there is nothing that could be computed again."""

    def potential_operator(self, kpoints: slice, spin: int, potential: EffectivePotential) -> LocalOperator:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return LocalOperator(self, kpoints, spin, potential)

    def kinetic_operator(self) -> KineticOperator:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return KineticOperator(self)

    def nonlocal_operator(self, ions: Ions) -> NonlocalOperator:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return NonlocalOperator(self, ions)

    def hamiltonian(
        self, operators: Sequence[OneElectronOperator], potential: EffectivePotential
    ) -> PlaneWaveHamiltonian:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        own = [operator for operator in operators if isinstance(operator, (KineticOperator, NonlocalOperator))]
        assert len(own) == len(operators), "operators belong to the basis that made them"
        return PlaneWaveHamiltonian(self, own, potential)

    def starting_orbitals(self, ions: Ions, nband: int, seed: int) -> Tensor:
        """See :class:`~mlxc.basis.protocol.Basis`: orbitals of the free atoms and the lowest plane waves."""
        atomic = atomic_orbitals(self, ions)
        extra = max(nband - atomic.shape[1], 0) + nband // 2 + 2
        return torch.cat([atomic, self.lowest_functions(extra, seed)], dim=1)

    def band_count(self, occupied: int, preferred: int) -> int:
        """See :class:`~mlxc.basis.protocol.Basis`; the search space of the eigensolver needs room as well."""
        if 3 * preferred > int(self.mask.sum(1).min()):
            raise InputError(
                f"ecut_ha: {self.settings.ecut:g} hartree gives only {self.nplanewaves} plane waves for {preferred} "
                "bands; raise the cutoff."
            )
        return preferred

    def lowest_functions(self, count: int, seed: int) -> Tensor:
        """See :class:`~mlxc.basis.protocol.Basis`.

        A little noise keeps the start from having a symmetry that the ground state has not.
        """
        generator = torch.Generator().manual_seed(seed)
        shape = (self.nkpoints, count, self.nplanewaves)
        noise = torch.randn(shape, generator=generator, dtype=torch.complex128).to(self.device)
        waves = 0.02 * noise / (1 + self.kinetic[:, None, :]) ** 2
        waves.diagonal(dim1=1, dim2=2).add_(1)
        return waves * self.mask[:, None, :]

    def translated(self, orbitals: Tensor, translation: NDArray[np.float64]) -> Tensor:
        """psi(r - w) but for a phase, of orbitals ``(nk, nband, nplanewave)`` and a fractional translation w."""
        phases = torch.tensor(translation, dtype=torch.float64, device=self.device)
        return orbitals * position_phases(self, phases[None])

    def accepts(self, source: Basis) -> bool:
        """See :class:`~mlxc.basis.protocol.Basis`."""
        return isinstance(source, PlaneWaveBasis)

    def transfer(self, orbitals: Tensor, source: Basis) -> Tensor:
        """Orbitals of another volume's basis (same k points) in this one; coefficients of new plane waves are zero."""
        assert isinstance(source, PlaneWaveBasis)
        reach = torch.cat([self.miller.flatten(0, 1), source.miller.flatten(0, 1)]).abs().amax(0)
        sides = (2 * reach + 1).tolist()

        def position(miller: Tensor) -> Tensor:
            first, second, third = (miller + reach).unbind(-1)
            return (first * sides[1] + second) * sides[2] + third

        nspin, nband = len(orbitals) // source.nkpoints, orbitals.shape[1]
        old = position(source.miller).repeat(nspin, 1)[:, None].expand(-1, nband, -1)
        new = position(self.miller).repeat(nspin, 1)[:, None].expand(-1, nband, -1)
        box = orbitals.new_zeros(len(orbitals), nband, prod(sides))
        box.scatter_add_(2, old, orbitals * source.mask.repeat(nspin, 1)[:, None])
        return box.gather(2, new) * self.mask.repeat(nspin, 1)[:, None]
