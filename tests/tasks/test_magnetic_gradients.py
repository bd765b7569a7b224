"""What a functional's parameters do to magnets: rows of stretched hydrogen, which are the smallest, and nickel."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from mlxc import Crystal, GroundState, InputError
from mlxc.calculation.magnetic_pair import compute_magnetic_pair
from mlxc.calculation.run import run_calculation
from mlxc.crystal.magnetism import with_parallel_moments
from mlxc.tasks.gradient.task import GradientTask
from mlxc.units import HARTREE_EV
from mlxc.xc.gga import PBE, PBE_KAPPA, PBE_MU

# Central differences of parameters.
STEP = 2e-3
SETTINGS = {"xc": "pbe-kappa-mu", "pseudo": "gth", "ecut_ha": 8, "kmesh": [1, 1, 2], "spin": True,
            "smearing": "fermi-dirac", "width_ha": 0.01, "tolerance": 1e-9}  # fmt: skip


def row(spacing: float, *moments: float) -> Crystal:
    """Hydrogen atoms at a distance along the third axis, bohr."""
    count = len(moments)
    positions = [[0, 0, index / count] for index in range(count)]
    return Crystal(np.diag([6.0, 6.0, spacing * count]), ["H"] * count, positions, moments, "hydrogen")


def task_of(loss: str, crystal: Crystal, **more: Any) -> GradientTask:
    return GradientTask.from_dict(
        {"calculation": SETTINGS | {"structure": crystal} | more.pop("calculation", {}), "loss": loss} | more
    )


def state_of(crystal: Crystal, kappa: float, mu: float, **settings: Any) -> GroundState:
    """A state that is converged from the beginning."""
    calculation = task_of("energy", crystal, calculation=settings).calculation
    ground = run_calculation(calculation, xc=PBE(kappa, mu))
    assert ground.converged
    return ground


def order_energy(kappa: float, mu: float) -> float:
    """F of opposite moments minus F of parallel ones, meV per atom, by two independent calculations."""
    opposite = row(3.5, 1, -1)
    energies = [
        float(state_of(crystal, kappa, mu, fft_grid=(15, 15, 18)).energy)
        for crystal in (opposite, with_parallel_moments(opposite))
    ]
    return (energies[0] - energies[1]) / 2 * HARTREE_EV * 1000


@cache
def order_gradient() -> dict[str, Any]:
    return task_of("magnetic_order_energy", row(3.5, 1, -1), step=0.02).run().summary()


@pytest.mark.thorough
@pytest.mark.parametrize(("name", "direction"), [("kappa", np.array([STEP, 0])), ("mu", np.array([0, STEP]))])
def test_the_gradient_of_an_order_s_energy_is_its_finite_difference(name: str, direction: np.ndarray) -> None:
    start = np.array([PBE_KAPPA, PBE_MU])
    difference = (order_energy(*(start + direction)) - order_energy(*(start - direction))) / (2 * STEP)
    assert order_gradient()["parameters"][name]["gradient"] == pytest.approx(difference, rel=1e-4)


def test_neighbours_with_overlapping_orbitals_prefer_opposite_moments_and_no_adjoint_is_solved() -> None:
    found = order_gradient()
    assert found["before"]["quantity"] == pytest.approx(order_energy(PBE_KAPPA, PBE_MU), abs=1e-3)
    assert found["before"]["quantity"] < -50
    assert found["adjoint"] == []
    assert found["after"]["loss"] < found["before"]["loss"]


def test_both_orders_share_grid_and_mesh() -> None:
    pair = compute_magnetic_pair(
        task_of("magnetic_order_energy", row(5, 1, -1), calculation={"tolerance": 1e-6}).calculation
    )
    assert pair.message == ""
    assert pair.given.basis.grid.shape == pair.parallel.basis.grid.shape
    assert pair.given.magnetisation == pytest.approx(0, abs=1e-4)
    assert pair.parallel.magnetisation == pytest.approx(2, abs=1e-4)


def test_moments_that_vanish_have_no_energy_of_order() -> None:
    result = task_of("magnetic_order_energy", row(1.6, 1, -1), calculation={"width_ha": 0.05}).run().summary()
    assert not result["converged"]
    assert result["gradient_norm"] is None
    assert "became non-magnetic" in result["message"]


@pytest.mark.thorough
def test_the_gradient_of_a_moment_is_its_finite_difference() -> None:
    # Nickel, stretched so that it keeps its moment with few k points.
    nickel = Crystal.load("ni").scaled(1.05)
    settings: dict[str, Any] = {"ecut_ha": 12, "kmesh": [2, 2, 2], "width_ha": 0.005, "pseudo": "pseudodojo"}
    found = task_of("magnetisation", nickel, calculation=settings).run().summary()
    assert 0.1 < found["before"]["quantity"] < 0.7
    above, below = (state_of(nickel, PBE_KAPPA, PBE_MU + sign * STEP, **settings).magnetisation for sign in (1, -1))
    assert above is not None
    assert below is not None
    assert found["parameters"]["mu"]["gradient"] == pytest.approx((above - below) / (2 * STEP), rel=1e-3)


@pytest.mark.parametrize(
    ("crystal", "settings", "words"),
    [
        (row(3.5, 1, 1), {}, ["moments", "hydrogen starts with 1, 1", "a negative one"]),
        (row(3.5, 0, 0), {}, ["moments", "hydrogen starts with 0, 0"]),
        (row(3.5, 1, -1), {"spin": False}, ["loss", "magnetic order energy", "spin"]),
        (row(3.5, 1, -1), {"total_moment": 0.0}, ["total_moment", "magnetic order energy"]),
        (row(3.5, 1, -1), {"smearing": "none"}, ["smearing", "moments"]),
    ],
)  # fmt: skip
def test_what_has_no_two_orders_is_told_in_one_sentence(
    crystal: Crystal, settings: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(InputError) as error:
        task_of("magnetic_order_energy", crystal, calculation=settings)
    assert all(word in str(error.value) for word in words)
