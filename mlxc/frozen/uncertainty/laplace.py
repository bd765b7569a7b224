"""A functional fitted to lattice constants at frozen densities, with the covariance of its parameters.

With the errors r of lattice constants in percent, J = dr/dtheta, and a start theta_0 that is worth staying near, the
fit is the minimum of |r|^2 + lambda |theta - theta_0|^2, found by the method of Gauss and Newton. Around it

    C = T (J^T J + lambda)^-1

is Laplace's approximation of the distribution of the parameters (D. J. C. MacKay, Neural Comput. 4, 448 (1992)). No
functional of a simple form is right for all solids, so the errors that are left are no noise but what the form cannot
do: T makes bars explain them, sum_i r_i^2 / (g_i^T C g_i) = number of solids, as the temperature of J. J. Mortensen et
al., Phys. Rev. Lett. 95, 216401 (2005), does for the mean of all bars.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mlxc.errors import InputError
from mlxc.frozen.batch import Batch
from mlxc.frozen.curve import SolidCurve
from mlxc.observables.energy_curve import EnergyCurve
from mlxc.observables.of_curves import lattice_constant
from mlxc.properties.birch_murnaghan import FitError
from mlxc.units import HARTREE_EV
from mlxc.xc.checkpoints.ensemble import move_parameters, vector_of

LATTICE_CONSTANT = "lattice_constant_ang"
# Steps of Gauss and Newton at most, and how small the last one is: of the objective's value.
MOST_STEPS, SMALL = 12, 1e-6
MOST_HALVINGS = 8


def errors_and_slopes(
    functional: nn.Module, curves: Sequence[SolidCurve], parameters: Sequence[str]
) -> tuple[Tensor, Tensor]:
    """The errors of lattice constants in percent, shape ``(nsolid,)``, and J, shape ``(nsolid, nparameter)``.

    Args:
        functional: The functional.
        curves: Solids whose lattice constants are known.
        parameters: The names of the parameters of the slopes.

    Raises:
        InputError: a solid has no single lattice constant, or none that is known.
        FitError: the energies of a solid have no minimum.
    """
    known = dict(functional.named_parameters())
    errors, slopes = [], []
    for curve in curves:
        error = _error(functional, curve)
        found = torch.autograd.grad(error, [known[name] for name in parameters], materialize_grads=True)
        errors.append(error.detach())
        slopes.append(torch.cat([piece.flatten() for piece in found]))
    return torch.stack(errors), torch.stack(slopes)


def fit_lattice_constants(
    functional: nn.Module, curves: Sequence[SolidCurve], parameters: Sequence[str], stiffness: float
) -> None:
    """Move parameters of a functional to the minimum of |r|^2 + stiffness |theta - theta_0|^2.

    Args:
        functional: The functional, whose parameters at the start are theta_0.
        curves: The solids, those that are there twice count twice.
        parameters: The names of the parameters that are moved.
        stiffness: lambda.
    """
    start = vector_of(functional, parameters)
    distinct = list({curve.solid.name: curve for curve in curves}.values())
    counts = torch.tensor([sum(curve.solid.name == one.solid.name for curve in curves) for one in distinct])
    weights = counts.double().sqrt()

    def linearised(place: Tensor) -> _Linearised:
        move_parameters(functional, parameters, place)
        errors, slopes = errors_and_slopes(functional, distinct, parameters)
        errors, slopes = weights * errors, weights[:, None] * slopes
        return _Linearised(place, errors, slopes, float(errors.square().sum() + stiffness * _square(place - start)))

    here = linearised(start)
    for _ in range(MOST_STEPS):
        found = _lower(here, here.step(start, stiffness), linearised)
        if found is None:
            break
        gained, here = here.value - found.value, found
        if gained < SMALL * here.value:
            break
    move_parameters(functional, parameters, here.place)


class _Linearised(NamedTuple):
    """Parameters with the errors, their slopes, and the objective there."""

    place: Tensor
    errors: Tensor
    slopes: Tensor
    value: float

    def step(self, start: Tensor, stiffness: float) -> Tensor:
        """The way to the minimum of the linearised problem, solved in the space of the solids, which are few."""
        gram = self.slopes @ self.slopes.T + stiffness * torch.eye(len(self.errors), dtype=torch.float64)
        remaining = self.errors - self.slopes @ (self.place - start)
        return start - self.slopes.T @ torch.linalg.solve(gram, remaining) - self.place


def _lower(here: _Linearised, step: Tensor, linearised: Callable[[Tensor], _Linearised]) -> _Linearised | None:
    """A place along a step, halved where needed, where the objective is lower; None where there is none."""
    for halvings in range(MOST_HALVINGS):
        try:
            found = linearised(here.place + step / 2**halvings)
        except FitError:  # too far: a solid has no lattice constant any more
            continue
        if found.value < here.value:
            return found
    return None


def _square(vector: Tensor) -> Tensor:
    return vector.square().sum()


def laplace_covariance(
    functional: nn.Module,
    trained: Sequence[SolidCurve],
    calibrated: Sequence[SolidCurve],
    parameters: Sequence[str],
    stiffness: float,
) -> Tensor:
    """C of a functional that :func:`fit_lattice_constants` has fitted, shape ``(nparameter, nparameter)``.

    Args:
        functional: The functional.
        trained: The solids that it was fitted to.
        calibrated: Further solids, on which T depends as well: errors of what was fitted alone would be too small.
        parameters: The names of the parameters that were moved.
        stiffness: lambda of the fit.
    """
    errors, slopes = errors_and_slopes(functional, [*trained, *calibrated], parameters)
    fitted = slopes[: len(trained)]
    precision = fitted.T @ fitted + stiffness * torch.eye(slopes.shape[1], dtype=torch.float64)
    covariance = torch.linalg.inv(precision)
    variances = torch.einsum("ij,jk,ik->i", slopes, covariance, slopes)
    return (errors.square() / variances).mean() * covariance


def _error(functional: nn.Module, curve: SolidCurve) -> Tensor:
    known = curve.solid.references.get(LATTICE_CONSTANT)
    volumes = [snapshot.volume_ang3 for snapshot in curve.snapshots]
    energies = Batch.of(curve.snapshots).energies(functional) * HARTREE_EV
    length = lattice_constant(EnergyCurve(curve.solid.crystal, volumes, energies))
    if known is None or length is None:
        raise InputError(f"{curve.solid.name} has no single lattice constant, or none that is known.")
    return 100 * (length / known - 1)
