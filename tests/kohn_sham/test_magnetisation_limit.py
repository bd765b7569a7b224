"""What a step of the mixing may do to the magnetisation, and how residuals of several fields are weighed."""

from __future__ import annotations

from math import pi

import numpy as np
import pytest
import torch
from torch import Tensor

from mlxc.grid.fields import DENSITY, GRADIENT, TAU, FieldKinds, component_count
from mlxc.grid.grid import Grid
from mlxc.kohn_sham.mixing.magnetisation_limit import (
    OF_ELECTRONS,
    OF_MAGNETISATION,
    OF_RESIDUAL,
    SETTLED,
    MagnetisationLimit,
)
from mlxc.kohn_sham.mixing.metric import OF_TAU, FieldsMetric
from mlxc.kohn_sham.mixing.mixers import AndersonMixer
from mlxc.kohn_sham.mixing.schedule import MixingStage
from mlxc.terms.hartree import hartree_energy

GRID = Grid(torch.eye(3, dtype=torch.float64) * 8, (12, 12, 12), 4.0)
ELECTRONS = 10.0


def fields(charge: float, moment: float, nspin: int = 2) -> Tensor:
    """Total and magnetisation that are the same everywhere, given by their integrals."""
    values = torch.zeros(1, nspin, len(GRID.miller), dtype=torch.complex128)
    values[0, :, 0] = torch.tensor([charge, moment][:nspin], dtype=torch.float64) / GRID.volume
    return values


def noise(nfield: int, nspin: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    real = torch.randn(nfield, nspin, *GRID.shape, generator=generator, dtype=torch.float64)
    return GRID.fourier(real)


def moment_of(values: Tensor) -> float:
    return float(values[0, 1, 0].real * GRID.volume)


@pytest.mark.parametrize(
    ("step", "uphill"), [(0.5, False), (5.0, False), (0.05, True), (0.0, True), (-0.5, True)]
)  # fmt: skip
def test_a_step_along_the_residual_of_the_magnetisation_leads_downhill(step: float, uphill: bool) -> None:
    limit = MagnetisationLimit(GRID)
    there = fields(ELECTRONS, 2.0)
    assert limit.leads_uphill(fields(0.3, step), fields(-1.0, 1.0), there) is uphill
    assert limit.leads_uphill(fields(0.3, -step), fields(-1.0, -1.0), there) is uphill


def test_no_step_of_a_magnetisation_that_has_settled_leads_uphill() -> None:
    limit, step, residual = MagnetisationLimit(GRID), fields(0.0, -1e-5), fields(0.0, 0.5 * SETTLED)
    assert not limit.leads_uphill(step, residual, fields(ELECTRONS, 1.0))
    assert limit.leads_uphill(step, residual, fields(ELECTRONS, 0.1))


def test_a_step_across_the_residual_leads_uphill_whatever_the_charge_does() -> None:
    residual, step = fields(0.1, 0.2), fields(0.1, 0.0)
    step[0, 1, 5] = 0.3
    assert MagnetisationLimit(GRID).leads_uphill(step, residual, fields(ELECTRONS, 2.0))


@pytest.mark.parametrize(
    ("residual", "moment", "allowed"),
    [
        (0.1, 0.0, OF_RESIDUAL * 0.1),
        (0.001, 4.0, OF_MAGNETISATION * 4.0),
        (0.001, 0.0, OF_ELECTRONS * ELECTRONS),
    ],
    ids=["by the residual", "by what there is", "by the electrons"],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_long_steps_of_the_magnetisation_are_cut_and_short_ones_are_not(
    residual: float, moment: float, allowed: float, sign: int
) -> None:
    limit, came_out, went_in = MagnetisationLimit(GRID), fields(0.5, sign * residual), fields(ELECTRONS, moment)
    short, long = fields(0.7, sign * 0.9 * allowed), fields(0.7, sign * 9.0 * allowed)
    assert limit(short, came_out, went_in) is short
    cut = limit(long, came_out, went_in)
    assert moment_of(cut) == pytest.approx(sign * allowed)
    # The charge goes all the way, and what was proposed is left as it is.
    assert float(cut[0, 0, 0].real * GRID.volume) == pytest.approx(0.7)
    assert moment_of(long) == pytest.approx(sign * 9.0 * allowed)


def test_without_spin_there_is_nothing_to_limit() -> None:
    limit, step = MagnetisationLimit(GRID), fields(100.0, 0.0, nspin=1)
    assert not limit.leads_uphill(-step, step, step)
    assert limit(step, 0.01 * step, 0.01 * step) is step


def relaxed(a: float, b: float, moment: float, steps: int, damping: float = 0.8) -> float:
    """The moment after some steps from another, of an energy F = -a m^2 / 2 + b m^4 / 4.

    F has a maximum at no moment and a minimum at sqrt(a / b). What comes out of a step is what is downhill, m - dF/dm.
    """
    mixer, state = AndersonMixer(GRID, (DENSITY,), MixingStage(damping)), fields(ELECTRONS, moment)
    up_and_down = torch.stack([state[:, 0] + state[:, 1], state[:, 0] - state[:, 1]], dim=1) / 2
    for _ in range(steps):
        moment = float((up_and_down[0, 0, 0] - up_and_down[0, 1, 0]).real * GRID.volume)
        slope = -a * moment + b * moment**3
        change = fields(0.0, -slope)
        residual = torch.stack([change[:, 1], -change[:, 1]], dim=1) / 2
        up_and_down = mixer.next(up_and_down, residual, abs(slope) / ELECTRONS)
    return moment


def test_mixing_leaves_a_maximum_of_the_energy_that_attracts_newtons_method() -> None:
    a, b = 0.3, 0.02
    assert relaxed(a, b, 0.6, 40) == pytest.approx((a / b) ** 0.5, rel=1e-4)


@pytest.mark.parametrize("moment", [0.01, 0.1])
@pytest.mark.parametrize("a", [0.5, 1.8])
def test_a_step_down_from_a_maximum_is_not_taken_back_though_the_residual_rises(a: float, moment: float) -> None:
    assert relaxed(a, a / 4, moment, 20, damping=0.9) == pytest.approx(2.0, rel=1e-3)


@pytest.mark.parametrize("moment", [1.0, 3.0])
def test_mixing_leaves_a_maximum_in_few_steps_wherever_it_starts(moment: float) -> None:
    """A curvature that is hardly negative, as between states of high and low spin, makes a small residual over a wide
    range.
    """
    a = 0.02
    assert relaxed(a, a / 25, moment, 30) == pytest.approx(5.0, rel=1e-4)


@pytest.mark.parametrize("response", [-5.0, -0.5, 0.0, 0.5, 1.5])
def test_a_magnetisation_overreacts_that_comes_out_changed_the_other_way(response: float) -> None:
    """What comes out changes by the response times what went in, and the residual by one less."""
    limit, change = MagnetisationLimit(GRID), fields(0.3, 0.2)
    assert limit.overreacts(change, (response - 1) * change) is (response < 0)
    assert limit.overreacts(-change, (1 - response) * change) is (response < 0)


def test_mixing_takes_short_steps_where_the_magnetisation_overreacts() -> None:
    """As in an atom whose levels of both spins lie at the Fermi level: what comes out moves by -9 times what went in,
    beside a soft part whose residual is half of what is left.
    """
    stiff, soft, wave = 10.0, 0.5, 5
    target = fields(ELECTRONS, 2.0)
    target[0, 1, wave] = 0.01
    mixer, state = AndersonMixer(GRID, (DENSITY,), MixingStage(0.9)), fields(ELECTRONS, 3.0)
    up_and_down = torch.stack([state[:, 0] + state[:, 1], state[:, 0] - state[:, 1]], dim=1) / 2
    for _ in range(15):
        state = torch.stack([up_and_down[:, 0] + up_and_down[:, 1], up_and_down[:, 0] - up_and_down[:, 1]], dim=1)
        change = soft * (target - state)
        change[0, 1, 0] *= stiff / soft
        up_and_down = mixer.next(
            up_and_down, torch.stack([change[:, 0] + change[:, 1], change[:, 0] - change[:, 1]], dim=1) / 2
        )
    torch.testing.assert_close(state, target, rtol=0, atol=1e-6)


def test_the_length_of_a_residual_of_the_charge_is_its_electric_energy() -> None:
    change = noise(1, 2, seed=1)
    change[0, 1] = 0
    change[..., 0] = 0  # the charge does not change
    squared = float(FieldsMetric(GRID, (DENSITY,)).vector(change).square().sum())
    assert 2 * pi * float(GRID.volume) * squared == pytest.approx(float(hartree_energy(GRID, change[0, 0])))


def test_a_magnetisation_counts_as_much_as_the_same_charge() -> None:
    """Exchanged, both have the same length: for each wave they are weighted alike."""
    change = noise(1, 2, seed=2)
    metric = FieldsMetric(GRID, (DENSITY,))
    assert float(metric.vector(change).norm()) == pytest.approx(float(metric.vector(change.flip(1)).norm()))


@pytest.mark.parametrize("kinds", [(DENSITY,), (DENSITY, TAU), (DENSITY, GRADIENT), (DENSITY, GRADIENT, TAU)])
@pytest.mark.parametrize("nspin", [1, 2])
def test_tau_counts_beside_the_density_and_a_gradient_follows_from_it(kinds: FieldKinds, nspin: int) -> None:
    values = noise(component_count(kinds), nspin)
    metric = FieldsMetric(GRID, kinds)
    density = FieldsMetric(GRID, (DENSITY,)).vector(values[:1]).square().sum()
    tau = torch.view_as_real(values[-1]).square().sum() / OF_TAU**2 if TAU in kinds else 0.0
    assert float(metric.vector(values).square().sum()) == pytest.approx(float(density + tau))


def test_long_waves_of_charge_and_magnetisation_count_most() -> None:
    metric, order = FieldsMetric(GRID, (DENSITY,)), np.argsort(GRID.lengths.numpy())
    shortest, longest = int(order[-1]), int(order[1])
    lengths = {}
    for spin in (0, 1):
        for wave in (longest, shortest):
            change = torch.zeros(1, 2, len(GRID.miller), dtype=torch.complex128)
            change[0, spin, wave] = 1
            lengths[spin, wave] = float(metric.vector(change).norm())
    ratio = float(GRID.lengths[shortest] / GRID.lengths[longest])
    for spin in (0, 1):
        assert lengths[spin, longest] / lengths[spin, shortest] == pytest.approx(ratio)
