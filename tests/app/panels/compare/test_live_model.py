"""Another code computes the same, and its figures stand in a column of their own; without a browser."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlxc_app.panels.compare.compared_run import difference_mha
from mlxc_app.panels.compare.live_model import LiveModel
from mlxc_app.panels.compare.live_view import LiveView
from mlxc_app.panels.compare.model import CompareModel
from mlxc_app.panels.compare.view import comparison_table
from mlxc_app.run.model import RunModel
from mlxc_app.widgets.message import MessageArea
from set_ups import HYDROGEN

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc.runs.folder import RunFolder
from mlxc.runs.worker import execute


def hydrogen(root: Path, **settings: Any) -> RunFolder:
    folder = RunFolder.create(Calculation.from_dict(HYDROGEN | settings), "hydrogen", root)
    execute(folder)
    return folder


def until_idle(model: LiveModel, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Follow the model until its computation has ended."""

    async def wait() -> None:
        following = asyncio.ensure_future(model.follow())
        while model.running:
            meanwhile()
            await asyncio.sleep(0.02)
        following.cancel()

    asyncio.run(asyncio.wait_for(wait(), 120))


@pytest.mark.process
def test_pyscf_finds_the_same_energy_beside_the_run(run: RunModel, tmp_path: Path) -> None:
    folder = hydrogen(tmp_path)
    model = CompareModel(run)
    model.choose((str(folder.path),))
    seen: list[str] = []
    model.live.observe(lambda change: seen.append(change["new"]), "words")
    model.live.start("pyscf", folder)
    with pytest.raises(InputError, match="Another code is computing"):
        model.live.start("pyscf", folder)
    until_idle(model.live)
    assert any("step 2" in words for words in seen)
    assert "finished in" in model.live.words
    ours, theirs = model.comparison.runs
    difference = difference_mha(theirs, ours)
    assert difference is not None
    assert abs(difference) < 0.02
    table = comparison_table(model.comparison)
    assert "A in PySCF" in table
    # A second time replaces the column.
    model.live.start("pyscf", folder)
    until_idle(model.live)
    assert len(model.comparison.runs) == 2


@pytest.mark.process
@pytest.mark.timed
def test_a_computation_is_stopped_at_once(run: RunModel, tmp_path: Path) -> None:
    task = Calculation.from_dict(HYDROGEN | {"kmesh": [6, 6, 6], "ecut_ha": 60})
    folder = RunFolder.create(task, "long", tmp_path)
    model = LiveModel()
    model.start("pyscf", folder)
    began = time.monotonic()
    until_idle(model, lambda: model.stop() if time.monotonic() > began + 0.5 else None)
    assert time.monotonic() - began < 5
    assert model.words == "PySCF was stopped."
    assert model.columns == {}


def test_an_unexpected_failure_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("no more paper")

    monkeypatch.setattr("mlxc.codes.other_code.run_in_code", fail)
    model = LiveModel()
    model.start("pyscf", RunFolder.create(Calculation.from_dict(HYDROGEN), "hydrogen", tmp_path))
    until_idle(model)
    assert "no more paper" in model.words


@pytest.mark.process
def test_buttons_wait_for_a_choice(run: RunModel) -> None:
    model = CompareModel(run)
    view = LiveView(model, MessageArea())
    assert view._buttons[0].description == "Run the same in PySCF"
    assert all(button.disabled for button in view._buttons)
    assert view._stop.layout.display == "none"
