"""The response of electrons that do not see each other: chi_0, and the same for what depends on the orbitals.

To first order a change dV of the potential changes the density by

    dn = sum_nm (f_n - f_m) / (e_n - e_m) <m|dV|n> psi_n* psi_m + sum_n 2 f_n Re psi_n* dpsi_n + occupations,

where n, m run over the bands that hold electrons and dpsi_n is the part of the change outside of them, from
Sternheimer's equation: S. de Gironcoli, Phys. Rev. B 51, 6773 (1995); E. Cances et al., Lett. Math. Phys. 113, 21
(2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import HamiltonianBlock
from mlxc.grid.fields import FieldKinds
from mlxc.kohn_sham.diagonalisation.orthonormal import inner_products
from mlxc.response.bands import Bands
from mlxc.response.sternheimer import Solution, remove_components, solve_sternheimer
from mlxc.utils.parallel import map_in_threads

# Relative size of rounding errors in what drives the orbitals.
ROUNDING = 1e-15
FIRST_ACCURACY = 1e-2


@dataclass(frozen=True)
class OrbitalSource:
    """Cotangents of a loss that does not depend on the choice of orbitals within degenerate levels.

    Attributes:
        orbitals: dL/d(psi), shape ``(nk * nspin, nband, nplanewave)``.
        electrons: dL/d(f), shape ``(nk * nspin, nband)``.
    """

    orbitals: Tensor
    electrons: Tensor


@dataclass(frozen=True)
class Response:
    """What came of a change.

    Attributes:
        fields: The change of the fields, Fourier coefficients ``(nfield, nspin, ngvector)``, symmetrised.
        changes: The changes of the orbitals outside the active bands, times electrons: where the next solution starts.
        applications: The number of applications of H to every band.
    """

    fields: Tensor
    changes: Tensor
    applications: float


class IndependentResponse:
    """chi_0 of a state.

    Args:
        bands: The bands around which the state is varied.
        source: The cotangents that act as a further perturbation, beside the potential.
    """

    def __init__(self, bands: Bands, source: OrbitalSource | None = None) -> None:
        # States that hold electrons come first; those above them only help to solve for the rest.
        self._count = int(bands.active.any(0).nonzero().max()) + 1
        self._bands = bands
        self._psi = bands.orbitals[:, : self._count].contiguous()
        self._removed = bands.orbitals * bands.active[..., None]
        self._source = source

    @property
    def kinds(self) -> FieldKinds:
        """The kinds of the fields that change."""
        return self._bands.problem.kinds

    def __call__(self, potential: Tensor, tolerance: float | None, start: Tensor | None) -> Response:
        """The change of the fields.

        Args:
            potential: The change of the effective potential, hartree, symmetric.
            tolerance: The tolerance of the residuals of Sternheimer's equations, in electrons times hartree times the
                unit of the potential; by default a hundredth of what drives them.
            start: The ``changes`` of a similar response.
        """
        bands, basis = self._bands, self._bands.problem.basis
        spin_blocks = basis.spin_blocks(bands.nspin)
        images = torch.zeros_like(self._psi)
        acting = bands.problem.potential_of(potential)

        def act(block: tuple[int, slice]) -> None:
            spin, kpoints = block
            rows = basis.rows(spin, kpoints)
            basis.potential_operator(kpoints, spin, acting).add_to(images[rows], self._psi[rows])

        map_in_threads(act, spin_blocks)
        elements = inner_products(bands.orbitals, images)
        driven = images * bands.electrons[:, : self._count, None]
        driven = driven + self._driven_by_source() if self._source is not None else driven
        within = self._within_bands(elements)
        right = -remove_components(driven, self._removed) * bands.active[:, : self._count, None]
        if tolerance is None:
            tolerance = FIRST_ACCURACY * float(right.norm(dim=-1).max())
        tolerance = max(tolerance, ROUNDING * float(driven.norm(dim=-1).max()))
        guess = self._guess(right) if start is None else start
        solutions = map_in_threads(lambda block: self._solve(block, right, guess, tolerance), bands.hamiltonian.blocks)
        changes = torch.cat([solution.changes for solution in solutions])
        fields = basis.grid.fourier(bands.problem.field_changes(self._psi, changes + within))
        symmetrised = bands.problem.symmetrised(fields)
        applications = sum(solution.applications * len(solution.changes) for solution in solutions) / len(self._psi)
        return Response(symmetrised, changes, applications)

    def _within_bands(self, elements: Tensor) -> Tensor:
        """Half of what the active bands admix to each other, and how their occupations change."""
        bands = self._bands
        elements = elements + self._elements_of_source() if self._source is not None else elements
        count = self._count
        diagonal = elements.diagonal(dim1=1, dim2=2).real
        shifts = torch.nn.functional.pad(diagonal, (0, bands.eigenvalues.shape[1] - diagonal.shape[1]))
        identity = torch.eye(elements.shape[1], count, dtype=elements.dtype, device=elements.device)
        shared = bands.shared_changes(shifts)[:, None, :count] * identity
        mixing = (bands.pairs[:, :, :count] * elements + shared) / 2
        return mixing.mT @ bands.orbitals

    def _driven_by_source(self) -> Tensor:
        assert self._source is not None
        return self._source.orbitals[:, : self._count] / (2 * self._bands.weights[..., None])

    def _elements_of_source(self) -> Tensor:
        """Matrix elements <m|A|n> of the operator that the cotangents stand for, 2 f_n A psi_n = dL/d(psi_n) / w."""
        assert self._source is not None
        bands, weights = self._bands, self._bands.weights
        overlaps = inner_products(bands.orbitals, self._source.orbitals)
        held = bands.electrons[:, :, None] + bands.electrons[:, None]
        held = held.where(held.abs() > 1e-300, 1e-300)  # states without electrons have no elements
        elements = (overlaps + overlaps.mH) / (2 * weights[..., None] * held)
        diagonal = (self._source.electrons / weights).to(elements.dtype)
        elements = elements - torch.diag_embed(elements.diagonal(dim1=1, dim2=2)) + torch.diag_embed(diagonal)
        return elements[:, :, : self._count]

    def _guess(self, right: Tensor) -> Tensor:
        """The solution within the bands that are computed but not active."""
        bands = self._bands
        gaps = bands.eigenvalues[:, :, None] - bands.eigenvalues[:, None, : self._count]
        idle = ~bands.active[:, :, None] & bands.active[:, None, : self._count] & (gaps > 0)
        components = inner_products(bands.orbitals, right) / gaps.where(idle, torch.inf)
        return components.mT @ bands.orbitals

    def _solve(self, block: HamiltonianBlock, right: Tensor, guess: Tensor, tolerance: float) -> Solution:
        rows, bands = block.rows, self._bands
        return solve_sternheimer(
            block, self._psi[rows], bands.eigenvalues[rows, : self._count], self._removed[rows], right[rows],
            guess[rows], tolerance,
        )  # fmt: skip
