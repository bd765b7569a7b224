"""Magnetic branches of an equation of state: where moments jump, what belongs together, and which curve counts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from support import Outcome, extxyz

from mlxc import Calculation, Crystal
from mlxc.properties.birch_murnaghan import BirchMurnaghan
from mlxc.properties.eos import equation_of_state
from mlxc.properties.magnetic_branches import JUMP, branches, described, jumps, moment_per_atom, same_branch, told
from mlxc.tasks.eos import second_branch as followed
from mlxc.units import BOHR_ANG, HARTREE_EV

VOLUMES = np.linspace(10.0, 13.0, 7)
# Iron with an fcc lattice, roughly: volumes per atom in cubic angstrom, energies in electronvolt.
LOW, HIGH = BirchMurnaghan(-10.00, 10.7, 1.25, 4.5), BirchMurnaghan(-9.98, 12.0, 1.0, 4.5)


def state(volume: float, energy_ev: float, moment: float, atoms: int = 1, converged: bool = True) -> Any:
    """What an equation of state asks of a ground state; volume and energy are per cell, the moment per atom."""
    edge = volume ** (1 / 3) / BOHR_ANG
    crystal = Crystal(edge * np.eye(3), ["Fe"] * atoms, np.arange(atoms)[:, None] * np.ones(3) / atoms)
    return SimpleNamespace(
        crystal=crystal,
        energy=torch.tensor(energy_ev / HARTREE_EV, dtype=torch.float64),
        absolute_magnetisation=moment * atoms,
        converged=converged,
        message="",
        seconds={"total": 1.0},
    )


def on(curve: BirchMurnaghan, moments: list[float]) -> list[Any]:
    return [state(v, float(curve(v)), m) for v, m in zip(VOLUMES, moments, strict=True)]


LOW_SPIN, HIGH_SPIN = [0.7, 0.75, 0.8, 0.9, 1.0, 1.1, 1.2], [2.2, 2.3, 2.38, 2.45, 2.5, 2.55, 2.6]


def test_a_moment_is_that_of_an_atom_and_zero_without_spin() -> None:
    assert moment_per_atom(state(10.0, -1.0, 1.5, atoms=3)) == pytest.approx(1.5)
    without = state(10.0, -1.0, 0.0)
    without.absolute_magnetisation = None
    assert moment_per_atom(without) == 0
    assert same_branch(state(10.0, -1.0, 1.50), state(10.0, -1.0, 1.52))
    assert not same_branch(state(10.0, -1.0, 1.5), state(10.0, -1.0, 1.6))


@pytest.mark.parametrize(
    ("moments", "indices"),
    [
        (LOW_SPIN, []),
        ([0.0] * 7, []),
        (LOW_SPIN[:3] + HIGH_SPIN[3:], [3]),
        ([0.0, 0.0, 2.0, 2.1, 0.0, 0.0, 0.0], [2, 4]),
        # A moment that grows as fast everywhere jumps nowhere.
        ([0.0, 0.4, 0.8, 1.2, 1.6, 2.0, 2.4], []),
        # One that sets in gently, as at a transition of second order.
        ([0.0, 0.0, 0.2, 0.35, 0.45, 0.53, 0.6], []),
        ([1.0], []),
    ],
    ids=["smooth", "none", "low to high spin", "up and down", "steep", "second order", "one point"],
)
def test_a_moment_jumps_where_it_changes_far_more_than_elsewhere(moments: list[float], indices: list[int]) -> None:
    assert jumps([state(10.0 + i, -1.0, moment) for i, moment in enumerate(moments)]) == indices


@given(st.lists(st.floats(0, 0.99 * JUMP), min_size=2, max_size=9))
def test_moments_that_change_little_never_jump(changes: list[float]) -> None:
    moments = np.cumsum(np.array(changes) * np.where(np.arange(len(changes)) % 2, -1, 1))
    assert jumps([state(10.0, -1.0, abs(moment)) for moment in moments]) == []


def test_states_between_jumps_are_branches() -> None:
    curve = on(LOW, LOW_SPIN[:3] + HIGH_SPIN[3:])
    assert [list(branch) for branch in branches(curve, {})] == [[0, 1, 2], [3, 4, 5, 6]]
    assert [list(branch) for branch in branches(on(LOW, LOW_SPIN), {})] == [list(range(7))]


def test_states_that_were_followed_go_on_from_the_last_ones() -> None:
    curve, high = on(LOW, LOW_SPIN[:3] + HIGH_SPIN[3:]), on(HIGH, HIGH_SPIN)
    low, other = branches(curve, {2: high[2], 1: high[1]})
    assert list(low) == [0, 1, 2]
    assert list(other) == [1, 2, 3, 4, 5, 6]
    assert other[2] is high[2]
    assert other[5] is curve[5]


def test_states_that_were_found_from_free_atoms_are_a_branch_of_their_own() -> None:
    high = on(HIGH, HIGH_SPIN)
    found = branches(on(LOW, LOW_SPIN), {6: high[6], 5: high[5]})
    assert [list(branch) for branch in found] == [list(range(7)), [5, 6]]
    assert "There are 2 magnetic branches" in told(found)
    assert "0.70 to 1.20 at 7 volumes and of 2.55 to 2.60 at 2 volumes" in told(found)


def test_a_branch_is_told_in_the_units_of_a_curve() -> None:
    found = described(dict(enumerate(on(HIGH, HIGH_SPIN))))
    np.testing.assert_allclose(found["volumes_ang3"], VOLUMES)
    np.testing.assert_allclose(found["energies_ev"], HIGH(VOLUMES))
    np.testing.assert_allclose(found["moments_per_atom_bohr_magneton"], HIGH_SPIN)


@pytest.mark.parametrize("deeper", ["low spin", "high spin"])
def test_the_curve_is_that_of_the_branch_with_the_lowest_minimum(deeper: str) -> None:
    high = BirchMurnaghan(HIGH.energy0 - (0.1 if deeper == "high spin" else 0), 12.0, 1.0, 4.5)
    states, others = on(LOW, LOW_SPIN), dict(enumerate(on(high, HIGH_SPIN)))
    result = equation_of_state(states, "volume", states[3], {}, others)
    lowest = high if deeper == "high spin" else LOW
    assert result.fit is not None
    assert result.fit.volume0 == pytest.approx(lowest.volume0, abs=1e-3)
    assert result.fit.energy0 == pytest.approx(lowest.energy0, abs=1e-5)
    assert "There are 2 magnetic branches" in result.message
    assert result.magnetic_branches is not None
    assert [len(branch["energies_ev"]) for branch in result.magnetic_branches] == [7, 7]
    assert result.summary()["magnetic_branches"] == result.magnetic_branches
    assert result.converged


def test_a_single_branch_is_no_news() -> None:
    states = on(LOW, LOW_SPIN)
    result = equation_of_state(states, "volume", states[3], {})
    assert result.magnetic_branches is None
    assert result.message == ""


def calculations() -> list[Calculation]:
    iron = Crystal(4.6 * np.eye(3), ["Fe"], [[0, 0, 0]])
    settings = {"structure": iron, "ecut_ha": 5, "kmesh": (1, 1, 1), "spin": True, "pseudo": "gth", "width_ha": 0.01}
    return Calculation.from_dict(settings).at_volumes(VOLUMES / VOLUMES[3])


@pytest.mark.parametrize("reach", [2, 5])
def test_another_branch_is_followed_from_the_largest_volume_for_as_long_as_it_is_one(
    monkeypatch: pytest.MonkeyPatch, reach: int
) -> None:
    """From free atoms the high-spin state is found; at some smaller volume it falls into the low-spin one."""
    low, high, seen = on(LOW, LOW_SPIN), on(HIGH, HIGH_SPIN), []

    def run(calculation: Calculation, monitor: None, start: Any, xc: None) -> Any:
        index = cases.index(calculation)
        assert list(start) == ([] if index == 6 else [high[index + 1]])
        return high[index] if index >= reach else low[index]

    cases = calculations()
    monkeypatch.setattr(followed, "run_calculation", run)
    found = followed.second_branch(cases, low, None, lambda index, _: seen.append(index))
    assert list(found) == seen == list(range(6, reach - 1, -1))
    assert equation_of_state(low, "volume", low[3], {}, found).magnetic_branches is not None


def test_nothing_is_followed_where_free_atoms_lead_to_the_same_state(monkeypatch: pytest.MonkeyPatch) -> None:
    low, runs = on(LOW, LOW_SPIN), []
    monkeypatch.setattr(followed, "run_calculation", lambda *_: runs.append(1) or low[6])
    assert followed.second_branch(calculations(), low, None, lambda *_: None) == {}
    assert len(runs) == 1


def test_a_moment_that_is_held_has_no_other_branch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followed, "run_calculation", lambda *_: pytest.fail("nothing is to be computed"))
    held = [calculation.model_copy(update={"total_moment": 1.0}) for calculation in calculations()]
    without = [calculation.model_copy(update={"spin": False}) for calculation in calculations()]
    for cases in (held, without):
        assert followed.second_branch(cases, on(LOW, LOW_SPIN), None, lambda *_: None) == {}


@pytest.mark.thorough
def test_hydrogen_that_is_expanded_becomes_atoms_and_the_command_says_so(
    mlxc_command: Callable[..., Outcome], tmp_path: Path
) -> None:
    """Far apart, each atom has the moment of its one electron."""
    file = tmp_path / "hydrogen.extxyz"
    file.write_text(extxyz("H", "2.2225 0 0 0 2.2225 0 0 0 2.2225"))
    coarse = ["--pseudo", "gth", "--ecut", "8", "--cutoff-smoothing", "2", "--kmesh", "3", "3", "3", "--width", "0.005"]
    volumes = ["--points", "7", "--volume-range", "0.35", "2.5"]
    outcome = mlxc_command("eos", str(file), "--spin", *coarse, *volumes, "--json")
    assert outcome.code == 0, outcome.stderr
    result = json.loads(outcome.stdout)
    assert "There are 2 magnetic branches" in result["message"]
    dense, atoms = result["magnetic_branches"]
    assert atoms["moments_per_atom_bohr_magneton"][-1] == pytest.approx(1, abs=0.01)
    assert max(dense["moments_per_atom_bohr_magneton"]) < 0.6
    # The curve is that of the deeper one, and shows its points alone.
    assert result["energies_ev"] == dense["energies_ev"]
