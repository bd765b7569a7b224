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

from mlxc.grid.fields import FieldKinds
from mlxc.kohn_sham.diagonalisation.orthonormal import inner_products, norms
from mlxc.response.bands import Bands
from mlxc.response.sternheimer import AnySternheimerSolver, Solution, remove_components
from mlxc.utils.parallel import map_in_threads

# Relative size of rounding errors in what drives the orbitals.
ROUNDING = 1e-15
# Residuals of the first solution of Sternheimer's equations, as a share of what drives them: later ones make up for it.
FIRST_ACCURACY = 3e-2


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
        left: What is left of Sternheimer's equations, in the precision of corrections.
        exact: Whether nothing but ``left`` is missing; else there are rounding errors of single precision as well.
        applications: The number of applications of H to every band.
    """

    fields: Tensor
    changes: Tensor
    left: Tensor
    exact: bool
    applications: float


class _View:
    """Orbitals of some bands in one precision.

    Args:
        bands: The bands.
        dtype: The type of the orbitals.

    Attributes:
        orbitals: All orbitals.
        psi: Those that hold electrons.
        steady: The same, for what potentials do to them.
    """

    def __init__(self, bands: Bands, dtype: torch.dtype) -> None:
        self.orbitals = bands.orbitals.to(dtype)
        self.psi = self.orbitals[:, : bands.count].contiguous()
        self.steady = bands.problem.basis.steady(self.psi)


class IndependentResponse:
    """chi_0 of a state.

    A response is exact, but for a tolerance, or it is the sum of corrections that may be in single precision: each of
    them with an error that is small beside itself.

    Args:
        bands: The bands around which the state is varied.
        source: The cotangents that act as a further perturbation, beside the potential.
    """

    def __init__(self, bands: Bands, source: OrbitalSource | None = None) -> None:
        self._bands, self._source = bands, source
        self._exact = _View(bands, bands.orbitals.dtype)
        precision = bands.solvers[0].dtype
        self._working = self._exact if precision == bands.orbitals.dtype else _View(bands, precision)

    @property
    def kinds(self) -> FieldKinds:
        """The kinds of the fields that change."""
        return self._bands.problem.kinds

    @property
    def in_single_precision(self) -> bool:
        """Whether corrections are."""
        return self._working is not self._exact

    def __call__(self, potential: Tensor, tolerance: float, start: Tensor | None = None) -> Response:
        """The change of the fields.

        Args:
            potential: The change of the effective potential, hartree, symmetric.
            tolerance: The tolerance of the residuals of Sternheimer's equations, in electrons times hartree times the
                unit of the potential.
            start: The ``changes`` of a similar response.
        """
        right, elements = self._driven(self._exact, potential, whole=True)
        tolerance = max(tolerance, ROUNDING * float(norms(right).max()))
        right = remove_components(right, self._bands.removed)
        guess = torch.zeros_like(right) if start is None else start

        def solve(solver: AnySternheimerSolver) -> Solution:
            return solver.solve(right[solver.rows], guess[solver.rows], tolerance)

        changes, left, applications = self._joined(map_in_threads(solve, self._bands.solvers))
        fields = self._fields(self._exact, changes, elements)
        return Response(fields, changes, left, True, applications)

    def first(self, potential: Tensor) -> Response:
        """A response in the precision of corrections, to a few hundredths of what drives it; see :meth:`__call__`."""
        right, elements = self._driven(self._working, potential, whole=True)
        return self._corrected(right, elements, FIRST_ACCURACY * float(norms(right).max()))

    def further(self, potential: Tensor, tolerance: float, before: Response) -> Response:
        """The response after a further change of the potential.

        Args:
            potential: The further change of the effective potential, hartree, symmetric.
            tolerance: The tolerance of the residuals of Sternheimer's equations.
            before: The response to what has changed before.
        """
        right, elements = self._driven(self._working, potential, whole=False)
        more = self._corrected(before.left + right, elements, tolerance)
        fields, changes = before.fields + more.fields, before.changes + more.changes
        return Response(fields, changes, more.left, before.exact and more.exact, more.applications)

    def _corrected(self, right: Tensor, elements: Tensor, tolerance: float) -> Response:
        def solve(solver: AnySternheimerSolver) -> Solution:
            return solver.correct(right[solver.rows], tolerance)

        changes, left, applications = self._joined(map_in_threads(solve, self._bands.solvers))
        fields = self._fields(self._working, changes, elements)
        # A sum of many corrections is exact.
        changes = changes.to(self._exact.psi.dtype)
        return Response(fields, changes, left, not self.in_single_precision, applications)

    def _driven(self, view: _View, potential: Tensor, whole: bool) -> tuple[Tensor, Tensor]:
        """The right-hand sides of Sternheimer's equations, and <m|dV|n>; as a whole with what the source asks."""
        bands, count = self._bands, self._bands.count
        images = view.steady.images(bands.problem.potential_of(potential))
        elements = inner_products(view.orbitals, images).to(bands.orbitals.dtype)
        driven = images * bands.electrons[:, :count, None].to(images.real.dtype)
        if whole and self._source is not None:
            driven = driven + (self._source.orbitals[:, :count] / (2 * bands.weights[..., None])).to(images.dtype)
            elements = elements + self._elements_of_source()
        return -driven * bands.active[:, :count, None], elements

    def _joined(self, solutions: list[Solution]) -> tuple[Tensor, Tensor, float]:
        """The solutions of all blocks: changes of orbitals, what is left, and the number of applications of H."""
        changes, left = (torch.cat(parts) for parts in zip(*((s.changes, s.left) for s in solutions), strict=True))
        return changes, left, sum(s.applications * len(s.changes) for s in solutions) / len(changes)

    def _fields(self, view: _View, changes: Tensor, elements: Tensor) -> Tensor:
        """The symmetrised changes of the fields of all spins, Fourier coefficients."""
        problem, spins = self._bands.problem, self._bands.spins
        within = self._mixing(elements).mT.to(changes.dtype) @ view.orbitals
        changed = view.steady.field_changes(changes + within, problem.kinds).stacked()
        changed = changed if spins is None else spins.both(changed)
        return problem.symmetrised(problem.basis.grid.fourier(changed))

    def _mixing(self, elements: Tensor) -> Tensor:
        """Half of what the active bands admix to each other, and how their occupations change."""
        bands, count = self._bands, self._bands.count
        diagonal = elements.diagonal(dim1=1, dim2=2).real
        shifts = torch.nn.functional.pad(diagonal, (0, bands.eigenvalues.shape[1] - diagonal.shape[1]))
        identity = torch.eye(elements.shape[1], count, dtype=elements.dtype, device=elements.device)
        shared = bands.shared_changes(shifts)[:, None, :count] * identity
        return (bands.pairs[:, :, :count] * elements + shared) / 2

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
        return elements[:, :, : bands.count]
