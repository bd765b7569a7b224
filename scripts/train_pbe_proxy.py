"""Trains a network to be PBE, or PBEsol: the enhancement factors learned from the functional, without any crystal.

    python scripts/train_pbe_proxy.py [--functional pbe] [--rung gga] [assets/checkpoints/pbe-proxy.safetensors]

The model is the generalised-gradient :class:`~mlxc.xc.enhancement.NeuralEnhancement`; or the meta-generalised-gradient
one, which learns not to depend on alpha: training on crystals can start from it and find out how it should. Exchange is
fitted along s, correlation at points that fill (r_s, zeta, s, alpha) evenly on scales on which these saturate, by
L-BFGS, in three minutes on one core. What comes out behaves in crystals as its model does: a test of everything between
a network and a lattice constant, and a start for training on crystals.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from mlxc.xc.checkpoint import save_checkpoint
from mlxc.xc.enhancement import EXCHANGE_BOUND, NeuralEnhancement
from mlxc.xc.gga import PBE, pbesol
from mlxc.xc.mgga import TAU_UNIFORM

CHECKPOINTS = Path(__file__).resolve().parent.parent / "assets" / "checkpoints"
FUNCTIONALS = {"pbe": PBE, "pbesol": pbesol}
LABELS = {"pbe": "PBE", "pbesol": "PBEsol"}
HIDDEN = (16, 16)
SEED = 7
EXCHANGE_POINTS, CORRELATION_POINTS = 512, 1 << 13
# Of log10 r_s: from the cores of transition metals to where there are hardly any electrons.
LOG_RS = (-1.7, 1.5)
# L-BFGS starts anew so many times, each time for so many steps; each start forgets a history that has grown stale.
EXCHANGE_ROUNDS, CORRELATION_ROUNDS, STEPS = 6, 25, 500
# Losses near one keep the line search away from its absolute tolerances.
SCALE = 1e6


def squared_gradients(fraction: Tensor) -> Tensor:
    """s^2 from zero to infinity for fractions from zero to one."""
    return fraction / (1 - fraction)


def densities(count: int, meta: bool) -> tuple[Tensor, ...]:
    """Spin densities ``(2, count)``, their gradients ``(2, 3, count)``, and tau ``(2, count)`` if ``meta``."""
    u = torch.quasirandom.SobolEngine(4 if meta else 3, scramble=True, seed=0).draw(count, dtype=torch.float64).T
    rs = 10 ** (LOG_RS[0] + (LOG_RS[1] - LOG_RS[0]) * u[0])
    zeta = (2 * u[1] - 1) * (1 - 1e-9)
    density = 3 / (4 * torch.pi * rs**3)
    shares = torch.stack([1 + zeta, 1 - zeta]) / 2
    gradient = squared_gradients(u[2]).sqrt() * 2 * (3 * torch.pi**2) ** (1 / 3) * density ** (4 / 3)
    direction = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)[:, None]
    fields = (density * shares, (gradient * shares)[:, None] * direction)
    if not meta:
        return fields
    uniform = TAU_UNIFORM * density ** (5 / 3) * (2 * shares) ** (5 / 3) / 2
    return *fields, gradient.square() * shares / (8 * density) + squared_gradients(u[3]) * uniform


def minimise(parameters: Iterable[nn.Parameter], error: Callable[[], Tensor], rounds: int) -> float:
    """Fit, and return the root mean square of the error."""
    parameters = list(parameters)
    for _ in range(rounds):
        optimiser = torch.optim.LBFGS(
            parameters, max_iter=STEPS, history_size=100, line_search_fn="strong_wolfe", tolerance_change=1e-18
        )

        def loss(optimiser: torch.optim.Optimizer = optimiser) -> Tensor:
            optimiser.zero_grad()
            value = SCALE * error().square().mean()
            value.backward()
            return value

        optimiser.step(loss)
    with torch.no_grad():
        return float(error().square().mean().sqrt())


def main() -> None:
    """Train and write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--functional", choices=FUNCTIONALS, default="pbe")
    parser.add_argument("--rung", choices=["gga", "mgga"], default="gga")
    parser.add_argument("output", nargs="?", type=Path)
    arguments = parser.parse_args()
    name = arguments.functional
    meta = arguments.rung == "mgga"
    output = arguments.output or CHECKPOINTS / f"{name}-{'meta-' if meta else ''}proxy.safetensors"
    torch.set_num_threads(1)
    started = time.perf_counter()
    # A functional of the lower rung does not keep the tighter bound that is usual above it.
    bound = EXCHANGE_BOUND["gga"]
    model, target = NeuralEnhancement(arguments.rung, HIDDEN, SEED, bound), FUNCTIONALS[name]()
    u = torch.quasirandom.SobolEngine(2, scramble=True, seed=0).draw(EXCHANGE_POINTS, dtype=torch.float64).T
    even = (torch.arange(EXCHANGE_POINTS, dtype=torch.float64) + 0.5) / EXCHANGE_POINTS
    s2, alpha = squared_gradients(u[0] if meta else even), squared_gradients(u[1]) if meta else None
    fields = densities(CORRELATION_POINTS, meta)
    rho, grad = fields[:2]
    exchange, correlation = target.enhancement(s2), target.correlation(rho, grad)
    uniform = target.exchange(rho, 0 * grad)
    assert model.exchange_network is not None
    exchange_error = minimise(
        model.exchange_network.parameters(), lambda: model.exchange_enhancement(s2, alpha) - exchange, EXCHANGE_ROUNDS
    )
    correlation_error = minimise(
        model.correlation_network.parameters(),
        lambda: (model.correlation(*fields) - correlation) / uniform,
        CORRELATION_ROUNDS,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    rung = "meta-generalised gradient" if meta else "generalised gradient"
    points = f"{EXCHANGE_POINTS} s and {CORRELATION_POINTS} (rs, zeta, s{', alpha' if meta else ''})"
    record = save_checkpoint(
        model,
        output,
        name=output.stem,
        description=f"neural {rung}: a network that has learned {LABELS[name]}'s enhancement factors",
        baseline=name,
        training_data=f"{LABELS[name]} at {points}, by {Path(__file__).name}",
        seed=SEED,
        metrics={"rms_error_of_f_x": exchange_error, "rms_error_of_f_c": correlation_error},
        domain={"rs": (10 ** LOG_RS[0], 10 ** LOG_RS[1]), "zeta": (0, 1), "s": (0, None)},
        licence="MIT",
    )
    print(f"{record.metrics} after {time.perf_counter() - started:.0f} s: {output}")


if __name__ == "__main__":
    main()
