"""What a loss asks of the parts of a state, in the form in which a response can answer it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
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
        density: The density of the state on the grid, shape ``(nspin, n1, n2, n3)``.

    Attributes:
        potential: g = dL/d(fields) on the grid, symmetric: it acts as a potential.
        direct: z, what the loss asks of the potential itself, Fourier coefficients ``(nfield, nspin, ngvector)``.
        independent: chi_0, with what the loss asks of orbitals and occupations as a further perturbation.
        reach: The approximate largest norm that the answer can have.

    Raises:
        InputError: the loss depends on empty orbitals.
    """

    def __init__(self, bands: Bands, cotangents: Cotangents, orbitals: Tensor, density: Tensor) -> None:
        problem, spins = bands.problem, bands.spins
        grid = problem.basis.grid
        # A change of the potential at one point of the grid acts in this volume.
        per_point = grid.volume / grid.size
        source = _source(bands, cotangents, orbitals, per_point)
        symmetric = problem.symmetrised(grid.fourier(cotangents.fields))
        self.potential = grid.real(symmetric) if spins is None else spins.part(grid.real(symmetric))
        self.direct = torch.zeros_like(symmetric)
        if bool(cotangents.eigenvalues.any()):
            sensitivities = cotangents.eigenvalues if spins is None else spins.average_levels(cotangents.eigenvalues)
            levels = level_density(problem, bands.orbitals, sensitivities)
            self.direct = problem.symmetrised(grid.fourier(levels if spins is None else spins.both(levels)))
        self.independent = IndependentResponse(bands, source)
        self.reach = float(symmetric.norm() * density.norm() / grid.size**0.5 + self.direct.norm())


def _source(bands: Bands, cotangents: Cotangents, orbitals: Tensor, per_point: float) -> OrbitalSource | None:
    """What a loss asks of orbitals and occupations, if it asks anything of them."""
    spins = bands.spins
    of_orbitals, of_electrons = cotangents.orbitals, cotangents.electrons
    electrons = bands.electrons if spins is None else bands.electrons.repeat(2, 1)
    if bool(of_orbitals[electrons == 0].any()):
        raise InputError("A loss may depend on orbitals that hold electrons, not on empty ones.")
    if not (bool(of_orbitals.any()) or bool(of_electrons.any())):
        return None
    own = bands.orbitals if spins is None else spins.both_orbitals(bands.orbitals)
    of_orbitals = rotated_like(of_orbitals, orbitals, own)
    if spins is not None:
        of_orbitals, of_electrons = spins.average_orbitals(of_orbitals), spins.average_levels(of_electrons)
    return OrbitalSource(of_orbitals * per_point, of_electrons * per_point)
