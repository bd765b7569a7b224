"""Trains a network to be a known functional: enhancement factors learned from it, without any crystal.

    python scripts/train_proxy.py pbe [assets/checkpoints/pbe-proxy.safetensors]

The model is :class:`~mlxc.xc.enhancement.NeuralEnhancement`, at the rung of the functional: ``pbe``, or ``ms2``, the
meta-generalised gradient "made simple" of J. Sun et al., J. Chem. Phys. 138, 044113 (2013). Exchange and correlation
are fitted at points that fill (s, alpha) and (r_s, zeta, s, alpha) evenly on scales on which these saturate, by L-BFGS,
in a few minutes on one core. What comes out behaves in crystals as its model does: a test of everything between a
network and a lattice constant, and a start for training on crystals.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from mlxc.xc.catalogue import functional
from mlxc.xc.checkpoint import save_checkpoint
from mlxc.xc.enhancement import EXCHANGE_BOUND, NeuralEnhancement
from mlxc.xc.functional import declared_ingredients
from mlxc.xc.lda import uniform_exchange
from mlxc.xc.mgga import TAU_UNIFORM

CHECKPOINTS = Path(__file__).resolve().parent.parent / "assets" / "checkpoints"
# Rung, exchange and correlation.
FUNCTIONALS = {"pbe": ("gga", "gga_x_pbe", "gga_c_pbe"), "ms2": ("mgga", "mgga_x_ms2", "gga_c_regtpss")}
HIDDEN = (16, 16)
SEED = 7
# On a line of s, and in a square of s and alpha.
EXCHANGE_POINTS = {"gga": 1 << 9, "mgga": 1 << 11}
CORRELATION_POINTS = 1 << 13
# Of log10 r_s: from the cores of transition metals to where there are hardly any electrons.
LOG_RS = (-1.7, 1.5)
# L-BFGS starts anew so many times, each time for so many steps; each start forgets a history that has grown stale.
EXCHANGE_ROUNDS, CORRELATION_ROUNDS, STEPS = 12, 8, 500
# Exchange matters most where valence electrons are: errors count half at this s^2 and at this alpha.
COMMON = 6.0
# Losses near one keep the line search away from its absolute tolerances.
SCALE = 1e6


def unit_square(count: int, meta: bool) -> Tensor:
    """Points that fill the unit square, or its lower edge, evenly: shape ``(2, count)``."""
    if meta:
        return torch.quasirandom.SobolEngine(2, scramble=True, seed=0).draw(count, dtype=torch.float64).T
    even = (torch.arange(count, dtype=torch.float64) + 0.5) / count
    return torch.stack([even, torch.zeros_like(even)])


def squared_gradients(fraction: Tensor) -> Tensor:
    """s^2, or alpha, from zero to infinity for fractions from zero to one."""
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


def unpolarised(s2: Tensor, alpha: Tensor) -> dict[str, Tensor]:
    """One electron per bohr^3 with these squared reduced gradients and alpha."""
    density = torch.ones_like(s2)
    gradient = s2.sqrt() * 2 * (3 * torch.pi**2) ** (1 / 3)
    tau = gradient.square() / 8 + alpha * TAU_UNIFORM
    grad = torch.stack([gradient, torch.zeros_like(s2), torch.zeros_like(s2)])
    return {"rho": density[None], "grad": grad[None], "tau": tau[None]}


def energy_density(name: str, fields: dict[str, Tensor]) -> Tensor:
    """Of a functional, at each point."""
    target = functional(name)
    with torch.no_grad():
        values: Tensor = target(**{key: fields[key] for key in declared_ingredients(target)})
    return values


def main() -> None:
    """Train and write the checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("functional", choices=FUNCTIONALS)
    parser.add_argument("output", nargs="?", type=Path)
    arguments = parser.parse_args()
    name = arguments.functional
    rung, exchange_name, correlation_name = FUNCTIONALS[name]
    meta = rung == "mgga"
    output = arguments.output or CHECKPOINTS / f"{name}-proxy.safetensors"
    torch.set_num_threads(1)
    started = time.perf_counter()
    # MS2 does not keep the tighter bound that is usual at its rung.
    model = NeuralEnhancement(rung, HIDDEN, SEED, EXCHANGE_BOUND["gga"])
    assert model.exchange_network is not None
    s2, alpha = (squared_gradients(u) for u in unit_square(EXCHANGE_POINTS[rung], meta))
    plain = unpolarised(s2, alpha)
    exchange = energy_density(exchange_name, plain) / uniform_exchange(plain["rho"][0])
    weight = 1 / (1 + (s2 / COMMON) ** 2) / (1 + (alpha / COMMON) ** 2)
    exchange_error = minimise(
        model.exchange_network.parameters(),
        lambda: weight * (model.exchange_enhancement(s2, alpha if meta else None) - exchange),
        EXCHANGE_ROUNDS,
    )
    fields = densities(CORRELATION_POINTS, meta)
    correlation = energy_density(correlation_name, dict(zip(("rho", "grad", "tau"), fields, strict=False)))
    uniform = energy_density("lda_x", {"rho": fields[0]})
    correlation_error = minimise(
        model.correlation_network.parameters(),
        lambda: (model.correlation(*fields) - correlation) / uniform,
        CORRELATION_ROUNDS,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    points, more = ("(s, alpha)", ", alpha") if meta else ("s", "")
    label = name.upper()
    record = save_checkpoint(
        model,
        output,
        name=output.stem,
        description=f"neural {'meta-' if meta else ''}generalised gradient: a network that has learned {label}'s "
        "enhancement factors",
        baseline=name,
        training_data=f"{label} at {EXCHANGE_POINTS[rung]} {points} and {CORRELATION_POINTS} (rs, zeta, s{more}), "
        f"by {Path(__file__).name}",
        seed=SEED,
        metrics={"rms_error_of_f_x": exchange_error, "rms_error_of_f_c": correlation_error},
        domain={"rs": (10 ** LOG_RS[0], 10 ** LOG_RS[1]), "zeta": (0, 1), "s": (0, None)},
        licence="MIT",
    )
    print(f"{record.metrics} after {time.perf_counter() - started:.0f} s: {output}")


if __name__ == "__main__":
    main()
