"""Functionals of mlxc in PySCF: what was learned on crystals computes molecules.

``with_functional(pyscf.dft.RKS(molecule), "solids-mgga").kernel()`` is a calculation as any other in PySCF, restricted
or not, with forces, polarisabilities and time-dependent response: PySCF asks for nothing but the energy density and its
first two derivatives.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pyscf.dft.numint import NumInt
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.terms.xc import floored
from mlxc.xc.catalogue import functional
from mlxc.xc.functional import declared_ingredients
from mlxc.xc.identity import identity_of

# PySCF's word for what a functional sees, and how many fields that are: the density, its gradient, tau.
FAMILIES = {1: "LDA", 4: "GGA", 5: "MGGA"}
# A functional without exact exchange and dispersion, which PySCF reads for what it adds to a functional of one's own.
PLAIN = "LDA,VWN"
MOST_DERIVATIVES = 2


class FunctionalNumInt(NumInt):
    """PySCF's integration over a grid, with a functional of mlxc in the place of libxc.

    Args:
        module: The functional.

    Raises:
        InputError: the module says not what it is evaluated from.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        names = declared_ingredients(module)
        self.family = FAMILIES[5 if "tau" in names else 4 if "grad" in names else 1]

    def eval_xc_eff(
        self,
        xc_code: str,
        rho: NDArray[np.float64],
        deriv: int = 1,
        omega: float | None = None,
        xctype: str | None = None,
        verbose: Any = None,
        spin: int | None = None,
    ) -> list[NDArray[np.float64] | None]:
        """The energy per electron and the derivatives of the energy per volume.

        Args:
            xc_code: PySCF's name of its functional, which is not looked at.
            rho: The density, its gradient and tau, shape ``(nfield, npoint)``, or ``(2, nfield, npoint)`` with spin; a
                density alone may come as ``(npoint,)`` or ``(2, npoint)``.
            deriv: How many derivatives are asked for, at most two.
            omega: Not looked at.
            xctype: The family of which the fields are; by default that of the functional.
            verbose: Not looked at.
            spin: Whether the density has two spins, which its shape says as well.

        Returns:
            exc ``(npoint,)``, vxc ``(nfield, npoint)`` or ``(2, nfield, npoint)``, fxc with these axes twice, but for
            that of the points, and None for what was not asked.

        Raises:
            InputError: more derivatives are asked for.
        """
        del xc_code, omega, verbose
        if deriv > MOST_DERIVATIVES:
            raise InputError(f"PySCF asks for derivative {deriv} of the functional; there are {MOST_DERIVATIVES}.")
        fields = torch.from_numpy(np.array(rho, dtype=np.float64, ndmin=2))
        polarised = fields.dim() == 3 if spin is None else spin > 0
        # PySCF leaves out the axis of the fields where the density is the only one.
        fields = (fields if fields.dim() == 3 else fields[:, None]) if polarised else fields[None]
        wanted = next(count for count, family in FAMILIES.items() if family == (xctype or self.family))
        # With six fields the fifth is the Laplacian, which no functional here sees.
        fields = fields[:, [0, 1, 2, 3, 5]] if fields.shape[1] == 6 else fields
        answers = _derivatives(self.module, fields[:, :wanted], deriv)
        shaped = [answer if polarised else _of_one_spin(answer, order) for order, answer in enumerate(answers)]
        return [*(answer.numpy() for answer in shaped), *[None] * (3 - deriv)]

    def _xc_type(self, xc_code: str) -> str:
        return self.family


def with_functional(mf: Any, xc: str | nn.Module) -> Any:
    """The same calculation of PySCF, a molecule's or a crystal's, with a functional of mlxc.

    PySCF's attribute ``xc`` becomes one without exact exchange and dispersion, which its log names.

    Args:
        mf: ``pyscf.dft.RKS``, ``UKS``, ... of a molecule.
        xc: A name, the file of a checkpoint, a weighted sum, or a module.

    Raises:
        InputError: the functional is not known, or ``mf`` is no Kohn-Sham calculation of a molecule.
    """
    module = functional(xc) if isinstance(xc, str) else xc
    if type(getattr(mf, "_numint", None)) not in (NumInt, FunctionalNumInt):
        raise InputError(f"{type(mf).__name__} is no Kohn-Sham calculation of a molecule in PySCF, as dft.RKS is.")
    mf._numint = FunctionalNumInt(module)
    mf.xc = PLAIN
    mf.nlc = False
    return mf


def _derivatives(module: nn.Module, fields: Tensor, deriv: int) -> list[Tensor]:
    """e per electron, and the derivatives of e per volume with respect to fields ``(nspin, nfield, npoint)``."""
    nspin, nfield, npoint = fields.shape
    fields = fields.clone().requires_grad_(deriv > 0)
    with torch.set_grad_enabled(deriv > 0):
        energy = module(**_ingredients(declared_ingredients(module), fields))
    _check_finite(energy, module, fields)
    answers = [(energy / floored(fields[:, 0]).sum(0)).detach()]
    if deriv > 0:
        (slopes,) = torch.autograd.grad(energy.sum(), fields, create_graph=deriv > 1)
        answers.append(slopes.detach())
    if deriv > 1:
        # Points do not see each other, so that the derivative of a sum over them is that of each.
        rows = [_row(slope, fields) for slope in slopes.reshape(nspin * nfield, npoint)]
        answers.append(torch.stack(rows).reshape(nspin, nfield, nspin, nfield, npoint))
    return answers


def _row(slope: Tensor, fields: Tensor) -> Tensor:
    if not slope.requires_grad:
        return torch.zeros_like(fields)
    (row,) = torch.autograd.grad(slope.sum(), fields, retain_graph=True, allow_unused=True)
    return torch.zeros_like(fields) if row is None else row


def _ingredients(names: tuple[str, ...], fields: Tensor) -> dict[str, Tensor]:
    offered = {"rho": floored(fields[:, 0])}
    if "grad" in names:
        offered["grad"] = fields[:, 1:4]
    if "tau" in names:
        offered["tau"] = floored(fields[:, 4])
    return offered


def _of_one_spin(answer: Tensor, order: int) -> Tensor:
    """Without the axes of spin, which have one entry."""
    return answer if order == 0 else answer[0] if order == 1 else answer[0, :, 0]


def _check_finite(energy: Tensor, module: nn.Module, fields: Tensor) -> None:
    bad = ~torch.isfinite(energy.detach())
    if bool(bad.any()):
        density = float(fields.detach()[:, 0].sum(0)[bad].max())
        raise InputError(f"xc: {identity_of(module).name} gives no finite number at {density:.3g} electrons/bohr^3.")
