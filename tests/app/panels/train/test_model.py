"""The panel of trainings, without a browser."""

from __future__ import annotations

from typing import Any

import pytest
from ipywidgets import HTML
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.own.checkpoints import own_checkpoints
from mlxc_app.panels.train.model import TrainModel
from mlxc_app.panels.train.picture import TrainPicture, kept_step, picture_of
from mlxc_app.panels.train.plots import PLOTS
from mlxc_app.panels.train.settings import STEPS_WITH_RESPONSE
from mlxc_app.panels.train.settings_view import SettingsView
from mlxc_app.panels.train.solids import PRESETS, TEST, TRAINING, VALIDATION, SolidLists, tiles
from mlxc_app.panels.train.starts import KAPPA_MU, starts
from mlxc_app.panels.train.view import TrainView
from mlxc_app.run.model import RunModel
from mlxc_app.run.take_away_model import TakeAwayModel
from mlxc_app.widgets.message import MessageArea

from mlxc.errors import InputError
from mlxc.references.tables import measured_solids
from mlxc.runs.kept import find_run
from mlxc.runs.worker import execute
from mlxc.tasks.training.control import Control
from mlxc.tasks.training.presentation import ADJOINT, START, STEP
from mlxc.tasks.training.task import CHECKPOINT_FILE, TrainingTask
from mlxc.training.config import TrainingConfig
from mlxc.xc.checkpoint import save_checkpoint
from mlxc.xc.gga import PBE

S = [0.0, 1.0, 2.0]


def begun(**more: Any) -> dict[str, Any]:
    known = {"PBE": [[1.0, 1.2, 1.4]], "PBEsol": [[1.0, 1.1, 1.2]]}
    start = {"kind": START, "s": S, "alphas": [1.0], "known": known, "enhancement": [[1.0, 1.2, 1.4]]}
    return start | {"parameters": {"kappa": 0.804, "mu": 0.2195}, "elapsed_seconds": 0.1} | more


def step(number: int, **more: Any) -> dict[str, Any]:
    loss = 2.0 / (number + 1)
    errors = {name: {"lattice_constant_ang": loss} for names in PRESETS["four solids"].values() for name in names}
    told = {
        "kind": STEP, "round": 0, "step": number, "loss": loss, "validation_loss": loss, "test_loss": 2 * loss,
        "errors": errors, "skipped": 0, "rate": 0.01, "gradient_norms": {"kappa": 1.0, "mu": loss},
        "enhancement": [[1.0, 1.2 - 0.01 * number, 1.4]], "parameters": {"kappa": 0.8 - number / 100, "mu": 0.22},
        "elapsed_seconds": float(number),
    }  # fmt: skip
    return told | more


def traces_of(picture: TrainPicture) -> list[Any]:
    return [trace for plot in PLOTS.values() for trace in plot.traces(picture)]


def error_title(picture: TrainPicture) -> str:
    return str(PLOTS["errors"].figure(picture).layout.yaxis.title.text)


@pytest.fixture
def model(run: RunModel) -> TrainModel:
    return TrainModel(run, ChooseModel("al"))


def test_start_without_touching_anything_trains_two_numbers_of_pbe_on_four_solids(
    model: TrainModel, run: RunModel
) -> None:
    model.start()
    assert isinstance(run.task, TrainingTask)
    config = run.task.config
    assert config.start == "pbe-kappa-mu"
    assert config.train == ("Si_diamond", "Al_fcc", "V_bcc", "NaCl_b1")
    assert len(config.test) == 4
    assert [target.quantity for target in config.targets] == ["lattice_constant_ang"]
    assert run.title == "Train pbe-kappa-mu on 4 solids"
    assert model.running


def test_every_solid_of_the_table_has_one_tile() -> None:
    names = [tile.name for tile in tiles()]
    assert sorted(names) == sorted(measured_solids())
    assert len({(tile.row, tile.column) for tile in tiles()}) == len(names)
    for preset in PRESETS.values():
        chosen = [name for names in preset.values() for name in names]
        assert len(set(chosen)) == len(chosen)
        assert set(chosen) <= set(names)


def test_a_click_puts_a_solid_into_the_marked_list_and_out_again() -> None:
    lists = SolidLists()
    lists.filled = VALIDATION
    lists.click("Al_fcc")
    assert "Al_fcc" in lists.names(VALIDATION)
    assert "Al_fcc" not in lists.names(TRAINING)
    lists.click("Al_fcc")
    assert "Al_fcc" not in lists.lists


def test_misuse_is_answered_in_a_sentence(model: TrainModel) -> None:
    model.settings.solids.take({TEST: ("Al_fcc",)})
    with pytest.raises(InputError, match="no solid to learn from"):
        model.start()
    model.settings.solids.take(PRESETS["three metals"])
    model.settings.lattice_weight = 0.0
    with pytest.raises(InputError, match="nothing to learn"):
        model.start()
    model.settings.lattice_weight, model.settings.rate = 1.0, -1.0
    with pytest.raises(InputError, match="rate"):
        model.start()
    model.settings.rate, model.settings.width = 0.01, 0
    model.settings.start = next(start for start in starts("") if start.rung == "gga")
    with pytest.raises(InputError, match="1 to 256 units"):
        model.start()
    with pytest.raises(InputError, match="no functional yet"):
        model.keep()
    with pytest.raises(InputError, match="no functional yet"):
        model.confirm()


def test_what_is_chosen_is_in_the_configuration(model: TrainModel, run: RunModel) -> None:
    settings = model.settings
    settings.start = next(start for start in starts("") if start.rung == "mgga")
    settings.solids.take(PRESETS["eight solids"])
    settings.width, settings.bulk_weight, settings.kind, settings.patience = 8, 0.5, "lbfgs", 12
    settings.absolute, settings.stay_near, settings.seed = True, 3.0, 7
    assert settings.rate == 1.0
    model.start()
    assert isinstance(run.task, TrainingTask)
    config = run.task.config
    assert config.network is not None
    assert (config.network.rung, config.network.hidden) == ("mgga", (8, 8))
    assert [(target.quantity, target.weight) for target in config.targets] == [
        ("lattice_constant_ang", 1.0),
        ("bulk_modulus_gpa", 0.5),
    ]
    assert (config.optimiser.kind, config.optimiser.patience, config.errors) == ("lbfgs", 12, "absolute")
    assert (config.regularisation.stay_near, config.seed, len(config.validate_on)) == (3.0, 7, 6)


def test_steps_are_drawn_as_they_come_and_gone_back_through(model: TrainModel, run: RunModel) -> None:
    model.start()
    run.records = (begun(), *(step(number) for number in range(5)))
    picture = model.picture
    assert (picture.last, picture.shown) == (4, 4)
    assert picture.losses[TRAINING][-1] == pytest.approx(0.4)
    assert picture.curves[0].now[1] == pytest.approx(1.16)
    assert picture.parameters["kappa"] == (0.76, 0.804)
    model.shown = 1
    assert model.picture.shown == 1
    assert model.picture.curves[0].now[1] == pytest.approx(1.19)
    run.records = (*run.records, step(5))
    assert (model.picture.last, model.picture.shown) == (5, 1)
    model.shown = -1
    assert model.picture.shown == 5
    visible = {trace.name for trace in traces_of(model.picture) if trace.visible}
    assert {"training", "test", "now", "start", "PBE", "PBEsol", "kappa", "mu"} <= visible
    assert "validation" not in visible


def test_the_end_shows_the_step_that_is_kept(model: TrainModel, run: RunModel) -> None:
    model.start()
    assert run.folder is not None
    run.folder.set_status("running")
    for record in (begun(), *(step(number, best_step=min(number, 2)) for number in range(6))):
        run.folder.append(record)
    run.poll()
    assert (model.picture.shown, model.picture.kept, model.picture.kept_words) == (5, 2, "kept: step 2")
    kept = next(trace for trace in traces_of(model.picture) if trace.name == "kept")
    assert list(kept.x) == [2, 2]
    run.folder.set_status("stopped", "Stopped on request.")
    run.poll()
    assert (model.picture.shown, model.picture.parameters["kappa"][0]) == (2, 0.78)
    model.shown = -1
    assert model.picture.shown == 5


def test_what_the_last_step_has_led_to_is_shown_where_it_is_kept() -> None:
    steps = [step(number, best_step=number) for number in range(3)] + [step(0, round=1), step(1, round=1)]
    result = {"kept_step": 2, "last_step": 1, "enhancement": [[1.0, 1.5, 1.9]], "parameters": {"kappa": 0.5}}
    config = TrainingConfig(name="learner", start="pbe-kappa-mu", train=("Al_fcc",))
    picture = picture_of("a training", config, begun(), steps, None, "", result)
    assert (picture.shown, picture.kept, picture.kept_words) == (4, 4, "kept: the last")
    assert picture.curves[0].now[1] == 1.5
    assert picture.parameters == {"kappa": (0.5, 0.804)}
    assert picture_of("a training", config, begun(), steps, 3, "", result).parameters["kappa"][0] == 0.8
    assert kept_step([], {}) == kept_step([step(0)], {}) == (-1, "")
    assert kept_step(steps, {"kept_step": 0, "last_step": 1}) == (3, "kept: step 0")


def test_a_rate_that_was_typed_stays_and_one_that_was_suggested_follows(model: TrainModel) -> None:
    settings = model.settings
    other = next(start for start in starts("") if start.rung == "gga")
    settings.start = other
    assert settings.rate == other.rate
    settings.rate = 0.05
    settings.start = KAPPA_MU
    assert settings.rate == 0.05
    assert "you chose 0.05; 0.01 suits" in str([child.value for child in hints(model)])
    settings.kind = "lbfgs"
    assert settings.rate == 1.0
    assert "you chose" not in str([child.value for child in hints(model)])


def hints(model: TrainModel) -> list[HTML]:
    return [child for child in SettingsView(model, MessageArea()).widget.children if isinstance(child, HTML)]


def test_layers_and_units_have_names() -> None:
    norms = {f"{name}_network.{layer}.{part}": 1.0 for name in ("exchange", "correlation") for layer in (0, 2, 4)
             for part in ("weight", "bias")}  # fmt: skip
    targets = [{"quantity": "lattice_constant_ang"}, {"quantity": "bulk_modulus_gpa", "weight": 0.5, "scale": 10}]
    config = TrainingConfig.model_validate(
        {"name": "learner", "start": "pbe", "train": ["Al_fcc"], "targets": targets, "errors": "absolute"}
    )
    picture = picture_of("a training", config, begun(), [step(0, gradient_norms=norms)], None, "", {})
    assert list(picture.layers) == [f"{name} {n}" for name in ("exchange", "correlation") for n in (1, 2, 3)]
    assert "absolute errors" in picture.loss_words
    assert "10 % of the bulk modulus, weighted with 0.5, count as one" in picture.loss_words


def test_a_loss_that_is_no_number_leaves_a_gap(model: TrainModel, run: RunModel) -> None:
    model.start()
    run.records = (begun(), step(0), step(1, loss=None, validation_loss=None, errors={}))
    assert model.picture.losses[TRAINING] == [2.0, None]
    assert model.picture.errors[0].now is None


def test_a_round_says_whose_density_follows(model: TrainModel, run: RunModel) -> None:
    model.start()
    stages = (
        "Converging Al_fcc at 7 volumes",
        "Reading the pseudopotentials",
        "Converging V_bcc at 7 volumes",
        "The first",
    )
    told = tuple({"kind": "stage", "words": words, "elapsed_seconds": 1.0} for words in stages)
    run.records = (begun(), step(0), *told)
    assert model.picture.words.startswith("Converging V_bcc at 7 volumes, solid 2 of 8")
    run.records = (*run.records, step(1))
    assert model.picture.words.startswith("Step 2")


def test_pause_and_another_rate_reach_the_folder_of_the_run(model: TrainModel, run: RunModel) -> None:
    model.start()
    assert run.folder is not None
    model.paused = True
    assert Control.read(run.folder.path) == Control(paused=True)
    model.live_rate = 0.002
    assert Control.read(run.folder.path) == Control(paused=True, rate=0.002)
    model.paused = False
    assert Control.read(run.folder.path) == Control(rate=0.002)
    with pytest.raises(InputError, match="positive"):
        model.live_rate = 0.0


def test_a_training_of_which_nobody_is_the_page_any_more_is_taken_up(run: RunModel, model: TrainModel) -> None:
    model.start()
    model.paused = True
    again = TrainModel(run, ChooseModel("al"))
    assert again.running
    assert again.paused


def test_a_functional_is_kept_chosen_and_confirmed(model: TrainModel, run: RunModel) -> None:
    model.settings.steps = 2
    model.start()
    assert run.folder is not None
    execute(run.folder)
    run.poll()
    assert model.can_keep
    assert "Mean errors" in model.picture.words
    model.kept_name = "my own"
    assert model.keep() == "my-own"
    (path,) = own_checkpoints("")
    assert model._choose.xc == str(path)
    assert str(path) in [start.functional for start in starts("")]
    assert model.cost_of_confirming.endswith(" on two cores")
    model.confirm()
    run.poll()
    assert isinstance(run.task, TrainingTask)
    assert run.task.config.densities.endswith(CHECKPOINT_FILE)
    assert run.task.config.densities == run.task.config.start
    assert run.title.startswith("Confirm pbe-kappa-mu-trained")


def test_two_at_once_wait_for_each_other(model: TrainModel, run: RunModel) -> None:
    model.start()
    model.settings.steps += 1
    model.start()
    assert [entry.title for entry in run.waiting] == ["Train pbe-kappa-mu on 4 solids"]
    first, waiting = run.folder, find_run(run.waiting[0].name)
    assert first is not None
    # "Stop training" means the training that is looked at, whatever is computed.
    run.open(waiting)
    model.stop()
    assert (waiting.status["state"], first.stop_requested) == ("stopped", False)


def test_the_view_shows_what_can_be_pressed(model: TrainModel, run: RunModel) -> None:
    view = TrainView(model, MessageArea())
    buttons, choices, words, scrubber, *_ = view.widget.children
    assert "Press “Start”" in words.value
    assert [child.layout.display for child in buttons.children[1:]] == ["none"] * 3
    settings, _ = choices.children[1].children[0].children
    assert next(text for text, _ in settings.children[0].options).startswith("PBE")
    buttons.children[0].click()
    assert not choices.children[0].value
    assert [child.layout.display for child in buttons.children[1:]] == [""] * 3
    run.records = (begun(), *(step(number) for number in range(5)))
    assert (scrubber.children[0].max, scrubber.children[0].value) == (4, 4)
    scrubber.children[0].value = 2
    assert "step 2 of 4 is shown" in words.value


def test_gaps_are_learned_in_few_steps_with_their_adjoints_in_view(model: TrainModel, run: RunModel) -> None:
    model.settings.lattice_weight, model.settings.gap_weight = 0.0, 1.0
    assert model.settings.steps == STEPS_WITH_RESPONSE
    model.start()
    assert isinstance(run.task, TrainingTask)
    assert [target.quantity for target in run.task.config.targets] == ["gap_ev"]
    view = TrainView(model, MessageArea())
    adjoint = [{"kind": ADJOINT, "solid": "Si_diamond", "iteration": n, "residual": 10.0**-n} for n in (1, 2, 3)]
    run.records = (begun(), *adjoint, step(0, errors={"Si_diamond": {"gap_ev": -0.5}}), *adjoint[:2])
    assert model.picture.adjoints == {"Si": [0.1, 0.01]}
    assert model.picture.errors[0].now == -0.5
    assert model.picture.errors[1].now is None
    assert error_title(model.picture) == "error of the gap (eV)"
    _, figure = adjoint_view_of(view).children
    assert list(figure.data[0].y) == [0.1, 0.01]
    run.records = (*run.records, adjoint[2])
    assert list(figure.data[0].y) == pytest.approx([0.1, 0.01, 0.001])
    model.settings.gap_weight = 0.0
    with pytest.raises(InputError, match="nothing to learn"):
        model.start()


def test_densities_of_another_functional_are_learned(model: TrainModel, run: RunModel) -> None:
    settings = model.settings
    settings.lattice_weight, settings.density_weight, settings.teacher = 0.0, 1.0, "pbesol"
    view = TrainView(model, MessageArea())
    assert "learns from pbesol's densities of 4 solids" in view._words.value
    model.start()
    assert isinstance(run.task, TrainingTask)
    config = run.task.config
    assert (config.teacher, [target.quantity for target in config.targets]) == ("pbesol", ["density_percent"])
    run.records = (begun(), step(0, errors={"Si_diamond": {"density_percent": 0.7}}))
    assert error_title(model.picture) == "distance of the density (%)"
    settings.density_weight, settings.lattice_weight = 0.0, 1.0
    assert settings.task().config.teacher == ""


def test_a_teachers_equations_of_state_are_learned_at_stored_densities(model: TrainModel) -> None:
    settings = model.settings
    settings.lattice_weight, settings.curve_weight = 0.0, 1.0
    assert settings.steps == 200
    assert not settings.needs_response
    config = settings.task().config
    assert (config.teacher, [target.quantity for target in config.targets]) == ("r2scan", ["energy_curve_mev"])
    assert "learns from r2scan's equations of state of 4 solids" in TrainView(model, MessageArea())._words.value


def test_forces_are_learned_of_solids_with_an_atom_out_of_its_place(model: TrainModel, run: RunModel) -> None:
    settings = model.settings
    settings.lattice_weight, settings.force_weight = 0.0, 1.0
    assert settings.steps == STEPS_WITH_RESPONSE
    model.start()
    assert isinstance(run.task, TrainingTask)
    config = run.task.config
    assert (config.train, config.teacher) == (("Si_diamond_moved", "NaCl_b1_moved"), "r2scan")
    assert "Cu_fcc_moved" not in config.test
    adjoint = {"kind": ADJOINT, "solid": "Si_diamond_moved", "iteration": 1, "residual": 0.1}
    run.records = (begun(), adjoint, step(0, errors={"Si_diamond_moved": {"forces_ha_bohr": 0.002}}))
    assert model.picture.adjoints == {"Si, moved": [0.1]}
    assert (model.picture.errors[0].label, model.picture.errors[0].now) == ("Si, moved", 0.002)
    assert error_title(model.picture) == "distance of the forces (Ha/bohr)"
    assert model.cost_of_confirming.endswith(" on two cores")
    # Lattice constants belong to the solids as they are.
    settings.lattice_weight = 1.0
    assert settings.task().config.train[2:] == ("V_bcc", "NaCl_b1", "Si_diamond_moved", "NaCl_b1_moved")


def test_moments_are_learned_of_nickel_with_its_adjoint_in_view(model: TrainModel, run: RunModel) -> None:
    settings = model.settings
    settings.lattice_weight, settings.moment_weight = 0.0, 1.0
    with pytest.raises(InputError, match=r"None of the solids to learn from has measured moments. These have: Ni\."):
        model.start()
    settings.solids.take({TRAINING: ("Ni_fcc",)})
    assert settings.steps == STEPS_WITH_RESPONSE
    model.start()
    assert isinstance(run.task, TrainingTask)
    assert [target.quantity for target in run.task.config.targets] == ["magnetisation_bohr_magneton"]
    adjoint = {"kind": ADJOINT, "solid": "Ni_fcc", "iteration": 1, "residual": 0.1}
    run.records = (begun(), adjoint, step(0, errors={"Ni_fcc": {"magnetisation_bohr_magneton": 0.06}}))
    assert model.picture.adjoints == {"Ni": [0.1]}
    assert model.picture.errors[0].now == 0.06
    assert error_title(model.picture) == "error of M (μB)"


def test_what_no_chosen_solid_has_is_refused_before_anything_is_computed(model: TrainModel) -> None:
    settings = model.settings
    settings.solids.take({TRAINING: ("Al_fcc",)})
    for trait, words in (("gap_weight", "measured gaps. These have: C, Si"), ("force_weight", "forces. These have: C")):
        setattr(settings, trait, 1.0)
        with pytest.raises(InputError, match=f"None of the solids to learn from has {words}"):
            model.start()
        setattr(settings, trait, 0.0)


def test_errors_of_what_only_a_file_can_ask_for_have_their_name_and_unit() -> None:
    picture = TrainPicture(quantity="energy_difference_ev")
    words = "error of the energy of the cell relative to other crystals (eV)"
    assert error_title(picture) == words


def adjoint_view_of(view: TrainView) -> Any:
    return view.widget.children[6]


def test_before_a_training_the_words_are_about_what_is_chosen(model: TrainModel) -> None:
    view = TrainView(model, MessageArea())
    assert "PBE, its κ and μ, learns from measured lattice constants of 4 solids; 4 others" in view._words.value
    model.settings.bulk_weight = model.settings.cohesive_weight = 1.0
    model.settings.solids.click("Ag_fcc")
    assert "lattice constants, bulk moduli and cohesive energies of 5 solids" in view._words.value


def test_the_legend_names_each_functional_that_is_drawn_beside(model: TrainModel, run: RunModel) -> None:
    model.start()
    assert run.folder is not None
    for record in (begun(known={"PBE": [[1.0] * 3], "SCAN": [[1.1] * 3]}), step(0)):
        run.folder.append(record)
    run.poll()
    words = PLOTS["enhancement"].figure(model.picture).layout.title.text
    assert words.endswith("··· PBE; –·– SCAN")


def test_all_figures_show_the_step_that_has_come(model: TrainModel, run: RunModel) -> None:
    view = TrainView(model, MessageArea())
    # What the browser tells of figures that it has drawn.
    view.figures[-1]._js2py_traceDeltas = {"trace_edit_id": 0, "trace_deltas": []}
    model.start()
    assert run.folder is not None
    run.folder.set_status("running")
    for record in (begun(), step(0), step(1)):
        run.folder.append(record)
    run.folder.set_status("stopped", "Stopped on request.")
    run.poll()
    for plot, figure in zip(PLOTS.values(), view.figures, strict=True):
        now = plot.figure(model.picture)
        assert [trace.visible for trace in figure.data] == [trace.visible for trace in now.data]
        assert [list(trace.y) for trace in figure.data] == [list(trace.y) for trace in now.data]
        assert figure.layout == now.layout


def test_a_functional_is_downloaded_under_its_own_name(model: TrainModel, run: RunModel) -> None:
    model.start()
    assert run.folder is not None
    path = run.folder.path / CHECKPOINT_FILE
    save_checkpoint(PBE(trainable=True), path, name="my-functional", description="", licence="MIT")
    run.folder.set_status("finished")
    run.poll()
    assert TakeAwayModel(run).file("checkpoint") == ("my-functional.safetensors", path.read_bytes())
