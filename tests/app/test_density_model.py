"""Cutting a density, without a browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from mlxc_app.density_model import PLANES, CrystalDensity, DensityModel, cut
from mlxc_app.run_model import RunModel
from stand_ins import write_density

from mlxc.calculation import Calculation
from mlxc.units import BOHR_ANG

EDGE_ANG = 4.0
FCC_ANG = EDGE_ANG / 2 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
POINTS = 24


def wave(points_ang: np.ndarray) -> np.ndarray:
    """A function with the period of the fcc lattice, electrons per cubic angstrom."""
    x, y, z = np.moveaxis(2 * np.pi * points_ang / EDGE_ANG, -1, 0)
    return 2 + np.cos(x) * np.cos(y) * np.cos(z)


def fcc_crystal() -> CrystalDensity:
    grid = np.stack(np.meshgrid(*[np.arange(POINTS) / POINTS] * 3, indexing="ij"), axis=-1)
    return CrystalDensity(FCC_ANG, ("Si",), np.zeros((1, 3)), wave(grid @ FCC_ANG))


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("height", [0.0, 0.7])
def test_a_slice_through_a_skew_cell_is_the_density_at_its_points(plane: str, height: float) -> None:
    right, up, _, _ = (np.array(part) if index < 2 else part for index, part in enumerate(PLANES[plane]))
    piece = cut(fcc_crystal(), plane, height)
    x, y = np.meshgrid(piece.right, piece.up)
    points = x[..., None] * right + y[..., None] * up + height * np.cross(right, up)
    assert np.abs(piece.density - wave(points)).max() < 2e-3


def test_the_atoms_of_the_plane_are_found() -> None:
    atoms = {(round(x, 3), round(y, 3)) for x, y, _ in cut(fcc_crystal(), "x-y (horizontal)", 0.0).atoms}
    assert {(0.0, 0.0), (2.0, 2.0), (-2.0, 2.0), (4.0, 4.0)} <= atoms
    assert (2.0, 0.0) not in atoms
    above = {(round(x, 3), round(y, 3)) for x, y, _ in cut(fcc_crystal(), "x-y (horizontal)", 2.0).atoms}
    assert (2.0, 0.0) in above
    assert cut(fcc_crystal(), "x-y (horizontal)", 1.0).atoms == ()


def test_the_density_appears_when_the_run_ends(run: RunModel, aluminium: Calculation, tmp_path: Path) -> None:
    model = DensityModel(run)
    assert model.slice is None
    run.start(aluminium, "a run")
    assert run.folder is not None
    write_density(run.folder.ground_state_path, FCC_ANG / BOHR_ANG, np.ones((8, 8, 8)) * BOHR_ANG**3)
    run.folder.set_status("finished")
    run.poll()
    assert model.slice is not None
    assert model.title == "a run"
    assert model.slice.density == pytest.approx(1.0)
    model.height_ang = 1.0
    assert model.slice.atoms == ()
    run.start(aluminium, "the next run")
    assert model.slice is None
