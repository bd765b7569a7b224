"""Functionals from and to DeepChem (2.8), where one is a ``BaseXC`` that takes the density as a ``ValGrad``.

Both sides have the same quantities, so only their containers are exchanged: the energy per volume, hartree/bohr^3; the
total density, or those of up and down electrons; gradients of shape ``(3, npoint)``, as DeepChem's functionals expect
them, though the docstring of its ``ValGrad`` says otherwise; tau = 1/2 sum_i f_i |grad psi_i|^2, there called ``kin``.

DeepChem takes seconds to import, and so does this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from deepchem.utils.dft_utils import BaseXC, SpinParam, ValGrad
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.xc.catalogue import functional
from mlxc.xc.functional import Functional, declared_ingredients

INGREDIENTS_OF_FAMILY = {1: ("rho",), 2: ("rho", "grad"), 4: ("rho", "grad", "tau")}
# Our functionals want a positive density; DeepChem's may be zero. Nothing changes above this, electrons/bohr^3.
LEAST_DENSITY = 1e-15


class FromDeepChem(Functional):
    """A functional of DeepChem as one of ours, polarised or not.

    Its trainable parameters become those of this module: they are the same tensors.

    Args:
        xc: The functional, which has ``family`` (1 for a local density, 2 for gradients, 4 with the density of kinetic
            energy) and ``get_edensityxc``, which gets a ``ValGrad`` or, polarised, a ``SpinParam`` of two. It cannot
            have the Laplacian of the density, which is None.
        family: The family of an object that does not tell it, as those of DeepChem's ``NNLDA`` and ``NNPBE`` do not.

    Raises:
        InputError: the object is not such a functional.
    """

    def __init__(self, xc: Any, family: int | None = None) -> None:
        super().__init__()
        family = getattr(xc, "family", None) if family is None else family
        if family not in INGREDIENTS_OF_FAMILY or not callable(getattr(xc, "get_edensityxc", None)):
            raise InputError(
                "xc: a functional of DeepChem has the method get_edensityxc and the family 1, 2 or 4, "
                f"but this {type(xc).__name__} has the family {family}."
            )
        self.ingredients = INGREDIENTS_OF_FAMILY[family]
        self.xc = xc
        if not isinstance(xc, nn.Module):
            self.xc_parameters = nn.ParameterList(_parameters(xc))

    def forward(self, rho: Tensor, grad: Tensor | None = None, tau: Tensor | None = None) -> Tensor:
        """XC energy per volume."""
        channels = [
            ValGrad(rho[spin], None if grad is None else grad[spin], kin=None if tau is None else tau[spin])
            for spin in range(len(rho))
        ]
        energy: Tensor = self.xc.get_edensityxc(channels[0] if len(channels) == 1 else SpinParam(*channels))
        return energy


class ToDeepChem(BaseXC, nn.Module):
    """A functional of ours as one of DeepChem; made by :func:`to_deepchem`."""

    def __init__(self, functional: nn.Module) -> None:
        super().__init__()
        self.functional = functional
        self.ingredients = declared_ingredients(functional)

    @property
    def family(self) -> int:
        """1 for a local density, 2 for gradients, 4 with the density of kinetic energy."""
        if "tau" in self.ingredients:
            return 4
        return 2 if "grad" in self.ingredients else 1

    def get_edensityxc(self, densinfo: ValGrad | SpinParam) -> Tensor:
        """XC energy per volume, hartree/bohr^3, of the shape ``(..., npoint)`` of the density.

        Args:
            densinfo: The density ``(..., npoint)``, gradient ``(..., 3, npoint)`` and ``kin`` ``(..., npoint)``; two of
                them for a polarised density.
        """
        channels = [densinfo] if isinstance(densinfo, ValGrad) else [densinfo.u, densinfo.d]
        ingredients = {"rho": torch.stack([channel.value.flatten() for channel in channels]).clamp(min=LEAST_DENSITY)}
        if "grad" in self.ingredients:
            ingredients["grad"] = torch.stack([channel.grad.movedim(-2, 0).flatten(1) for channel in channels])
        if "tau" in self.ingredients:
            ingredients["tau"] = torch.stack([channel.kin.flatten() for channel in channels])
        energy: Tensor = self.functional(**ingredients)
        return energy.reshape(channels[0].value.shape)

    def getparamnames(self, methodname: str, prefix: str = "") -> list[str]:
        """Names of the parameters on which energy and potential depend, for DeepChem's pure functions."""
        if methodname not in ("get_edensityxc", "get_vxc"):
            raise KeyError(methodname)
        return [f"{prefix}{name}" for name, _ in self.named_parameters()]


def to_deepchem(source: str | nn.Module) -> ToDeepChem:
    """A functional for DeepChem, whose ``get_vxc`` follows from the energy by autograd.

    Args:
        source: The name of a functional, or a module that is one.

    Raises:
        InputError: there is no such functional.
    """
    return ToDeepChem(functional(source))


def _parameters(xc: Any) -> Iterator[nn.Parameter]:
    """Parameters that a functional which is no module keeps in its attributes, or in the functionals it combines."""
    for value in vars(xc).values():
        if isinstance(value, nn.Parameter):
            yield value
        elif isinstance(value, nn.Module):
            yield from value.parameters()
        elif isinstance(value, BaseXC):
            yield from _parameters(value)
