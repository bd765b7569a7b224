"""Bands in a converged potential."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from support import Outcome

import mlxc
from mlxc import Crystal, FermiDirac, GroundState, PlaneWaves
from mlxc.properties.bands import band_structure, density_of_states, eigenvalues_at
from mlxc.units import HARTREE_EV


@cache
def silicon() -> GroundState:
    return mlxc.scf(Crystal.load("si"), basis=PlaneWaves(12.0), kmesh=(4, 4, 4), pseudo="gth")


def test_bands_at_the_points_of_the_mesh_are_those_of_the_scf() -> None:
    ground = silicon()
    valence = ground.eigenvalues.numpy()
    assert np.allclose(eigenvalues_at(ground, ground.kpoints.fractional)[0, :, :4], valence, atol=1e-7)


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


def test_the_gap_of_silicon_lies_on_the_way_to_x() -> None:
    bands = band_structure(silicon(), 41)
    assert 0.45 < bands.gap * HARTREE_EV < 0.65
    lowest = bands.kpoints[bands.eigenvalues[0, :, 4].argmin()]
    assert lowest[0] == pytest.approx(lowest[2])
    assert 0.3 < lowest[0] < 0.5


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
    states = density_of_states(ground, energies, 0.01)
    assert np.trapezoid(states[0], energies) == pytest.approx(3, abs=0.1)


def test_the_command_prints_the_path_with_its_labels(mlxc_command: Callable[..., Outcome]) -> None:
    outcome = mlxc_command("bands", "si", "--ecut", "6", "--kmesh", "2", "2", "2", "--points", "12", "--json")
    assert outcome.code == 0
    result = json.loads(outcome.stdout)
    assert [name for _, name in result["labels"]][:3] == ["G", "X", "W"]
    assert np.array(result["bands_ev"]).shape[:2] == (1, len(result["distances_per_bohr"]))
    assert "point" in mlxc_command("bands", "si", "--ecut", "6", "--kmesh", "2", "2", "2", "--points", "12").stdout
