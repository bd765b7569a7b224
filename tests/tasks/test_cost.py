"""What a task is said to cost, beside what it did cost."""

from __future__ import annotations

from typing import Any

import psutil
import pytest

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.feasibility import check_calculation
from mlxc.calculation.presets import PRESETS
from mlxc.errors import InputError
from mlxc.tasks.cost import Cost, cost_of
from mlxc.tasks.kinds import KINDS, kind_named
from mlxc.tasks.task import CrystalTask

# Seconds of processor time on one core, at "quick look".
MEASURED = [
    ("bands", "al", {}, 1.7), ("bands", "si", {}, 4.7), ("bands", "ni", {}, 12.5), ("bands", "graphene", {}, 12.8),
    ("bands", "mgo", {}, 7.1),
    ("moments", "al", {}, 1.9), ("moments", "na", {}, 11.4), ("moments", "ni", {}, 10.4),
    ("sweep", "al", {"vary": "cutoff"}, 1.3), ("sweep", "ni", {"vary": "cutoff"}, 12.1),
    ("sweep", "si", {"vary": "kmesh"}, 2.2), ("sweep", "mgo", {"vary": "kmesh"}, 4.1),
    ("sweep", "al", {"vary": "functional", "lattice_constant": True}, 4.3),
    ("gradient", "al", {"loss": "lattice_constant"}, 1.2), ("gradient", "si", {"loss": "lattice_constant"}, 1.5),
]  # fmt: skip


def quick(name: str, **further: Any) -> dict[str, Any]:
    """The settings of a quick look at a crystal."""
    recommended = Calculation.from_dict({"structure": name} | further)
    return {"structure": name} | further | PRESETS["quick look"].settings(recommended)


def task_of(kind: str, name: str, further: dict[str, Any]) -> CrystalTask:
    settings = quick(name, spin=True) if name == "ni" else quick(name)
    if kind == "gradient":
        settings = {key: value for key, value in settings.items() if key != "tolerance"} | {"xc": "pbe-kappa-mu"}
    task = kind_named(kind).make(settings, further)
    assert isinstance(task, CrystalTask)
    return task


@pytest.mark.parametrize(("kind", "name", "further", "seconds"), MEASURED)
def test_the_estimated_time_is_near_the_measured_one(
    kind: str, name: str, further: dict[str, Any], seconds: float
) -> None:
    assert seconds / 2.5 < cost_of(task_of(kind, name, further)).seconds < 2.5 * seconds


def test_a_task_needs_the_memory_of_its_largest_calculation(monkeypatch: pytest.MonkeyPatch) -> None:
    own, sweep = Calculation.from_dict(quick("mgo")), task_of("sweep", "mgo", {"vary": "cutoff"})
    needed = check_calculation(own).memory_gb
    assert cost_of(sweep).memory_gb > 1.2 * needed
    assert cost_of(task_of("bands", "mgo", {})).memory_gb == needed
    free = psutil.virtual_memory()._replace(available=int(1.1e9 * needed))
    monkeypatch.setattr(psutil, "virtual_memory", lambda: free)
    cost_of(task_of("bands", "mgo", {}))
    with pytest.raises(InputError, match="GB of memory, but"):
        cost_of(sweep)


def test_a_stored_sweep_is_read_though_what_it_needs_is_not_here() -> None:
    sweep = task_of("sweep", "al", {"vary": "cutoff"})
    moved = sweep.calculation.model_copy(update={"pseudo": "/nowhere/pseudopotentials"})
    assert KINDS["sweep"].parts(sweep.model_copy(update={"calculation": moved})).lengths == ()


def test_of_what_nobody_can_foresee_no_cost_is_told() -> None:
    with pytest.raises(InputError, match="nobody knows how long a diagnosis"):
        cost_of(kind_named("diagnosis").make(quick("al"), {}))


def test_a_cost_is_told_in_words() -> None:
    assert Cost(5.2, 0.04).in_words() == "about 5 s on two cores; less than 0.1 GB of memory"
    assert Cost(200.0, 1.26).in_words() == "about 3 min on two cores; 1.3 GB of memory"
