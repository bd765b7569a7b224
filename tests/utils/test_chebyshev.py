"""Polynomials stand for smooth functions of several variables to the last digits, and for no others."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mlxc.utils.chebyshev import ChebyshevPolynomial

INTERVALS = ((0.0, 2.0), (-1.0, 1.0), (1.0, 3.0))
LIKE = torch.empty(0, dtype=torch.float64)


def smooth(x: Tensor, y: Tensor, z: Tensor) -> Tensor:
    return torch.exp(-x * y) / z + torch.cos(x + z)


def places(count: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    drawn = torch.rand(len(INTERVALS), count, generator=generator, dtype=torch.float64)
    return [low + (high - low) * one for (low, high), one in zip(INTERVALS, drawn, strict=True)]


def test_a_smooth_function_is_its_polynomial() -> None:
    polynomial = ChebyshevPolynomial.through(smooth, INTERVALS, (20, 20, 24), LIKE)
    assert polynomial is not None
    x, y, z = places(500)
    torch.testing.assert_close(polynomial(x, y, z), smooth(x, y, z), rtol=0, atol=1e-12)
    fixed = polynomial.at(0.7).at(-0.2)
    torch.testing.assert_close(fixed(z), smooth(z.new_tensor(0.7), z.new_tensor(-0.2), z), rtol=0, atol=1e-12)


def test_both_ends_of_an_interval_belong_to_it() -> None:
    polynomial = ChebyshevPolynomial.through(torch.exp, ((-1.0, 1.0),), (20,), LIKE)
    assert polynomial is not None
    ends = torch.tensor([-1.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(polynomial(ends), ends.exp(), rtol=1e-14, atol=0)


@pytest.mark.parametrize("function", [lambda x, y: (x - y).abs(), lambda x, y: torch.sin(40 * x) + y])
def test_a_function_with_a_kink_or_with_many_waves_has_none(function: object) -> None:
    assert ChebyshevPolynomial.through(function, INTERVALS[:2], (12, 12), LIKE) is None  # type: ignore[arg-type]
