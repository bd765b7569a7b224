"""What is made of independent parts goes to the workers of a Dask cluster, and comes out as it would here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dask_cluster import Cluster, dask_cluster

from mlxc import EquationOfStateTask, InputError, screen
from mlxc.export.command import command_words
from mlxc.runs.folder import RunFolder
from mlxc.solids.table import Solid, prototype
from mlxc.training.subjects.subjects import Preparation
from mlxc.utils.job_pool import Where

ALUMINIUM = {"structure": "al", "ecut_ha": 6, "kmesh": (2, 2, 2)}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    with dask_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


def aluminium(**further: Any) -> EquationOfStateTask:
    return EquationOfStateTask.from_dict({"calculation": ALUMINIUM, "points": 5, **further})


@pytest.mark.process
def test_functionals_are_evaluated_by_the_workers(cluster: Cluster) -> None:
    solids, functionals = ["Si_diamond", "NaCl_b1"], ["pbesol", "lda"]
    rows = screen(functionals, solids=solids, where=Where(scheduler=cluster.address)).rows
    assert [(row.functional, row.solid) for row in rows] == [(xc, name) for xc in functionals for name in solids]
    for there, here in zip(rows, screen(functionals, solids=solids).rows, strict=True):
        assert there.lattice_constant_ang == pytest.approx(here.lattice_constant_ang, abs=1e-9)


@pytest.mark.slow
@pytest.mark.process
def test_densities_of_a_training_are_converged_by_the_workers(cluster: Cluster, tmp_path: Path) -> None:
    settings = {"ecut_ha": 6.0, "kmesh": [2, 2, 2], "pseudo": "gth"}
    names = ("Si_diamond", "Ge_diamond")
    table = {name: Solid(name, prototype(name, 5.5), {"lattice_constant_ang": 5.5}, settings) for name in names}
    prepare = Preparation(table, "lda", tmp_path / "there", Where(scheduler=cluster.address))
    there = prepare.subjects(names, ["lattice_constant_ang"])
    assert len(list((tmp_path / "there").iterdir())) == 2
    here = Preparation(table, "lda", tmp_path / "here").subjects(names[:1], ["lattice_constant_ang"])
    for one, other in zip(there[0].snapshots, here[0].snapshots, strict=True):
        assert one.rest_ha == pytest.approx(other.rest_ha, abs=1e-9)


@pytest.mark.process
def test_a_worker_that_is_killed_takes_no_volume_with_it(cluster: Cluster) -> None:
    told = []

    def on_point(point: dict[str, Any]) -> None:
        if not told:
            cluster.kill_worker(0)
        told.append(point["index"])

    there, here = aluminium(scheduler=cluster.address).run(on_point=on_point), aluminium().run()
    assert sorted(told) == [0, 1, 2, 3, 4]
    assert there.energies_ev == pytest.approx(here.energies_ev, abs=1e-7)
    assert there.reference.crystal.same_as(here.reference.crystal)
    assert there.reference.density.shape == here.reference.density.shape


def test_standard_deviations_are_not_computed_elsewhere() -> None:
    with pytest.raises(InputError, match="scheduler: standard deviations"):
        aluminium(scheduler="tcp://127.0.0.1:1", calculation=ALUMINIUM | {"uncertainty": True})


def test_the_command_names_the_scheduler(tmp_path: Path) -> None:
    words = command_words(RunFolder.create(aluminium(scheduler="tcp://10.0.0.1:8786"), "al", tmp_path))
    assert words[words.index("--scheduler") + 1] == "tcp://10.0.0.1:8786"


@pytest.mark.thorough
def test_a_scheduler_that_does_not_answer_is_said() -> None:
    with pytest.raises(InputError, match="No Dask scheduler"):
        aluminium(scheduler="tcp://127.0.0.1:1").run()
