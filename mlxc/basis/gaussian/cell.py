"""Gaussian functions with Bloch phases in a cell, and their integrals, by PySCF.

chi_k(r) = sum_T exp(ik.T) chi(r - T). Everything here is an array of numpy, in atomic units.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyscf.pbc import gto
from pyscf.pbc.gto.pseudo.pp_int import get_pp_nl

from mlxc.basis.gaussian.sets import shells
from mlxc.crystal.crystal import Crystal
from mlxc.grid.shape import Shape
from mlxc.pseudo.gth_table import GTHParameters

Matrices = NDArray[np.complex128]
# Chemical symbol, and fractional position, of functions that belong to no atom.
Ghost = tuple[str, tuple[float, float, float]]


class GaussianCell:
    """The functions of all atoms of a cell.

    Args:
        crystal: The crystal, which says where the atoms are.
        sets: The name of the basis set of each element.
        kpoints: The k points, fractional, shape ``(nk, 3)``.
        ghosts: The places where there are functions of an element, but no atom.
    """

    def __init__(
        self,
        crystal: Crystal,
        sets: dict[str, str],
        kpoints: NDArray[np.float64],
        ghosts: Sequence[Ghost] = (),
    ) -> None:
        self._crystal = crystal
        self._ghosts = ghosts
        self._functions = {
            symbol: [
                [momentum, *np.column_stack([exponents, contractions.T]).tolist()]
                for momentum, exponents, contractions in shells(symbol, name)
            ]
            for symbol, name in sets.items()
        }
        self._cell = self._built({})
        self._kpoints = self._cell.get_abs_kpts(kpoints)

    def _built(self, pseudopotentials: dict[str, Any]) -> gto.Cell:
        crystal = self._crystal
        cell = gto.Cell()
        cell.unit = "B"
        cell.a = crystal.lattice
        # What is called a ghost has no charge and no pseudopotential.
        names = [*crystal.species, *(f"GHOST-{symbol}" for symbol, _ in self._ghosts)]
        positions = np.array([*crystal.positions, *(position for _, position in self._ghosts)])
        cell.atom = list(zip(names, positions @ crystal.lattice, strict=True))
        cell.basis = self._functions | {f"GHOST-{symbol}": own for symbol, own in self._functions.items()}
        cell.pseudo = pseudopotentials
        cell.spin = None  # any number of electrons will do: none of them is filled into orbitals here
        cell.verbose = 0
        return cell.build(dump_input=False, parse_arg=False)

    @property
    def functions(self) -> list[Any]:
        """The functions of each atom and ghost, in their order, in PySCF's form."""
        return [self._functions[symbol] for symbol in [*self._crystal.species, *(name for name, _ in self._ghosts)]]

    def overlap(self) -> Matrices:
        """<chi_a|chi_b>, shape ``(nk, nfunction, nfunction)``."""
        return self._integrals("int1e_ovlp")

    def kinetic(self) -> Matrices:
        """<chi_a|-1/2 nabla^2|chi_b>, hartree, shape ``(nk, nfunction, nfunction)``."""
        return self._integrals("int1e_kin")

    def _integrals(self, name: str) -> Matrices:
        return np.array(self._cell.pbc_intor(name, hermi=1, kpts=self._kpoints), dtype=np.complex128)

    def nonlocal_pseudopotential(self, parameters: dict[str, GTHParameters]) -> Matrices:
        """Matrix elements of the nonlocal part, hartree, shape ``(nk, nfunction, nfunction)``.

        Args:
            parameters: The parameters of the pseudopotential of each element.
        """
        cell = self._built({symbol: p.in_pyscf_form() for symbol, p in parameters.items()})
        return np.array(get_pp_nl(cell, self._kpoints), dtype=np.complex128)

    def values(self, points: NDArray[np.float64], slopes: bool) -> list[NDArray[Any]]:
        """The functions at some points.

        Args:
            points: The points, fractional, shape ``(npoint, 3)``.
            slopes: Whether their Cartesian derivatives are wanted too.

        Returns:
            an array for each k point, shape ``(ncomponent, nfunction, npoint)``, real where PySCF finds it real: the
            value, and the slopes along x, y and z if they are wanted.
        """
        name = "GTOval_sph_deriv1" if slopes else "GTOval_sph"
        found = self._cell.pbc_eval_gto(name, points @ self._crystal.lattice, kpts=self._kpoints)
        # PySCF keeps the points last, too, and shows them before the functions.
        return [np.asarray(own).reshape(-1, len(points), self._cell.nao).swapaxes(-1, -2) for own in found]


def uniform_points(shape: Shape) -> NDArray[np.float64]:
    """Fractional coordinates of the points of a grid, the last axis running fastest, shape ``(npoint, 3)``."""
    axes = [np.arange(n) / n for n in shape]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
