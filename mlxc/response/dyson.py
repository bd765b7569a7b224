"""Dyson's equation: the response of electrons that see each other, by the mixing that also converges the SCF.

A cotangent x of the effective potential obeys x = z + chi_0 (g + K x), where g is the loss's derivative with respect to
the fields, z what the loss asks of the potential directly, and K the kernel of Hartree and XC. chi_0 and K are
self-adjoint, so this is the response of the density to g as a perturbing potential.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from torch import Tensor

from mlxc.errors import MlxcError
from mlxc.grid.grid import Grid
from mlxc.kohn_sham.mixing.mixers import AndersonMixing
from mlxc.kohn_sham.monitor import AdjointMonitor, AdjointRecord
from mlxc.response.independent import IndependentResponse

MAX_ITERATIONS = 40
# Residual of an orbital's change that is good enough for a response with a relative error of one electron per cell.
ORBITAL_ACCURACY = 1e-3
# Rounding errors of single precision in a response, as a share of how much it has changed since it was last exact.
SINGLE_ERROR = 1e-5
# An exact response in between costs little where the residual has fallen so far.
SINGLE_REACH = 1e-3


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
    started = time.perf_counter()
    cotangent, anchor = direct, 1.0
    rounding = SINGLE_ERROR if response.in_single_precision else 0.0
    answer = response.first(loss_potential + kernel(grid.real(direct)) if bool(direct.any()) else loss_potential)
    for iteration in range(1, MAX_ITERATIONS + 1):
        found = direct + answer.fields
        change, size = float((found - cotangent).norm()), float(found.norm())
        residual = change / size if change > negligible else 0.0
        # The response has changed by about this much since it was exact.
        anchor = residual if answer.exact else anchor
        seconds = time.perf_counter() - started
        history.append(AdjointRecord(iteration, residual, answer.applications, seconds))
        if monitor is not None:
            monitor(history[-1])
        rounded = rounding * anchor > tolerance
        if residual < tolerance and (answer.exact or not rounded):
            return found, history
        accuracy = ORBITAL_ACCURACY * max(min(residual, 1.0), tolerance) * size * float(grid.volume)
        before, cotangent = cotangent, mixer.next(cotangent, found - cotangent, residual)
        if rounded and residual < max(tolerance / SINGLE_ERROR, SINGLE_REACH * anchor):
            answer = response(loss_potential + kernel(grid.real(cotangent)), accuracy, answer.changes)
        else:
            answer = response.further(kernel(grid.real(cotangent - before)), accuracy, answer)
    raise ResponseError(
        f"The gradient did not converge: after {len(history)} steps the residual of the response is "
        f"{history[-1].residual:.1e}, where {tolerance:.1e} is asked for. The state may be close to an instability; "
        "choose a larger smearing."
    )
