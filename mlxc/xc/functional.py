"""What an exchange-correlation functional is."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor, nn


@runtime_checkable
class XCFunctional(Protocol):
    """A callable with declared ingredients; any ``torch.nn.Module`` with the attribute ``ingredients`` qualifies.

    Attributes:
        ingredients: names of the arguments it wants, of ``rho`` and ``grad``.
    """

    ingredients: tuple[str, ...]

    def __call__(self, **ingredients: Tensor) -> Tensor:
        """XC energy per volume at the given points, hartree/bohr^3, shape ``(npoint,)``.

        Args:
            ingredients: ``rho``, shape ``(nspin, npoint)``, electrons/bohr^3, always positive: the total density for
                ``nspin`` = 1, up and down for 2; ``grad``, its Cartesian gradient, shape ``(nspin, 3, npoint)``.
        """
        ...


class Functional(nn.Module):
    """A convenient base class for functionals written in torch."""

    ingredients: tuple[str, ...] = ("rho",)
