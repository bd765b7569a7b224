"""Dyson's equation: the response of electrons that see each other, by the mixing that also converges the SCF.

A cotangent x of the effective potential obeys x = z + chi_0 (g + K x), where g is the loss's derivative with respect to
the fields, z what the loss asks of the potential directly, and K the kernel of Hartree and XC. chi_0 and K are
self-adjoint, so this is the response of the density to g as a perturbing potential.

The equation is linear: a combination of x that were tried leaves the same combination of their residuals. The smallest
of these is often a step ahead of the last one.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch
from torch import Tensor

from mlxc.errors import MlxcError
from mlxc.grid.grid import Grid
from mlxc.kohn_sham.mixing.combination import best_combination
from mlxc.kohn_sham.mixing.mixers import AndersonMixing
from mlxc.kohn_sham.monitor import AdjointMonitor, AdjointRecord
from mlxc.response.independent import IndependentResponse

MAX_ITERATIONS = 40
# Residual of an orbital's change that is good enough for a response with a relative error of one electron per cell.
ORBITAL_ACCURACY = 2e-3
# Rounding errors of single precision in a response, as a share of how much it has changed since it was last exact.
SINGLE_ERROR = 1e-5
# An exact response in between costs little where the residual has fallen so far.
SINGLE_REACH = 1e-3
# A combination is looked for where the residual is above its tolerance by less than this factor: errors of single
# responses, a few hundredths of their residuals, then stay below the tolerance. So that they are not combined to
# something that looks small, directions are left out in which residuals differ less than by this share.
COMBINED, INDEPENDENT, MOST_COMBINED = 5.0, 1e-3, 10


class ResponseError(MlxcError):
    """A response did not converge; the message says how far it came."""


def solve_dyson(
    response: IndependentResponse,
    kernel: Callable[[Tensor], Tensor],
    grid: Grid,
    loss_potential: Tensor,
    direct: Tensor,
    metal: bool,
    tolerance: float,
    negligible: float,
    monitor: AdjointMonitor | None = None,
) -> tuple[Tensor, list[AdjointRecord]]:
    """The cotangent x of the effective potential.

    Args:
        response: chi_0.
        kernel: K x on the grid, from x on the grid, both ``(nfield, nspin, n1, n2, n3)``.
        grid: The grid that fields live on.
        loss_potential: g on the grid, same shape.
        direct: z, Fourier coefficients ``(nfield, nspin, ngvector)``, symmetric.
        metal: Whether mixing starts with a preconditioner for metals.
        tolerance: The tolerance of the relative residual.
        negligible: The norm of a change of x that is nothing but rounding errors.
        monitor: A function that is told of each step.

    Returns:
        x as Fourier coefficients, and the history.

    Raises:
        ResponseError: no convergence.
    """
    mixer = AndersonMixing(downhill=False).start(grid, response.kinds, metal)
    history: list[AdjointRecord] = []
    tried: list[Tensor] = []
    residuals: list[Tensor] = []
    started = time.perf_counter()
    cotangent, anchor = direct, 1.0
    rounding = SINGLE_ERROR if response.in_single_precision else 0.0
    answer = response.first(loss_potential + kernel(grid.real(direct)) if bool(direct.any()) else loss_potential)
    for iteration in range(1, MAX_ITERATIONS + 1):
        found = direct + answer.fields
        remainder = found - cotangent
        if iteration > 1:  # the first response is rough
            tried.append(cotangent)
            residuals.append(remainder)
            del tried[:-MOST_COMBINED], residuals[:-MOST_COMBINED]
        change, size = float(remainder.norm()), float(found.norm())
        residual = change / size if change > negligible else 0.0
        # The response has changed by about this much since it was exact.
        anchor = residual if answer.exact else anchor
        rounded = rounding * anchor > tolerance
        accurate = answer.exact or not rounded
        best, left = found, residual
        if accurate and residuals and tolerance <= residual < COMBINED * tolerance:
            combined, least = best_combination(tried, residuals, _vector, INDEPENDENT)
            best, left = combined + least, float(least.norm()) / size
        seconds = time.perf_counter() - started
        history.append(AdjointRecord(iteration, left, answer.applications, seconds))
        if monitor is not None:
            monitor(history[-1])
        if accurate and left < tolerance:
            return best, history
        accuracy = ORBITAL_ACCURACY * max(min(residual, 1.0), tolerance) * size * float(grid.volume)
        before, cotangent = cotangent, mixer.next(cotangent, remainder, residual)
        if rounded and residual < max(tolerance / SINGLE_ERROR, SINGLE_REACH * anchor):
            answer = response(loss_potential + kernel(grid.real(cotangent)), accuracy, answer.changes)
        else:
            answer = response.further(kernel(grid.real(cotangent - before)), accuracy, answer)
    raise ResponseError(
        f"The gradient did not converge: after {len(history)} steps the residual of the response is "
        f"{history[-1].residual:.1e}, where {tolerance:.1e} is asked for. The state may be close to an instability; "
        "choose a larger smearing."
    )


def _vector(fields: Tensor) -> Tensor:
    return torch.view_as_real(fields).flatten()
