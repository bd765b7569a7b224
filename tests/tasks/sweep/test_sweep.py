"""Sweeps: what is varied, what comes out, and from which value on it counts as converged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlxc import Calculation
from mlxc.errors import InputError
from mlxc.export.script import python_script
from mlxc.runs.folder import RunFolder
from mlxc.runs.worker import execute
from mlxc.tasks.kinds import KINDS
from mlxc.tasks.sweep.presentation import convergence_in_words, sweep_outcome, sweep_report
from mlxc.tasks.sweep.result import converged_from
from mlxc.tasks.sweep.task import SweepTask

SILICON: dict[str, Any] = {"structure": "si", "ecut_ha": 6, "kmesh": [2, 2, 2], "tolerance": 1e-5}


def sweep(vary: str, *values: str, **further: Any) -> SweepTask:
    return SweepTask.from_dict({"calculation": SILICON, "vary": vary, "values": values, **further})


@pytest.mark.parametrize(
    ("distances", "first"),
    [
        ([80.0, 9.0, 0.8, 0.2, 0.0], 2),
        # A value that happens to be near is not converged while a later one is not.
        ([0.1, 9.0, 0.8, 0.0], 2),
        # Two values on either side of the last one are farther from each other than each from it.
        ([9.0, 0.7, -0.7, 0.0], 2),
        ([9.0, 5.0, 0.0], None),
        ([0.0], None),
        ([0.2, 0.1, 0.0], 0),
        ([0.2, None, 0.1, 0.0], 2),
        ([None, None], None),
    ],
)
def test_a_value_has_converged_if_none_of_the_larger_ones_changes_it(
    distances: list[float | None], first: int | None
) -> None:
    assert converged_from(distances, 1.0) == first


def test_the_energy_falls_with_the_cutoff_as_the_variational_principle_says() -> None:
    task = sweep("cutoff", "8", "4", "6")
    assert task.values == ("4", "6", "8")
    summary = task.run().summary()
    energies = [point["free_energy_per_atom_ha"] for point in summary["points"]]
    assert energies == sorted(energies, reverse=True)
    assert [point["difference_mev"] for point in summary["points"]][-1] == 0
    # Each value is what a calculation of its own finds.
    alone = Calculation.from_dict(SILICON | {"ecut_ha": 4}).run(differentiate=None)
    assert energies[0] == pytest.approx(float(alone.energy) / 2, abs=1e-8)
    assert summary["energy_converged_from"] is None
    assert "not converged to 1 meV per atom up to 8 Ha" in sweep_report(summary)


def test_lattice_constants_are_told_beside_energies() -> None:
    task = sweep("kmesh", "4x4x4", "3×3×3", lattice_constant=True, energy_tolerance_mev=1e4, size_tolerance_percent=50)
    assert task.labels == ["3×3×3", "4×4×4"]
    summary = task.run().summary()
    assert (summary["energy_converged_from"], summary["size_converged_from"]) == ("3x3x3", "3x3x3")
    assert all(5 < point["lattice_constant_ang"] < 6 for point in summary["points"])
    assert summary["points"][0]["size_ang"] == pytest.approx(summary["points"][0]["lattice_constant_ang"] / 2, rel=1e-6)
    assert sweep_outcome(summary) == "converged from 3×3×3"


def test_functionals_are_compared_and_never_called_converged() -> None:
    summary = sweep("functional", "lda", "pbe").run().summary()
    assert [point["label"] for point in summary["points"]] == ["lda", "pbe"]
    assert summary["energy_converged_from"] is None
    assert convergence_in_words(summary) == []


@pytest.mark.parametrize("vary", ["cutoff", "kmesh", "functional"])
@pytest.mark.parametrize("name", ["al", "graphene", "mgo"])
def test_the_usual_values_lie_around_what_is_chosen(vary: str, name: str) -> None:
    task = SweepTask.from_dict({"calculation": {"structure": name}, "vary": vary})
    own = task.varied.write(getattr(task.calculation, task.varied.setting))
    assert own in task.values
    assert 3 <= len(task.values) <= 8
    if name == "graphene" and vary == "kmesh":
        assert all(value.endswith("x1") for value in task.values)
    lengths = KINDS["sweep"].parts(task).lengths
    assert len(lengths) == len(task.values)
    if vary != "functional":
        assert lengths[-1] == max(lengths)


@pytest.mark.parametrize(
    ("vary", "values", "words"),
    [
        ("width", (), "cannot be varied"),
        ("cutoff", ("20",), "2 to 20 different values"),
        ("cutoff", ("20", "20.0"), "2 to 20 different values"),
        ("cutoff", ("20", "high"), "'high' is no cutoff"),
        ("kmesh", ("4x4", "4x4x4"), "'4x4' is no k mesh"),
        ("kmesh", ("0x4x4", "4x4x4"), "'0x4x4' is no k mesh"),
    ],
)
def test_what_is_no_sweep_is_a_sentence(vary: str, values: tuple[str, ...], words: str) -> None:
    with pytest.raises(InputError, match=words):
        sweep(vary, *values)


def test_a_value_that_is_not_allowed_is_found_before_anything_is_computed(tmp_path: Path) -> None:
    folder = RunFolder.create(sweep("functional", "lda", "no-such-functional"), "a sweep", tmp_path)
    execute(folder)
    assert folder.status["state"] == "failed"
    assert "no-such-functional" in folder.status["message"]
    assert not [record for record in folder.records()[0] if record["kind"] == "iteration"]


def test_the_volumes_of_a_sweep_are_settings_that_its_script_repeats(tmp_path: Path) -> None:
    task = sweep("cutoff", "5", "6", lattice_constant=True, points=4, lowest_volume=0.9)
    curve = task.curve(task.calculations()[0])
    assert curve.ratios == pytest.approx([0.9, 0.9 + 0.16 / 3, 1.06 - 0.16 / 3, 1.06])
    script = python_script(RunFolder.create(task, "a sweep", tmp_path))
    for setting in ('"points": 4', '"lowest_volume": 0.9', '"highest_volume": 1.06'):
        assert setting in script
