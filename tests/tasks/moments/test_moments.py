"""The energy at moments that are held: which moments there are, identities of the curve, and how it is told."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from support import Outcome

from mlxc import Calculation, Crystal, GroundState, InputError, MomentsTask
from mlxc.calculation.run import run_calculation
from mlxc.export.tables import record_tables
from mlxc.runs.folder import RunFolder
from mlxc.runs.worker import execute
from mlxc.tasks.kinds import KINDS
from mlxc.tasks.moments.presentation import moment_in_words
from mlxc.tasks.moments.result import MomentsResult
from mlxc.tasks.moments.run import moment_point

# A cube of hydrogen, so wide that its electrons begin to stand apart: the cheapest magnet.
HYDROGEN = Crystal([[6.5, 0, 0], [0, 6.5, 0], [0, 0, 6.5]], ["H"], [[0, 0, 0]], name="hydrogen").to_dict()
QUICK: dict[str, Any] = {
    "structure": HYDROGEN, "xc": "lda", "pseudo": "gth", "ecut_ha": 5, "kmesh": [2, 2, 2],
    "smearing": "fermi-dirac", "width_ha": 0.02, "tolerance": 1e-8,
}  # fmt: skip
SILICON: dict[str, Any] = {"structure": "si", "pseudo": "gth", "ecut_ha": 5, "kmesh": [1, 1, 1]}
OXYGEN_ORBITALS: dict[str, Any] = {
    "structure": {**HYDROGEN, "species": ["O"]}, "basis": "gaussian", "gaussian_basis": "gth-szv", "ecut_ha": 5,
    "kmesh": [1, 1, 1],
}  # fmt: skip


def task(calculation: dict[str, Any], **further: Any) -> MomentsTask:
    return MomentsTask.from_dict({"calculation": calculation, **further})


@cache
def state(moment: float | None) -> GroundState:
    """The state of hydrogen with this moment, from free atoms."""
    settings = {**QUICK, "spin": True, "total_moment": moment}
    return run_calculation(Calculation.from_dict(settings))


@cache
def hydrogen() -> MomentsResult:
    return task(QUICK, highest_moment=0.9, points=7).run()


def test_the_moments_are_evenly_spaced_between_zero_and_those_of_free_atoms() -> None:
    iron = {"structure": {**HYDROGEN, "species": ["Fe"]}, "pseudo": "gth", "ecut_ha": 5, "kmesh": [1, 1, 1]}
    assert task(iron).curve == (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
    assert task(iron, lowest_moment=1, highest_moment=2, points=3).curve == (1.0, 1.5, 2.0)
    assert task(iron, moments=[2, 0, 1.25]).curve == (0.0, 1.25, 2.0)
    # An element without a moment of its own is given one for each atom; more than all electrons there cannot be.
    assert task({**iron, "structure": "mg"}).curve[-1] == 2.0
    assert task({**iron, "structure": HYDROGEN}).curve[-1] == 0.9


def test_fixed_occupations_take_the_moments_that_leave_whole_electrons() -> None:
    assert task(SILICON).curve == (0.0, 2.0, 4.0)
    assert task(SILICON, lowest_moment=-3, highest_moment=3).curve == (-2.0, 0.0, 2.0)
    aluminium = {**SILICON, "structure": "al", "smearing": "none"}
    assert task(aluminium).curve == (1.0, 3.0)


def test_spin_is_on_at_every_point_whatever_is_said() -> None:
    for spin in ({}, {"spin": True}, {"spin": False}):
        planned = task({**SILICON, **spin})
        assert planned.calculation.spin
        assert planned.at(2.0).total_moment == 2.0
        assert MomentsTask.from_dict(planned.model_dump(mode="json")) == planned


def test_the_way_down_comes_back_from_the_highest_moment() -> None:
    up = task(QUICK, moments=[0, 0.5, 1])
    assert up.steps == [(0.0, "up"), (0.5, "up"), (1.0, "up")]
    both = task(QUICK, moments=[0, 0.5, 1], both_ways=True)
    assert both.steps == [(0.0, "up"), (0.5, "up"), (1.0, "both"), (0.5, "down"), (0.0, "down")]
    assert (KINDS["moments"].parts(both).count, KINDS["moments"].parts(both).name) == (5, "moment")


@pytest.mark.parametrize(
    ("calculation", "further", "words"),
    [
        (QUICK, {"moments": [0, 0.5, 1.5]}, ["moments: 1.5", "1 valence electron"]),
        (QUICK, {"moments": [-2, 0, 1]}, ["moments: -2", "1 valence electron"]),
        (QUICK, {"moments": [0, 0.5, 1]}, ["moments: 1 ", "without electrons", "below 1"]),
        (QUICK, {"lowest_moment": 0.5, "highest_moment": 0.5}, ["highest_moment: 0.5", "--to"]),
        (QUICK, {"lowest_moment": 3}, ["highest_moment: 0.9", "above the lowest one, 3"]),
        (QUICK, {"moments": [0, 0.5]}, ["moments: 2 of them", "at least 3"]),
        (QUICK, {"points": 2}, ["points: 2"]),
        (QUICK, {"moments": [0, 0.5, 0.5]}, ["moments: 0.5 is given twice"]),
        (QUICK, {"moments": [0, 0.5, 1], "points": 3}, ["moments: give the moments themselves, or a range"]),
        (QUICK, {"moments": [0, 0.5, float("nan")]}, ["moments.2", "finite"]),
        ({**QUICK, "total_moment": 1.0}, {}, ["total_moment: 1.0", "--moments"]),
        (SILICON, {"moments": [0, 1, 2]}, ["moments: 1 ", "3.5 electrons with spin down", "even", "smearing"]),
        ({**SILICON, "structure": "al", "smearing": "none"}, {}, ["moments: 2 of them", "wider range"]),
        (OXYGEN_ORBITALS, {"moments": [0, 2, 4]}, ["4 functions", "6 electrons with a moment of 4 Bohr magneton"]),
    ],
)
def test_what_makes_no_curve_is_refused_in_one_sentence(
    calculation: dict[str, Any], further: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(InputError) as error:
        task(calculation, **further).check()
    assert all(word in str(error.value) for word in words), error.value


def test_a_level_of_each_spin_is_told_and_the_higher_one_is_the_states() -> None:
    point = moment_point(state(0.45), "up")
    assert point.fermi_level_up_ha is not None
    assert point.fermi_level_down_ha is not None
    assert max(point.fermi_level_up_ha, point.fermi_level_down_ha) == pytest.approx(state(0.45).fermi_level, abs=1e-10)


def test_the_slope_of_the_curve_is_half_the_distance_of_the_fermi_levels() -> None:
    """dF/dM = (mu_up - mu_down) / 2, beside a finite difference of free energies."""
    near, far = (
        float(state(round(0.45 + step, 2)).energy - state(round(0.45 - step, 2)).energy) for step in (0.02, 0.04)
    )
    difference = (8 * near - far) / (12 * 0.02)  # exact to the fourth order in the step
    slope = moment_point(state(0.45), "up").slope_ha
    assert abs(difference) > 1e-3
    assert slope == pytest.approx(difference, rel=1e-4)


def test_what_polarisation_gains_is_what_spins_that_are_paired_would_not_have() -> None:
    """Exchange scales with spin, E[n_up, n_down] = (E[2 n_up] + E[2 n_down]) / 2, here that of Dirac.

    The pseudopotential of hydrogen has no core, so the density of the electrons is all there is.
    """
    exchange = run_calculation(Calculation.from_dict({**QUICK, "xc": "lda_x", "spin": True, "total_moment": 0.45}))
    up, down = exchange.density
    volume = exchange.crystal.volume / up.numel()
    of_density = -0.75 * (3 / math.pi) ** (1 / 3) * volume
    polarised = of_density * float(((2 * up) ** (4 / 3) + (2 * down) ** (4 / 3)).sum()) / 2
    paired = of_density * float(((up + down) ** (4 / 3)).sum())
    point = moment_point(exchange, "up")
    assert polarised < paired
    assert point.polarisation_energy_ha == pytest.approx(polarised - paired, abs=1e-6)
    assert moment_point(state(0.0), "up").polarisation_energy_ha == pytest.approx(0, abs=1e-9)


def test_the_opposite_moment_has_the_same_energy() -> None:
    assert float(state(-0.45).energy) == pytest.approx(float(state(0.45).energy), abs=1e-10)
    ahead, back = moment_point(state(0.45), "up"), moment_point(state(-0.45), "up")
    assert back.slope_ha == pytest.approx(-(ahead.slope_ha or 0), abs=1e-7)


def test_each_point_of_a_curve_is_the_state_from_free_atoms() -> None:
    points = {point.moment: point for point in hydrogen().curve.points}
    assert points[0.45].free_energy_ha == pytest.approx(float(state(0.45).energy), abs=1e-9)


def test_without_a_moment_the_state_is_the_unpolarised_one() -> None:
    unpolarised = run_calculation(Calculation.from_dict(QUICK))
    assert hydrogen().curve.lowest[0].free_energy_ha == pytest.approx(float(unpolarised.energy), abs=1e-9)
    assert hydrogen().curve.lowest[0].slope_ha == pytest.approx(0, abs=1e-9)


def test_a_moment_that_is_free_finds_the_minimum_of_the_curve() -> None:
    ground = hydrogen().curve.ground
    assert ground is not None
    assert state(None).magnetisation == pytest.approx(ground.moment, abs=5e-3)
    assert float(state(None).energy) == pytest.approx(ground.free_energy_ha, abs=2e-6)


def test_the_result_is_told_as_plain_data_and_in_words() -> None:
    summary = json.loads(json.dumps(hydrogen().summary()))
    assert summary["converged"]
    assert summary["natoms"] == 1
    assert summary["calculation"]["spin"]
    assert summary["moments_bohr_magneton"] == [0.0, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9]
    assert len(summary["free_energies_ha"]) == len(summary["points"]) == 7
    (minimum,) = summary["minima"]
    assert minimum["is_global"]
    assert minimum["moment"] == summary["moment0_bohr_magneton"]
    words = moment_in_words(summary)
    assert f"H wants a moment of {minimum['moment']:.2f} μB per cell" in words
    assert "Stoner's criterion is met" in words
    kind = KINDS["moments"]
    assert words in " ".join(kind.report(summary).split())
    assert f"H wants a moment of {minimum['moment']:.2f} μB per cell." in kind.headline(summary)
    assert kind.outcome(summary) == f"M = {minimum['moment']:.2f} μB"
    # Hydrogen makes no magnets that anybody would know.
    assert "known for magnetism" in summary["note"]


def summary_of(moment: float | None, **further: Any) -> dict[str, Any]:
    """A summary whose lowest minimum, of -1 Ha, is at this moment."""
    points = [
        {"moment": 0.0, "free_energy_ha": -0.99, "polarisation_energy_ha": 0.0, "iterations": 9, "converged": True},
        {"moment": 2.0, "free_energy_ha": -1.0, "polarisation_energy_ha": -0.05, "iterations": 8, "converged": True},
    ]
    return {
        "calculation": Calculation.from_dict(SILICON).model_dump(mode="json"),
        "natoms": 2,
        "seconds": 1.0,
        "note": "",
        "moment0_bohr_magneton": moment,
        "free_energy0_ha": None if moment is None else -1.0,
        "minima": [],
        "maxima": [],
        "hysteresis": [],
        "points": points,
        **further,
    }


def test_what_a_moment_gains_and_costs_is_said_per_atom() -> None:
    words = moment_in_words(summary_of(2.1))
    assert "Si wants a moment of 2.10 μB per cell (1.05 per atom)." in words
    # 0.01 Ha in a cell of two atoms; 0.05 Ha are gained by exchange and correlation, 0.04 Ha paid otherwise.
    assert "136.1 meV per atom below" in words
    assert "the exchange energy gained exceeds the kinetic energy paid" in words
    assert "At 2 μB the polarisation of the spins gains 680 meV per atom" in words
    assert "costs 544 in all other ways" in words


def test_further_minima_and_branches_are_said() -> None:
    further = {"minima": [{"moment": 0.0, "free_energy_ha": -0.99}, {"moment": 2.1, "free_energy_ha": -1.0}]}
    places = [{"lowest_moment": 0.5, "highest_moment": 1.5, "largest_difference_ha": 0.01}]
    words = moment_in_words(summary_of(2.1, **further, hysteresis=places))
    assert "Another minimum lies at 0.00 μB, 136.1 meV per atom higher." in words
    assert "From 0.5 to 1.5 μB the way up and the way down find different states" in words


def test_a_crystal_without_a_moment_and_a_curve_without_a_minimum_are_said() -> None:
    assert "Si wants no moment" in moment_in_words(summary_of(0.0))
    assert moment_in_words(summary_of(None)) == ""
    note = "The energy is lowest at 4 Bohr magneton, an end of the range"
    assert note in KINDS["moments"].headline(summary_of(None, note=note))


def test_a_curve_that_falls_to_its_end_says_so_and_is_kept() -> None:
    result = task(QUICK, moments=[0.1, 0.2, 0.3]).run()
    summary = result.summary()
    assert result.converged
    assert summary["moment0_bohr_magneton"] is None
    assert "lowest at 0.3 Bohr magneton, an end of the range" in summary["note"]


def test_points_are_told_as_they_are_computed() -> None:
    told: list[dict[str, Any]] = []
    steps: list[int | None] = []
    moments = [0.2, 0.4, 0.6]
    planned = task({**QUICK, "tolerance": 1e-3}, moments=moments, both_ways=True)
    planned.run(lambda record: steps.append(record.point), told.append)
    assert [(record["index"], record["moment"], record["branch"]) for record in told] == [
        (0, 0.2, "up"), (1, 0.4, "up"), (2, 0.6, "both"), (3, 0.4, "down"), (4, 0.2, "down"),
    ]  # fmt: skip
    assert all(record["points"] == 5 for record in told)
    assert list(dict.fromkeys(steps)) == [0, 1, 2, 3, 4]


def test_what_was_computed_is_there_when_a_run_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = RunFolder.create(task({**QUICK, "tolerance": 1e-3}, moments=[0.2, 0.4, 0.6]), "hydrogen", tmp_path)
    append = RunFolder.append

    def append_and_stop(self: RunFolder, record: dict[str, Any]) -> None:
        append(self, record)
        if record["kind"] == "moment" and record["index"] == 1:
            self.request_stop()

    monkeypatch.setattr(RunFolder, "append", append_and_stop)
    execute(folder)
    assert folder.status["state"] == "stopped"
    rows = list(csv.DictReader(io.StringIO(record_tables(folder)["moments"])))
    assert [float(row["moment"]) for row in rows] == [0.2, 0.4]
    assert all(float(row["energies_ha.xc"]) < float(row["polarisation_energy_ha"]) < 0 for row in rows)


def test_points_that_do_not_converge_are_counted() -> None:
    result = task({**QUICK, "max_iterations": 1}, moments=[0.2, 0.4, 0.6]).run()
    assert not result.converged
    assert result.message == "3 of 3 moments did not converge."


def test_the_command_prints_the_curve(mlxc_command: Callable[..., Outcome]) -> None:
    words = ("moments", "si", "--pseudo", "gth", "--ecut", "5", "--kmesh", "1", "1", "1", "--tolerance", "1e-4")
    outcome = mlxc_command(*words, "--moments", "4", "0", "2", "--json")
    assert outcome.code == 0, outcome.stderr
    summary = json.loads(outcome.stdout)
    assert summary["moments_bohr_magneton"] == [0.0, 2.0, 4.0]
    assert [point["fermi_level_up_ha"] for point in summary["points"]] == [None] * 3
    assert summary["minima"] == [{"moment": 0.0, "free_energy_ha": summary["free_energies_ha"][0], "is_global": True}]
    assert "moment 3 of 3: 4.0000 Bohr magneton" in outcome.stderr
    report = mlxc_command(*words, "--from", "0", "--to", "4").stdout
    assert "Si wants no moment" in report
    assert "minimum" in report


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--moments", "0", "1", "20"), "20 Bohr magneton is more than the 8 valence electrons"),
        (("--total-moment", "2"), "total_moment"),
        (("--points", "2"), "points: 2"),
        (("--moments", "0", "1", "2"), "whole"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_sentence(
    options: tuple[str, ...], words: str, mlxc_command: Callable[..., Outcome]
) -> None:
    outcome = mlxc_command("moments", "si", "--ecut", "5", "--kmesh", "1", "1", "1", *options)
    assert outcome.code == 2
    assert words in outcome.stderr
    assert len(outcome.stderr.strip().splitlines()) == 1


@pytest.mark.slow
def test_nickel_wants_a_moment_in_plane_waves() -> None:
    """The free SCF of nickel, started with a moment, ends in the minimum of the curve."""
    settings = {
        "structure": "ni", "ecut_ha": 24, "kmesh": [6, 6, 6], "smearing": "gaussian", "width_ha": 0.006,
    }  # fmt: skip
    result = task(settings, moments=[0, 0.5, 0.6, 0.615, 0.63]).run()
    free = run_calculation(Calculation.from_dict({**settings, "spin": True}))
    ground = result.curve.ground
    assert ground is not None
    assert ground.moment == pytest.approx(free.magnetisation, abs=2e-3)
    assert ground.free_energy_ha == pytest.approx(float(free.energy), abs=1e-6)
    assert "Stoner's criterion is met" in moment_in_words(result.summary())
    assert not result.note
