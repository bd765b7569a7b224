"""The panel of magnetic orders, without a browser."""

from __future__ import annotations

from typing import Any

import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.orders.model import OrdersModel
from mlxc_app.panels.orders.view import arrows, orders_table, traces
from mlxc_app.run.model import RunModel

from mlxc.errors import InputError
from mlxc.tasks.orders.result import with_relative_energies
from mlxc.tasks.orders.task import MagneticOrdersTask


def order(name: str, energy: float, **changed: Any) -> dict[str, Any]:
    return {
        "kind": "order",
        "name": name,
        "order_kind": name.split()[0],
        "pattern": "Ni↑ Ni↓",
        "cells": 2,
        "natoms": 2,
        "multiplicity": 3,
        "free_energy_per_atom_ha": energy,
        "magnetisation_bohr_magneton": -1e-9,
        "mean_moments_bohr_magneton": {"Ni": 0.61},
        "gap_ev": 0.0,
        "converged": True,
        "message": "",
        "iterations": 9,
        "became": None,
        **changed,
    }


PLAIN = order("non-magnetic", -1.0, pattern="Ni", mean_moments_bohr_magneton=None, magnetisation_bohr_magneton=None)
PARALLEL = order("ferromagnetic", -1.002, pattern="Ni↑", cells=1)
OPPOSED = order("antiferromagnetic 1 (layers along 001)", -1.001)


def started(run: RunModel) -> OrdersModel:
    model = OrdersModel(run, ChooseModel("ni"))
    model.start()
    return model


def test_orders_of_what_is_chosen_are_started(run: RunModel) -> None:
    model = OrdersModel(run, ChooseModel("ni"))
    model.max_cells = 1
    model.start()
    assert run.kind == "orders"
    assert isinstance(run.task, MagneticOrdersTask)
    assert (run.task.magnetic, run.task.max_cells) == (("Ni",), 1)
    assert run.task.calculation.spin


def test_a_crystal_without_magnetic_atoms_is_refused_in_words(run: RunModel) -> None:
    with pytest.raises(InputError, match="often magnetic"):
        OrdersModel(run, ChooseModel("al")).start()


def test_orders_appear_one_after_the_other(run: RunModel) -> None:
    model = started(run)
    assert model.picture.words == "Order 1 of 4: non-magnetic."
    run.records = (PLAIN,)
    assert model.picture.words == "Order 2 of 4: ferromagnetic."
    assert [order["relative_mev_per_atom"] for order in model.picture.orders] == [0]
    run.records = (PLAIN, PARALLEL)
    plain, parallel, opposed, _ = traces(model.picture)
    assert (list(plain.y), list(parallel.y)) == (["non-magnetic"], ["ferromagnetic"])
    assert plain.x[0] == pytest.approx(54.42, abs=0.01)
    assert (parallel.x[0], opposed.visible) == (0, False)


def test_a_finished_run_says_which_order_is_lowest(run: RunModel) -> None:
    model = started(run)
    rows = with_relative_energies([PLAIN, PARALLEL, OPPOSED])
    run.result = {"orders": [dict(row) for row in rows], "ground": "ferromagnetic", "seconds": 1.0}
    assert model.picture.words.startswith("Ferromagnetic has the lowest energy, 27.2 meV per atom below antiferro")
    table = orders_table(model.picture)
    assert table.count("<tr") == 4
    assert "the lowest" in table
    assert "−0.00" not in table


def test_an_order_that_fell_into_another_one_says_so(run: RunModel) -> None:
    model = started(run)
    run.records = (PLAIN, order("antiferromagnetic 1", -1.0, became="non-magnetic"))
    assert "Became non-magnetic" in orders_table(model.picture)


def test_moments_are_drawn_as_arrows_of_two_colours() -> None:
    drawn = arrows("Mn↑ O Mn↓ O")
    assert drawn.count("<span") == 2
    assert "O" not in drawn.replace("color", "")
    assert arrows("Mn O") == "none"


def test_a_run_of_another_kind_shows_no_orders(run: RunModel) -> None:
    model = started(run)
    run.records = (PLAIN,)
    run.kind = "scf"
    assert model.picture.orders == ()
