"""What a loss asks of the parts of a state, in the form in which a response can answer it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from mlxc.errors import InputError
from mlxc.response.bands import Bands, rotated_like
from mlxc.response.independent import IndependentResponse, OrbitalSource
from mlxc.response.levels import level_density


@dataclass(frozen=True)
class Cotangents:
    """Derivatives of a loss with respect to the parts of a state, of their shapes.

    Attributes:
        fields: The derivatives with respect to the fields on the grid, shape ``(nfield, nspin, n1, n2, n3)``.
        orbitals: The derivatives with respect to the orbitals, shape ``(nk * nspin, nband, nplanewave)``.
        eigenvalues: The derivatives with respect to the eigenvalues, shape ``(nk * nspin, nband)``.
        electrons: The derivatives with respect to the electrons in each state, same shape.
    """

    fields: Tensor
    orbitals: Tensor
    eigenvalues: Tensor
    electrons: Tensor


class LossResponse:
    """The response of a state's bands to what a loss asks.

    Args:
        bands: The bands of the state.
        cotangents: The cotangents of the loss.
        orbitals: The orbitals to which ``cotangents.orbitals`` belong; those of ``bands`` span nearly the same space.

    Attributes:
        potential: g = dL/d(fields) on the grid, symmetric: it acts as a potential.
        direct: z, what the loss asks of the potential itself, Fourier coefficients ``(nfield, nspin, ngvector)``.
        independent: chi_0, with what the loss asks of orbitals and occupations as a further perturbation.
        reach: The approximate largest norm that the answer can have.

    Raises:
        InputError: the loss depends on empty orbitals.
    """

    def __init__(self, bands: Bands, cotangents: Cotangents, orbitals: Tensor) -> None:
        problem = bands.problem
        grid = problem.basis.grid
        # A change of the potential at one point of the grid acts in this volume.
        per_point = grid.volume / grid.size
        if bool(cotangents.orbitals[bands.electrons == 0].any()):
            raise InputError("A loss may depend on orbitals that hold electrons, not on empty ones.")
        source = None
        if bool(cotangents.orbitals.any()) or bool(cotangents.electrons.any()):
            rotated = rotated_like(cotangents.orbitals, orbitals, bands.orbitals)
            source = OrbitalSource(rotated * per_point, cotangents.electrons * per_point)
        symmetric = problem.symmetrised(grid.fourier(cotangents.fields))
        levels = level_density(problem, bands.orbitals, cotangents.eigenvalues)
        self.potential = grid.real(symmetric)
        self.direct = problem.symmetrised(grid.fourier(levels))
        self.independent = IndependentResponse(bands, source)
        density = problem.fields(bands.orbitals, bands.electrons)[0]
        self.reach = float(symmetric.norm() * density.norm() + self.direct.norm())
