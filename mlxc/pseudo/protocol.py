"""What the engine asks of a pseudopotential, whatever its form."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Pseudopotential(Protocol):
    """A norm-conserving separable pseudopotential in reciprocal space, V = V_loc + sum_ij |p_i> h_ij <p_j|.

    All form factors take any shape of |q|, 1/bohr, and are differentiable in it.
    """

    @property
    def symbol(self) -> str:
        """Chemical symbol."""
        ...

    @property
    def name(self) -> str:
        """The name in its table, or that of its file."""
        ...

    @property
    def charge(self) -> int:
        """Charge of the ion, the number of valence electrons."""
        ...

    @property
    def channels(self) -> list[Tensor]:
        """The coupling matrix h_ij of each angular momentum l, shape ``(nprojector, nprojector)``, hartree."""
        ...

    def local_form_factor(self, q: Tensor) -> Tensor:
        """Integral of V_loc(r) exp(-iq.r) d3r, hartree bohr^3; at q = 0 the limit of V_loc(q) + 4 pi Z / q^2."""
        ...

    def projector_form_factor(self, angular_momentum: int, index: int, q: Tensor) -> Tensor:
        """4 pi integral r^2 j_l(qr) p_i(r) dr of projector ``index`` (from 0) of an angular momentum, bohr^(3/2)."""
        ...

    def core_form_factors(self, q: Tensor) -> Tensor | None:
        """Integrals of n_core(r) exp(-iq.r) d3r, electrons, and of tau_core(r) exp(-iq.r) d3r, hartree.

        Returns:
            shape ``(2, *q.shape)``; None without a nonlinear core correction.
        """
        ...


class FreeAtom(Protocol):
    """A spherical atom, from which the SCF of a crystal starts."""

    @property
    def angular_momenta(self) -> tuple[int, ...]:
        """The angular momentum of each occupied shell."""
        ...

    def density_form_factor(self, q: Tensor) -> Tensor:
        """Integral of n(r) exp(-iq.r) d3r of the valence density, electrons."""
        ...

    def orbital_form_factor(self, shell: int, q: Tensor) -> Tensor:
        """4 pi integral r^2 j_l(qr) R(r) dr of a shell (an index into ``angular_momenta``), bohr^(3/2)."""
        ...
