"""The panel of bands, without a browser."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.bands.model import BandsModel
from mlxc_app.panels.bands.view import BandsView, fermi_levels, traces
from mlxc_app.run.model import RunModel
from mlxc_app.widgets.message import MessageArea

from mlxc.crystal.brillouin import band_path
from mlxc.runs.folder import RunFolder
from mlxc.tasks.bands.presentation import gap_in_words
from mlxc.tasks.bands.task import BandsTask
from mlxc.tasks.given_start import START_FILE, TAKING_OVER
from mlxc.tasks.kind import STAGE
from mlxc.tasks.kinds import KINDS

EDGE = {"energy_ev": 0.0, "kpoint_fractional": [0.0, 0.0, 0.0], "place": "G", "spin": None}


def test_bands_of_what_is_chosen_are_started(run: RunModel) -> None:
    choose = ChooseModel("si")
    BandsModel(run, choose).start()
    assert run.kind == "bands"
    assert run.calculation is not None
    assert run.calculation.kmesh == choose.kmesh


def test_bands_start_from_the_ground_state_that_has_just_been_computed(run: RunModel) -> None:
    choose = ChooseModel("si")
    ground = run.start(choose.calculation(), "ground state")
    ground.ground_state_path.write_bytes(b"a state")
    ground.set_status("finished")
    run.poll()
    BandsModel(run, choose).start()
    assert run.folder is not None
    assert (run.folder.path / START_FILE).read_bytes() == b"a state"
    assert run.said == "It starts from the ground state of “ground state”, of the same settings."


def test_where_the_ground_state_comes_from_is_said_beside_the_gap(run: RunModel) -> None:
    model = started(run)
    run.result = result(run)
    assert "earlier run" not in model.picture.words
    run.records = ({"kind": STAGE, "words": TAKING_OVER},)
    assert model.picture.words.endswith("The ground state is that of an earlier run with the same settings.")


def test_bands_appear_piece_by_piece_along_the_whole_path(run: RunModel) -> None:
    model = started(run)
    assert "First the ground state" in model.picture.words or model.picture.bands is None
    run.records = ({"kind": "bands", "computed": 2, "points": 4, **portion([0.0, 0.1])},)
    run.records = (*run.records, {"kind": "bands", "computed": 4, "points": 4, **portion([0.2, 0.3])})
    assert "4 of 4 k points" in model.picture.words
    assert model.picture.labels[0] == (0.0, "Γ")
    assert any("|" in name for _, name in model.picture.labels)  # where the path jumps
    line = traces(model.picture)[0]
    # Two bands of four points, each followed by an interruption.
    np.testing.assert_allclose(line.x[:4], [0.0, 0.1, 0.2, 0.3])
    assert len(line.x) == 10
    assert np.isnan(line.y[[4, 9]]).all()


def test_a_finished_run_has_a_density_of_states_and_marks_its_gap(run: RunModel) -> None:
    model = started(run)
    run.result = result(run)
    up, down, _, _, dos, *_, edges = traces(model.picture)
    assert (up.visible, down.visible) == (True, False)
    assert len(dos.x) == 3
    assert list(edges.x) == [0.0, run.result["distances_per_bohr"][3]]
    assert "Indirect gap of 0.60 eV" in model.picture.words
    assert "at Γ" in model.picture.words
    assert "Indirect gap" in KINDS[run.kind].headline(run.result)


@pytest.mark.parametrize("converged", [True, False])
def test_bands_of_a_potential_that_has_not_converged_are_marked(run: RunModel, converged: bool) -> None:
    model = started(run)
    view = BandsView(model, ChooseModel("si"), MessageArea())
    assert not view.figure.layout.annotations[0].visible
    run.result = result(run) | {"converged": converged}
    assert view.figure.layout.annotations[0].visible is not converged
    assert (model.picture.doubt == "") is converged


def test_spin_down_is_dashed(run: RunModel) -> None:
    model = started(run)
    found = result(run)
    found["bands_ev"] *= 2
    found["dos"]["states_per_ev"] *= 2
    run.result = found
    up, down, *_ = traces(model.picture)
    assert (up.visible, down.visible) == (True, True)
    assert (up.line.dash, down.line.dash) == ("solid", "dash")


def test_only_finished_bands_of_the_same_crystal_can_be_laid_over(run: RunModel) -> None:
    model = started(run)
    run.result = result(run)
    same, other_crystal, unfinished = (
        finished(name, title) for name, title in [("si", "a"), ("diamond", "b"), ("si", "d")]
    )
    for folder in (same, other_crystal):
        folder.write_result(run.result)
        folder.set_status("finished")
    assert unfinished.status["state"] == "queued"
    model.find_others()
    assert model.others == (("a", same.path.name),)
    model.other = same.path.name
    laid_over = traces(model.picture)[2]
    assert laid_over.visible
    assert laid_over.name == "a"


def test_a_run_of_another_kind_shows_no_bands(run: RunModel) -> None:
    model = started(run)
    run.result = result(run)
    run.kind = "scf"
    assert model.picture.title == ""
    assert model.picture.bands is None


def test_the_gap_is_told_in_words() -> None:
    metal = {"gap_kind": None}
    touching = {"gap_kind": "touching", "valence_band_maximum": EDGE | {"place": "K"}, "conduction_band_minimum": EDGE}
    direct = {
        "gap_kind": "direct",
        "gap_ev": 1.0,
        "valence_band_maximum": EDGE | {"spin": "up"},
        "conduction_band_minimum": EDGE,
    }
    assert "metal" in gap_in_words(metal)
    assert "touch at K" in gap_in_words(touching)
    assert "both at Γ (spin up)" in gap_in_words(direct)


def test_gaps_of_spins_and_levels_of_their_own_are_told_in_words() -> None:
    half_metal = {"gap_ev": 0.0, "gap_kind": None, "spin_gaps_ev": [0.0, 3.0]}
    assert gap_in_words(half_metal).endswith("Within one spin there is one, 3.00 eV for spin down.")
    crossed = {"gap_ev": 0.0, "gap_kind": None, "spin_gaps_ev": [1.0, 3.0]}
    assert "each spin has one, but empty levels of one spin lie below filled ones" in gap_in_words(crossed)
    held = {"gap_ev": 0.0, "gap_kind": None, "fermi_level_ha": 0.1, "fermi_levels_ha": [0.1, -0.1]}
    assert "0.00 eV for spin up and -5.44 eV for spin down" in gap_in_words(held)
    flip = {
        "gap_ev": 1.0,
        "gap_kind": "direct",
        "valence_band_maximum": EDGE | {"spin": "up"},
        "conduction_band_minimum": EDGE | {"spin": "down"},
    }
    assert "at Γ (spin up), the lowest empty one at Γ (spin down)" in gap_in_words(flip)
    assert "nothing is known" in gap_in_words({"gap_ev": None, "gap_kind": None})


def test_each_spin_that_has_a_fermi_level_of_its_own_has_a_line(run: RunModel) -> None:
    model = started(run)
    found = result(run)
    run.result = found
    assert {line["y0"] for line in fermi_levels(model.picture)} == {0.0}
    run.result = found | {"fermi_level_ha": 0.1, "fermi_levels_ha": [0.0, 0.1]}
    lines = fermi_levels(model.picture)
    assert [line["y0"] for line in lines] == pytest.approx([-2.7211, -2.7211, 0, 0], abs=1e-3)
    assert [line["line"]["dash"] for line in lines] == ["solid", "solid", "dash", "dash"]


def started(run: RunModel) -> BandsModel:
    model = BandsModel(run, ChooseModel("si"))
    model.start()
    return model


def finished(crystal: str, title: str) -> RunFolder:
    return RunFolder.create(BandsTask.from_dict({"calculation": {"structure": crystal}}), title)


def portion(distances: list[float]) -> dict[str, Any]:
    return {"distances_per_bohr": distances, "bands_ev": [[[-1.0 - x, 1.0 + x] for x in distances]]}


def result(run: RunModel) -> dict[str, Any]:
    """Of two bands."""
    assert isinstance(run.task, BandsTask)
    path = band_path(run.task.calculation.crystal, run.task.points)
    levels = [[-x, 3.0 - x] for x in path.distances]
    inside = path.fractional[3].tolist()
    return {
        "kpoints_fractional": path.fractional.tolist(),
        "distances_per_bohr": path.distances.tolist(),
        "labels": [list(label) for label in path.labels],
        "bands_ev": [levels],
        "gap_ev": 0.6,
        "gap_kind": "indirect",
        "direct_gap_ev": 3.0,
        "valence_band_maximum": EDGE,
        "conduction_band_minimum": EDGE | {"energy_ev": 0.6, "kpoint_fractional": inside, "place": "between G and X"},
        "dos": {"energies_ev": [-1.0, 0.0, 1.0], "states_per_ev": [[1.0, 2.0, 1.0]], "width_ev": 0.2},
        "seconds": {"total": 1.0},
    }


def test_what_is_begun_after_the_ground_state_is_told(run: RunModel) -> None:
    model = started(run)
    step = {"kind": "iteration", "iteration": 1}
    run.records = (step, {"kind": STAGE, "words": "Response to direction 1 of 5 of the ensemble"})
    assert model.picture.words == "Response to direction 1 of 5 of the ensemble; the bands follow."


def test_bands_are_shaded_by_their_deviations(run: RunModel) -> None:
    model = started(run)
    found = result(run)
    run.result = found
    assert not any(trace.visible for trace in traces(model.picture) if trace.fill)
    levels = np.array(found["bands_ev"])
    told = {"gap_standard_deviation_ev": 0.05, "bands_standard_deviation_ev": np.full(levels.shape, 0.1).tolist()}
    run.result = found | {"uncertainty": told}
    shade, *others = [trace for trace in traces(model.picture) if trace.fill]
    assert shade.visible
    assert not any(trace.visible for trace in others)
    nk, nband = levels.shape[1:]
    outline = np.array(shade.y).reshape(nband, 2 * nk + 1)
    np.testing.assert_allclose(outline[:, :nk] - outline[:, nk:-1][:, ::-1], 0.2)
    assert np.isnan(outline[:, -1]).all()
    assert "± 0.05 eV" in model.picture.words
