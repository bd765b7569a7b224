"""Runs side by side, without a browser."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlxc_app.choose.setup_difference import difference_sentence, setup_differences
from mlxc_app.panels.compare.model import MOST_RUNS, CompareModel, Comparison, comparison_csv
from mlxc_app.panels.compare.view import STYLES, CompareView, comparison_table, curve_traces, shade, step_traces
from mlxc_app.run.model import RunModel
from mlxc_app.widgets.message import MessageArea
from stand_ins import iteration

from mlxc.calculation.calculation import Calculation
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.properties.birch_murnaghan import BirchMurnaghan
from mlxc.references.tables import reference_lines
from mlxc.runs.folder import RunFolder
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.units import EV_PER_ANG3_GPA, HARTREE_EV

REFERENCE = reference_lines("al")[0]


def scf_run(root: Path, energy: float, title: str = "a run", steps: int = 5, **settings: Any) -> RunFolder:
    """A finished run, as a worker leaves it."""
    task = Calculation.from_dict({"structure": "al", "ecut_ha": 10, "kmesh": (2, 2, 2)} | settings)
    folder = RunFolder.create(task, title, root)
    for number in range(1, steps + 1):
        folder.append(iteration(number, energy))
    folder.write_result({"free_energy_ha": energy, "iterations": steps, "seconds": {"total": 1.5}})
    folder.set_status("finished")
    return folder


def eos_run(root: Path, stretch: float = 1.0, **settings: Any) -> RunFolder:
    """A finished equation of state whose lattice constant is ``stretch`` times that of all-electron codes."""
    task = EquationOfStateTask.from_dict({"calculation": {"structure": "al", "ecut_ha": 10} | settings})
    folder = RunFolder.create(task, "volumes", root)
    volume = REFERENCE.volume_per_atom_ang3 * stretch**3
    curve = BirchMurnaghan(-57.0, volume, 77 / EV_PER_ANG3_GPA, 4.5)
    volumes = np.linspace(0.94, 1.06, 7) * volume
    folder.write_result(
        {
            "volumes_ang3": volumes.tolist(), "areas_ang2": None, "energies_ev": curve(volumes).tolist(),
            "energy0_ev": -57.0, "volume0_ang3": volume, "lattice_constant_ang": (4 * volume) ** (1 / 3),
            "bulk_modulus_gpa": 77.0, "bulk_modulus_derivative": 4.5, "seconds": 12.0,
        }
    )  # fmt: skip
    folder.set_status("finished")
    return folder


def compared(run: RunModel, *folders: RunFolder) -> Comparison:
    model = CompareModel(run)
    model.choose(tuple(str(folder.path) for folder in folders))
    return model.comparison


def test_runs_with_a_result_are_listed_the_newest_first(run: RunModel, tmp_path: Path) -> None:
    first = scf_run(tmp_path, -2.0)
    RunFolder.create(first.task, "without a result", tmp_path)
    model = CompareModel(run)
    assert [folder for _, folder in model.available] == [str(first.path)]
    second = scf_run(tmp_path, -2.0)
    model.refresh()
    assert [folder for _, folder in model.available] == [str(second.path), str(first.path)]


def test_energies_are_compared_per_atom(run: RunModel, tmp_path: Path) -> None:
    double = Crystal.load("al").supercell(2, 1, 1).to_dict()
    a, b = compared(run, scf_run(tmp_path, -2.0), scf_run(tmp_path, -3.99, structure=double)).runs
    table = comparison_table(Comparison((a, b)))
    assert "+5.000" in table  # mHa per atom
    assert a.energy_per_atom_ha == pytest.approx(-2.0)
    assert a.results["seconds"] == 1.5
    assert len(a.residuals) == a.results["iterations"] == 5


@pytest.mark.parametrize("settings", [{"pseudo": "gth"}, {"structure": "na"}])
def test_energies_with_different_zeros_are_not_subtracted(
    run: RunModel, tmp_path: Path, settings: dict[str, Any]
) -> None:
    comparison = compared(run, scf_run(tmp_path, -2.0), scf_run(tmp_path, -7.0, **settings))
    rows = list(csv.DictReader(io.StringIO(comparison_csv(comparison))))
    assert rows[0]["difference_mha_per_atom"] == "0.0"
    assert rows[1]["difference_mha_per_atom"] == ""


def test_an_equation_of_state_is_held_against_references(run: RunModel, tmp_path: Path) -> None:
    (exact, stretched) = compared(run, eos_run(tmp_path), eos_run(tmp_path, 1.02)).runs
    errors = {(error.quantity, error.reference): error.percent for error in stretched.errors}
    assert errors["a₀", REFERENCE.label] == pytest.approx(2.0)
    assert any("experiment" in reference for _, reference in errors)
    assert exact.errors[0].percent == pytest.approx(0.0, abs=1e-9)
    assert exact.energy_per_atom_ha == pytest.approx(-57 / HARTREE_EV)
    assert exact.curve is not None
    assert min(exact.curve.fit_energies) == pytest.approx(0, abs=0.05)


def test_a_strained_crystal_has_no_reference(run: RunModel, tmp_path: Path) -> None:
    al = Crystal.load("al")
    strained = Crystal(al.lattice @ np.diag([1.02, 1, 1]), al.species, al.positions, name="al")
    (only,) = compared(run, eos_run(tmp_path, structure=strained.to_dict())).runs
    assert only.errors == ()


def test_the_shade_grows_with_the_error_and_the_number_is_always_there(run: RunModel, tmp_path: Path) -> None:
    assert [shade("a₀", percent) for percent in (0.05, -0.3, 0.8, -2.0)] == [0, 1, 2, 3]
    assert shade("B", -0.8) == 0
    table = comparison_table(compared(run, eos_run(tmp_path, 1.02)))
    assert '<span class="mlxc-shade-3">+2.00 %</span>' in table
    assert "Size of an error" in table


def test_what_a_person_typed_is_escaped(run: RunModel, tmp_path: Path) -> None:
    structure = Crystal.load("al").to_dict() | {"name": "<img src=x>"}
    table = comparison_table(compared(run, scf_run(tmp_path, -2.0, '"><script>', structure=structure)))
    assert "<script>" not in table
    assert "<img" not in table
    assert "&lt;img" in table


def test_plots_have_a_trace_for_every_place_and_tell_runs_apart_without_colour(run: RunModel, tmp_path: Path) -> None:
    comparison = compared(run, eos_run(tmp_path), eos_run(tmp_path, 1.01), scf_run(tmp_path, -2.0))
    traces, steps = curve_traces(comparison), step_traces(comparison)
    assert len(traces) == 3 * MOST_RUNS == 3 * len(STYLES)
    assert [trace.visible for trace in traces[1::3][:4]] == [True, True, False, False]
    assert traces[3].y[0] == pytest.approx(1.0)
    assert [bool(trace.y) for trace in steps[:4]] == [False, False, True, False]
    assert len(set(STYLES)) == len({(dash, symbol) for _, dash, symbol in STYLES}) == MOST_RUNS


def test_at_most_eight_runs_are_compared(run: RunModel, tmp_path: Path) -> None:
    folders = [scf_run(tmp_path, -2.0) for _ in range(MOST_RUNS + 1)]
    model = CompareModel(run)
    model.choose(tuple(str(folder.path) for folder in folders[:2]))
    before = model.comparison
    with pytest.raises(InputError, match="At most 8"):
        model.choose(tuple(str(folder.path) for folder in folders))
    assert model.comparison is before


def test_a_run_that_is_deleted_leaves_the_comparison(run: RunModel, tmp_path: Path) -> None:
    first, second = scf_run(tmp_path, -2.0), scf_run(tmp_path, -2.1)
    model = CompareModel(run)
    model.choose((str(first.path), str(second.path)))
    first.delete()
    model.refresh()
    assert [r.energy_per_atom_ha for r in model.comparison.runs] == [-2.1]


def test_the_view_draws_what_was_chosen_before_it_was_made(run: RunModel, tmp_path: Path) -> None:
    model = CompareModel(run)
    folder = eos_run(tmp_path)
    model.refresh()
    model.choose((str(folder.path),))
    messages = MessageArea()
    view = CompareView(model, messages)
    assert len(view.curves.data[1].x) == 7
    scf = scf_run(tmp_path, -2.0)
    model.refresh()
    view._choice.value = (str(folder.path), str(scf.path))
    assert {r.kind for r in model.comparison.runs} == {"eos", "scf"}
    assert "pbe" in view._table.value
    folder.delete()
    model.refresh()
    assert view._choice.value == model.chosen == (str(scf.path),)
    assert messages.widget.value == ""


@pytest.mark.parametrize(
    ("change", "phrase"),
    [
        ({}, None),
        ({"xc": "lda"}, "functional: pbe → lda"),
        ({"ecut_ha": 20}, "cutoff (Ha): 10 → 20"),
        ({"kmesh": (4, 4, 4)}, "k mesh: 2×2×2 → 4×4×4"),
        ({"spin": True}, "spin-polarised: off → on"),
        ({"xc": "/home/somebody/own-model.safetensors"}, "functional: pbe → own-model"),
        ({"structure": Crystal.load("al").scaled(1.02**(1 / 3)).to_dict()}, "volume of the cell: +2 %"),
        ({"structure": "na", "kmesh": (3, 3, 3)}, "crystal: al (1 atom) → na (1 atom)"),
    ],
)  # fmt: skip
def test_set_ups_differ_in_words(change: dict[str, Any], phrase: str | None, aluminium: Calculation) -> None:
    kept = {
        "structure": "al",
        "ecut_ha": 10,
        "kmesh": (2, 2, 2),
        "smearing": aluminium.smearing,
        "pseudo": "pseudodojo",
    }
    phrases = setup_differences(aluminium, Calculation.from_dict(kept | {"width_ha": aluminium.width_ha} | change))
    assert phrases == ([] if phrase is None else [phrase])
    sentence = difference_sentence("A", "B", phrases)
    assert sentence == (f"B differs from A in {phrase}." if phrase else "B has the same set-up as A.")
