"""What a person takes away of a run, and the way back by a link, without a browser."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.run.model import RunModel
from mlxc_app.run.take_away_model import TakeAwayModel
from mlxc_app.run.take_away_view import TakeAwayView
from mlxc_app.widgets.message import MessageArea
from stand_ins import iteration, write_density

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc.export.link import decode_setup, encode_setup
from mlxc.runs.folder import RunFolder


@pytest.fixture
def finished(run: RunModel, aluminium: Calculation) -> RunModel:
    """A model that shows a finished run."""
    run.start(aluminium, "Al <b>&</b>")
    assert run.folder is not None
    run.folder.append(iteration(1, -2.0))
    result = {"free_energy_ha": -2.0, "energies_ha": {"xc": -1.0}, "forces_ha_bohr": None, "seconds": {"total": 1.0}}
    run.folder.write_result({"converged": True, "iterations": 1, **result})
    write_density(run.folder.ground_state_path, np.eye(3) * 5.0, np.ones((4, 4, 4)))
    run.folder.set_status("finished")
    run.poll()
    return run


def test_nothing_is_offered_before_a_run_has_ended(run: RunModel, aluminium: Calculation) -> None:
    model = TakeAwayModel(run)
    assert model.offer.title == ""
    run.start(aluminium, "Al")
    assert model.offer.title == ""
    with pytest.raises(InputError):
        model.file("zip")


def test_a_finished_run_offers_every_kind_of_file(finished: RunModel) -> None:
    model = TakeAwayModel(finished)
    assert model.offer.command.startswith("mlxc scf al ")
    assert {name for name, _, _ in model.offer.kinds} >= {
        "zip", "script", "cli", "json", "qcschema", "csv", "cif", "cube", "hdf5",
    }  # fmt: skip
    for kind, _, _ in model.offer.kinds:
        name, data = model.file(kind)
        assert data
        assert "/" not in name
    with zipfile.ZipFile(io.BytesIO(model.file("zip")[1])) as archive:
        assert any(name.endswith("/run.py") for name in archive.namelist())
    assert json.loads(model.file("json")[1])["free_energy_ha"] == -2.0


def test_a_run_that_failed_offers_what_it_has(run: RunModel, aluminium: Calculation) -> None:
    model = TakeAwayModel(run)
    run.start(aluminium, "Al")
    assert run.folder is not None
    run.folder.set_status("failed", "It failed.")
    run.poll()
    assert {name for name, _, _ in model.offer.kinds} == {"zip", "script", "cli", "cif"}


def test_the_view_sends_a_file_when_it_is_asked(finished: RunModel, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[dict[str, str], list[bytes]]] = []
    messages = MessageArea()
    view = TakeAwayView(TakeAwayModel(finished), messages)
    monkeypatch.setattr(view, "send", lambda content, buffers: sent.append((content, buffers)))
    view._handle_custom_msg({"kind": "script"}, [])
    assert sent[0][0]["name"].endswith("-run.py")
    assert b"Calculation.from_dict" in sent[0][1][0]
    view._handle_custom_msg({"kind": "../../etc/passwd"}, [])
    assert len(sent) == 1
    assert "nothing of this kind" in messages.widget.value
    view._handle_custom_msg({"kind": "json"}, [])
    assert messages.widget.value == ""


def test_a_link_fills_the_form(finished: RunModel) -> None:
    link = TakeAwayModel(finished).offer.link
    choose = ChooseModel("si")
    choose.take_calculation(decode_setup(link.removeprefix("?setup=")))
    assert (choose.shipped_name, choose.ecut_ha, choose.kmesh) == ("al", 10, (2, 2, 2))
    assert choose.blocker == ""
    assert choose.calculation() == finished.task


def test_a_link_leads_to_the_panel_that_is_open(finished: RunModel) -> None:
    model = TakeAwayModel(finished)
    setup = model.offer.link
    model.panel = "Equation of state"
    assert model.offer.link == f"{setup}&panel=Equation+of+state"
    model.panel = "Density"
    assert model.offer.link == f"{setup}&panel=Density"


def test_a_structure_of_ones_own_travels_in_the_link(tmp_path: Path) -> None:
    sender, receiver = ChooseModel("si"), ChooseModel("al")
    content = b"mine\n1.0\n0 2 2\n2 0 2\n2 2 0\nAl\n1\nDirect\n0 0 0\n"
    sender.take_file("POSCAR", content)
    sender.smearing, sender.xc = "none", "lda"
    receiver.take_calculation(decode_setup(encode_setup(sender.calculation())))
    assert receiver.shipped_name == ""
    assert (receiver.smearing, receiver.xc) == ("none", "lda")
    assert np.allclose(receiver.structure["lattice_ang"], sender.structure["lattice_ang"])


def test_what_the_page_cannot_be_set_to_is_said() -> None:
    choose = ChooseModel("si")
    with pytest.raises(InputError, match="seed: 7 → 0"):
        choose.take_calculation(Calculation.from_dict({"structure": "al", "seed": 7}))
    assert choose.shipped_name == "al"


def test_a_functional_of_ones_own_has_no_link_and_says_why(run: RunModel, tmp_path: Path) -> None:
    task = Calculation.from_dict({"structure": "al", "xc": "/somewhere/mine.safetensors"})
    folder = RunFolder.create(task, "mine", tmp_path)
    folder.set_status("stopped")
    run.open(folder)
    offer = TakeAwayModel(run).offer
    assert offer.link == ""
    assert "mine.safetensors" in offer.problem
    assert "/somewhere" not in offer.problem
