"""Adam is the one that everybody knows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mlxc.training.optimisers import Adam


def rosenbrock(x: Tensor) -> Tensor:
    return (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2


def walk(optimiser: object, x: nn.Parameter, steps: int) -> list[float]:
    def closure() -> float:
        optimiser.zero_grad()  # type: ignore[attr-defined]
        loss = rosenbrock(x)
        loss.backward()
        return float(loss.detach())

    for _ in range(steps):
        optimiser.step(closure)  # type: ignore[attr-defined]
    return x.detach().tolist()


def start() -> nn.Parameter:
    return nn.Parameter(torch.tensor([-1.0, 2.0], dtype=torch.float64))


def test_steps_are_those_of_pytorch() -> None:
    ours, theirs = start(), start()
    found = walk(Adam([ours], 0.03), ours, 200)
    expected = walk(torch.optim.Adam([theirs], lr=0.03), theirs, 200)
    assert torch.allclose(torch.tensor(found), torch.tensor(expected), rtol=1e-13)


def test_one_that_goes_on_from_a_state_goes_on_the_same_way() -> None:
    whole, parts = start(), start()
    expected = walk(Adam([whole], 0.03), whole, 40)
    first = Adam([parts], 0.03)
    walk(first, parts, 15)
    second = Adam([parts], 1.0)
    second.load_state_dict(first.state_dict())
    assert walk(second, parts, 25) == expected
