"""The Hamiltonian of k = 0 for real orbitals.

H is real there, so that its eigenfunctions may be chosen real. For real functions a and b, H (a + ib) = Ha + iHb: two
orbitals go to the grid and back at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.planewave.kinetic import KineticOperator, KineticPreconditioner
from mlxc.basis.planewave.local_operator import LocalOperator
from mlxc.basis.planewave.plane_wave_set import PlaneWaveSet
from mlxc.basis.planewave.projectors import NonlocalOperator
from mlxc.basis.planewave.real_functions import RealFunctions

GAMMA = slice(0, 1)
# So many functions are paired at the same time, which bounds the memory.
PAIRED = 32


class RealBlock:
    """H at k = 0, see :class:`~mlxc.basis.hamiltonian.RealHamiltonianBlock`.

    Args:
        waves: The plane waves, of that k point alone.
        spin: The spin.
        operators: The operators that do not depend on the electrons' state.
        potential: The effective potential of all spins.
        dtype: The type of the vectors.

    Attributes:
        rows: The block's entries in the batch of all k points and spins.
        dtype: The type of the vectors that it acts on: real numbers.
        functions: The functions that vectors stand for.
    """

    matrix = None

    def __init__(
        self,
        waves: PlaneWaveSet,
        spin: int,
        operators: Sequence[KineticOperator | NonlocalOperator],
        potential: EffectivePotential,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self.rows, self.dtype, self.functions = waves.rows(spin, GAMMA), dtype, RealFunctions(waves.miller[0])
        self._operators = [operator.on_real_functions(self.functions, dtype) for operator in operators]
        self._local = LocalOperator(waves, GAMMA, spin, potential, dtype.to_complex())
        half = self.functions.half
        self._precondition = KineticPreconditioner(waves.kinetic[:, half].to(dtype), waves.mask[:, half])
        self._as_given = partial(RealBlock, waves, spin, operators, potential)

    def in_single_precision(self) -> RealBlock:
        """The same H for vectors in single precision."""
        return self._as_given(torch.float32)

    def with_real_orbitals(self) -> RealBlock:
        """The block itself."""
        return self

    def apply(self, vectors: Tensor) -> Tensor:
        """H psi."""
        first, *others = self._operators
        result = first(vectors)
        for operator in others:
            result += operator(vectors)
        for some, own in zip(result.split(PAIRED, dim=1), vectors.split(PAIRED, dim=1), strict=True):
            count = own.shape[1]
            even = own if count % 2 == 0 else torch.nn.functional.pad(own, (0, 0, 0, 1))
            pairs = self.functions.in_pairs(even)
            images = torch.zeros_like(pairs)
            self._local.add_to(images, pairs)
            some += self.functions.parts(images)[:, :count]
        return result

    def precondition(self, residuals: Tensor, vectors: Tensor) -> Tensor:
        """An approximate inverse of H - e, applied to the residuals of these vectors."""
        half = (torch.view_as_complex(each.unflatten(-1, (-1, 2))) for each in (residuals, vectors))
        return torch.view_as_real(self._precondition(*half)).flatten(2)
