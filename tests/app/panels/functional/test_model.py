"""What the page knows of the chosen functional, without a browser and without PyTorch."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.choose.own.command import NoAnswerError, failure_sentence
from mlxc_app.choose.words import describe
from mlxc_app.panels.functional.model import FunctionalModel
from mlxc_app.panels.functional.report import FunctionalReport, check_functional
from mlxc_app.panels.functional.view import constraint_table
from mlxc_app.panels.functional.words import card_table, record_table
from mlxc_app.run.training_domain import training_sentence

from mlxc.utils.assets import asset_path

PROXY = asset_path("checkpoints") / "pbe-proxy.safetensors"
REPORT = FunctionalReport.from_json(
    json.dumps(
        {
            "constraints": [
                {"name": "<b>", "satisfied": True, "detail": "d", "source": "s"},
                {"name": "worst", "satisfied": False, "detail": "d", "source": "s"},
            ],
            "curves": [{"rs": 2, "alpha": 1, "s": [0, 1], "f_xc": [1.2, float("nan")], "f_xc_pbe": [1.2, 1.3]}],
        }
    )
)


@pytest.fixture(autouse=True)
def _runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLXC_RUNS", str(tmp_path))


def test_a_checkpoint_is_described_by_its_record() -> None:
    record = describe("pbe-proxy").record
    assert record is not None
    table = record_table(record)
    assert "MIT" in table
    assert "0.02 to 31.6" in table
    assert "How sure" not in table
    sure = describe("solids-gga").record
    assert sure is not None
    assert "An ensemble of 16 members gives error bars" in record_table(sure)
    assert describe("pbe").record is None
    assert "1996" in describe("pbe").meaning


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("xcdiff", ("learned", "not symmetric in the spins", "L161109")),
        ("mcml", ("learned", "J. Comput. Chem. 42, 2004")),
        ("pbe", ("non-empirical", "77, 3865")),
    ],
)
def test_the_card_of_a_functional_tells_its_origin_what_to_cite_and_what_to_know(
    name: str, told: tuple[str, ...]
) -> None:
    choose = ChooseModel()
    model = FunctionalModel(choose)
    choose.xc = name
    assert model.card is not None
    assert all(words in card_table(model.card) for words in told)


@pytest.mark.parametrize("name", ["pbe-proxy", "0.5*pbe + 0.5*scan", "gga_x_b88,gga_c_lyp", "/tmp/gone.safetensors"])
def test_of_other_functionals_nothing_is_written_down(name: str) -> None:
    choose = ChooseModel()
    model = FunctionalModel(choose)
    choose.xc = "pcnn"
    choose.xc = name
    assert model.card is None


def test_a_file_that_has_gone_is_described_by_a_sentence() -> None:
    assert "gone.safetensors" in describe("/tmp/gone.safetensors").meaning


async def asked(model: FunctionalModel) -> None:
    """Let the model ask for a moment."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(model.follow(), 0.05)


def test_a_functional_is_asked_once_and_only_when_somebody_looks() -> None:
    names: list[str] = []

    async def check(name: str) -> FunctionalReport:
        names.append(name)
        return REPORT

    async def visit() -> None:
        choose = ChooseModel()
        model = FunctionalModel(choose, check)
        await asked(model)
        assert names == []
        model.shown = True
        await asked(model)
        choose.xc = "pbesol"
        assert model.report is None
        await asked(model)
        choose.xc = "pbe"
        assert model.report is REPORT
        await asked(model)

    asyncio.run(visit())
    assert names == ["pbe", "pbesol"]


def test_a_functional_that_cannot_be_asked_leaves_a_sentence() -> None:
    async def check(name: str) -> FunctionalReport:
        raise NoAnswerError("It is broken.")

    async def visit() -> FunctionalModel:
        model = FunctionalModel(ChooseModel(), check)
        model.shown = True
        await asked(model)
        return model

    model = asyncio.run(visit())
    assert model.problem == "It is broken."
    assert model.report is None


@pytest.mark.process
def test_a_real_functional_answers() -> None:
    report = asyncio.run(check_functional("pbe"))
    assert report.curves[0].f_xc == report.curves[0].f_xc_pbe
    with pytest.raises(NoAnswerError, match="nonsense"):
        asyncio.run(check_functional("nonsense"))


def test_the_sentence_of_a_failed_process_is_found() -> None:
    assert failure_sentence("warning\nmlxc: It is broken.\n") == "It is broken."
    assert "KilledError" in failure_sentence("Traceback\nKilledError")
    assert "said nothing" in failure_sentence("")


def test_violated_conditions_come_first_and_no_number_is_no_point() -> None:
    table = constraint_table(REPORT.constraints)
    assert table.index("worst") < table.index("&lt;b&gt;")
    assert "1 of 2 hold" in table
    assert REPORT.curves[0].f_xc == (1.2, None)


def test_a_result_says_how_much_lies_outside_the_training() -> None:
    assert training_sentence({}) == ""
    outside = training_sentence({"outside_training_domain": {"electrons": 0.031, "volume": 0.4}})
    assert "3.1 % of the electrons" in outside
    assert "40 % of the volume" in outside
    assert "whole density" in training_sentence({"outside_training_domain": {"electrons": 0, "volume": 0}})
