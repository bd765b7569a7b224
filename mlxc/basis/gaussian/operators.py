"""Kinetic energy and nonlocal pseudopotentials in Gaussian functions: a matrix at each k point."""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.basis.gaussian.functions import GaussianFunctions
from mlxc.errors import InputError
from mlxc.pseudo.gth import GTHPseudopotential
from mlxc.pseudo.ions import Ions


class MatrixOperator:
    """An operator of one electron as matrices.

    Attributes:
        matrices: The matrices, shape ``(nk, nfunction, nfunction)``, hartree.
    """

    def __init__(self, matrices: Tensor) -> None:
        self.matrices = matrices

    def expectation(self, orbitals: Tensor, electrons: Tensor) -> Tensor:
        """See :class:`~mlxc.basis.protocol.OneElectronOperator`."""
        images = orbitals @ self.matrices.repeat(len(orbitals) // len(self.matrices), 1, 1).mT
        return ((orbitals.conj() * images).real.sum(-1) * electrons).sum()

    def add_to(self, result: Tensor, orbitals: Tensor) -> None:
        """Add what becomes of the orbitals ``(nk, nband, nfunction)``."""
        result += orbitals @ self.matrices.mT


def kinetic_operator(functions: GaussianFunctions) -> MatrixOperator:
    """The kinetic energy, -nabla^2 / 2."""
    return MatrixOperator(functions.orthonormal(torch.as_tensor(functions.cell.kinetic())))


def nonlocal_operator(functions: GaussianFunctions, ions: Ions) -> MatrixOperator:
    """The nonlocal pseudopotentials of the ions.

    Raises:
        InputError: the pseudopotentials are not of the GTH form.
    """
    parameters = {}
    for symbol, pseudopotential in ions.pseudopotentials.items():
        if not isinstance(pseudopotential, GTHPseudopotential):
            raise InputError("pseudo: Gaussian basis sets need GTH pseudopotentials, not those of UPF files.")
        parameters[symbol] = pseudopotential.parameters
    return MatrixOperator(functions.orthonormal(torch.as_tensor(functions.cell.nonlocal_pseudopotential(parameters))))
