"""The panel of gradients, without a browser."""

from __future__ import annotations

from typing import Any

import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.gradients.charts import ADJOINT, CHARTS, LAYERS, PLANES, UNROLLED, heat_map, suggestion, traces
from mlxc_app.panels.gradients.model import GradientModel
from mlxc_app.panels.gradients.view import parameter_table
from mlxc_app.run.model import RunModel

from mlxc.errors import InputError
from mlxc.observables.catalogue import LOSSES
from mlxc.tasks.given_start import START_FILE
from mlxc.tasks.gradient.presentation import gradient_in_words
from mlxc.tasks.gradient.task import GradientTask
from mlxc.tasks.kinds import KINDS

ADJOINT_STEPS = tuple({"kind": "adjoint", "iteration": n, "residual": 10.0**-n} for n in (1, 2, 3))


def test_a_functional_without_parameters_blocks_the_run_and_another_one_frees_it(run: RunModel) -> None:
    choose = ChooseModel("si")
    model = GradientModel(run, choose)
    with pytest.raises(InputError, match="choose pbe-kappa-mu or a network"):
        model.task()
    choose.xc = "pbe-kappa-mu"
    assert model.task().calculation.xc == "pbe-kappa-mu"


def test_what_makes_no_loss_is_said_before_a_run(run: RunModel) -> None:
    model = model_of(run)
    model.loss = "energy"
    model.mode = "unrolled"
    with pytest.raises(InputError, match="choose implicit"):
        model.task()
    model.mode, model.target = "implicit", "much"
    with pytest.raises(InputError, match="Target: a number, or nothing; not “much”"):
        model.task()
    model.target = " -113,5 "
    assert model.task().target == -113.5


def test_the_loss_decides_what_its_gradient_needs(run: RunModel) -> None:
    model = model_of(run)
    model.loss = "gap"
    assert model.task().calculation.smearing == "none"
    model.loss = "lattice_constant"
    assert model.task().calculation.cutoff_smoothing_ha > 0
    assert model.task().target_and_source[0] == pytest.approx(5.43, abs=0.1)
    assert "spin" in GradientModel(run, choice("ni")).task().calculation.model_dump()
    magnetic = GradientModel(run, choice("ni"))
    magnetic.loss = "magnetisation"
    assert magnetic.task().calculation.spin


def test_a_loss_of_one_state_starts_from_the_ground_state_that_has_just_been_computed(run: RunModel) -> None:
    choose = choice("si")
    ground = run.start(choose.calculation(), "ground state")
    ground.ground_state_path.write_bytes(b"a state")
    ground.set_status("finished")
    run.poll()
    model = GradientModel(run, choose)
    for loss, taken in (("density_moment", True), ("lattice_constant", False)):
        model.loss = loss
        model.start()
        assert run.started is not None
        assert (run.started.path / START_FILE).exists() == taken


def test_residuals_appear_step_by_step(run: RunModel) -> None:
    model = model_of(run)
    model.loss = "density_moment"
    model.start()
    assert run.kind == "gradient"
    run.records = ({"kind": "loss", "stage": "before", "value": 1.0, "unit": "ang^2", "quantity": 1.0}, *ADJOINT_STEPS)
    chart = CHARTS[ADJOINT](model.picture)
    assert suggestion(model.picture) == ADJOINT
    assert chart.x == (1, 2, 3)
    assert "step 3" in model.picture.words
    line, bars, _ = traces(chart)
    assert (line.visible, bars.visible) == (True, False)


def test_the_gradient_of_an_unrolled_scf_is_in_the_order_of_its_steps(run: RunModel) -> None:
    model = model_of(run)
    model.start()
    run.records = tuple({"kind": "density_gradient", "step": step, "norm": 2.0**step} for step in (2, 1, 0))
    assert suggestion(model.picture) == UNROLLED
    assert CHARTS[UNROLLED](model.picture).y == (1.0, 2.0, 4.0)


def test_a_result_has_bars_a_symmetric_map_and_a_table(run: RunModel) -> None:
    model = model_of(run)
    model.start()
    run.result = result()
    assert suggestion(model.picture) == LAYERS
    _, bars, _ = traces(CHARTS[LAYERS](model.picture))
    assert tuple(bars.x) == ("kappa", "mu<b>")
    assert CHARTS[LAYERS](model.picture).y_range == pytest.approx([-1.5, 0.96], abs=0.01)
    assert CHARTS[PLANES](model.picture).second == (0.5, 0.25)
    heat = heat_map(model.picture.result)
    assert (heat.zmin, heat.zmax) == (-4.0, 4.0)
    # Columns are bins of rs, rows bins of s.
    assert [list(row) for row in heat.z] == [[1.0, 0.0, -4.0], [2.0, 3.0, 0.0]]
    table = parameter_table(model.picture.result)
    assert "mu&lt;b&gt;" in table
    assert "−0.1" in table
    assert "|dL/dθ| = 5.86 eV" in KINDS[run.kind].headline(run.result)


def test_a_step_does_the_same_again_and_tells_what_has_moved(run: RunModel) -> None:
    model = model_of(run)
    with pytest.raises(InputError, match="Run gradient"):
        model.take_step()
    model.start()
    assert not model.can_step
    run.result = with_target()
    assert model.can_step
    before, run.state = run.task, "finished"
    model.step = 0.2
    model.take_step()
    run.poll()
    assert isinstance(before, GradientTask)
    stepped = [folder for folder in run_folders(run) if folder["step"] == 0.2]
    assert len(stepped) == 1
    assert stepped[0]["calculation"] == before.model_dump(mode="json")["calculation"]
    after = {"loss": -114.0, "quantity": -114.0, "single_parameters": {"kappa": 0.7}}
    words = gradient_in_words(result() | {"step": 0.2, "after": after})
    assert "the loss fell from −113.4 to −114 eV" in words
    worse = gradient_in_words(result() | {"step": 0.2, "after": after | {"loss": -100.0}})
    assert "rose" in worse
    assert "shorter step" in worse


def test_the_loss_that_is_offered_first_is_an_error(run: RunModel) -> None:
    task = model_of(run).task()
    assert task.loss == "lattice_constant"
    assert task.target_and_source[0] == pytest.approx(5.43, abs=0.1)
    assert task.unit == "percent^2"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "is no error"),
        ({"target": -113.5, "loss_unit": "(eV)^2"}, "is no error"),
        ({"loss": "density_moment", "loss_unit": "ang^2"}, "needs a target"),
        ({"loss": "gap"}, "needs a target"),
        ({"loss": "magnetisation", "loss_unit": "Bohr magneton"}, "needs a target"),
        ({"loss": "magnetic_order_energy", "loss_unit": "meV"}, "needs a target"),
    ],
)
def test_no_step_is_offered_along_what_is_no_error(run: RunModel, changes: dict[str, Any], words: str) -> None:
    model = model_of(run)
    model.start()
    run.result = result() | changes
    assert not model.can_step
    assert words in model.no_step
    with pytest.raises(InputError, match=words):
        model.take_step()


@pytest.mark.parametrize("loss", [name for name in LOSSES if name != "energy"])
def test_a_step_is_offered_along_an_error(run: RunModel, loss: str) -> None:
    model = model_of(run)
    model.start()
    run.result = with_target() | {"loss": loss}
    assert model.can_step
    assert model.no_step == ""


def test_no_gradient_says_why() -> None:
    nothing = {"gradient_norm": None, "message": "The SCF has not converged."}
    assert gradient_in_words(nothing) == "There is no gradient. The SCF has not converged."


def test_a_run_of_another_kind_shows_no_gradient(run: RunModel) -> None:
    model = model_of(run)
    model.start()
    run.result = result()
    run.kind = "scf"
    assert model.picture.title == ""
    assert not model.can_step


def choice(crystal: str) -> ChooseModel:
    choose = ChooseModel(crystal)
    choose.xc = "pbe-kappa-mu"
    return choose


def model_of(run: RunModel) -> GradientModel:
    return GradientModel(run, choice("si"))


def run_folders(run: RunModel) -> list[dict[str, Any]]:
    from mlxc.runs.kept import kept_runs

    return [folder.task.model_dump(mode="json") for folder in kept_runs() if folder.kind == "gradient"]


def with_target() -> dict[str, Any]:
    return result() | {"loss": "gap", "loss_unit": "(eV)^2", "target": 1.17, "target_source": "given"}


def result() -> dict[str, Any]:
    parameter = {"size": 1, "norm": 0.8, "gradient_norm": 0.1, "value": 0.8, "gradient": -0.1}
    array = {"size": 9, "norm": 3.0, "gradient_norm": 5.8, "value": None, "gradient": None}
    return {
        "message": "",
        "loss": "energy",
        "loss_unit": "eV",
        "quantity": "free energy F = E - TS per atom",
        "quantity_unit": "eV",
        "target": None,
        "target_source": None,
        "before": {"loss": -113.4, "quantity": -113.4},
        "gradient_norm": 5.858,
        "layers": {"kappa": 0.1, "mu<b>": 5.8},
        "parameters": {"kappa": parameter, "mu<b>": array},
        "pull": {
            "rs_edges_bohr": [0.2, 1.0, 2.0, 20.0],
            "s_edges": [0.0, 1.0, 4.0],
            "by_rs_and_s": [[1.0, 2.0], [0.0, 3.0], [-4.0, 0.0]],
            "planar_average": {
                "axis": 2,
                "positions_ang": [0.0, 1.0],
                "pull_per_ang3": [0.1, -0.2],
                "density_per_ang3": [0.5, 0.25],
            },
        },
        "step": None,
        "after": None,
    }
