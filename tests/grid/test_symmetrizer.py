"""Averages over a space group: what they leave, and that supercells are no harder than their primitive cells."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mlxc import Crystal
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.grid.grid import Grid
from mlxc.grid.irreducible_points import IrreduciblePoints
from mlxc.grid.shape import choose_shape
from mlxc.grid.symmetrizer import Symmetrizer

RADIUS = 4.0
SILICON = Crystal.load("si")
CRYSTALS = {
    "silicon": SILICON,
    "supercell": SILICON.supercell(2, 2, 2),
    "longer": SILICON.supercell(1, 1, 3),
    "magnesium": Crystal.load("mg").supercell(2, 1, 1),
}


def grid_of(crystal: Crystal) -> Grid:
    shape = choose_shape(crystal.lattice, RADIUS, SpaceGroup.of(crystal))
    return Grid(torch.tensor(crystal.lattice), shape, RADIUS)


@pytest.mark.parametrize("name", CRYSTALS)
def test_an_average_is_left_as_it_is_by_each_operation(name: str) -> None:
    crystal = CRYSTALS[name]
    group, grid = SpaceGroup.of(crystal), grid_of(crystal)
    noise = torch.randn(grid.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    average = Symmetrizer(group, grid).field(noise)
    found = group.of_function(average.numpy())
    assert len(found) == len(group)
    # It is a projection.
    assert torch.allclose(Symmetrizer(group, grid).field(average), average, atol=1e-12)
    assert float(grid.integrate(average)) == pytest.approx(float(grid.integrate(noise)))


def test_a_supercell_has_the_average_of_its_primitive_cells() -> None:
    """The average of the cells' values has the average of the whole; only rotations are left to it."""
    crystal = CRYSTALS["longer"]
    group, grid = SpaceGroup.of(crystal), grid_of(crystal)
    noise = torch.randn(grid.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    noise = grid.real(grid.fourier(noise))
    cells = torch.stack([noise.roll(grid.shape[2] // 3 * index, 2) for index in range(3)]).mean(0)
    average = Symmetrizer(group, grid)
    assert len(group.pure_translations()) == 3
    assert torch.allclose(average.field(noise), average.field(cells), atol=1e-12)


@pytest.mark.parametrize("name", CRYSTALS)
def test_points_that_stand_for_others_are_those_of_all_operations(name: str) -> None:
    crystal = CRYSTALS[name]
    group, grid = SpaceGroup.of(crystal), grid_of(crystal)
    points = IrreduciblePoints.of(group, grid)
    index = np.arange(grid.size).reshape(grid.shape)
    shape = np.array(grid.shape)
    places = np.stack(np.unravel_index(np.arange(grid.size), grid.shape), axis=-1) / shape
    smallest = index.ravel().copy()
    own = group.on_grid(grid.shape)
    for rotation, translation in zip(own.rotations, own.translations, strict=True):
        images = np.rint((places @ rotation.T + translation) * shape).astype(int) % shape
        smallest = np.minimum(smallest, np.ravel_multi_index(tuple(images.T), grid.shape))
    assert np.array_equal(points.representative.numpy(), smallest)
    assert float(points.weights.sum()) == grid.size


def test_a_structure_factor_is_a_sum_over_atoms() -> None:
    grid = grid_of(SILICON)
    positions = torch.tensor([[0.1, 0.2, 0.3], [0.7, 0.05, 0.9], [0.0, 0.0, 0.0]], dtype=torch.float64)
    expected = sum(grid.phases(position) for position in positions)
    assert torch.allclose(grid.structure_factor(positions), expected, atol=1e-12)
