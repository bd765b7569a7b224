"""Trains a network to be PBE, or PBEsol: the enhancement factors learned from the functional, without any crystal.

    python scripts/train_pbe_proxy.py [--functional pbe] [assets/checkpoints/pbe-proxy.safetensors]

The model is the generalised-gradient :class:`~mlxc.xc.enhancement.NeuralEnhancement`. Exchange is fitted along s,
correlation at points that fill (r_s, zeta, s) evenly on scales on which these saturate, by L-BFGS, in three minutes on
one core. What comes out behaves in crystals as PBE does: a test of everything between a network and a lattice constant,
and a start for training on crystals.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from mlxc.xc.checkpoint import save_checkpoint
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.gga import PBE, pbesol

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


def densities(count: int) -> tuple[Tensor, Tensor]:
    """Spin densities ``(2, count)`` and their gradients ``(2, 3, count)``, both spins with the same shape."""
    u = torch.quasirandom.SobolEngine(3, scramble=True, seed=0).draw(count, dtype=torch.float64).T
    rs = 10 ** (LOG_RS[0] + (LOG_RS[1] - LOG_RS[0]) * u[0])
    zeta = (2 * u[1] - 1) * (1 - 1e-9)
    density = 3 / (4 * torch.pi * rs**3)
    shares = torch.stack([1 + zeta, 1 - zeta]) / 2
    gradient = squared_gradients(u[2]).sqrt() * 2 * (3 * torch.pi**2) ** (1 / 3) * density ** (4 / 3)
    direction = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)[:, None]
    return density * shares, (gradient * shares)[:, None] * direction


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
    parser.add_argument("output", nargs="?", type=Path)
    arguments = parser.parse_args()
    name = arguments.functional
    output = arguments.output or CHECKPOINTS / f"{name}-proxy.safetensors"
    torch.set_num_threads(1)
    started = time.perf_counter()
    model, target = NeuralEnhancement("gga", HIDDEN, SEED), FUNCTIONALS[name]()
    s2 = squared_gradients((torch.arange(EXCHANGE_POINTS, dtype=torch.float64) + 0.5) / EXCHANGE_POINTS)
    rho, grad = densities(CORRELATION_POINTS)
    exchange, correlation = target.enhancement(s2), target.correlation(rho, grad)
    uniform = target.exchange(rho, 0 * grad)
    assert model.exchange_network is not None
    exchange_error = minimise(
        model.exchange_network.parameters(), lambda: model.exchange_enhancement(s2) - exchange, EXCHANGE_ROUNDS
    )
    correlation_error = minimise(
        model.correlation_network.parameters(),
        lambda: (model.correlation(rho, grad) - correlation) / uniform,
        CORRELATION_ROUNDS,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    points = f"{EXCHANGE_POINTS} s and {CORRELATION_POINTS} (rs, zeta, s)"
    record = save_checkpoint(
        model,
        output,
        name=output.stem,
        description=f"neural generalised gradient: a network that has learned {LABELS[name]}'s enhancement factors",
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
