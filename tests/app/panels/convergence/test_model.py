"""The convergence plot's data, without a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.convergence.advice import advise
from mlxc_app.panels.convergence.detail import BANDS, DETAILS, TERM_LOOKS, detail_traces
from mlxc_app.panels.convergence.model import ConvergenceModel, ConvergencePicture
from mlxc_app.panels.convergence.occupations import Fillings
from mlxc_app.panels.convergence.view import TERMS as TERM_WORDS
from mlxc_app.panels.convergence.view import ConvergenceView, energy_table, moments_table
from mlxc_app.run.model import RunModel
from mlxc_app.widgets.message import MessageArea
from stand_ins import TERMS, iteration

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.presets import PRESETS
from mlxc.errors import InputError
from mlxc.kohn_sham.residual import WAVELENGTHS
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.units import HARTREE_EV


def test_residuals_and_changes_of_the_free_energy(run: RunModel, aluminium: Calculation) -> None:
    model = ConvergenceModel(run, ChooseModel("al"))
    run.start(aluminium, "a run")
    run.records = tuple(iteration(n, energy) for n, energy in ((1, -2.0), (2, -2.1), (3, -2.09)))
    picture = model.picture
    assert picture.steps == (1, 2, 3)
    assert picture.residuals == pytest.approx((0.1, 0.01, 0.001))
    assert picture.energy_changes == pytest.approx((0.1, 0.01))
    assert picture.target == aluminium.tolerance
    assert picture.free_energy == -2.09
    table = energy_table(picture)
    assert table.count("<tr>") == len(TERMS) + 2
    assert "−2.090000" in table


def test_an_equation_of_state_shows_its_latest_volume(run: RunModel, aluminium: Calculation) -> None:
    model = ConvergenceModel(run, ChooseModel("al"))
    run.start(EquationOfStateTask(calculation=aluminium), "volumes")
    run.records = (iteration(1, -2.0, point=0), iteration(2, -2.1, point=0), iteration(1, -2.2, point=1))
    assert model.picture.steps == (1,)
    assert model.picture.caption == "volumes, volume 2 of 7"


def test_a_new_run_starts_with_an_empty_plot(run: RunModel, aluminium: Calculation) -> None:
    model = ConvergenceModel(run, ChooseModel("al"))
    run.start(aluminium, "a run")
    run.records = (iteration(1, -2.0),)
    assert model.picture.steps == (1,)
    assert run.folder is not None
    run.folder.set_status("stopped")
    run.poll()
    assert model.picture.steps == (1,)
    run.start(aluminium, "the next")
    assert model.picture.steps == ()


def test_the_target_is_that_of_the_run_and_before_it_the_chosen_one(run: RunModel, aluminium: Calculation) -> None:
    choose = ChooseModel("al")
    choose.choose_preset(next(iter(PRESETS)))
    model = ConvergenceModel(run, choose)
    assert model.picture.target == choose.tolerance == 1e-4
    choose.tolerance = 1e-3
    assert model.picture.target == 1e-3
    run.start(aluminium.model_copy(update={"tolerance": 1e-8}), "a run")
    choose.tolerance = 1e-2
    assert model.picture.target == 1e-8
    run.records = (iteration(1, -2.0),)
    assert model.picture.target == 1e-8


def test_terms_are_shown_by_their_distance_from_the_latest_value(run: RunModel, aluminium: Calculation) -> None:
    model = ConvergenceModel(run, ChooseModel("al"))
    run.start(aluminium, "a run")
    run.records = tuple(iteration(n, energy) for n, energy in ((1, -2.0), (2, -2.4), (3, -2.0)))
    distances = model.picture.term_distances
    assert distances["free_energy"] == pytest.approx((0, 0.4))
    assert distances["hartree"] == pytest.approx((0, 0.4 / len(TERMS)))
    assert model.picture.spectra == ((0.1, 0.2, 0.3, 0.4),) * 3
    assert model.picture.magnetisations == ()


def test_every_term_has_a_line_and_every_band_of_wavelengths_a_bar() -> None:
    constant = {"ewald", "pseudopotential_core"}
    assert set(TERM_LOOKS) == (set(TERMS) - constant) | {"free_energy"}
    assert set(TERM_WORDS) == set(TERMS)
    assert len(BANDS) == len(WAVELENGTHS) + 1


@pytest.mark.parametrize("choice", DETAILS)
def test_each_choice_shows_its_own_traces_and_nothing_else(choice: str) -> None:
    fillings = Fillings(np.zeros(2), np.ones(2), np.array([0, 1]), ("a", "b"), True, 1.0)
    picture = ConvergencePicture(
        steps=(1, 2),
        term_distances={"xc": (0.1,)},
        magnetisations=(0.0, 0.5),
        absolute_magnetisations=(0.2, 0.6),
        spectra=((0.4, 0.3, 0.2, 0.1),) * 2,
    )
    empty = detail_traces(choice, ConvergencePicture(), None)
    full = detail_traces(choice, picture, fillings)
    assert not any(trace.visible for trace in empty)
    shown = [trace.name for trace in full if trace.visible]
    expected = {
        "Energy terms": ["exchange-correlation"],
        "Magnetic moment": ["moment", "absolute moment"],
        "Occupations": ["spin up", "spin down", "E<sub>F</sub>"],
        "Residual by wavelength": [name for name, _ in BANDS],
    }
    assert shown == expected[choice]
    assert [trace.name for trace in full if len(trace.x)] == shown


def magnetic(number: int, moment: float, start: int = 1) -> dict[str, Any]:
    moments = {"magnetisation_bohr_magneton": 0.0, "absolute_magnetisation_bohr_magneton": moment}
    return iteration(number, -2.0 - moment) | moments | {"start": start}


def test_a_second_start_is_told_and_goes_on_in_the_same_plot(run: RunModel, aluminium: Calculation) -> None:
    model = ConvergenceModel(run, ChooseModel("al"))
    view = ConvergenceView(model, MessageArea())
    run.start(aluminium, "a run")
    run.records = (magnetic(1, 1.0), magnetic(2, 0.1))
    assert model.picture.second_start is None
    run.records = (*run.records, magnetic(3, 2.0, 2), magnetic(4, 2.2, 2))
    picture = model.picture
    assert picture.steps == (1, 2, 3, 4)
    assert picture.second_start == 3
    assert picture.magnetisations == (0.0,) * 4
    assert picture.absolute_magnetisations == (1.0, 0.1, 2.0, 2.2)
    assert "With step 3" in view.notes.value
    (line,) = [trace for trace in view.figure.data if trace.name == "second start"]
    assert line.visible
    assert tuple(line.x) == (3, 3)


def test_a_second_start_is_judged_by_its_own_steps(run: RunModel, aluminium: Calculation) -> None:
    model = ConvergenceModel(run, ChooseModel("al"))
    run.start(aluminium, "a run")
    stuck = slow(12, 1.0)
    run.records = tuple(stuck)
    assert "no longer falls" in model.picture.advice.sentence
    run.records = (*stuck, magnetic(13, 2.0, 2))
    assert model.picture.advice.sentence == ""


def test_the_energies_are_those_of_the_result_once_it_is_there(run: RunModel, aluminium: Calculation) -> None:
    model = ConvergenceModel(run, ChooseModel("al"))
    run.start(aluminium, "a run")
    run.records = (magnetic(1, 1.0), magnetic(2, 0.5, 2))
    assert model.picture.free_energy == -2.5
    run.result = {"energies_ha": {"xc": -3.0}, "free_energy_ha": -3.0}
    assert model.picture.free_energy == -3.0


def test_the_moments_of_atoms_that_are_alike_share_a_row() -> None:
    table = moments_table(ConvergencePicture(atomic_moments=(("Fe", 2.204), ("<O>", -0.001), ("Fe", 2.199))))
    assert table.count("<tr>") == 3
    for text in ("1, 3", "2.20", "&lt;O&gt;", ">0.00<"):
        assert text in table
    assert moments_table(ConvergencePicture()) == ""


def slow(count: int, factor: float, **fields: Any) -> list[dict[str, Any]]:
    return [iteration(n, -2.0) | {"density_residual": 0.1 * factor**n} | fields for n in range(1, count + 1)]


def test_a_run_that_converges_well_needs_no_advice(aluminium: Calculation) -> None:
    assert advise(slow(12, 0.3), aluminium, ended=False).sentence == ""
    assert advise(slow(3, 0.99), aluminium, ended=False).sentence == ""


def test_charge_that_sloshes_over_long_waves_is_said(aluminium: Calculation) -> None:
    advice = advise(slow(20, 0.9, residual_spectrum=[0.8, 0.1, 0.1, 0.0]), aluminium, ended=False)
    assert "sloshes" in advice.sentence
    # 0.1 * 0.9^n = 1e-6
    assert "about 90 more steps" in advice.sentence
    changes = [suggestion.changes for suggestion in advice.suggestions]
    assert changes == [{"width_ha": 0.02}, {"max_iterations": 120}]


def test_a_moment_that_swings_is_said(aluminium: Calculation) -> None:
    records = slow(12, 1.0)
    for number, record in enumerate(records):
        record["magnetisation_bohr_magneton"] = 0.3 * (-1) ** number
    sentence = advise(records, aluminium, ended=False).sentence
    assert "no longer falls" in sentence
    assert "between −0.30 and 0.30 Bohr magneton" in sentence


def test_a_run_that_was_cut_off_only_needs_more_steps(aluminium: Calculation) -> None:
    calculation = aluminium.model_copy(update={"max_iterations": 9})
    advice = advise(slow(9, 0.4), calculation, ended=True)
    assert "only needs more steps" in advice.sentence
    assert {"max_iterations": 18} in [suggestion.changes for suggestion in advice.suggestions]


def test_fixed_occupations_are_told_to_smear() -> None:
    calculation = Calculation.from_dict({"structure": "si", "smearing": "none", "ecut_ha": 5, "kmesh": (2, 2, 2)})
    advice = advise(slow(12, 0.9), calculation, ended=False)
    assert advice.suggestions[0].changes == {"smearing": "fermi-dirac", "width_ha": 0.01}


def test_a_suggestion_fills_the_form_of_the_same_crystal_only(run: RunModel, aluminium: Calculation) -> None:
    choose = ChooseModel("al")
    model = ConvergenceModel(run, choose)
    run.start(aluminium, "a run")
    run.records = tuple(slow(12, 0.95))
    first, second = model.picture.advice.suggestions
    model.take(first)
    model.take(second)
    assert (choose.width_ha, choose.max_iterations) == (0.02, 120)
    assert choose.calculation().max_iterations == 120
    choose.take_shipped("si")
    with pytest.raises(InputError, match="another crystal"):
        model.take(first)


def test_the_states_near_the_fermi_level_are_read_when_the_run_ends(run: RunModel, aluminium: Calculation) -> None:
    model = ConvergenceModel(run, ChooseModel("al"))
    run.start(aluminium, "a run")
    assert run.folder is not None
    write_levels(run.folder.ground_state_path, nspin=2)
    assert model.fillings is None
    run.folder.set_status("finished")
    run.poll()
    fillings = model.fillings
    assert fillings is not None
    assert fillings.reach_ev == pytest.approx(8 * 0.01 * HARTREE_EV)
    order = np.lexsort((fillings.distances_ev, fillings.spins))
    assert fillings.distances_ev[order] == pytest.approx(HARTREE_EV * np.array([-0.01, 0.02, -0.01, 0.02]))
    assert fillings.filled[order] == pytest.approx([0.9, 0.2, 0.9, 0.2])
    assert "k point 1, band 2" in fillings.labels


def test_both_edges_of_a_gap_are_in_view(tmp_path: Path) -> None:
    write_levels(tmp_path / "gap.h5", nspin=1, levels=(-0.5, 0.0, 0.2), electrons=(2, 2, 0))
    fillings = Fillings.read(tmp_path / "gap.h5", None)
    assert fillings.reach_ev > 0.2 * HARTREE_EV
    assert sorted(fillings.filled) == [0, 1]
    assert not fillings.spin_polarised


def test_each_spin_counts_from_the_level_to_which_it_is_filled(tmp_path: Path) -> None:
    path = tmp_path / "held.h5"
    write_levels(path, nspin=2)
    with h5py.File(path, "a") as file:
        file.attrs["summary"] = json.dumps({"fermi_level_ha": 0.01, "fermi_levels_ha": [0.01, -0.01]})
    fillings = Fillings.read(path, 0.01)
    for spin, level in enumerate((0.01, -0.01)):
        own = np.sort(fillings.distances_ev[fillings.spins == spin])
        assert own == pytest.approx(HARTREE_EV * (np.array([-0.01, 0.02]) - level))


def test_a_spin_without_electrons_counts_from_the_level_of_the_other(tmp_path: Path) -> None:
    path = tmp_path / "empty.h5"
    write_levels(path, nspin=2)
    with h5py.File(path, "a") as file:
        file.attrs["summary"] = json.dumps({"fermi_level_ha": 0.0, "fermi_levels_ha": [0.0, None]})
    fillings = Fillings.read(path, 0.01)
    assert np.isfinite(fillings.distances_ev).all()
    assert (fillings.spins == 0).sum() == (fillings.spins == 1).sum()


def write_levels(
    path: Path,
    nspin: int,
    levels: tuple[float, ...] = (-0.9, -0.01, 0.02),
    electrons: tuple[float, ...] = (1.0, 0.9, 0.2),
) -> None:
    """The part of a run's HDF5 file that is about states, at one k point, the Fermi level at zero."""
    with h5py.File(path, "w") as file:
        file.attrs["summary"] = json.dumps({"fermi_level_ha": 0.0})
        file["kpoint_weights"] = [1.0]
        file["eigenvalues_ha"] = np.array([levels] * nspin)
        file["occupations"] = np.array([electrons] * nspin, dtype=float)
