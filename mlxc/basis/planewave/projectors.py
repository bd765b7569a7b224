"""The separable nonlocal pseudopotentials in plane waves, sum_a sum_lm sum_ij |p_ai> h_ij <p_aj|.

The projectors of an ion are those of its element at the origin times the phases of its position,
exp(-i(k+G).R) <k+G|p>. A large cell keeps these factors. It multiplies them for a few ions at a time, or in single
precision for as long as orbitals are improved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import pi
from typing import Protocol

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from mlxc.basis.planewave.memory import HELD_BYTES, MANY_PROJECTORS, WORKSPACE_BYTES
from mlxc.basis.planewave.plane_wave_set import PlaneWaveSet
from mlxc.basis.planewave.real_functions import RealFunctions
from mlxc.pseudo.harmonics import solid_harmonics
from mlxc.pseudo.ions import Ions
from mlxc.pseudo.protocol import Pseudopotential
from mlxc.utils.parallel import map_in_threads


class NonlocalOperator:
    """The nonlocal pseudopotentials of all ions.

    Args:
        waves: The plane waves of all k points.
        ions: The ions with their pseudopotentials.
    """

    def __init__(self, waves: PlaneWaveSet, ions: Ions) -> None:
        elements = [
            FactorisedProjectors.of(waves, pseudopotential, ions.positions_of(symbol))
            for symbol, pseudopotential in ions.pseudopotentials.items()
        ]
        many = sum(element.count for element in elements) > MANY_PROJECTORS
        self._parts: Sequence[Projectors] = elements if many else [HeldProjectors.of(elements)]
        self._waves = waves

    def expectation(self, orbitals: Tensor, electrons: Tensor) -> Tensor:
        """See :class:`~mlxc.basis.protocol.OneElectronOperator`."""
        nspin = len(orbitals) // self._waves.nkpoints
        if not torch.is_grad_enabled():
            blocks = self._waves.spin_blocks(nspin)
            return torch.stack(map_in_threads(partial(self._expectation_of, orbitals, electrons), blocks)).sum()
        energy = electrons.new_zeros(())
        for own, filled in zip(orbitals.chunk(nspin), electrons.chunk(nspin), strict=True):
            # The conjugate of the orbitals takes less memory than that of the projectors.
            conjugate = own.conj().resolve_conj()
            for part in self._parts:
                energy = energy + part.expectation(conjugate, filled)
        return energy

    def _expectation_of(self, orbitals: Tensor, electrons: Tensor, block: tuple[int, slice]) -> Tensor:
        """What some k points of one spin add to the expectation value: as a number, which has no derivative."""
        spin, kpoints = block
        rows = self._waves.rows(spin, kpoints)
        own, functions = orbitals[rows], self._waves.real_functions(kpoints)
        if functions is not None and functions.are_real(own):
            own = functions.vectors(own)
            parts = [part.on_real_functions(kpoints, functions, own.dtype) for part in self._parts]
        else:
            own, parts = own.conj().resolve_conj(), [part.on_kpoints(kpoints, own.dtype) for part in self._parts]
        return torch.stack([part.expectation(own, electrons[rows]) for part in parts]).sum()

    def on_kpoints(self, kpoints: slice, dtype: torch.dtype = torch.complex128) -> Callable[[Tensor], Tensor]:
        """The operator on orbitals ``(nk, nband, nplanewave)`` of some k points and of a type."""
        return partial(_sum_of_images, [part.on_kpoints(kpoints, dtype) for part in self._parts])

    def on_real_functions(
        self, kpoint: slice, functions: RealFunctions, dtype: torch.dtype = torch.float64
    ) -> Callable[[Tensor], Tensor]:
        """The operator on real vectors of a type, at a k point where projectors are real functions."""
        return partial(_sum_of_images, [part.on_real_functions(kpoint, functions, dtype) for part in self._parts])


def _sum_of_images(parts: Sequence[Projectors], orbitals: Tensor) -> Tensor:
    conjugate = orbitals.conj().resolve_conj()
    first, *others = parts
    result = first.image(conjugate)
    for part in others:
        result += part.image(conjugate)
    return result


class Projectors(Protocol):
    """The projectors of some ions."""

    def on_kpoints(self, kpoints: slice, dtype: torch.dtype) -> Projectors:
        """Those of some k points, of a type."""
        ...

    def on_real_functions(self, kpoint: slice, functions: RealFunctions, dtype: torch.dtype) -> Projectors:
        """Those of a k point as real vectors, of a type."""
        ...

    def image(self, conjugate: Tensor) -> Tensor:
        """What becomes of orbitals ``(nk, nband, nplanewave)``, whose conjugates are given."""
        ...

    def expectation(self, conjugate: Tensor, electrons: Tensor) -> Tensor:
        """The energy of orbitals, whose conjugates are given, and of the electrons in them ``(nk, nband)``, hartree."""
        ...


@dataclass(frozen=True)
class HeldProjectors:
    """Projectors of few ions, as they are.

    Attributes:
        values: <k+G|p>, shape ``(nk, nprojector, nplanewave)``, zero on padding.
        coupling: h_pq, shape ``(nprojector, nprojector)``, hartree.
    """

    values: Tensor
    coupling: Tensor

    @classmethod
    def of(cls, elements: Sequence[FactorisedProjectors]) -> HeldProjectors:
        """The projectors of all ions of some elements."""
        couplings = [element.coupling for element in elements for _ in range(element.phases.shape[1])]
        values = torch.cat([element.products() for element in elements], dim=1)
        return cls(values, torch.block_diag(*couplings))

    def on_kpoints(self, kpoints: slice, dtype: torch.dtype) -> HeldProjectors:
        """See :class:`Projectors`."""
        return HeldProjectors(self.values[kpoints].to(dtype), self.coupling.to(dtype))

    def on_real_functions(self, kpoint: slice, functions: RealFunctions, dtype: torch.dtype) -> HeldProjectors:
        """See :class:`Projectors`."""
        return HeldProjectors(functions.vectors(self.values[kpoint]).to(dtype), self.coupling.to(dtype))

    def image(self, conjugate: Tensor) -> Tensor:
        """See :class:`Projectors`."""
        return (conjugate @ self.values.mT).conj() @ self.coupling.mT @ self.values

    def expectation(self, conjugate: Tensor, electrons: Tensor) -> Tensor:
        """See :class:`Projectors`."""
        return _energy(self.values, self.coupling, conjugate, electrons)


@dataclass(frozen=True)
class FactorisedProjectors:
    """Projectors of the ions of one element.

    Attributes:
        forms: <k+G|p> of an ion at the origin, shape ``(nk, nprojector, nplanewave)``, zero on padding.
        coupling: h_pq of an ion, shape ``(nprojector, nprojector)``, hartree.
        phases: exp(-i(k+G).R) of each ion, shape ``(nk, nion, nplanewave)``.
        as_real: Whether the real and imaginary parts of the products are the components of real vectors.
    """

    forms: Tensor
    coupling: Tensor
    phases: Tensor
    as_real: bool = False

    @classmethod
    def of(cls, waves: PlaneWaveSet, pseudopotential: Pseudopotential, positions: Tensor) -> FactorisedProjectors:
        """Those of an element, whose ions have fractional positions ``(nion, 3)``."""
        forms, coupling = _at_the_origin(waves, pseudopotential)
        return cls(forms, coupling, position_phases(waves, positions))

    @property
    def count(self) -> int:
        """The number of projectors of all ions."""
        return self.phases.shape[1] * self.forms.shape[1]

    def products(self) -> Tensor:
        """<k+G|p> of all ions, shape ``(nk, nion * nprojector, nplanewave)``."""
        return self._products(self.phases)

    def on_kpoints(self, kpoints: slice, dtype: torch.dtype) -> Projectors:
        """See :class:`Projectors`."""
        forms, phases = self.forms[kpoints].to(dtype), self.phases[kpoints].to(dtype)
        return FactorisedProjectors(forms, self.coupling.to(dtype), phases)._held_if_single()

    def on_real_functions(self, kpoint: slice, functions: RealFunctions, dtype: torch.dtype) -> Projectors:
        """See :class:`Projectors`."""
        forms, phases = functions.half_of(self.forms[kpoint]), self.phases[kpoint][..., functions.half]
        forms, phases = forms.to(dtype.to_complex()), phases.to(dtype.to_complex())
        return FactorisedProjectors(forms, self.coupling.to(dtype), phases, as_real=True)._held_if_single()

    def _held_if_single(self) -> Projectors:
        few = self.forms.nbytes * self.phases.shape[1] < HELD_BYTES
        return HeldProjectors.of([self]) if self.forms.dtype == torch.complex64 and few else self

    def image(self, conjugate: Tensor) -> Tensor:
        """See :class:`Projectors`."""
        result = torch.zeros_like(conjugate)
        for phases in self._portions():
            products = self._products(phases)
            overlaps = (conjugate @ products.mT).conj()
            result.baddbmm_(_coupled(overlaps, self.coupling), products)
        return result

    def expectation(self, conjugate: Tensor, electrons: Tensor) -> Tensor:
        """See :class:`Projectors`; a derivative makes the products again, in the place of keeping all of them."""

        def energy(phases: Tensor) -> Tensor:
            return _energy(self._products(phases), self.coupling, conjugate, electrons)

        energies = [
            checkpoint(energy, phases, use_reentrant=False, preserve_rng_state=False) for phases in self._portions()
        ]
        return torch.stack(energies).sum()

    def _portions(self) -> tuple[Tensor, ...]:
        """The phases of the ions whose products are made at the same time."""
        bytes_of_an_ion = max(1, self.forms.nbytes)
        return self.phases.split(max(1, int(WORKSPACE_BYTES / bytes_of_an_ion)), dim=1)

    def _products(self, phases: Tensor) -> Tensor:
        products = (phases[:, :, None] * self.forms[:, None]).flatten(1, 2)
        return torch.view_as_real(products).flatten(2) if self.as_real else products


def _coupled(overlaps: Tensor, coupling: Tensor) -> Tensor:
    """Sums over q of h_pq <p_q|psi>, shape ``(nk, nband, nprojector)``, of ions with the same coupling."""
    nion = overlaps.shape[-1] // max(1, len(coupling))
    return (overlaps.unflatten(-1, (nion, len(coupling))) @ coupling.mT).flatten(-2)


def _energy(projectors: Tensor, coupling: Tensor, conjugate: Tensor, electrons: Tensor) -> Tensor:
    overlaps = conjugate @ projectors.mT
    coupled = _coupled(overlaps, coupling.to(overlaps.dtype))
    return ((overlaps.conj() * coupled).real.sum(-1) * electrons).sum()


def position_phases(waves: PlaneWaveSet, positions: Tensor) -> Tensor:
    """exp(-i(k+G).R) for atoms at fractional positions ``(natom, 3)``, shape ``(nk, natom, nplanewave)``."""
    return torch.exp(-2j * pi * (positions @ (waves.miller + waves.fractional[:, None]).mT))


def _at_the_origin(waves: PlaneWaveSet, pseudopotential: Pseudopotential) -> tuple[Tensor, Tensor]:
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
        none = waves.kinetic.new_zeros(waves.nkpoints, 0, waves.nplanewaves, dtype=torch.complex128)
        return none, waves.kinetic.new_zeros(0, 0)
    stacked = torch.stack(forms, dim=1) * waves.mask[:, None, :] / waves.grid.volume**0.5
    return stacked, torch.block_diag(*couplings).to(waves.device)


def angular_part(kplusg: Tensor, angular_momentum: int) -> Tensor:
    """(-i)^l Y_lm of the direction of k+G, shape ``(2 l + 1, nk, nplanewave)``; zero for k+G = 0 unless l = 0."""
    directions = torch.nn.functional.normalize(kplusg, dim=-1, eps=1e-10)
    return (-1j) ** angular_momentum * solid_harmonics(angular_momentum, directions)
