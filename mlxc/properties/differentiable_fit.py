"""The Birch-Murnaghan fit as a differentiable function of the energies.

With variational energies, the derivatives of a lattice constant or a bulk modulus with respect to a functional's
parameters need no response: only those of the energies at fixed densities go in.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from mlxc.properties.birch_murnaghan import FewPointsError, FitError, fit_birch_murnaghan, moduli


class NoMinimumError(FitError):
    """The energies have no minimum among the volumes.

    Attributes:
        fall: How steeply they fall at their lower end, energy per volume, attached to autograd. What makes it smaller
            brings the minimum nearer; where it is negative, the lowest point is not at that end.
    """

    def __init__(self, message: str, fall: Tensor) -> None:
        super().__init__(message)
        self.fall = fall

    def __reduce__(self) -> tuple[type[NoMinimumError], tuple[str, Tensor]]:
        """For other processes, which know nothing of this one's autograd."""
        return type(self), (str(self), self.fall.detach())


@dataclass(frozen=True)
class DifferentiableEquationOfState:
    """Parameters of the fit as tensors without dimensions, in whatever units of energy and volume the points had.

    Attributes:
        energy0: energy at the minimum.
        volume0: volume at the minimum.
        bulk_modulus: V d2E/dV2 at the minimum, energy per volume.
        bulk_modulus_derivative: dB/dP at the minimum.
    """

    energy0: Tensor
    volume0: Tensor
    bulk_modulus: Tensor
    bulk_modulus_derivative: Tensor


def differentiable_birch_murnaghan(volumes: ArrayLike, energies: Tensor) -> DifferentiableEquationOfState:
    """Least-squares fit of third order, that of :func:`~mlxc.properties.birch_murnaghan.fit_birch_murnaghan`.

    Args:
        volumes: The volumes, shape ``(npoint,)``.
        energies: The energies, same shape.

    Raises:
        NoMinimumError: there is no minimum between the smallest and the largest volume.
        FitError: there are fewer than four different volumes, or energies that are not finite.
    """
    if not bool(torch.isfinite(energies.detach()).all()):
        raise FitError("Not all energies are finite numbers.")
    try:
        found = fit_birch_murnaghan(volumes, energies.detach().cpu().numpy())
    except FewPointsError:
        raise
    except FitError as error:
        raise NoMinimumError(str(error), _fall(np.asarray(volumes, dtype=np.float64), energies)) from None
    if not energies.requires_grad:
        return DifferentiableEquationOfState(*energies.new_tensor(astuple(found)).unbind())
    minimum = found.volume0
    # E is a cubic polynomial in y - 1, where y = (V / V0)^(-2/3) is one at the minimum that was found.
    distance = (np.asarray(volumes, dtype=np.float64) / minimum) ** (-2 / 3) - 1
    solve = torch.as_tensor(np.linalg.pinv(distance[:, None] ** np.arange(4)), device=energies.device)
    c0, c1, c2, c3 = (solve @ (energies - energies.detach().mean())).unbind()
    # c1 vanishes, but its derivative moves the minimum: one step of Newton's method, exact to first order.
    y = 1 - c1 / (2 * c2.detach())
    second, third = 2 * c2 + 6 * c3 * (y - 1), 6 * c3
    volume0 = minimum * y ** (-3 / 2)
    energy0 = c0 + c1 * (y - 1) + energies.detach().mean()
    return DifferentiableEquationOfState(energy0, volume0, *moduli(volume0, y, second, third))


def _fall(volumes: NDArray[np.float64], energies: Tensor) -> Tensor:
    """How steeply the energies fall towards the lower one of their ends, energy per volume."""
    _, order = np.unique(volumes, return_index=True)
    known = energies.detach()
    end, beside = min((order[[0, 1]], order[[-1, -2]]), key=lambda pair: float(known[pair[0]]))
    return (energies[beside] - energies[end]) / abs(volumes[beside] - volumes[end])
