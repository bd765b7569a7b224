"""Bands in a converged potential."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from support import Outcome

import mlxc
from mlxc import Crystal, FermiDirac, GroundState, InputError, PlaneWaves
from mlxc.crystal.brillouin import band_path
from mlxc.properties.band_edges import edges_between
from mlxc.properties.bands import BandStructure, band_structure, eigenvalues_at
from mlxc.properties.density_of_states import density_of_states
from mlxc.runs.folder import RunFolder
from mlxc.runs.worker import execute
from mlxc.tasks.bands.presentation import points_of_labels
from mlxc.tasks.bands.task import BandsTask
from mlxc.units import HARTREE_EV


@cache
def silicon() -> GroundState:
    return mlxc.scf(Crystal.load("si"), basis=PlaneWaves(12.0), kmesh=(4, 4, 4), pseudo="gth")


@cache
def bands_of_silicon() -> BandStructure:
    return band_structure(silicon(), 41, dos_width=0.05 / HARTREE_EV)


def test_bands_at_the_points_of_the_mesh_are_those_of_the_scf() -> None:
    ground = silicon()
    valence = ground.eigenvalues.numpy()
    assert np.allclose(eigenvalues_at(ground, ground.kpoints.fractional)[0, :, :4], valence, atol=1e-7)


def test_levels_of_a_large_crystal_are_computed_at_no_more_k_points_than_its_ground_state(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ground, path = silicon(), band_path(Crystal.load("si"), 20).fractional
    expected, portions = eigenvalues_at(ground, path), []
    monkeypatch.setattr("mlxc.properties.bands.FEW_BYTES", 1)
    found = eigenvalues_at(ground, path, lambda first, levels: portions.append(levels.shape[1]))
    assert max(portions) <= len(ground.kpoints.fractional) < len(path) == sum(portions)
    assert np.allclose(found[..., :8], expected[..., :8], atol=1e-6)


def test_levels_equal_those_of_quantum_espresso() -> None:
    # Quantum ESPRESSO 6.7, same pseudopotential, cutoff and mesh; electronvolt, from the highest occupied level.
    expected = {
        "gamma": [-11.9758, 0.0, 0.0, 0.0, 2.5521, 2.5521, 2.5521, 3.3076],
        "X": [-7.8267, -7.8267, -2.8614, -2.8614, 0.6969, 0.6969],
    }
    points = np.array([[0, 0, 0], [0.5, 0.5, 0.0]])
    gamma, x = eigenvalues_at(silicon(), points)[0] * HARTREE_EV
    assert gamma[:8] - gamma[3] == pytest.approx(expected["gamma"], abs=2e-3)
    assert x[:6] - gamma[3] == pytest.approx(expected["X"], abs=2e-3)


@pytest.mark.thorough
def test_the_gap_of_silicon_lies_on_the_way_to_x() -> None:
    bands = bands_of_silicon()
    assert 0.45 < bands.gap * HARTREE_EV < 0.65
    lowest = bands.path.fractional[bands.eigenvalues[0, :, 4].argmin()]
    assert lowest[0] == pytest.approx(lowest[2])
    assert 0.3 < lowest[0] < 0.5


@pytest.mark.thorough
def test_the_gap_of_silicon_is_indirect_and_says_where_its_edges_lie() -> None:
    result = bands_of_silicon().summary()
    assert result["gap_kind"] == "indirect"
    assert result["direct_gap_ev"] == pytest.approx(2.55, abs=0.01)  # Gamma, as above
    assert result["valence_band_maximum"]["place"] == "G"
    assert result["conduction_band_minimum"]["place"] == "between G and X"
    difference = result["conduction_band_minimum"]["energy_ev"] - result["valence_band_maximum"]["energy_ev"]
    assert difference == pytest.approx(result["gap_ev"])


@pytest.mark.thorough
def test_the_density_of_states_of_an_insulator_holds_its_electrons_below_the_middle_of_the_gap() -> None:
    result = bands_of_silicon().summary()
    energies, (states,) = np.array(result["dos"]["energies_ev"]), np.array(result["dos"]["states_per_ev"])
    below = energies < result["gap_ev"] / 2
    assert np.trapezoid(states[below], energies[below]) == pytest.approx(8, abs=1e-3)
    # There are states above the gap as well, though the SCF computes none.
    assert energies[-1] > 2
    assert states[~below].max() > 0.5


def test_distances_along_a_path_are_those_of_its_k_points() -> None:
    path = band_path(Crystal.load("si"), 60)
    place, name = path.labels[1]
    assert (name, place) == ("X", pytest.approx(2 * np.pi / 10.2626, rel=1e-4))  # 2 pi over the edge of the cube
    steps = np.linalg.norm(np.diff(path.fractional @ Crystal.load("si").reciprocal, axis=0), axis=1)
    jumps = np.diff(path.distances) == 0
    assert np.allclose(np.diff(path.distances)[~jumps], steps[~jumps], rtol=1e-4)


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]], ids=["as shipped", "vacuum along the first vector"])
def test_the_path_of_a_sheet_stays_in_its_plane(order: list[int]) -> None:
    shipped = Crystal.load("graphene")
    sheet = Crystal(shipped.lattice[order], shipped.species, shipped.positions[:, order])
    path = band_path(sheet, 40)
    assert [name for _, name in path.labels] == ["G", "M", "K", "G"]
    assert not path.fractional[:, order.index(2)].any()
    corners = path.fractional[[path.place(i) == "K" for i in range(len(path))]] @ sheet.reciprocal
    assert np.linalg.norm(corners) == pytest.approx(4 * np.pi / 3 / np.linalg.norm(shipped.lattice[0]))


@pytest.mark.parametrize("points", [8, 41])
def test_each_label_of_a_path_names_its_own_point_where_the_path_jumps_as_well(points: int) -> None:
    path = band_path(Crystal(8.5 * np.eye(3), ["P"], [[0, 0, 0]]), points)
    summary = {"distances_per_bohr": path.distances.tolist(), "labels": [list(label) for label in path.labels]}
    named = {"G": 0, "X": 1, "M": 2, "R": 3}  # by how many coordinates are a half
    halves = (path.fractional[points_of_labels(summary)] == 0.5).sum(1)
    assert halves.tolist() == [named[name] for _, name in path.labels]


def test_a_molecule_has_no_bands() -> None:
    atom = Crystal(20.0 * np.eye(3), ["He"], [[0, 0, 0]])
    with pytest.raises(InputError, match="vacuum on all sides"):
        band_path(atom, 20)


@pytest.mark.thorough
def test_the_bands_of_graphene_touch_at_K_and_nowhere_else() -> None:
    settings = {"structure": "graphene", "pseudo": "gth", "ecut_ha": 10, "kmesh": [3, 3, 1]}
    result = BandsTask.from_dict({"calculation": settings, "points": 12}).run().summary()
    assert (result["gap_kind"], result["gap_ev"]) == ("touching", 0.0)
    assert result["valence_band_maximum"]["place"] == result["conduction_band_minimum"]["place"] == "K"
    pi, pi_star = np.array(result["bands_ev"])[0, :, 3:5].T
    distances = np.array(result["distances_per_bohr"])
    (corner,) = [place for place, name in result["labels"] if name == "K"]
    assert (pi_star - pi)[distances == corner] == pytest.approx(0, abs=1e-3)
    assert (pi_star - pi)[distances != corner].min() > 0.5


@pytest.mark.thorough
def test_a_run_of_bands_tells_of_its_k_points_as_they_are_done(tmp_path: Path) -> None:
    task = BandsTask.from_dict({"calculation": {"structure": "si", "ecut_ha": 5, "kmesh": [2, 2, 2]}, "points": 40})
    folder = RunFolder.create(task, "bands", tmp_path)
    execute(folder)
    assert folder.status["state"] == "finished"
    portions = [record for record in folder.records()[0] if record["kind"] == "bands"]
    result = folder.result
    assert result is not None
    assert portions[-1]["computed"] == portions[-1]["points"] == len(result["kpoints_fractional"])
    assert [x for portion in portions for x in portion["distances_per_bohr"]] == result["distances_per_bohr"]
    assert np.allclose(np.concatenate([portion["bands_ev"] for portion in portions], axis=1), result["bands_ev"])
    assert folder.task == task
    assert GroundState.load(folder.ground_state_path).converged


def test_stars_of_k_points_have_the_same_levels() -> None:
    star = np.array([[0.3, 0.1, 0.0], [0.1, 0.3, 0.0], [-0.3, -0.1, 0.0]])
    levels = eigenvalues_at(silicon(), star)[0, :, :5]
    assert np.allclose(levels, levels[0], atol=1e-6)


def test_a_metal_has_no_gap_and_its_density_of_states_holds_its_electrons() -> None:
    ground = mlxc.scf(
        Crystal.load("al"), basis=PlaneWaves(8.0), kmesh=(6, 6, 6), smearing=FermiDirac(0.01), pseudo="gth"
    )
    assert band_structure(ground, 20).gap == 0
    energies = np.linspace(-0.5, ground.fermi_level, 2000)
    levels = ground.eigenvalues.numpy()[None]
    states = density_of_states(levels, ground.kpoints.weights, energies, 0.01)
    assert np.trapezoid(states[0], energies) == pytest.approx(3, abs=0.1)


@pytest.mark.thorough
@pytest.mark.parametrize("smearing", [None, FermiDirac(0.001)])
def test_bands_hold_the_electrons_of_the_larger_spin_and_empty_ones(smearing: FermiDirac | None) -> None:
    # Nine hydrogen atoms whose spins all point up; bands that held half of the electrons each would be too few.
    atoms = Crystal(5 * np.eye(3), ["H"], [[0, 0, 0]], [1.0]).supercell(3, 3, 1)
    settings = {"kmesh": (1, 1, 1), "smearing": smearing, "spin": True, "total_moment": 9.0, "pseudo": "gth"}
    bands = band_structure(mlxc.scf(atoms, basis=PlaneWaves(4.0), **settings), 4)
    up, down = bands.eigenvalues
    assert up.shape[-1] == 15
    result = bands.summary()
    assert result["fermi_levels_ha"][1] is None
    of_up, of_down = result["spin_gaps_ev"]
    assert of_up == pytest.approx((up[:, 9].min() - up[:, 8].max()) * HARTREE_EV, abs=0.05)
    assert of_down is None
    across = min(up[:, 9].min(), down[:, 0].min()) - up[:, 8].max()
    assert result["gap_ev"] == pytest.approx(max(across, 0) * HARTREE_EV, abs=0.05)
    energies, states = np.array(result["dos"]["energies_ev"]), np.array(result["dos"]["states_per_ev"])
    below = energies < of_up / 2
    assert np.trapezoid(states[0][below], energies[below]) == pytest.approx(9, abs=0.2)


@pytest.mark.thorough
def test_with_a_fixed_moment_each_spin_is_filled_to_its_own_level() -> None:
    # A phosphorus atom far from its images has the gap of its levels: three p electrons up, the next one down.
    atom = Crystal(8.5 * np.eye(3), ["P"], [[0, 0, 0]], [3.0])
    settings = {"kmesh": (1, 1, 1), "spin": True, "total_moment": 3.0, "pseudo": "gth"}
    smeared = mlxc.scf(atom, basis=PlaneWaves(5.0), smearing=FermiDirac(0.001), **settings)
    fixed = mlxc.scf(atom, basis=PlaneWaves(5.0), smearing=None, **settings)
    gaps = [band_structure(ground, 6).gap for ground in (smeared, fixed)]
    assert gaps[0] == pytest.approx(gaps[1], abs=1e-3)
    assert gaps[0] * HARTREE_EV > 1
    up, down = smeared.fermi_levels
    assert up - down > 0.01
    assert [float(levels) for levels in smeared.occupations.sum(1)] == pytest.approx([4, 1])


def test_the_gap_of_two_spins_lies_between_them_and_each_has_its_own() -> None:
    levels = np.array([[[-0.3, 0.2], [-0.25, 0.3]], [[-0.1, 0.05], [-0.12, 0.1]]])
    filled = np.array([[1, 1], [1, 1]])
    edges = edges_between(levels, filled)
    assert edges is not None
    assert (edges.valence.spin, edges.conduction.spin) == (1, 1)
    assert edges.gap == pytest.approx(0.15)
    # A majority that is full and a minority that is empty: the gap is a spin flip, at one k point.
    flip = edges_between(levels, np.array([[1, 1], [0, 0]]))
    assert flip is not None
    assert (flip.valence.spin, flip.conduction.spin) == (0, 1)
    assert flip.gap == pytest.approx(0.13)
    assert flip.kind == "direct"
    assert edges_between(levels[:, :, :1], np.array([[1, 1], [1, 1]])) is None


@pytest.mark.thorough
def test_the_command_prints_the_path_with_its_labels(mlxc_command: Callable[..., Outcome]) -> None:
    outcome = mlxc_command("bands", "si", "--ecut", "6", "--kmesh", "2", "2", "2", "--points", "12", "--json")
    assert outcome.code == 0
    result = json.loads(outcome.stdout)
    assert [name for _, name in result["labels"]][:3] == ["G", "X", "W"]
    assert np.array(result["bands_ev"]).shape[:2] == (1, len(result["distances_per_bohr"]))
    assert len(result["dos"]["energies_ev"]) == len(result["dos"]["states_per_ev"][0])
    report = mlxc_command("bands", "si", "--ecut", "6", "--kmesh", "2", "2", "2", "--points", "12").stdout
    assert "lowest conduction level" in report
