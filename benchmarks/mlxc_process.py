"""mlxc in warm processes: they have loaded all libraries and computed something tiny before the first measurement."""

from __future__ import annotations

import multiprocessing
import resource
from concurrent.futures import ProcessPoolExecutor

from other_codes import Timing

from mlxc import Calculation


def warm_processes(count: int, threads: int) -> ProcessPoolExecutor:
    """Processes that begin anew, not as copies of this one, with so many threads each."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, mp_context=context, initializer=_prepare, initargs=(threads,))


class MlxcProcess:
    """A process for one case, so that its peak memory is that of this case and nothing else."""

    def __init__(self, threads: int) -> None:
        self._pool = warm_processes(1, threads)

    def run(self, calculation: Calculation) -> Timing:
        """Set-up and SCF, without forces and stress; the peak memory is that of the process so far."""
        return self._pool.submit(_measure, calculation).result()

    def close(self) -> None:
        """End the process."""
        self._pool.shutdown()


def _prepare(threads: int) -> None:
    import torch

    from mlxc.ground_state import warm_up

    torch.set_num_threads(threads)
    warm_up()


def _measure(calculation: Calculation) -> Timing:
    from mlxc.calculation.run import run_calculation

    ground = run_calculation(calculation)
    last = ground.history[-1]
    # The energy is of second order in the density.
    error = last.residual_energy_ha * (calculation.tolerance / last.density_residual) ** 2
    return Timing(
        ground.seconds["total"],
        float(ground.energy.detach()),
        iterations=len(ground.history),
        error_ha=error,
        converged=ground.converged,
        peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
