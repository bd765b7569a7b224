"""Any semilocal functional of libxc as a module that autograd can differentiate twice.

libxc (S. Lehtola, C. Steigemann, M. J. T. Oliveira, M. A. L. Marques, SoftwareX 7, 1 (2018)) is reached through
``pyscf.dft.libxc``, which turns derivatives with respect to |grad n|^2 into derivatives with respect to grad n.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from mlxc.errors import InputError
from mlxc.xc.functional import INGREDIENTS, Functional
from mlxc.xc.gga import squared_reduced_gradient
from mlxc.xc.libxc.names import find_libxc

NUMBER_OF_INGREDIENTS = {"LDA": 1, "GGA": 2, "MGGA": 3}
# The second derivatives of a polarised meta-GGA are 100 numbers per point: at most this many points at a time.
POINTS_AT_ONCE = 1 << 16
LARGEST_S = 1e4


class LibXC(Functional):
    """A local, generalised-gradient or meta-generalised-gradient functional of libxc, polarised or not.

    Potential and kernel are libxc's first and second derivatives; it has no trainable parameters. libxc computes on
    the CPU in double precision, whatever the device and precision of the ingredients.

    Args:
        name: The name in libxc, such as ``gga_x_b88``, or a pair of such names with a comma in between.

    Raises:
        InputError: there is no such functional, or it needs what is not available here, such as exact exchange.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        entry = find_libxc(name)
        if entry is None:
            raise InputError(f"xc: {name!r} is not a functional of libxc.")
        self.code = entry.code
        self.ingredients = INGREDIENTS[: NUMBER_OF_INGREDIENTS[entry.family]]

    def forward(self, rho: Tensor, grad: Tensor | None = None, tau: Tensor | None = None) -> Tensor:
        """XC energy per volume, from those of the arguments that are its ingredients."""
        fields = [rho[:, None]]
        if tau is not None and grad is not None:
            grad = _of_electrons(grad, rho)
            fields += [grad, _of_at_least_one_orbital(tau, rho, grad)[:, None]]
        elif grad is not None:
            fields.append(grad)
        energy: Tensor = _Energy.apply(torch.cat(fields, 1), self.code)
        return energy

    def extra_repr(self) -> str:
        """The name in libxc, for ``print``."""
        return self.code.lower()


def _of_electrons(grad: Tensor, rho: Tensor) -> Tensor:
    """The gradient, shortened to s = ``LARGEST_S`` of each spin where it is longer.

    Where a density decays as that of atoms s stays below it down to 1e-12 electrons/bohr^3, but the noise of a grid has
    no such limit. There the indicator (tau - tau_W) / tau_uniform, a difference of numbers of the size of s^2, would be
    noise as well, and so would be what a functional says that depends on it for any s.
    """
    nspin = len(rho)
    s2 = squared_reduced_gradient(nspin * rho, nspin * grad.movedim(1, 0))
    return grad * (LARGEST_S**2 / s2.clamp(min=LARGEST_S**2)).sqrt()[:, None]


def _of_at_least_one_orbital(tau: Tensor, rho: Tensor, grad: Tensor) -> Tensor:
    """tau, raised to that of a single orbital of the density, |grad n|^2 / 8n of each spin, where it is less.

    No electrons have less (C. F. von Weizsaecker, Z. Phys. 96, 431 (1935)), so that some functionals of libxc have no
    bounds there; but on a grid that is too coarse for a core, or in a vacuum, numbers may say so.
    """
    return torch.maximum(tau, grad.square().sum(1) / (8 * rho))


class _Energy(torch.autograd.Function):
    """e, from fields of shape ``(nspin, nfield, npoint)``."""

    @staticmethod
    def forward(ctx: Any, fields: Tensor, code: str) -> Tensor:
        ctx.save_for_backward(fields)
        ctx.code = code
        per_electron = torch.cat([piece for _, piece in _derivatives(code, fields, 0)], -1)
        return per_electron * fields[:, 0].sum(0)

    @staticmethod
    def backward(ctx: Any, weight: Tensor) -> tuple[Tensor, None]:
        (fields,) = ctx.saved_tensors
        return weight * _Potential.apply(fields, ctx.code), None


class _Potential(torch.autograd.Function):
    """de / d fields, of the shape of ``fields``."""

    @staticmethod
    def forward(ctx: Any, fields: Tensor, code: str) -> Tensor:
        ctx.save_for_backward(fields)
        ctx.code = code
        pieces = [piece for _, piece in _derivatives(code, fields, 1)]
        return torch.cat(pieces, -1).reshape(fields.shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, weight: Tensor) -> tuple[Tensor, None]:
        (fields,) = ctx.saved_tensors
        nspin, nfield, _ = fields.shape
        pieces = []
        for points, kernel in _derivatives(ctx.code, fields, 2):
            kernel = kernel.reshape(nspin, nfield, nspin, nfield, -1)
            pieces.append(torch.einsum("sip,sitjp->tjp", weight[..., points], kernel))
        return torch.cat(pieces, -1), None


def _derivatives(code: str, fields: Tensor, order: int) -> Iterator[tuple[slice, Tensor]]:
    """Derivatives of this order (the energy per electron for order 0), for one slice of the points after another."""
    from pyscf.dft import libxc

    nspin, _, npoint = fields.shape
    for start in range(0, npoint, POINTS_AT_ONCE):
        points = slice(start, start + POINTS_AT_ONCE)
        values = fields[..., points].detach().to("cpu", torch.float64).numpy()
        derivatives = libxc.eval_xc_eff(code, values if nspin == 2 else values[0], deriv=order, spin=nspin - 1)
        yield points, torch.from_numpy(derivatives).to(fields)
