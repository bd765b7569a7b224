"""The equation of state of a sheet: its area varies, and the vacuum around it means nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
import torch
from support import Outcome
from torch import Tensor, nn

from mlxc import Calculation, Crystal, EquationOfStateTask
from mlxc.crystal.resizing import area_ang2, height_ang, lattice_constant, natural_variation, resized
from mlxc.errors import InputError
from mlxc.frozen.curve import RATIOS, TOLERANCE, SolidCurve, protocol
from mlxc.frozen.snapshot import Snapshot
from mlxc.properties.birch_murnaghan import BirchMurnaghan
from mlxc.properties.eos import EquationOfState
from mlxc.solids.known_quantities import reference_curve
from mlxc.solids.table import Solid
from mlxc.units import BOHR_ANG, EV_PER_ANG2_N_PER_M, HARTREE_EV

# Coarse, and smooth enough that the planes that come and go with the height of the cell are not felt.
CHEAP = {"pseudo": "gth", "ecut_ha": 20, "kmesh": [2, 2, 1], "width_ha": 0.02, "cutoff_smoothing_ha": 6}
NEWTON_PER_METRE = HARTREE_EV / BOHR_ANG**2 * EV_PER_ANG2_N_PER_M  # in one Ha/bohr^2


def graphene(height: float = 10.0) -> Crystal:
    shipped = Crystal.load("graphene")
    lattice = shipped.lattice * [[1], [1], [height / 10]]
    return Crystal(lattice, shipped.species, shipped.positions, name=f"graphene in {height:g} angstrom")


def silicene(tilt: float = 0.0, directions: tuple[int, int, int] = (0, 1, 2)) -> Crystal:
    """A buckled sheet, in a cell whose third vector may be tilted, with the lattice vectors in any order."""
    lattice = np.array([[3.87, 0, 0], [-1.935, 3.351518, 0], [0, 0, 15]]) / BOHR_ANG
    lattice[2] += tilt * lattice[0]
    positions = np.array([[1 / 3, 2 / 3, 0.485], [2 / 3, 1 / 3, 0.515]])
    order = list(directions)
    return Crystal(lattice[order], ["Si", "Si"], positions[:, order], [0.5, -0.5], "silicene")


@cache
def equation(height: float) -> EquationOfState:
    settings = {"structure": graphene(height), **CHEAP}
    task = {"calculation": settings, "points": 5, "lowest_volume": 0.95, "highest_volume": 1.15}
    return EquationOfStateTask.from_dict(task).run()


@pytest.mark.parametrize(
    "sheet",
    [Crystal.load("hbn"), silicene(), silicene(tilt=0.4), silicene(directions=(2, 0, 1))],
    ids=["flat", "buckled", "tilted cell", "vacuum along the first vector"],
)
@pytest.mark.parametrize("ratio", [0.9, 1.2])
def test_a_larger_area_leaves_the_height_of_the_cell_and_of_the_atoms(sheet: Crystal, ratio: float) -> None:
    larger = resized(sheet, ratio, "area")
    assert area_ang2(larger) == pytest.approx(ratio * area_ang2(sheet))
    assert height_ang(larger) == pytest.approx(height_ang(sheet))
    # Both lie in the plane of x and y.
    np.testing.assert_allclose((larger.positions @ larger.lattice)[:, 2], (sheet.positions @ sheet.lattice)[:, 2])
    np.testing.assert_allclose(larger.lattice[:, :2], sheet.lattice[:, :2] * ratio**0.5)
    np.testing.assert_array_equal(larger.positions, sheet.positions)
    np.testing.assert_array_equal(larger.moments, sheet.moments)


@pytest.mark.parametrize(
    ("crystal", "varied"),
    [
        (Crystal.load("graphene"), "area"), (Crystal.load("hbn"), "area"), (silicene(0.4, (2, 0, 1)), "area"),
        (Crystal.load("al"), "volume"), (Crystal.load("mg"), "volume"),
        (Crystal([[20, 0, 0], [0, 20, 0], [0, 0, 4]], ["C"], [[0, 0, 0]], name="wire"), "volume"),
        (Crystal(20 * np.eye(3), ["C"], [[0, 0, 0]], name="atom"), "volume"),
    ],
    ids=lambda value: getattr(value, "name", value),
)  # fmt: skip
def test_the_structure_tells_what_varies(crystal: Crystal, varied: str) -> None:
    assert natural_variation(crystal) == varied
    assert EquationOfStateTask.from_dict({"calculation": {"structure": crystal, "ecut_ha": 10}}).vary == varied


def test_what_is_given_wins_over_the_structure_and_survives_json() -> None:
    task = EquationOfStateTask.from_dict({"calculation": {"structure": "graphene"}, "vary": "volume"})
    assert task.vary == "volume"
    assert EquationOfStateTask.from_dict(task.model_dump(mode="json")) == task
    small, large = task.calculation.at_volumes([0.9, 1.1], task.vary)
    assert large.crystal.lattice[2, 2] / small.crystal.lattice[2, 2] == pytest.approx((1.1 / 0.9) ** (1 / 3))


def test_all_areas_share_the_grid_of_the_largest() -> None:
    small, large = Calculation.from_dict({"structure": "hbn"}).at_volumes([0.8, 1.2])
    assert small.fft_grid == large.fft_grid
    assert large.crystal.lattice[2, 2] == small.crystal.lattice[2, 2]
    large.check()


@pytest.mark.parametrize(
    ("structure", "vary", "words"),
    [
        ("al", "area", "vary: .* vacuum .* al has none"),
        (Crystal([[20, 0, 0], [0, 20, 0], [0, 0, 4]], ["C"], [[0, 0, 0]], name="chain"), "area", "chain has two"),
        (Crystal(20 * np.eye(3), ["C"], [[0, 0, 0]], name="atom"), "area", "atom has three"),
        ("graphene", "height", "vary: 'height' is not allowed: .*'volume' or 'area'"),
    ],
)
def test_what_cannot_vary_is_answered_with_a_sentence(structure: str | Crystal, vary: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as error:
        EquationOfStateTask.from_dict({"calculation": {"structure": structure}, "vary": vary})
    assert str(error.value).endswith(".")


@pytest.mark.parametrize(
    ("second", "known"),
    [([-2, 12**0.5], True), ([2, 12**0.5], True), ([0, 4], True), ([0, 4.1], False), ([3.2, 2.4], False)],
    ids=["hexagonal, 120 degrees", "hexagonal, 60 degrees", "square", "rectangular", "rhombic"],
)
def test_hexagonal_and_square_sheets_have_one_lattice_constant(second: list[float], known: bool) -> None:
    lattice = np.array([[4, 0, 0], [*second, 0], [0, 0, 12]]) / BOHR_ANG
    sheet = Crystal(lattice, ["Al"], [[0, 0, 0.3]])
    found = lattice_constant(sheet, 1.21 * sheet.volume * BOHR_ANG**3, "area")
    assert found == (pytest.approx(4 * 1.1) if known else None)


@pytest.mark.thorough
def test_the_energy_at_the_given_area_is_that_of_the_scf() -> None:
    found = equation(10.0)
    settings = {"structure": graphene(), "fft_grid": found.reference.basis.grid.shape, **CHEAP}
    alone = Calculation.from_dict(settings).run()
    assert found.summary()["areas_ang2"][1] == pytest.approx(area_ang2(graphene()))
    assert found.energies_ev[1] == pytest.approx(float(alone.energy) * HARTREE_EV, abs=1e-6)


@pytest.mark.thorough
def test_the_lattice_constant_in_the_plane_does_not_depend_on_the_vacuum() -> None:
    low, high = (equation(height).summary() for height in (8.0, 10.0))
    assert low["lattice_constant_ang"] == pytest.approx(high["lattice_constant_ang"], abs=2e-4)
    assert low["in_plane_modulus_n_per_m"] == pytest.approx(high["in_plane_modulus_n_per_m"], rel=0.02)
    assert low["volume0_ang3"] / high["volume0_ang3"] == pytest.approx(0.8, rel=1e-3)


@pytest.mark.thorough
def test_the_layer_modulus_is_the_curvature_of_the_energy_in_the_area() -> None:
    found = equation(8.0)
    summary, curve = found.summary(), found.fit
    assert curve is not None
    area, step = summary["area0_ang2"], 1e-3
    below, at, above = curve(area + step * np.array([-1, 0, 1]))
    assert summary["in_plane_modulus_n_per_m"] == pytest.approx(
        area * (below - 2 * at + above) / step**2 * EV_PER_ANG2_N_PER_M, rel=1e-3
    )
    np.testing.assert_allclose(curve(summary["areas_ang2"]), summary["energies_ev"], atol=5e-3)
    assert summary["lattice_constant_ang"] == pytest.approx((2 * area / 3**0.5) ** 0.5)
    assert summary["volume0_ang3"] == pytest.approx(8 * area)
    assert (summary["varied"], summary["bulk_modulus_gpa"]) == ("area", None)


@pytest.mark.thorough
def test_at_the_minimum_the_stress_in_the_plane_vanishes() -> None:
    summary = equation(8.0).summary()
    ratio = summary["area0_ang2"] / area_ang2(graphene(8.0))
    settings = EquationOfStateTask.from_dict({"calculation": {"structure": graphene(8.0), **CHEAP}}).calculation
    stress = settings.at_volumes([ratio])[0].run().stress
    assert stress is not None
    assert float(stress[0, 0]) == pytest.approx(float(stress[1, 1]), abs=1e-9)
    # A sheet that is stretched by e in both directions is under the tension 2 B e per length.
    tension = float(stress[0, 0]) * 8.0 / BOHR_ANG * NEWTON_PER_METRE
    assert tension / (2 * summary["in_plane_modulus_n_per_m"]) == pytest.approx(0, abs=3e-4)


def test_a_bulk_crystal_has_no_area() -> None:
    task = {"calculation": {"structure": "al", "ecut_ha": 8, "kmesh": [3, 3, 3]}, "points": 4}
    summary = EquationOfStateTask.from_dict(task).run().summary()
    assert summary["varied"] == "volume"
    assert summary["areas_ang2"] is summary["area0_ang2"] is summary["in_plane_modulus_n_per_m"] is None
    assert summary["bulk_modulus_gpa"] > 0


@pytest.mark.thorough
def test_a_person_reads_areas_and_a_layer_modulus(mlxc_command: Callable[..., Outcome]) -> None:
    coarse = ["--pseudo", "gth", "--ecut", "20", "--kmesh", "2", "2", "1", "--cutoff-smoothing", "6", "--points", "4"]
    outcome = mlxc_command("eos", "graphene", *coarse, "--width", "0.02", "--volume-range", "0.94", "1.1")
    assert outcome.code == 0, outcome.stderr
    for text in ("area / ang^2", "equilibrium area", "in-plane lattice constant", "layer modulus", "N/m"):
        assert text in outcome.stdout
    assert "GPa" not in outcome.stdout
    assert "area 4 of 4" in outcome.stderr


class Nothing(nn.Module):
    """A functional without exchange and correlation."""

    ingredients = ("rho",)

    def forward(self, rho: Tensor) -> Tensor:
        return torch.zeros_like(rho[0])


@pytest.mark.thorough
def test_training_sees_the_lattice_constant_in_the_plane() -> None:
    known = {"lattice_constant_ang": 2.5, "volume_ang3": 55.0, "bulk_modulus_gpa": 1.0, "bulk_modulus_derivative": 4.0}
    solid = Solid("graphene", graphene(), known)
    area = 2.5**2 * 3**0.5 / 2
    curve = BirchMurnaghan(-300.0, area, 12.0, 4.0)
    nothing = {"rho": torch.zeros(1, 1, dtype=torch.float64)}
    snapshots = []
    for calculation in solid.calculation().at_volumes(RATIOS):
        crystal = calculation.crystal
        energy = float(curve(area_ang2(crystal))) / HARTREE_EV
        snapshots.append(Snapshot(crystal.volume * BOHR_ANG**3, energy, nothing, torch.ones(1)))
    found = SolidCurve(solid, tuple(snapshots)).predictions(Nothing())
    assert float(found["lattice_constant_ang"]) == pytest.approx(2.5)
    assert float(found["volume_ang3"]) == pytest.approx(10 * area)
    assert "bulk_modulus_gpa" not in found
    assert reference_curve(solid) is None


def test_results_of_sheets_are_told_from_those_of_an_earlier_protocol_and_those_of_bulk_crystals_stay_valid() -> None:
    assert protocol(Solid("graphene", graphene(), {})) == [RATIOS, TOLERANCE, "area"]
    assert protocol(Solid("al", Crystal.load("al"), {})) == [RATIOS, TOLERANCE]


@pytest.mark.thorough
@pytest.mark.slow
def test_graphene_with_pbe_has_the_lattice_constant_that_plane_wave_codes_find(
    mlxc_command: Callable[..., Outcome],
) -> None:
    outcome = mlxc_command("eos", "graphene", "--json")
    assert outcome.code == 0
    result = json.loads(outcome.stdout)
    assert result["lattice_constant_ang"] == pytest.approx(2.467, abs=0.004)
    assert 200 < result["in_plane_modulus_n_per_m"] < 215
