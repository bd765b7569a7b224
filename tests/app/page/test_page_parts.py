"""Small parts of the page, without a browser."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ipywidgets import HTML
from mlxc_app import launch
from mlxc_app.launch import page_files
from mlxc_app.page import dashboard
from mlxc_app.page.accordion import Accordion
from mlxc_app.panels.density.box import Box
from mlxc_app.panels.panel import Panel
from mlxc_app.serving import JUPYTER_DIRECTORY, PageKernelSpecs
from mlxc_app.widgets.crystal_picture import draw
from mlxc_app.widgets.crystal_shapes import pdb_text
from mlxc_app.widgets.message import MessageArea, card

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.structures.shipped import shipped_names, shipped_record


def test_what_a_user_typed_is_escaped() -> None:
    html = card("error", "<script>alert(1)</script>", "<b>")
    assert "<script>" not in html
    assert "<b>" not in html


def test_an_input_error_in_a_callback_is_a_card() -> None:
    messages = MessageArea()

    def refuse(change: object) -> None:
        raise InputError("The cutoff is <negative>.")

    messages.guard(refuse)(None)
    assert "The cutoff is &lt;negative&gt;." in messages.widget.value


def test_an_unexpected_error_in_a_callback_is_a_card_and_logged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MLXC_RUNS", str(tmp_path))
    messages = MessageArea()
    messages.guard(lambda change: 1 / 0)(None)
    assert "ZeroDivisionError" in messages.widget.value
    assert "page.log" in messages.widget.value


def test_a_runs_directory_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MLXC_RUNS", str(tmp_path / "file"))
    shown: list[Any] = []
    monkeypatch.setattr(dashboard, "display", shown.append)
    assert dashboard.show() is None
    assert "MLXC_RUNS" in shown[0].value


@pytest.mark.parametrize("name", ["al", "cu"])
def test_a_primitive_fcc_cell_is_drawn_as_the_cube(name: str) -> None:
    picture = draw(shipped_record(name)["structure"])
    assert len(picture.symbols) == 14
    assert picture.cell_edges.shape == (12, 2, 3)


def test_a_sheet_is_in_the_middle_of_its_frame() -> None:
    structure = shipped_record("graphene")["structure"]
    picture = draw(structure, along=0)
    # Looked at along a, c points up.
    heights, frame = picture.positions[:, 1], picture.cell_edges[..., 1]
    assert np.ptp(heights) < 0.01
    assert heights.mean() - frame.min() == pytest.approx(np.ptp(frame) / 2)
    box = Box.of(Crystal.from_dict(structure))
    assert box.positions[:, 2].mean() == pytest.approx(box.cell_edges[..., 2].mean())


def test_diamond_is_drawn_with_every_bond_length_equal() -> None:
    record = shipped_record("diamond")
    picture = draw(record["structure"])
    assert Counter(picture.symbols) == {"C": 18}
    distances = np.linalg.norm(picture.positions[:, None] - picture.positions[None], axis=-1)
    nearest = np.sort(distances, axis=1)[:, 1]
    edge = 2 * np.max(np.abs(record["structure"]["lattice_ang"]))
    assert nearest.min() == pytest.approx(edge * 3**0.5 / 4, rel=1e-3)


@pytest.mark.parametrize("name", shipped_names())
def test_every_structure_can_be_drawn(name: str) -> None:
    picture = draw(shipped_record(name)["structure"])
    assert 2 <= len(picture.symbols) < 300
    lines = pdb_text(picture.symbols, picture.positions).splitlines()
    assert len(lines) == len(picture.symbols) + 1
    assert all(len(line) == 78 for line in lines[:-1])


def test_a_triclinic_cell_can_be_drawn() -> None:
    lattice = [[3.1, 0.2, 0.1], [0.4, 3.7, -0.3], [-0.6, 0.5, 4.2]]
    picture = draw({"lattice_ang": lattice, "species": ["Si"], "fractional_positions": [[0.3, 0.1, 0.9]]})
    assert len(picture.symbols) >= 2


def test_the_launcher_serves_this_machine_only_unless_it_is_told() -> None:
    notebook, settings = page_files()
    assert notebook.is_file()
    assert (settings / "voila.json").is_file()
    options = launch.make_parser().parse_args(["--no-browser"])
    arguments = launch.voila_arguments(options.host, options.port, open_browser=False, token=False)
    assert "--Voila.ip=localhost" in arguments
    assert "--no-browser" in arguments
    assert launch.page_environment(options) == {}
    options = launch.make_parser().parse_args(["--host", "0.0.0.0", "--max-ecut", "40", "--max-runs", "4"])
    assert launch.page_environment(options) == {"MLXC_MAX_ECUT": "40", "MLXC_MAX_RUNS": "4", "MLXC_SHARED": "1"}


@pytest.mark.parametrize(
    "arguments",
    [["--max-seconds", "soon"], ["--max-atoms", "0"], ["--max-runs", "0.5"], ["--port", "x"], ["--hos", "x"]],
)
def test_a_mistake_on_the_command_line_of_the_page_is_a_sentence(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.environ", dict(os.environ))
    with pytest.raises(InputError) as error:
        launch.main(arguments)
    assert "\n" not in str(error.value)


@pytest.mark.thorough
def test_a_cluster_that_does_not_answer_keeps_the_page_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("os.environ", dict(os.environ))
    options = launch.make_parser().parse_args(["--scheduler", "tcp://127.0.0.1:1"])
    assert launch.page_environment(options) == {"MLXC_SCHEDULER": "tcp://127.0.0.1:1"}
    with pytest.raises(InputError, match="No Dask scheduler answers at"):
        launch.main(["--scheduler", "tcp://127.0.0.1:1"])


def test_voila_is_given_the_kernel_and_the_template_of_the_page() -> None:
    settings = json.loads((page_files()[1] / "voila.json").read_text())["VoilaConfiguration"]
    assert settings["kernel_spec_manager_class"] == f"{PageKernelSpecs.__module__}.{PageKernelSpecs.__name__}"
    assert (JUPYTER_DIRECTORY / "nbconvert" / "templates" / settings["template"] / "index.html.j2").is_file()
    assert PageKernelSpecs().get_kernel_spec("python3").argv[0] == sys.executable


def test_a_panel_is_made_when_it_is_unfolded_for_the_first_time() -> None:
    made: list[str] = []
    shown: list[tuple[str, bool]] = []

    def panel(name: str) -> Panel:
        def make() -> HTML:
            made.append(name)
            return HTML(name)

        return Panel(name, "<p>about</p>", make, shown=lambda value: shown.append((name, value)))

    accordion = Accordion([panel("A"), panel("B")], MessageArea())
    assert made == []
    for name in ("A", "B", "A"):
        accordion.unfold(name)
    assert made == ["A", "B"]
    assert shown == [("A", True), ("A", False), ("B", True), ("B", False), ("A", True)]
    assert accordion.unfolded == "A"


def test_a_panel_that_cannot_be_made_is_a_card(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MLXC_RUNS", str(tmp_path))
    messages = MessageArea()
    accordion = Accordion([Panel("A", "", HTML), Panel("B", "", lambda: 1 / 0)], messages)
    accordion.unfold("A")
    accordion.navigation.chosen = "B"
    assert "ZeroDivisionError" in messages.widget.value


@pytest.mark.process
def test_the_page_starts_without_the_heavy_packages() -> None:
    code = (
        "import sys, mlxc_app.page.dashboard as d; from stand_ins import IdleWorker; d.Dashboard(IdleWorker); "
        "print([name for name in ('torch', 'pymatgen', 'deepchem', 'pyscf', 'scipy') if name in sys.modules])"
    )
    here = Path(__file__).parents[1]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=here, check=True)
    assert done.stdout.strip() == "[]"
