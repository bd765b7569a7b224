"""The first-order change of orbitals outside the computed bands, by conjugate gradients.

R. M. Sternheimer, Phys. Rev. 96, 951 (1954); S. Baroni et al., Rev. Mod. Phys. 73, 515 (2001), section II.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import HamiltonianBlock, RealFunctions
from mlxc.kohn_sham.diagonalisation.orthonormal import inner_products, norms
from mlxc.response.known_space import KnownSpace

MAX_STEPS = 40
MAX_REFINEMENTS = 5
# As a share of the right-hand side, smaller residuals of a solution in single precision have rounding errors that
# matter.
SINGLE_REACH = 1e-4
# An imaginary part of a right-hand side that is smaller than so many units of its last place is one of rounding errors.
ROUNDING = 1e3


@dataclass(frozen=True)
class Solution:
    """The solution for one block of k points.

    Attributes:
        changes: The changes of the orbitals, shape ``(nrow, nband, nplanewave)``.
        left: The residuals that are left, in the range of Q, same shape.
        applications: The number of applications of H per band.
    """

    changes: Tensor
    left: Tensor
    applications: float


class SternheimerSolver:
    """Solves Q (H - e_n) Q y_n = right_n for all bands n of a block, where Q removes bands.

    Residuals are in double precision, corrections in single where H can be had in it, and each solution makes the next
    ones easier, see :mod:`mlxc.response.known_space`.

    Args:
        block: H of some k points.
        orbitals: psi_n, shape ``(nrow, nband, nplanewave)``, which set the scale of the preconditioner.
        eigenvalues: e_n, shape ``(nrow, nband)``, hartree, all below the lowest eigenvalue of QHQ.
        bands: Orthonormal eigenvectors of H, or zeros, shape ``(nrow, nremoved, nplanewave)``.

    Attributes:
        rows: The block's entries in the batch of all k points and spins.
        dtype: The type of corrections.
    """

    def __init__(self, block: HamiltonianBlock, orbitals: Tensor, eigenvalues: Tensor, bands: Tensor) -> None:
        self._exact, self._eigenvalues, self._removed = block, eigenvalues, bands
        working = block.in_single_precision() or block
        self._block, self.rows, self.dtype = working, block.rows, working.dtype
        self._orbitals, self._bands = orbitals.to(self.dtype), bands.to(self.dtype)
        self._energies = eigenvalues.to(self.dtype.to_real())
        self._known = KnownSpace(orbitals.shape[1])

    def solve(self, right: Tensor, start: Tensor, tolerance: float) -> Solution:
        """The solution in double precision.

        Args:
            right: The right-hand side, of which only what is in the range of Q counts, of the shape of the orbitals.
            start: A guess of the solution, same shape.
            tolerance: The tolerance of the residuals' norms.
        """
        changes, applications = remove_components(start, self._removed), 0.0
        left = right
        for _ in range(MAX_REFINEMENTS):
            if bool(changes.any()):
                image = self._exact.apply(changes) - self._eigenvalues[..., None] * changes
                left = right - remove_components(image, self._removed)
                applications += 1
            largest = float(_dot(left, left).max()) ** 0.5
            reach = tolerance if self.dtype == right.dtype else max(tolerance, SINGLE_REACH * largest)
            correction = self.correct(left, reach)
            # In single precision they are orthogonal to the bands only so far.
            changes = changes + remove_components(correction.changes.to(right.dtype), self._removed)
            left = correction.left
            applications += correction.applications
            if reach == tolerance:
                break
        return Solution(changes, left, applications)

    def correct(self, right: Tensor, tolerance: float) -> Solution:
        """The solution in the precision of corrections; arguments as for :meth:`solve`."""
        # Squares of small numbers are none in single precision.
        unit = float(_dot(right, right).max()) ** 0.5 or 1.0
        scaled = (right / unit).to(self.dtype)
        changes, image = self._known.solution(scaled, self._energies)
        residual = remove_components(scaled - image, self._bands)
        applications = self._descend(changes, residual, (tolerance / unit) ** 2)
        return Solution(unit * changes, unit * residual, applications)

    def _descend(self, changes: Tensor, residual: Tensor, enough: float) -> float:
        """Conjugate gradients on both in place, until squares of residuals are small; applications of H per band."""
        direction, slope = torch.zeros_like(residual), torch.ones_like(self._energies)
        directions: list[Tensor] = []
        images: list[Tensor] = []
        applications = 0.0
        for step in range(MAX_STEPS):
            squares = _dot(residual, residual)
            count = int((squares > enough).sum(1).max())
            if count == 0:
                break
            # Few bands need many steps; those that are solved are left alone.
            worst = squares.topk(count, dim=1).indices
            chosen = worst[..., None].expand(-1, -1, residual.shape[-1])
            r, energies = residual.gather(1, chosen), self._energies.gather(1, worst)
            conditioned = self._conditioned(r, self._orbitals.gather(1, chosen), energies)
            new_slope, old_slope = _dot(r, conditioned), slope.gather(1, worst)
            ratio = new_slope / old_slope.where(old_slope > 0, torch.inf) if step else torch.zeros_like(new_slope)
            d = conditioned + ratio[..., None] * direction.gather(1, chosen)
            image = remove_components(self._block.apply(d) - energies[..., None] * d, self._bands)
            curvature = _dot(d, image)
            # Where only rounding errors are left, they need not curve upwards.
            sound = (squares.gather(1, worst) > enough) & (curvature > 0)
            length = torch.where(sound, new_slope / curvature.where(sound, 1.0), 0.0)[..., None]
            changes.scatter_add_(1, chosen, length * d)
            residual.scatter_(1, chosen, r - length * image)
            direction.scatter_(1, chosen, d)
            slope.scatter_(1, worst, new_slope)
            applications += count / residual.shape[1]
            if not self._known.is_full:
                directions.append(d)
                images.append(image + energies[..., None] * d)
        self._known.learn(directions, images)
        return applications

    def _conditioned(self, residuals: Tensor, orbitals: Tensor, energies: Tensor) -> Tensor:
        conditioned = remove_components(self._block.precondition(residuals, orbitals), self._bands)
        return self._known.conjugate(conditioned, energies)


class RealSternheimerSolver:
    """The same for a k point with real functions: H is real there, and so is what it does to real vectors.

    A right-hand side that is not real, as of a current, is solved for its real and for its imaginary part.

    Args:
        solver: The solver for real vectors.
        functions: The functions that vectors stand for.

    Attributes:
        rows: The block's entries in the batch of all k points and spins.
        dtype: The type of corrections as orbitals.
    """

    def __init__(self, solver: SternheimerSolver, functions: RealFunctions) -> None:
        self._solver, self._functions = solver, functions
        self.rows, self.dtype = solver.rows, solver.dtype.to_complex()

    def solve(self, right: Tensor, start: Tensor, tolerance: float) -> Solution:
        """See :meth:`SternheimerSolver.solve`."""
        own, imaginary = self._parts(right)
        starts = self._functions.parts(start)
        real = self._solver.solve(own, starts[:, 0::2], tolerance)
        other = None if imaginary is None else self._solver.solve(imaginary, starts[:, 1::2], tolerance)
        return self._as_orbitals(real, other)

    def correct(self, right: Tensor, tolerance: float) -> Solution:
        """See :meth:`SternheimerSolver.correct`."""
        own, imaginary = self._parts(right)
        real = self._solver.correct(own, tolerance)
        return self._as_orbitals(real, None if imaginary is None else self._solver.correct(imaginary, tolerance))

    def _parts(self, right: Tensor) -> tuple[Tensor, Tensor | None]:
        parts = self._functions.parts(right)
        real, imaginary = parts[:, 0::2], parts[:, 1::2]
        negligible = ROUNDING * torch.finfo(right.dtype).eps * float(norms(parts).max())
        return real, imaginary if float(norms(imaginary).max()) > negligible else None

    def _as_orbitals(self, real: Solution, imaginary: Solution | None) -> Solution:
        changes, left = self._functions.as_orbitals(real.changes), self._functions.as_orbitals(real.left)
        if imaginary is None:
            return Solution(changes, left, real.applications)
        return Solution(
            changes + 1j * self._functions.as_orbitals(imaginary.changes),
            left + 1j * self._functions.as_orbitals(imaginary.left),
            real.applications + imaginary.applications,
        )


AnySternheimerSolver = SternheimerSolver | RealSternheimerSolver


def sternheimer_solver(
    block: HamiltonianBlock, orbitals: Tensor, eigenvalues: Tensor, bands: Tensor
) -> AnySternheimerSolver:
    """The solver for a block of k points, for real vectors where orbitals are real; see :class:`SternheimerSolver`."""
    real = block.with_real_orbitals()
    if real is None or not (real.functions.are_real(orbitals) and real.functions.are_real(bands)):
        return SternheimerSolver(block, orbitals, eigenvalues, bands)
    functions = real.functions
    solver = SternheimerSolver(real, functions.vectors(orbitals), eigenvalues, functions.vectors(bands))
    return RealSternheimerSolver(solver, functions)


def remove_components(vectors: Tensor, bands: Tensor) -> Tensor:
    """The vectors without their components along orthonormal bands; rows of zeros among the bands are harmless."""
    return vectors - inner_products(vectors, bands).conj() @ bands


def _dot(left: Tensor, right: Tensor) -> Tensor:
    """Re <left|right> of each vector, of their shape without the last axis."""
    if not left.is_complex():
        return (left * right).sum(-1)
    return (torch.view_as_real(left) * torch.view_as_real(right)).sum((-2, -1))
