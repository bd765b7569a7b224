"""A very skewed cell is computed in its reduced one, with the same results."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pymatgen.core.lattice import Lattice
from skewed_cells import in_other_cell, unimodular

import mlxc
from mlxc.calculation.calculation import Calculation
from mlxc.calculation.notes import cell_note
from mlxc.crystal.brillouin import full_mesh
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError, MlxcWarning
from mlxc.structures.shipped import shipped_names
from mlxc.units import BOHR_ANG

MESHES = st.tuples(*[st.integers(1, 6)] * 3)
MILDLY = np.array([[1, 0, 2], [0, 1, 0], [0, 1, 1]])
# Without symmetry, so that nothing vanishes and nothing is symmetrised.
CRYSTAL = Crystal([[6, 0.6, 0], [0, 6.5, 0.3], [0, 0, 7]], ["H", "Li"], [[0.1, 0.05, 0], [0.52, 0.55, 0.45]])


@pytest.mark.thorough
def test_energy_forces_and_stress_are_those_of_the_given_cell() -> None:
    given_crystal, mesh = in_other_cell(CRYSTAL, MILDLY), (1, 1, 2)
    calculation = Calculation.from_dict({"structure": given_crystal, "kmesh": mesh, "ecut_ha": 6, "pseudo": "gth"})
    assert calculation.given_cell is not None
    assert calculation.given_cell.same_kpoints

    def compute(crystal: Crystal, kmesh: tuple[int, int, int]) -> dict[str, Any]:
        # As many points along each vector: the points of both grids are the same.
        basis = mlxc.PlaneWaves(6.0, fft_grid=(36, 36, 36))
        smearing = mlxc.FermiDirac(0.01)
        return mlxc.scf(
            crystal, basis=basis, kmesh=kmesh, smearing=smearing, pseudo="gth", tolerance=1e-9, forces=True,
            differentiate=None,
        ).summary()  # fmt: skip

    with pytest.warns(MlxcWarning, match=r"crystal\.reduced\(\)"):
        expected = compute(given_crystal, mesh)
    found = compute(calculation.crystal, calculation.kmesh)
    for name in ("free_energy_ha", "forces_ha_bohr", "stress_ha_bohr3"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-8, rtol=0)


@pytest.mark.thorough
@settings(max_examples=30)
@given(st.sampled_from(shipped_names()), unimodular(largest=6), MESHES)
def test_the_mesh_has_the_same_kpoints_where_it_says_so_and_else_no_fewer(
    name: str, matrix: NDArray[np.int64], mesh: tuple[int, int, int]
) -> None:
    skewed = in_other_cell(Crystal.load(name), matrix)
    calculation = Calculation.from_dict({"structure": skewed, "kmesh": mesh})
    cell, crystal = calculation.given_cell, calculation.crystal
    assert crystal.volume == pytest.approx(skewed.volume)
    if cell is None:
        assert calculation.kmesh == mesh
        assert crystal.same_as(skewed)
        return
    assert cell.kmesh == mesh
    # The given cell's k points in units of the computed cell's reciprocal vectors are points of the mesh.
    fractional = full_mesh(mesh) @ skewed.reciprocal @ np.linalg.inv(crystal.reciprocal) * calculation.kmesh
    same = bool(np.abs(fractional - fractional.round()).max() < 1e-5) and np.prod(calculation.kmesh) == np.prod(mesh)
    assert same or not cell.same_kpoints
    if name not in ("graphene", "hbn"):
        assert np.prod(calculation.kmesh) >= np.prod(mesh)
    # What was made of it is not very skewed, and stays.
    again = Calculation.from_dict(json.loads(json.dumps(calculation.model_dump(mode="json"))))
    assert again == calculation


@pytest.mark.parametrize("name", shipped_names())
def test_usual_cells_stay_as_they_are(name: str) -> None:
    for crystal in (Crystal.load(name), Crystal.load(name).supercell(1, 1, 8)):
        assert Calculation.from_dict({"structure": crystal}).given_cell is None


def test_a_sharp_rhombohedron_stays_since_its_symmetry_wants_such_a_grid() -> None:
    lattice = Lattice.rhombohedral(10.48, 24.16).matrix / BOHR_ANG
    places = [[x] * 3 for x in (0.4, 0.6, 0, 0.2128, 0.7872)]
    telluride = Crystal(lattice, ["Bi", "Bi", "Te", "Te", "Te"], places)
    assert Calculation.from_dict({"structure": telluride, "pseudo": "gth"}).given_cell is None


def test_a_cell_that_asked_for_all_memory_is_computed_and_said_to_be_another_one() -> None:
    silicon = in_other_cell(Crystal.load("si"), np.array([[1, 30, 0], [0, 1, 40], [0, 0, 1]]))
    calculation = Calculation.from_dict({"structure": silicon, "kmesh": [4, 4, 2]})
    calculation.check()
    note = cell_note(calculation)
    assert "very skewed" in note
    assert "3.840, 3.840 and 3.840 angstrom" in note
    assert "4 x 4 x 2 is that of the given cell" in note
    assert "2 x 4 x 4 in the computed one has the same k points." in note
    assert cell_note(Calculation.from_dict({"structure": "si"})) == ""
    # With the mesh of the computed cell the shipped silicon has the very same recommendation.
    assert Calculation.from_dict({"structure": silicon}).kmesh == (6, 6, 6)


def test_where_something_is_given_on_the_grid_the_cell_stays_and_the_advice_is_another_cell() -> None:
    silicon = in_other_cell(Crystal.load("si"), np.array([[1, 9, 0], [0, 1, 9], [0, 0, 1]]))
    calculation = Calculation.from_dict({"structure": silicon, "fft_grid": [4000, 4000, 4000]})
    assert calculation.given_cell is None
    with pytest.raises(InputError, match=r"very skewed, so take its reduced one, Crystal\.reduced\(\)"):
        calculation.check()


def test_a_recorded_cell_that_is_none_is_refused() -> None:
    structure = Crystal.load("si").to_dict() | {"given_cell": {"lattice_ang": "?"}}
    with pytest.raises(InputError, match="lattice_ang"):
        Calculation.from_dict({"structure": structure})
