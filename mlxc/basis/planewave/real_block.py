"""The Hamiltonian of a k point with real functions, such as k = 0, for real orbitals.

H is real there, so that its eigenfunctions may be chosen real. For real functions a and b, H (a + ib) = Ha + iHb: two
orbitals go to the grid and back at the same time.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import ceil

import torch
from torch import Tensor

from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.planewave.kinetic import KineticOperator, KineticPreconditioner
from mlxc.basis.planewave.local_operator import LocalOperator
from mlxc.basis.planewave.plane_wave_set import PlaneWaveSet
from mlxc.basis.planewave.projectors import NonlocalOperator
from mlxc.basis.planewave.real_functions import RealFunctions
from mlxc.utils.parallel import map_in_threads

# At most so many pairs of functions are made at the same time, which bounds the memory.
PAIRS = 16


class RealBlock:
    """H at a k point, see :class:`~mlxc.basis.hamiltonian.RealHamiltonianBlock`.

    Args:
        waves: The plane waves of all k points.
        kpoint: The k point.
        functions: Its real functions.
        spin: The spin.
        operators: The operators that do not depend on the electrons' state.
        potential: The effective potential of all spins.
        dtype: The type of the vectors.

    Attributes:
        rows: The block's entries in the batch of all k points and spins.
        dtype: The type of the vectors that it acts on: real numbers.
        work: About how long it takes to find its orbitals.
        functions: The functions that vectors stand for.
    """

    matrix = None

    def __init__(
        self,
        waves: PlaneWaveSet,
        kpoint: slice,
        functions: RealFunctions,
        spin: int,
        operators: Sequence[KineticOperator | NonlocalOperator],
        potential: EffectivePotential,
        dtype: torch.dtype = torch.float64,
    ) -> None:
        self.rows, self.dtype, self.functions = waves.rows(spin, kpoint), dtype, functions
        self.work = waves.work(kpoint)
        self._operators = [operator.on_real_functions(kpoint, functions, dtype) for operator in operators]
        self._local = LocalOperator(waves, kpoint, spin, potential, dtype.to_complex())
        half = functions.half
        self._precondition = KineticPreconditioner(waves.kinetic[kpoint, half].to(dtype), waves.mask[kpoint, half])
        self._as_given = partial(RealBlock, waves, kpoint, functions, spin, operators, potential)

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
        together = 2 * max(1, min(PAIRS, ceil(vectors.shape[1] / 2 / torch.get_num_threads())))
        portions = zip(result.split(together, dim=1), vectors.split(together, dim=1), strict=True)
        map_in_threads(self._add_local, portions)
        return result

    def _add_local(self, portion: tuple[Tensor, Tensor]) -> None:
        """Add to some images what the local potential does to their vectors."""
        images, vectors = portion
        count = vectors.shape[1]
        even = vectors if count % 2 == 0 else torch.nn.functional.pad(vectors, (0, 0, 0, 1))
        pairs = self.functions.in_pairs(even)
        acted = torch.zeros_like(pairs)
        self._local.add_to(acted, pairs)
        images += self.functions.parts(acted)[:, :count]

    def precondition(self, residuals: Tensor, vectors: Tensor) -> Tensor:
        """An approximate inverse of H - e, applied to the residuals of these vectors."""
        half = (torch.view_as_complex(each.unflatten(-1, (-1, 2))) for each in (residuals, vectors))
        return torch.view_as_real(self._precondition(*half)).flatten(2)
