"""Curves through points: doubts about bad fits are told, and good ones are not doubted."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mlxc.crystal.crystal import Crystal
from mlxc.properties.birch_murnaghan import BirchMurnaghan
from mlxc.properties.fitted_curve import LARGEST_ERROR, USUAL_DERIVATIVES, FittedCurve, fitted_curve
from mlxc.units import EV_PER_ANG3_GPA
from mlxc.utils.assets import asset_path

RATIOS = np.linspace(0.94, 1.06, 7)
ACWF: dict[str, dict[str, Any]] = json.loads(asset_path("references", "acwf_unaries_pbe.json").read_text())[
    "structures"
]
CURVES = {f"{name} {code}": curve for name, codes in ACWF.items() for code, curve in codes.items() if curve}


def points_on(curve: dict[str, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    volume, modulus = curve["volume_per_atom_ang3"], curve["bulk_modulus_gpa"] / EV_PER_ANG3_GPA
    exact = BirchMurnaghan(-100.0, volume, modulus, curve["bulk_modulus_derivative"])
    return volume * RATIOS, exact(volume * RATIOS)


def fitted(volumes: NDArray[np.float64], energies: NDArray[np.float64]) -> FittedCurve:
    return fitted_curve(Crystal.load("al"), "volume", volumes, energies)


def aluminium(derivative: float = 4.6) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return points_on({"volume_per_atom_ang3": 16.5, "bulk_modulus_gpa": 77.5, "bulk_modulus_derivative": derivative})


def test_no_curve_of_an_element_is_doubted_for_its_points() -> None:
    """Those of all-electron codes, GPAW and CP2K for 96 elements in four structures."""
    assert len(CURVES) > 900
    for curve in CURVES.values():
        message = fitted(*points_on(curve)).message
        assert "off the curve" not in message
        low, high = USUAL_DERIVATIVES
        assert bool(message) == (not low <= curve["bulk_modulus_derivative"] <= high)


def test_only_elements_that_are_hardly_bound_or_in_no_lattice_of_theirs_have_unusual_derivatives() -> None:
    """Rare gases and mercury without their van der Waals forces, yttrium as a diamond, europium without its moment."""
    unusual = {name.split("/")[0] for name, curve in CURVES.items() if fitted(*points_on(curve)).message}
    assert unusual == {"Ar", "Eu", "He", "Hg", "Xe", "Y"}


@pytest.mark.parametrize("derivative", [-3.0, 0.9, 9.2, 30.0])
def test_a_derivative_that_no_crystal_has_is_told(derivative: float) -> None:
    message = fitted(*aluminium(derivative)).message
    assert message.startswith("The fit is not to be trusted: the derivative of the modulus is ")
    assert f"is {derivative:.3g}, where crystals have 1 to 9" in message


def noise_for(share: float) -> NDArray[np.float64]:
    """What a cubic cannot follow: signs that alternate, as a share of the depth of the curve."""
    _, energies = aluminium()
    signs = np.array([1, -1, 1, -1, 1, -1, 1])
    x = np.vander(RATIOS ** (-2 / 3), 4)
    left = signs - x @ np.linalg.lstsq(x, signs.astype(float), rcond=None)[0]
    return share * np.ptp(energies) * left / np.sqrt(np.mean(left**2))


@pytest.mark.parametrize(("share", "told"), [(0.5 * LARGEST_ERROR, False), (2 * LARGEST_ERROR, True)])
def test_points_that_scatter_about_the_curve_are_told(share: float, told: bool) -> None:
    volumes, energies = aluminium()
    curve = fitted(volumes, energies + noise_for(share))
    assert ("off the curve on average" in curve.message) is told
    if told:
        error = float(np.sqrt(np.mean((curve.energies_ev - curve.fit(volumes)) ** 2)))  # type: ignore[misc]
        assert f"the points lie {1e3 * error:.2g} meV per atom off" in curve.message
    assert curve.fit is not None


def test_how_far_points_scatter_is_told_per_atom_whatever_the_cell() -> None:
    volumes, energies = aluminium()
    crystal, scattered = Crystal.load("al"), energies + noise_for(2 * LARGEST_ERROR)
    told = {
        fitted_curve(crystal.supercell(n, 1, 1), "volume", n * volumes, n * scattered).message for n in (1, 2, 3, 6)
    }
    assert len(told) == 1


def test_a_jump_to_another_branch_is_no_smooth_curve() -> None:
    """As where a moment sets in between two volumes: the points beyond lie lower by a constant."""
    volumes, energies = aluminium()
    message = fitted(volumes, energies - 0.3 * np.ptp(energies) * (RATIOS > 1.01)).message
    assert "not to be trusted" in message


def test_where_there_is_no_minimum_there_is_no_fit_but_a_sentence() -> None:
    volumes, energies = aluminium()
    curve = fitted(volumes, energies[-1] + 0.1 * (volumes - volumes[0]))
    assert curve.fit is None
    assert curve.message.endswith(".")
    assert curve.to_dict()["bulk_modulus_gpa"] is None
