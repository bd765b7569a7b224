"""What is looked at in a crystal, without a browser."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlxc_app.panels.density.axes_in_words import axes_in_words
from mlxc_app.panels.density.block import MOST_POINTS, FieldBlock
from mlxc_app.panels.density.field import DENSITY, DIFFERENCE, POTENTIAL, PULL, SPIN, CrystalField, on_grid, read_field
from mlxc_app.panels.density.model import NOT_CONVERGED, DensityModel
from mlxc_app.panels.density.slice import MILLER, PLANES, cut, miller_orientation, planar_average
from mlxc_app.panels.density.view import DensityView
from mlxc_app.run.model import RunModel
from mlxc_app.widgets.message import MessageArea
from mlxc_app.widgets.theme import Theme
from stand_ins import write_density

from mlxc.calculation.calculation import Calculation
from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.runs.folder import RunFolder
from mlxc.units import BOHR_ANG, HARTREE_EV

EDGE_ANG = 4.0
FCC_ANG = EDGE_ANG / 2 * np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]])
POINTS = 24


def wave(points_ang: np.ndarray) -> np.ndarray:
    """A function with the period of the fcc lattice and its maximum at the origin, electrons per cubic angstrom."""
    x, y, z = np.moveaxis(2 * np.pi * points_ang / EDGE_ANG, -1, 0)
    return 2 + np.cos(x) * np.cos(y) * np.cos(z)


def grid_points(lattice: np.ndarray, count: int = POINTS) -> np.ndarray:
    return np.stack(np.meshgrid(*[np.arange(count) / count] * 3, indexing="ij"), axis=-1) @ lattice


def fcc_crystal(place: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> CrystalField:
    """One atom in the primitive cell, and a field that is highest at the atom."""
    at = np.array([place])
    values = wave(grid_points(FCC_ANG) - at @ FCC_ANG)
    return CrystalField(FCC_ANG, ("Si",), at, values)


def diamond_crystal() -> CrystalField:
    """Two atoms in the primitive cell of diamond, each with a narrow peak of density."""
    positions = np.array([[0.1, 0.2, 0.3], [0.35, 0.45, 0.55]])
    points = grid_points(FCC_ANG, 32)
    images = np.stack(np.meshgrid(*[[-2, -1, 0, 1, 2]] * 3, indexing="ij"), axis=-1).reshape(-1, 3) @ FCC_ANG
    values = np.zeros(points.shape[:3])
    for place in positions @ FCC_ANG:
        for image in images:
            values += np.exp(-((points - place - image) ** 2).sum(-1) / 0.3**2)
    return CrystalField(FCC_ANG, ("C", "C"), positions, values)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("height", [0.0, 0.7])
def test_a_slice_through_a_skew_cell_is_the_density_at_its_points(plane: str, height: float) -> None:
    right, up = np.array(PLANES[plane].right), np.array(PLANES[plane].up)
    piece = cut(fcc_crystal(), PLANES[plane], height)
    x, y = np.meshgrid(piece.right, piece.up)
    points = x[..., None] * right + y[..., None] * up + height * np.cross(right, up)
    assert np.abs(piece.values - wave(points)).max() < 2e-3


def test_the_atoms_of_the_plane_are_found() -> None:
    horizontal = PLANES["x-y (horizontal)"]
    atoms = {(round(x, 3), round(y, 3)) for x, y, _ in cut(fcc_crystal(), horizontal, 0.0).atoms}
    assert {(0.0, 0.0), (2.0, 2.0), (-2.0, 2.0), (4.0, 4.0)} <= atoms
    assert (2.0, 0.0) not in atoms
    above = {(round(x, 3), round(y, 3)) for x, y, _ in cut(fcc_crystal(), horizontal, 2.0).atoms}
    assert (2.0, 0.0) in above
    assert cut(fcc_crystal(), horizontal, 1.0).atoms == ()


def test_miller_indices_refer_to_the_cube_of_a_primitive_cell() -> None:
    orientation = miller_orientation(fcc_crystal(), (1, 1, 1))
    normal = np.cross(orientation.right, orientation.up)
    assert np.abs(normal) == pytest.approx(np.full(3, 3**-0.5))
    atoms = np.array([(x, y) for x, y, _ in cut(fcc_crystal(), orientation, 0.0).atoms])
    # The densest plane of an fcc crystal: six neighbours at a / sqrt(2), one of them straight to the right.
    distances = np.sort(np.hypot(*atoms.T))
    assert distances[1:7] == pytest.approx(EDGE_ANG / 2**0.5)
    assert pytest.approx(atoms[(np.abs(atoms - [EDGE_ANG / 2**0.5, 0]) < 1e-6).all(1)][0]) == [EDGE_ANG / 2**0.5, 0.0]
    # Planes of this kind follow each other at a / sqrt(3).
    assert cut(fcc_crystal(), orientation, EDGE_ANG / 3**0.5).atoms
    assert not cut(fcc_crystal(), orientation, EDGE_ANG / 3**0.5 / 2).atoms


@pytest.mark.parametrize("indices", [(1, 0, 0), (1, -1, 0), (2, 1, 0), (7, 5, 3)])
def test_the_axes_of_a_miller_plane_lie_in_it(indices: tuple[int, int, int]) -> None:
    orientation = miller_orientation(fcc_crystal(), indices)
    axes = np.array([orientation.right, orientation.up, np.array(indices) / np.linalg.norm(indices)])
    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-9)


def test_a_plane_without_indices_is_refused() -> None:
    with pytest.raises(InputError, match="0 0 0"):
        miller_orientation(fcc_crystal(), (0, 0, 0))


@pytest.mark.parametrize("crystal", [fcc_crystal(), fcc_crystal((0.3, 0.1, 0.7)), diamond_crystal()])
def test_the_density_of_a_primitive_cell_is_highest_where_the_atoms_are_drawn(crystal: CrystalField) -> None:
    block = FieldBlock.of(crystal)
    steps = block.box.lengths / (np.array(block.values.shape) - 1)
    heights = (block.values - block.values.min()) / np.ptp(block.values)
    highest = np.argwhere(heights > 0.9) * steps
    to_atoms = np.linalg.norm(highest[:, None] - block.box.positions, axis=-1)
    assert to_atoms.min(axis=1).max() < 0.45
    # And the other way round: each atom that is drawn has a maximum at its place.
    assert to_atoms.min(axis=0).max() < np.linalg.norm(steps)
    assert len(block.box.symbols) == {1: 14, 2: 18}[len(crystal.species)]


def test_a_map_is_read_back_by_another_program_as_it_was(tmp_path: Path) -> None:
    block = FieldBlock.of(fcc_crystal())
    data = block.ccp4()
    shape = struct.unpack_from("<3i", data)
    cell = struct.unpack_from("<6f", data, 40)
    assert shape == block.values.shape
    assert max(shape) <= MOST_POINTS
    assert cell[3:] == (90, 90, 90)
    spacing = np.array(cell[:3]) / shape
    assert spacing * (np.array(shape) - 1) == pytest.approx(block.box.lengths, rel=1e-6)
    assert data[208:212] == b"MAP "
    values = np.frombuffer(data, "<f4", offset=1024).reshape(shape[::-1]).transpose(2, 1, 0)
    assert values == pytest.approx(block.values, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("al", "x points along a, y points along b, z points along c of the conventional cell."),
        ("graphene", "z points out of the layer"),
        ("mg", "x points along a, z points along c of the conventional cell."),
    ],
)
def test_where_the_axes_point_is_said_of_the_crystal_at_hand(name: str, words: str) -> None:
    told = axes_in_words(Crystal.load(name))
    assert words in told
    assert "graphene" not in told


def test_axes_along_no_edge_are_said_to_be_so() -> None:
    skew = Crystal.from_dict(
        {"lattice_ang": [[3, 1, 1], [1, 3.5, 1], [1, 1, 4]], "species": ["Al"], "fractional_positions": [[0, 0, 0]]}
    )
    assert "none of them points along an edge" in axes_in_words(skew)


def test_a_layer_is_in_the_middle_of_its_box() -> None:
    lattice = np.diag([2.5, 2.5, 12.0])
    values = np.ones((8, 8, 36))
    for height in (0.0, 0.25, 0.97):
        box = FieldBlock.of(CrystalField(lattice, ("C",), np.array([[0.0, 0.0, height]]), values)).box
        assert box.positions[:, 2] == pytest.approx(6.0)


def test_the_box_of_a_skew_crystal_holds_its_whole_cell() -> None:
    lattice = np.array([[3.1, 0.2, 0.1], [0.4, 3.7, -0.3], [-0.6, 0.5, 4.2]])
    place = np.array([[0.3, 0.1, 0.9]])
    block = FieldBlock.of(CrystalField(lattice, ("Si",), place, np.ones((8, 8, 8))))
    assert block.box.cell_edges.min() >= -1e-9
    assert (block.box.cell_edges <= block.box.lengths + 1e-9).all()
    images = (block.box.positions + block.box.corner) @ np.linalg.inv(lattice) - place
    assert images == pytest.approx(images.round(), abs=1e-9)


def test_levels_leave_single_spikes_out_and_begin_where_there_is_something_to_see() -> None:
    field = fcc_crystal()
    field.values[5, 5, 5] += 1e6
    block = FieldBlock.of(field)
    low, high = block.levels
    assert low < block.first_level < high
    assert high < 1e6


def test_there_is_no_surface_at_a_level_that_is_nowhere_reached() -> None:
    field = fcc_crystal()
    assert FieldBlock.of(field).signs(2.0) == (1,)
    assert FieldBlock.of(field).signs(3.5) == ()
    signed = CrystalField(field.lattice, field.species, field.positions, field.values - 2.5, is_signed=True)
    assert FieldBlock.of(signed).signs(0.3) == (1, -1)
    assert FieldBlock.of(signed).signs(1.0) == (-1,)


def test_a_field_on_a_finer_grid_is_the_same_function() -> None:
    coarse, fine = (wave(grid_points(FCC_ANG, count)) for count in (12, 25))
    assert on_grid(coarse, fine.shape) == pytest.approx(fine, abs=1e-12)
    assert on_grid(fine, coarse.shape) == pytest.approx(coarse, abs=1e-12)


def test_an_average_over_planes_is_flat_where_the_function_is_and_keeps_the_mean() -> None:
    x = np.arange(24) / 24
    lattice = np.diag([3.0, 4.0, 5.0])
    values = 1 + np.cos(2 * np.pi * x)[:, None, None] * np.ones((24, 24, 24))
    field = CrystalField(lattice, ("H",), np.array([[0.5, 0.0, 0.0]]), values)
    along = planar_average(field, "a")
    assert along.positions[-1] == pytest.approx(3.0)
    assert along.values[:-1] == pytest.approx(values[:, 0, 0])
    assert along.values[-1] == along.values[0]
    assert along.atoms == ((1.5, "H"),)
    assert planar_average(field, "b").values == pytest.approx(1.0)


def finish(run: RunModel, calculation: Calculation, title: str, density: float, **further: Any) -> RunFolder:
    """A finished run with a constant density, electrons per cubic angstrom."""
    run.start(calculation, title)
    assert run.folder is not None
    values = np.full(further.pop("shape", (8, 8, 8)), density) * BOHR_ANG**3
    write_density(run.folder.ground_state_path, FCC_ANG / BOHR_ANG, values, **further)
    run.folder.set_status("finished")
    run.poll()
    return run.folder


def test_the_density_appears_when_the_run_ends(run: RunModel, aluminium: Calculation) -> None:
    model = DensityModel(run)
    assert model.slice is None
    finish(run, aluminium, "a run", 1.0)
    assert model.title == "a run"
    assert model.quantities == (DENSITY,)
    assert model.slice is not None
    assert model.average is not None
    assert model.block is not None
    assert model.slice.values == pytest.approx(1.0)
    assert model.average.values == pytest.approx(1.0)
    model.height_ang = 1.0
    assert model.slice.atoms == ()
    model.plane = MILLER
    assert "(1 1 1)" in model.slice.right_name
    run.start(aluminium, "the next run")
    assert (model.slice, model.average, model.block) == (None, None, None)


def test_a_run_is_subtracted_from_another_of_the_same_cell_on_whatever_grid(
    run: RunModel, aluminium: Calculation
) -> None:
    model = DensityModel(run)
    first = finish(run, aluminium, "the first", 1.0, shape=(10, 10, 10))
    finish(run, Calculation.from_dict({"structure": "si"}), "another cell", 3.0)
    assert DIFFERENCE not in model.quantities
    finish(run, aluminium, "the second", 1.5)
    ((name, path),) = model.others
    assert name.startswith("the first (")
    assert path == str(first.path)
    model.quantity = DIFFERENCE
    assert model.field is not None
    assert model.field.is_signed
    assert model.field.values == pytest.approx(0.5)


def test_where_a_loss_pulls_is_drawn_with_its_sign(run: RunModel, aluminium: Calculation) -> None:
    model = DensityModel(run)
    pull = np.linspace(-1, 1, 512).reshape(8, 8, 8)
    finish(run, aluminium, "a gradient", 1.0, further={"loss_pull": pull})
    assert PULL in model.quantities
    model.quantity = PULL
    assert model.field is not None
    assert model.field.values == pytest.approx(pull / BOHR_ANG**3)
    assert model.block is not None
    assert list(model.block.signs(model.level)) == [1, -1]


def test_spins_and_potentials_are_offered_where_they_were_saved(run: RunModel, aluminium: Calculation) -> None:
    model = DensityModel(run)
    potentials = {"xc_potential_ha": np.full((2, 8, 8, 8), 0.3), "pbe_xc_potential_ha": np.full((2, 8, 8, 8), 0.1)}
    folder = finish(run, aluminium, "a magnet", 1.0, moment=0.25, further=potentials)
    assert model.quantities == (DENSITY, SPIN, POTENTIAL)
    assert read_field(folder.ground_state_path, DENSITY).values == pytest.approx(1.0)
    assert read_field(folder.ground_state_path, SPIN).values == pytest.approx(0.25)
    model.quantity = POTENTIAL
    assert model.field is not None
    assert model.field.values == pytest.approx(0.2 * HARTREE_EV)
    assert model.field.unit == "eV"
    # What the next run does not have is not looked at any more.
    finish(run, aluminium, "no magnet", 1.0)
    assert model.quantity == DENSITY


def test_what_has_not_converged_is_marked_on_every_picture(run: RunModel, aluminium: Calculation) -> None:
    model = DensityModel(run)
    view = DensityView(model, MessageArea(), Theme())
    further = {"xc_potential_ha": np.full((2, 8, 8, 8), 0.3), "pbe_xc_potential_ha": np.full((2, 8, 8, 8), 0.1)}
    finish(run, aluminium, "unconverged", 1.0, moment=0.25, further=further, converged=False)

    def marks() -> list[bool]:
        figures = [annotation.visible for f in (view.cut, view.average) for annotation in f.figure.layout.annotations]
        return [*figures, "Not converged" in view.surface.widget.children[0].children[-1].value]

    for quantity in (DENSITY, SPIN, POTENTIAL):
        model.quantity = quantity
        assert marks() == [True] * 3
    assert view.cut.figure.layout.annotations[0].text == NOT_CONVERGED
    view.surface._switch(None)
    assert marks() == [True] * 3
    finish(run, aluminium, "converged", 1.0, moment=0.25)
    model.quantity = DENSITY
    assert marks() == [False] * 3
    run.start(aluminium, "the next run")
    assert marks() == [False] * 3


def test_a_difference_from_what_has_not_converged_is_marked(run: RunModel, aluminium: Calculation) -> None:
    model = DensityModel(run)
    finish(run, aluminium, "unconverged", 1.0, converged=False)
    finish(run, aluminium, "converged", 1.0)
    other = read_field(run.folder.ground_state_path, DENSITY)  # type: ignore[union-attr]
    assert model.doubt == ""
    assert not other.minus(replace(other, has_converged=False)).has_converged
    assert not replace(other, has_converged=False).minus(other).has_converged


def test_the_panel_follows_the_model_and_the_model_the_panel(run: RunModel, aluminium: Calculation) -> None:
    model = DensityModel(run)
    messages = MessageArea()
    view = DensityView(model, messages, Theme())
    finish(run, aluminium, "a <run>", 1.0, moment=0.25)
    assert "a &lt;run&gt;" in view.widget.children[0].value
    assert len(view.cut.figure.data[0].z) == len(model.slice.up)
    quantity = view.widget.children[1].children[0].children[0]
    assert [name for name, _ in quantity.options] == [DENSITY, SPIN]
    quantity.value = SPIN
    assert model.quantity == SPIN
    assert "orange" in view.surface.widget.children[2].value
    assert view.cut.figure.data[0].colorscale[0][1] == "#D55E00"
    assert view.cut.figure.data[0].zmin == -view.cut.figure.data[0].zmax
    # A run that has as much to look at leaves the choice, and one that has less does not fail.
    finish(run, aluminium, "another", 1.0, moment=0.5)
    assert (model.quantity, quantity.value) == (SPIN, SPIN)
    quantity.value = DIFFERENCE
    finish(run, Calculation.from_dict({"structure": "si"}), "another cell", 1.0)
    assert (model.quantity, quantity.value) == (DENSITY, DENSITY)
    assert messages.widget.value == ""
    view.surface._switch(None)
    view.surface._switch(None)
