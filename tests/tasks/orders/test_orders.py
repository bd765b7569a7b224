"""Magnetic orders as a task: what is asked, what is refused, how the result is told, and that it is physics."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import Outcome

from mlxc import InputError, MagneticOrdersTask
from mlxc.crystal.crystal import Crystal
from mlxc.crystal.magnetic_orders import magnetic_orders
from mlxc.errors import RunStoppedError
from mlxc.export.command import command_words
from mlxc.kohn_sham.monitor import SCFRecord
from mlxc.runs.folder import RunFolder
from mlxc.tasks.kinds import KINDS
from mlxc.tasks.orders.presentation import orders_outcome, orders_report, orders_sentence
from mlxc.tasks.orders.result import became, ground, pattern_of, with_relative_energies

# A row of hydrogen atoms so far apart that each keeps its electron, with a vacuum around it.
ROW = Crystal(np.diag([5.0, 12.0, 12.0]), ["H"], [[0, 0, 0]], name="row")
SETTINGS: dict[str, Any] = {"structure": ROW, "ecut_ha": 5, "kmesh": [3, 1, 1], "width_ha": 0.005, "pseudo": "gth"}
NICKEL_OXIDE = Crystal(
    7.9 * (np.ones((3, 3)) - np.eye(3)) / 2, ["Ni", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]], [1.5, 0], "NiO"
)


def hydrogen(**further: Any) -> MagneticOrdersTask:
    return MagneticOrdersTask.from_dict({"calculation": SETTINGS, "magnetic": ["H"], **further})


def nickel_oxide(mesh: tuple[int, int, int] = (4, 4, 4), **further: Any) -> MagneticOrdersTask:
    calculation = {"structure": NICKEL_OXIDE, "ecut_ha": 20, "kmesh": mesh}
    return MagneticOrdersTask.from_dict({"calculation": calculation, **further})


def test_the_elements_that_are_often_magnetic_are_found() -> None:
    task = nickel_oxide()
    assert task.magnetic == ("Ni",)
    assert task.calculation.spin
    assert len(task.orders) == 4


def test_all_orders_have_the_same_cutoff_and_the_same_k_points() -> None:
    task = nickel_oxide(mesh=(3, 3, 3))
    assert task.kmesh == (4, 4, 4)
    for order in task.orders:
        calculation = task.calculation_of(order)
        assert calculation.ecut_ha == 20
        assert prod(calculation.kmesh) * order.cells == 64
        assert calculation.spin == (order.kind != "non-magnetic")


def test_moments_start_from_those_of_the_crystal() -> None:
    task = nickel_oxide()
    up_and_down = task.calculation_of(task.orders[-1]).crystal.moments
    assert sorted(up_and_down) == [-1.5, 0, 0, 1.5]
    assert not task.calculation_of(task.orders[0]).crystal.moments.any()
    assert hydrogen().calculation_of(hydrogen().orders[1]).crystal.moments.tolist() == [1]


def test_a_task_survives_the_way_through_json() -> None:
    task = nickel_oxide(max_cells=3, max_atoms=5)
    assert MagneticOrdersTask.from_dict(json.loads(task.model_dump_json())) == task


@pytest.mark.parametrize(
    ("calculation", "further", "complaint"),
    [
        ({"structure": "si"}, {}, r"magnetic: no element of si \(Si\) is often magnetic; name those"),
        ({"structure": "ni"}, {"magnetic": ["Fe"]}, "magnetic: the structure has no Fe; it has Ni"),
        ({"structure": "ni", "spin": False}, {}, "spin: magnetic orders need a spin-polarised calculation"),
        ({"structure": "ni", "smearing": "none"}, {}, "smearing: 'none' is not allowed"),
        ({"structure": "ni", "total_moment": 1.0}, {}, "total_moment: 1 cannot be held"),
        ({"structure": "ni"}, {"max_cells": 4, "max_orders": 3}, "max_orders: there are 9 magnetic orders in up to 4"),
        ({"structure": "ni"}, {"max_cells": 0}, "max_cells: 0 is not allowed"),
    ],
)
def test_what_cannot_be_computed_is_said_in_a_sentence(
    calculation: dict[str, Any], further: dict[str, Any], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        MagneticOrdersTask.from_dict({"calculation": calculation, **further})


def test_an_order_that_turned_into_another_one_is_told() -> None:
    order = magnetic_orders(NICKEL_OXIDE, ["Ni"])[2]
    assert became(order, [1.4, -1.4, 0.1, 0.1]) is None
    assert became(order, [-1.4, 1.4, 0.1, 0.1]) is None  # all spins turned over
    assert became(order, [0.02, -0.02, 0, 0]) == "non-magnetic"
    assert became(order, [1.4, 1.4, 0.1, 0.1]) == "ferromagnetic"
    assert became(order, [1.4, 0.0, 0.1, 0.1]) == "another order"
    assert became(order, None) is None


def row(name: str, energy: float, **changed: Any) -> dict[str, Any]:
    return {
        "name": name,
        "order_kind": name.split()[0],
        "pattern": "Ni↑ Ni↓ O O",
        "cells": 2,
        "natoms": 4,
        "multiplicity": 3,
        "free_energy_per_atom_ha": energy,
        "magnetisation_bohr_magneton": 0.0,
        "mean_moments_bohr_magneton": {"Ni": 1.42},
        "gap_ev": 0.7,
        "converged": True,
        "message": "",
        "iterations": 12,
        "became": None,
        **changed,
    }


ROWS = [
    row("non-magnetic", -10.0, mean_moments_bohr_magneton=None, magnetisation_bohr_magneton=None),
    row("antiferromagnetic 1", -10.002),
    row("antiferromagnetic 2", -10.003, converged=False, message="Not converged: after 12 steps."),
    row("antiferromagnetic 3", -10.004, became="non-magnetic"),
]


def test_the_ground_order_is_one_that_converged_and_stayed_what_it_was() -> None:
    found = ground(ROWS)
    assert found is not None
    assert found["name"] == "antiferromagnetic 1"
    relative = [order["relative_mev_per_atom"] for order in with_relative_energies(ROWS)]
    np.testing.assert_allclose(relative, [54.422772, 0, -27.211386, -54.422772], atol=1e-6)  # 1 Ha is 27.211386 eV
    assert ground(ROWS[2:]) is None
    assert [order["relative_mev_per_atom"] for order in with_relative_energies(ROWS[2:])] == [None, None]


def test_the_result_is_told_with_what_went_wrong() -> None:
    calculation = nickel_oxide().calculation.model_dump(mode="json")
    summary = {
        "orders": with_relative_energies(ROWS),
        "ground": "antiferromagnetic 1",
        "kmesh": [4, 4, 4],
        "seconds": 3.0,
        "calculation": calculation,
    }
    report = orders_report(summary)
    assert "Ni 1.42" in report
    assert "antiferromagnetic 2: Not converged: after 12 steps." in report
    assert "antiferromagnetic 3: Became non-magnetic" in report
    assert "54.4 meV per atom below non-magnetic" in orders_sentence(summary)
    assert orders_outcome(summary) == "antiferromagnetic 1"
    assert "none of them" in orders_report(summary | {"ground": None, "orders": with_relative_energies(ROWS[2:])})


def test_a_pattern_names_each_atom() -> None:
    assert pattern_of(["Mn", "Mn", "O"], [1, -1, 0]) == "Mn↑ Mn↓ O"


@pytest.mark.thorough
def test_what_is_computed_is_kept_when_a_run_is_stopped() -> None:
    told: list[dict[str, Any]] = []

    def stop(record: SCFRecord) -> None:
        if record.point == 1:
            raise RunStoppedError("enough")

    with pytest.raises(RunStoppedError):
        KINDS["orders"].run(hydrogen(), stop, told.append)
    assert [record["name"] for record in told] == ["non-magnetic"]


@pytest.mark.thorough
def test_hydrogen_atoms_in_a_row_are_antiferromagnetic(mlxc_command: Callable[..., Outcome], tmp_path: Path) -> None:
    """Electrons that hop between singly occupied sites: P. W. Anderson, Phys. Rev. 115, 2 (1959)."""
    ROW.to_ase().write(tmp_path / "row.xyz", format="extxyz")
    settings = ["--ecut", "5", "--kmesh", "3", "1", "1", "--width", "0.005", "--pseudo", "gth"]
    outcome = mlxc_command("orders", "row.xyz", "--magnetic", "H", *settings, "--json")
    assert outcome.code == 0, outcome.stderr
    assert "order 3 of 3: antiferromagnetic" in outcome.stderr
    summary = json.loads(outcome.stdout)
    plain, parallel, opposed = summary["orders"]
    assert summary["ground"] == opposed["name"] == "antiferromagnetic (layers along 001)"
    assert opposed["relative_mev_per_atom"] == 0 < parallel["relative_mev_per_atom"] < plain["relative_mev_per_atom"]
    assert opposed["gap_ev"] > 0
    assert parallel["magnetisation_bohr_magneton"] == pytest.approx(1, abs=0.01)
    assert opposed["magnetisation_bohr_magneton"] == pytest.approx(0, abs=1e-5)
    first, second = opposed["moments"]
    assert first == pytest.approx(-second, abs=1e-4)
    assert plain["moments"] is None
    assert (summary["kmesh"], opposed["kmesh"]) == ([4, 1, 1], [2, 1, 1])


@pytest.mark.thorough
def test_a_ferromagnet_has_the_same_energy_in_a_supercell() -> None:
    """The k points of the supercell are those of the cell, so that energies of orders can be compared."""
    task = hydrogen()
    _, parallel, opposed = task.orders
    calculation = task.calculation_of(opposed)
    crystal = calculation.crystal
    doubled = Crystal(crystal.lattice, crystal.species, crystal.positions, [1, 1], "row")
    alone, beside = (
        task.calculation_of(parallel).run(differentiate=None, forces=False),
        calculation.with_crystal(doubled).run(differentiate=None, forces=False),
    )
    assert float(beside.energy) == pytest.approx(2 * float(alone.energy), abs=2e-6)


@pytest.mark.thorough
def test_a_run_of_orders_keeps_the_state_of_the_lowest(tmp_path: Path) -> None:
    from mlxc.kohn_sham.saved_state import SavedState
    from mlxc.runs.worker import execute

    folder = RunFolder.create(hydrogen(), "row", tmp_path)
    execute(folder)
    assert folder.status["state"] == "finished", folder.status["message"]
    state = SavedState.load(folder.ground_state_path)
    assert state.crystal.moments.tolist() == [1, -1]
    records, _ = folder.records()
    assert {record["point"] for record in records if record["kind"] == "iteration"} == {0, 1, 2}


@pytest.mark.slow
@pytest.mark.process
def test_a_dask_cluster_computes_the_same_orders(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    from mlxc.kohn_sham.saved_state import SavedState
    from mlxc.runs.worker import execute

    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        folder = RunFolder.create(hydrogen(scheduler=cluster.scheduler_address), "row", tmp_path)
        execute(folder)
    assert folder.status["state"] == "finished", folder.status["message"]
    told = [record["index"] for record in folder.records()[0] if record["kind"] == "order"]
    assert sorted(told) == [0, 1, 2]
    here, there = hydrogen().run().summary(), folder.result
    assert there is not None
    assert [row["name"] for row in there["orders"]] == [row["name"] for row in here["orders"]]
    for own, other in zip(here["orders"], there["orders"], strict=True):
        assert other["free_energy_per_atom_ha"] == pytest.approx(own["free_energy_per_atom_ha"], abs=1e-9)
    assert SavedState.load(folder.ground_state_path).crystal.moments.tolist() == [1, -1]


@pytest.mark.thorough
def test_a_scheduler_that_is_not_there_is_said() -> None:
    with pytest.raises(InputError, match="No Dask scheduler"):
        hydrogen(scheduler="tcp://127.0.0.1:1").run()


def test_the_command_of_a_run_makes_the_same_task(tmp_path: Path) -> None:
    task = nickel_oxide(max_cells=3, max_atoms=5)
    words = command_words(RunFolder.create(task, "nickel oxide", tmp_path))
    assert words[:3] == ["mlxc", "orders", "NiO.xyz"]
    assert words[words.index("--max-cells") :] == ["--max-cells", "3", "--max-atoms", "5"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["si"], "magnetic: no element of si (Si) is often magnetic"),
        (["ni", "--max-cells", "20"], "max_cells: 20 is not allowed"),
        (["ni", "--max-cells", "4", "--max-orders", "5"], "max_orders: there are 9 magnetic orders"),
    ],
)
def test_a_mistake_on_the_command_line_is_answered_in_one_sentence(
    words: list[str], complaint: str, mlxc_command: Callable[..., Outcome]
) -> None:
    outcome = mlxc_command("orders", *words)
    assert outcome.code == 2
    assert complaint in outcome.stderr
    assert outcome.stderr.count("\n") == 1
