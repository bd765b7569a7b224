"""Functionals on many solids as the panel knows them, without a browser and without PyTorch."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.own.checkpoints import keep_trained
from mlxc_app.panels.models.calibration_view import CalibrationView, calibration_in_words
from mlxc_app.panels.models.cell_view import CellView
from mlxc_app.panels.models.columns import QUANTITIES, Column, cell_content
from mlxc_app.panels.models.hand import ENSEMBLE, MIX, OFF, PARAMETERS, STRENGTH, WEIGHT
from mlxc_app.panels.models.hand_view import HandView
from mlxc_app.panels.models.model import HAND, ModelsModel
from mlxc_app.panels.models.view import ModelsView, moved_content, table_content
from mlxc_app.run.model import RunModel
from mlxc_app.widgets.message import MessageArea

from mlxc.errors import InputError
from mlxc.runs.folder import RunFolder
from mlxc.solids.table import prototype
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.xc.checkpoints.files import shipped_checkpoints

# Those that an equation of state has by default, but for two that a test can afford.
SETTINGS = {
    "basis": "pw", "ecut_ha": 10.0, "kmesh": [2, 2, 2], "smearing": "fermi-dirac", "width_ha": 0.005, "spin": False,
    "cutoff_smoothing_ha": 0.5,
}  # fmt: skip
SOLIDS = [
    {
        "name": "Na_bcc", "kind": "alkali metal", "settings": {},
        "references": {"lattice_constant_ang": 4.207, "bulk_modulus_gpa": 7.7},
    },
    {
        "name": "Ag_fcc", "kind": "transition metal", "settings": SETTINGS,
        "references": {"lattice_constant_ang": 4.063},
    },
]  # fmt: skip


class StandIn:
    """A bench that answers nothing, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.given_up: list[str] = []

    def ask(self, slot: str, ask: str, **request: Any) -> None:
        self.asked.append((slot, ask, request))

    def give_up(self, slot: str) -> None:
        self.given_up.append(slot)

    def follow(self, take: Callable[[dict[str, Any]], None]) -> Awaitable[None]:
        raise NotImplementedError

    @property
    def functionals(self) -> list[str]:
        return [request["functional"] for _, ask, request in self.asked if ask == "screen"]


def row(solid: str, **fields: Any) -> dict[str, Any]:
    quantities = ("lattice_constant_ang", "lattice_constant_error_percent", "bulk_modulus_gpa",
                  "bulk_modulus_error_percent", "outside_domain_fraction")  # fmt: skip
    return {"solid": solid, "message": ""} | dict.fromkeys(quantities) | fields


def told(slot: str, *rows: dict[str, Any], last: bool = True) -> dict[str, Any]:
    """An answer; with the last rows come the statistics."""
    summary = {"count": 1, "of": 2, "mean_absolute": 1.07, "mean": -0.4, "largest": None}
    end = {"summary": {"lattice_constant": summary}, "curve": {"s": [0], "f_xc": [1.1]}}
    return {"slot": slot, "number": 1, "last": False, "rows": list(rows), **(end if last else {})}


@pytest.fixture
def bench() -> StandIn:
    return StandIn()


@pytest.fixture
def model(run: RunModel, bench: StandIn) -> ModelsModel:
    model = ModelsModel(run, ChooseModel("al"), bench)
    model.look()
    model.take({"slot": "about", "number": 1, "last": True, "solids": SOLIDS})
    return model


def test_what_is_ticked_is_asked_once_and_becomes_a_column(model: ModelsModel, bench: StandIn) -> None:
    model.tick(["pbe"])
    model.tick(["pbesol", "pbe"])
    assert bench.functionals == ["pbe", "pbesol"]
    assert [column.name for column in model.columns] == ["pbe", "pbesol"]
    model.take(told("column pbe", row("Na_bcc", lattice_constant_ang=4.2), last=False))
    model.tick(["pbesol"])
    assert bench.given_up == ["column pbe"]
    assert [column.name for column in model.columns] == ["pbesol"]


def test_a_functional_that_is_not_in_the_list_is_not_asked(model: ModelsModel, bench: StandIn) -> None:
    with pytest.raises(InputError, match="not in the list"):
        model.tick(["/etc/passwd"])
    assert not bench.functionals


def test_rows_stand_in_the_table_as_they_come(model: ModelsModel) -> None:
    model.tick(["pbe"])
    assert table_content(model)["columns"][0]["cells"]["Na_bcc"]["text"] == "…"
    error = 100 * (4.2 / 4.207 - 1)
    model.take(
        told("column pbe", row("Na_bcc", lattice_constant_ang=4.2, lattice_constant_error_percent=error), last=False)
    )
    content = table_content(model)
    (column,) = content["columns"]
    assert column["cells"]["Na_bcc"]["text"] == "−0.17"
    assert "4.200 Å" in column["cells"]["Na_bcc"]["words"]
    assert "Measured 4.207 Å" in column["cells"]["Na_bcc"]["words"]
    assert column["cells"]["Ag_fcc"]["text"] == "…"
    assert column["summary"] == {}
    model.take(told("column pbe", row("Ag_fcc", lattice_constant_ang=4.15, lattice_constant_error_percent=2.1)))
    assert table_content(model)["columns"][0]["summary"] == {
        "mean_absolute": "1.07", "mean": "−0.40", "solids": "1 of 2", "incomplete": True,
    }  # fmt: skip


def test_a_cell_without_a_value_says_why_and_one_beyond_training_is_marked() -> None:
    column = Column("own", "own", {"Na_bcc": row("Na_bcc", message="The energies have no minimum.")})
    cell = cell_content(column, SOLIDS[0], QUANTITIES["lattice_constant"])
    assert (cell["error"], cell["text"]) == (None, "no value")
    assert "no minimum" in cell["words"]
    unsound = Column("own", "own", {"Na_bcc": row("Na_bcc", missing="no sound fit", message="No sound fit: …")})
    assert cell_content(unsound, SOLIDS[0], QUANTITIES["bulk_modulus"])["text"] == "no sound fit"
    guessed = row("Na_bcc", lattice_constant_ang=4.3, lattice_constant_error_percent=2.2, outside_domain_fraction=0.12)
    cell = cell_content(Column("own", "own", {"Na_bcc": guessed}), SOLIDS[0], QUANTITIES["lattice_constant"])
    assert cell["outside"]
    assert "12 % of the electrons" in cell["words"]


def test_a_functional_that_cannot_be_asked_says_so_and_the_others_stay(model: ModelsModel) -> None:
    model.tick(["pbe", "pbesol"])
    model.take({"slot": "column pbe", "number": 1, "last": True, "error": "It is gone."})
    cells = [column["cells"]["Na_bcc"] for column in table_content(model)["columns"]]
    assert [cell["text"] for cell in cells] == ["–", "…"]
    assert cells[0]["words"] == "It is gone."


def test_the_hand_asks_for_each_place_and_shows_no_place_in_parts(model: ModelsModel, bench: StandIn) -> None:
    model.hand.mode = PARAMETERS
    asked = [request for slot, _, request in bench.asked if slot == HAND]
    assert asked == [{"functional": "pbe-kappa-mu", "parameters": {"kappa": 0.804, "mu": model.hand.mu}}]
    model.take(told(HAND, row("Na_bcc", lattice_constant_error_percent=0.5, lattice_constant_ang=4.2), last=False))
    assert model.moved is not None
    assert not model.moved.rows
    model.take(told(HAND, row("Ag_fcc", lattice_constant_error_percent=0.5, lattice_constant_ang=4.1)))
    assert set(model.moved.rows) == {"Na_bcc", "Ag_fcc"}
    assert moved_content(model)["cells"]["Na_bcc"]["text"] == "+0.50"
    model.hand.mode = OFF
    assert model.moved is None
    assert moved_content(model) == {}
    assert bench.given_up == [HAND]


def test_a_hand_that_moves_on_is_answered_and_then_asks_for_where_it_is(model: ModelsModel, bench: StandIn) -> None:
    model.hand.mode = PARAMETERS
    for kappa in (0.9, 1.0, 1.1):
        model.hand.kappa = kappa
    assert len([slot for slot, _, _ in bench.asked if slot == HAND]) == 1
    model.take(told(HAND, row("Na_bcc"), row("Ag_fcc")))
    kappas = [request["parameters"]["kappa"] for slot, _, request in bench.asked if slot == HAND]
    assert kappas == [0.804, 1.1]
    model.take(told(HAND, row("Na_bcc"), row("Ag_fcc")))
    assert len([slot for slot, _, _ in bench.asked if slot == HAND]) == 2


def test_a_mix_and_the_strength_of_a_network_are_sums(model: ModelsModel, bench: StandIn) -> None:
    model.hand.share = 0.25
    model.hand.mode = MIX
    assert (HAND, "screen", {"functional": "0.75*pbe + 0.25*scan"}) in bench.asked
    model.hand.network = "pbe-proxy"
    model.hand.mode = STRENGTH
    assert (HAND, "screen", {"functional": "0.75*lda + 0.25*pbe-proxy"}) in bench.asked
    assert "lda with 25 % of pbe-proxy" in model.hand.moved.label
    assert {slot for slot, _, _ in bench.asked} >= {"beside pbe", "beside scan", "beside lda", "beside pbe-proxy"}
    # What stands beside a network stays.
    model.hand.network = "solids-mgga"
    assert (HAND, "screen", {"functional": "0.6*lda + 0.15*r2scan + 0.25*solids-mgga"}) in bench.asked


MOVABLE = {
    "weights": {
        "kappa": {"shape": [], "values": [0.8], "typical": 0.8},
        "layer.weight": {"shape": [2, 3], "values": [0.1, -0.2, 0.3, 0.4, 0.5, 0.6], "typical": 0.4},
    },
    "members": 2,
    "directions": 3,
}


def known(model: ModelsModel, network: str = "solids-gga", **other: Any) -> None:
    model.take({"slot": f"movable {network}", "number": 1, "last": False, **MOVABLE, **other})


def test_one_weight_of_a_network_moves_around_what_it_has_learned(model: ModelsModel, bench: StandIn) -> None:
    model.hand.mode = WEIGHT
    assert ("movable solids-gga", "movable", {"functional": "solids-gga"}) in bench.asked
    assert not [slot for slot, _, _ in bench.asked if slot == HAND]
    known(model)
    assert model.hand.weight == "kappa"
    model.hand.weight = "layer.weight"
    model.hand.element = 4
    model.hand.place = 0.5
    # One place is answered after the other.
    model.take(told(HAND, row("Na_bcc"), row("Ag_fcc")))
    asked = [request for slot, _, request in bench.asked if slot == HAND][-1]
    assert asked == {"functional": "solids-gga", "move": {"weight": "layer.weight", "element": 4}, "place": 0.5}
    assert model.hand.moved.label == "solids-gga, layer.weight[2, 2] = 0.7500 (learned: 0.5000)"
    model.hand.weight = "kappa"
    assert (model.hand.element, model.hand.place) == (0, 0.0)
    assert "kappa = 0.8000" in model.hand.moved.label


def test_an_ensemble_is_walked_through_by_members_and_along_directions(model: ModelsModel, bench: StandIn) -> None:
    model.hand.mode = ENSEMBLE
    known(model)
    asked = [request for slot, _, request in bench.asked if slot == HAND]
    assert asked[-1] == {"functional": "solids-gga"}
    # What the slider will come to is evaluated before it does.
    assert {slot for slot, _, _ in bench.asked} >= {"other solids-gga#1", "other solids-gga#2"}
    model.hand.member = 2
    assert model.hand.moved.request == {"functional": "solids-gga#2"}
    model.hand.direction, model.hand.deviations = 3, -1.5
    assert model.hand.moved.request == {"functional": "solids-gga", "move": {"direction": 3}, "place": -0.75}
    assert "−1.50 standard deviations along direction 3" in model.hand.moved.label
    assert "other solids-gga#1" in bench.given_up
    model.hand.uncertain = "overfit-gga"
    known(model, "overfit-gga", members=0, directions=1)
    assert model.hand.direction == 1
    assert model.hand.moved.request["move"] == {"direction": 1}


def test_lists_of_the_hand_follow_what_is_known_of_a_network(model: ModelsModel) -> None:
    view = HandView(model, MessageArea())
    model.hand.mode = WEIGHT
    known(model)
    layers = view._controls["weight"]
    assert [name for _, name in layers.options] == ["kappa", "layer.weight"]
    layers.value = "layer.weight"
    assert (view._element.limits, model.hand.weight) == ((1, 6), "layer.weight")
    view._element.value = 6
    assert model.hand.element == 5
    model.hand.mode = ENSEMBLE
    assert [name for _, name in view._controls["uncertain"].options] == ["overfit-gga", "solids-gga"]
    assert [name for _, name in view._controls["direction"].options] == [0, 1, 2, 3]
    view._controls["direction"].value = 2
    assert model.hand.direction == 2
    assert view._controls["member"].layout.display == "none"


def test_what_takes_long_under_the_hand_says_how_far_it_is(model: ModelsModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlxc_app.panels.models.model.SOON_SECONDS", -1.0)
    model.hand.mode = PARAMETERS
    model.take(told(HAND, row("Na_bcc"), last=False))
    assert model.progress == "1 of 2 solids are evaluated …"
    model.take(told(HAND, row("Ag_fcc")))
    assert model.progress == ""


def test_a_cell_that_is_pressed_is_resolved(model: ModelsModel, bench: StandIn) -> None:
    model.choose_cell("pbe", "Ag_fcc")
    assert model.cell is None
    model.tick(["pbe"])
    model.choose_cell("pbe", "Ag_fcc")
    asked = {"functional": "pbe", "solid": "Ag_fcc"}
    assert bench.asked[-1] == ("cell", "resolve", asked | {"quantity": "lattice_constant"})
    model.quantity = "cohesive_energy"
    assert bench.asked[-1] == ("cell", "resolve", asked | {"quantity": "cohesive_energy"})
    assert table_content(model)["chosen"] == ["pbe", "Ag_fcc"]
    model.take({"slot": "cell", "number": 1, "last": True, "error": "No minimum."})
    assert model.cell is not None
    assert model.cell.problem == "No minimum."


def silver() -> dict[str, Any]:
    """The crystal of the library, as plain data."""
    return prototype("Ag_fcc", 4.063).to_dict()


def test_what_a_self_consistent_run_finds_stands_beside_the_frozen_value(
    model: ModelsModel, run: RunModel, bench: StandIn
) -> None:
    model.tick(["pbe"])
    model.take(told("column pbe", row("Ag_fcc", lattice_constant_ang=4.15, lattice_constant_error_percent=2.14)))
    task = {"calculation": {"structure": silver(), "xc": "pbe", **SETTINGS}, "points": 7}
    model.confirming.start("pbe", "Ag_fcc", task)
    (folder,) = model.confirming.waiting.values()
    assert isinstance(folder, RunFolder)
    assert folder.title == "Ag fcc, pbe, confirmed"
    folder.write_result({"lattice_constant_ang": 4.152, "bulk_modulus_gpa": 90.0})
    folder.set_status("finished")
    model.confirming.look()
    assert not model.confirming.waiting
    cell = table_content(model)["columns"][0]["cells"]["Ag_fcc"]
    assert cell["confirmed"] == "+2.19"
    assert "Self-consistent 4.152 Å" in cell["words"]
    model.take_away()
    (confirmed,) = bench.asked[-1][2]["confirmed"]
    assert (confirmed["functional"], confirmed["solid"], confirmed["bulk_modulus_gpa"]) == ("pbe", "Ag_fcc", 90.0)
    later = ModelsModel(run, ChooseModel("al"), StandIn())
    later.take({"slot": "about", "number": 1, "last": True, "solids": SOLIDS})
    assert later.confirming.results[("pbe", "Ag_fcc")]["lattice_constant_ang"] == 4.152


def test_what_it_costs_to_confirm_is_told_before(model: ModelsModel) -> None:
    view = CellView(model, MessageArea())
    model.tick(["pbe", "scan"])
    model.choose_cell("pbe", "Ag_fcc")
    task = {"calculation": {"structure": silver(), "xc": "pbe", **SETTINGS}, "points": 7}
    assert model.confirming.estimate(["pbe"], task).endswith(" on two cores")
    model.take({"slot": "cell", "number": 1, "last": True, "confirmation": task, "error": "No minimum."})
    cost = view.widget.children[1].children[2]
    assert "This one: about" in cost.value
    assert "All 2 functionals: about" in cost.value
    model.tick(["pbe"])
    assert "All" not in cost.value
    refused = {**task, "calculation": {**task["calculation"], "ecut_ha": -1.0}}
    assert model.confirming.estimate(["pbe"], refused) == ""


def test_a_run_with_other_settings_confirms_nothing(model: ModelsModel, run: RunModel) -> None:
    other = {"calculation": {"structure": silver(), "xc": "pbe", **SETTINGS, "ecut_ha": 12.0}}
    run.start(EquationOfStateTask.from_dict(other), "mine")
    model.confirming.remember(model.solids)
    assert not model.confirming.waiting


def bring(model: ModelsModel, bench: StandIn, problem: str) -> None:
    """Bring a checkpoint of which the bench says that it is in order, or what is wrong with it."""

    async def answered() -> None:
        bringing = asyncio.create_task(
            model.bring("my own.safetensors", shipped_checkpoints()["pbe-proxy"].read_bytes())
        )
        while bench.asked[-1][1] != "examine":
            await asyncio.sleep(0)
        slot, _, request = bench.asked[-1]
        said = {"error": problem.format(file=request["functional"])} if problem else {}
        model.take({"slot": slot, "number": 1, "last": True, **said})
        await bringing

    asyncio.run(answered())


def test_a_checkpoint_that_is_wrong_is_not_taken(model: ModelsModel, bench: StandIn) -> None:
    with pytest.raises(InputError, match=r"^my own.safetensors is damaged\.$"):
        bring(model, bench, "{file} is damaged.")
    assert not model.ticked


def test_a_checkpoint_that_is_brought_is_ticked(model: ModelsModel, bench: StandIn) -> None:
    bring(model, bench, "")
    (name,) = model.ticked
    assert Path(name).name == "my-own.safetensors"
    assert bench.functionals == [name]
    assert model.columns[0].label == "my-own"


def test_the_view_ticks_what_the_browser_ticks_and_tells_what_it_cannot(model: ModelsModel) -> None:
    messages = MessageArea()
    view = ModelsView(model, messages)
    view._ticks.ticked = ["pbe", "no such functional"]
    assert model.ticked == ("pbe",)
    view._save.click()
    assert not messages.widget.value
    view._ticks.ticked = []
    view._save.click()
    assert "Tick a functional first" in messages.widget.value
    model.take({"slot": "report", "number": 1, "last": True, "files": {"a.csv": "YQ=="}})
    assert 'download="a.csv"' in view._files.value


CALIBRATION = {
    "nominal": [0.0, 0.5, 1.0],
    "lattice_constant": {
        "all": {"inside": [0.0, 0.6, 1.0], "within_one": 0.68, "count": 28},
        "unseen": {"inside": [0.0, 0.5, 1.0], "within_one": 2 / 3, "count": 9},
    },
    "bulk_modulus": {"all": {"inside": [0.0, 0.4, 1.0], "within_one": 0.5, "count": 20}, "unseen": None},
}


def test_bars_stand_in_cells_and_their_calibration_below(model: ModelsModel, bench: StandIn) -> None:
    model.solids = tuple(SOLIDS)
    view = CalibrationView(model, MessageArea())
    model.tick(["solids-gga"])
    assert bench.asked[-1][2]["uncertainty"]
    slot = "column solids-gga"
    fields = {"lattice_constant_ang": 4.2, "lattice_constant_error_percent": -0.17}
    model.take(told(slot, row("Na_bcc", **fields)))
    cell = table_content(model)["columns"][0]["cells"]["Na_bcc"]
    assert (cell["bar"], cell["spread"]) == (None, "")
    assert view.widget.children == ()
    model.take(told(slot, row("Na_bcc", **fields, lattice_constant_standard_deviation_ang=0.02), last=False))
    model.take({"slot": slot, "number": 1, "last": True, "calibration": CALIBRATION})
    cell = table_content(model)["columns"][0]["cells"]["Na_bcc"]
    assert cell["bar"] == pytest.approx(100 * 0.02 / 4.207)
    assert cell["spread"] == "±0.48"
    assert "4.200 ± 0.020 Å" in cell["words"]
    (sentence,) = calibration_in_words(model.columns)
    assert "6 of 9 errors on solids it has not seen" in sentence
    assert "bulk modulus, 10 of 20 errors on solids within" in sentence
    words, figure, _ = view.widget.children
    assert "hold" in words.value
    assert [list(trace.y) for trace in figure.data if "unseen" in trace.name] == [[0.0, 0.5, 1.0]]
    model.tick([])
    assert view.widget.children == ()


def test_functionals_with_error_bars_are_marked_in_the_list(model: ModelsModel) -> None:
    labels = {name: label for _, entries in model.groups for label, name in entries}
    assert (labels["solids-gga"], labels["solids-mgga"]) == ("solids-gga ±", "solids-mgga")
    # The mark belongs to the list, and to no column or file.
    model.tick(["solids-gga"])
    assert model.columns[0].label == "solids-gga"


def test_what_is_kept_elsewhere_on_the_page_can_be_ticked(run: RunModel) -> None:
    choose = ChooseModel("al")
    model = ModelsModel(run, choose, StandIn())
    path = keep_trained(shipped_checkpoints()["pbe-proxy"], "learned-here", choose.owner)
    choose.xc = str(path)
    assert str(path) in [value for _, entries in model.groups for _, value in entries]
