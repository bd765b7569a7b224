"""The search space of Davidson's method: orbitals in double precision, and corrections to them that may be in single.

Orbitals psi with Ritz values e are the first vectors of the space, and of H psi only the residual H psi - e psi is
kept: it is small where the orbitals are good, and so is what rounding takes of it. Corrections are orthogonal to the
orbitals, so that the residuals have the same products with them as H psi. In the best combination of both, residuals
and corrections are multiplied by small numbers, or are small themselves: single precision costs a share of something
small, never of the orbitals.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import HamiltonianBlock
from mlxc.kohn_sham.diagonalisation.orthonormal import complement, inner_products, is_left_out, norms, orthonormalise


class GrowingRows:
    """Vectors to which others are added, where there is room for them: nothing is copied then.

    Args:
        rows: The first ones, shape ``(nrow, nvector, nplanewave)``.
        room: The number of vectors that there is room for, if the first ones are not more.
        dtype: The type in which they are kept.
    """

    def __init__(self, rows: Tensor, room: int, dtype: torch.dtype) -> None:
        nrow, self.count, nfunction = rows.shape
        self._held = torch.empty(nrow, max(room, self.count), nfunction, dtype=dtype, device=rows.device)
        self.rows[:] = rows

    @property
    def rows(self) -> Tensor:
        """The vectors, shape ``(nrow, nvector, nplanewave)``."""
        return self._held[:, : self.count]

    def append(self, more: Tensor) -> None:
        """Add vectors of the shape and the type of those that are there."""
        start, self.count = self.count, self.count + more.shape[1]
        if self.count > self._held.shape[1]:
            self._held = torch.cat([self._held[:, :start], more], dim=1)
        else:
            self._held[:, start : self.count] = more


class SearchSpace:
    """Orbitals of some k points, and corrections to them.

    Args:
        hamiltonian: H in the precision in which it is applied to the guess.
        working: H in the precision of the corrections, no higher one.
        guess: Orthonormal orbitals in double precision, shape ``(nrow, nguess, nplanewave)``.
        nband: The number of lowest states that are wanted.
        room: The largest number of vectors that it is meant to hold.

    Attributes:
        room: The largest number of vectors that it is meant to hold, as given.
        eigenvalues: The lowest Ritz values, shape ``(nrow, nband)``, hartree.
        residuals: H psi - e psi of the lowest Ritz vectors, shape ``(nrow, nband, nplanewave)``, as the corrections.
    """

    def __init__(
        self, hamiltonian: HamiltonianBlock, working: HamiltonianBlock, guess: Tensor, nband: int, room: int
    ) -> None:
        self._hamiltonian, self._nband, self.room = working, nband, room
        rounded = guess.to(hamiltonian.dtype)
        images = hamiltonian.apply(rounded)
        energies, combinations = torch.linalg.eigh(inner_products(rounded, images).to(guess.dtype))
        # There may be many vectors in a guess: of no array of their size there is one more than needed.
        del rounded
        orbitals, images = combinations.mT @ guess, combinations.mT.to(images.dtype) @ images
        images.addcmul_(energies[..., None].to(images.dtype), orbitals.to(images.dtype), value=-1)
        self._precision = working.dtype
        self._begin(orbitals, images, energies)
        self.eigenvalues, self.residuals = energies[:, :nband], self._images.rows[:, :nband]
        identity = torch.eye(orbitals.shape[1], dtype=orbitals.dtype, device=orbitals.device)
        self._coefficients = identity[:nband].expand(len(orbitals), -1, -1)

    def _begin(self, orbitals: Tensor, residuals: Tensor, energies: Tensor) -> None:
        """A space of orbitals alone."""
        self._orbitals = orbitals
        self._vectors = GrowingRows(orbitals, self.room, self._precision)
        self._images = GrowingRows(residuals, self.room, self._precision)
        # What the images lack: H v is the image and so much times v.
        self._known = energies
        self._projected = torch.diag_embed(energies).to(orbitals.dtype)

    @property
    def size(self) -> int:
        """The number of its vectors."""
        return self._vectors.count

    @property
    def norms(self) -> Tensor:
        """The norms of the residuals, hartree, shape ``(nrow, nband)``, in double precision."""
        return norms(self.residuals).double()

    @property
    def orbitals(self) -> Tensor:
        """The lowest Ritz vectors in double precision, shape ``(nrow, nband, nplanewave)``."""
        many = self._orbitals.shape[1]
        result = self._coefficients[..., :many] @ self._orbitals
        if self.size > many:
            corrections = self._coefficients[..., many:].to(self._precision) @ self._vectors.rows[:, many:]
            result += corrections
        # The corrections are orthogonal to the orbitals as far as single precision goes.
        return result if self._precision == result.dtype else orthonormalise(result)

    def extend(self, bands: Tensor) -> None:
        """Add preconditioned residuals of some bands, and find the Ritz vectors anew.

        Args:
            bands: Which bands, shape ``(nrow, nextension)``.
        """
        selected = bands[..., None].expand(-1, -1, self.residuals.shape[-1])
        # The preconditioner asks for the kinetic energies of the orbitals, to which corrections matter little.
        orbitals = self._vectors.rows.gather(1, selected)
        corrections = self._hamiltonian.precondition(self.residuals.gather(1, selected), orbitals)
        corrections = complement(corrections, self._vectors.rows)
        images = self._hamiltonian.apply(corrections)
        cross = inner_products(corrections, self._images.rows).to(self._projected.dtype)
        own = inner_products(corrections, images).to(self._projected.dtype)
        own = own + torch.diag_embed(self._out_of_the_way(corrections)).to(own.dtype)
        upper, lower = torch.cat([self._projected, cross.mH], dim=2), torch.cat([cross, own], dim=2)
        self._projected = torch.cat([upper, lower], dim=1)
        self._vectors.append(corrections)
        self._images.append(images)
        self._known = torch.nn.functional.pad(self._known, (0, bands.shape[1]))
        self._rayleigh_ritz()

    def _out_of_the_way(self, corrections: Tensor) -> Tensor:
        """An energy above all that is looked for, for vectors that are zero; none for others."""
        above = 1 + self._projected.abs().sum(-1).amax(-1)
        return torch.where(is_left_out(corrections), above[:, None], 0.0)

    def _rayleigh_ritz(self) -> None:
        energies, coefficients = torch.linalg.eigh(self._projected)
        self.eigenvalues, self._coefficients = energies[:, : self._nband], coefficients[..., : self._nband].mT
        beyond = self._coefficients * (self._known[:, None] - self.eigenvalues[..., None])
        self.residuals = self._coefficients.to(self._precision) @ self._images.rows
        self.residuals += beyond.to(self._precision) @ self._vectors.rows

    def collapse(self) -> None:
        """Keep the lowest Ritz vectors alone."""
        self._begin(self.orbitals, self.residuals, self.eigenvalues)
        identity = torch.eye(self._nband, dtype=self._orbitals.dtype, device=self._orbitals.device)
        self._coefficients = identity.expand(len(self._orbitals), -1, -1)
