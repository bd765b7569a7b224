"""Meshes of k points, whole and reduced."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from ase.dft.kpoints import get_monkhorst_pack_size_and_offset

from mlxc import Crystal
from mlxc.crystal.brillouin import band_path, full_mesh, irreducible_mesh, irreducible_places
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.units import BOHR_ANG

CRYSTALS = ("si", "mg", "nacl")
MESHES = [(4, 4, 4), (3, 2, 1), (1, 1, 1), (2, 5, 3)]


@pytest.mark.parametrize("mesh", MESHES)
def test_the_whole_mesh_is_one_of_ase_and_holds_gamma(mesh: tuple[int, int, int]) -> None:
    points = full_mesh(mesh)
    size, _ = get_monkhorst_pack_size_and_offset(points)
    assert tuple(size) == mesh
    assert (points == 0).all(1).sum() == 1
    assert points.min() > -0.5
    assert points.max() <= 0.5


@pytest.mark.parametrize("mesh", MESHES)
@pytest.mark.parametrize("name", ["si", "graphene"])
def test_each_point_is_an_image_of_the_one_that_stands_for_it(name: str, mesh: tuple[int, int, int]) -> None:
    crystal = Crystal.load(name)
    group = SpaceGroup.of(crystal)
    reduced, points, places = irreducible_mesh(mesh, group), full_mesh(mesh), irreducible_places(mesh, group)
    assert np.bincount(places) / len(points) == pytest.approx(reduced.weights)
    rotations = np.linalg.inv(group.rotations).transpose(0, 2, 1)
    images = np.einsum("sij,kj->ski", np.concatenate([rotations, -rotations]), reduced.fractional)
    for point, place in zip(points, places, strict=True):
        distances = images[:, place] - point
        assert np.abs(distances - distances.round()).max(-1).min() < 1e-9


@pytest.mark.parametrize("name", ["si", "graphene", "mg", "nacl", "hbn"])
@pytest.mark.parametrize("points", [60, 100, 200])
def test_the_path_of_bands_is_that_of_ase_with_enough_points_on_each_segment(name: str, points: int) -> None:
    crystal = Crystal.load(name)
    path = band_path(crystal, points)
    theirs = crystal.to_ase().cell.bandpath(npoints=400, pbc=[True, True, name in CRYSTALS])
    distances, places, names = theirs.get_linear_kpoint_axis()
    assert [label for _, label in path.labels] == list(names)
    np.testing.assert_allclose([place for place, _ in path.labels], places * BOHR_ANG, atol=1e-8)
    assert path.distances[-1] == pytest.approx(distances[-1] * BOHR_ANG)
    assert len(path) == pytest.approx(points, abs=points / 4)
    corners = sorted({round(place, 8) for place, _ in path.labels})
    for start, end in pairwise(corners):
        inside = (path.distances > start + 1e-6) & (path.distances < end - 1e-6)
        assert inside.sum() >= min(8, points // len(corners)) - 1
