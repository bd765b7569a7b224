"""Which bonds are drawn, and from where a crystal is seen."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from mlxc_app.choose.model import ChooseModel
from mlxc_app.widgets.bonds import bonds
from mlxc_app.widgets.crystal_picture import axes_along, draw
from mlxc_app.widgets.crystal_shapes import bond_shapes, element_colour, frame_shapes
from mlxc_app.widgets.crystal_viewer import StructureViewer, legend_html
from mlxc_app.widgets.theme import Theme

from mlxc import Crystal
from mlxc.units import BOHR_ANG

BARIUM_TITANATE = Crystal(
    np.eye(3) * 4.0 / BOHR_ANG, ["Ba", "Ti", "O", "O", "O"],
    np.array([[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]]), name="BaTiO3",
)  # fmt: skip
WATER = Crystal(
    np.eye(3) * 9.0 / BOHR_ANG, ["O", "H", "H"],
    np.array([[4.0, 4.0, 4.6], [4.0, 4.76, 4.0], [4.0, 3.24, 4.0]]) / 9.0, name="water",
)  # fmt: skip


def kinds(crystal: Crystal) -> Counter[str]:
    picture = draw(crystal.to_dict())
    found = bonds(picture.symbols, picture.positions)
    return Counter("-".join(sorted((picture.symbols[i], picture.symbols[j]))) for i, j in found)


def test_barium_titanate_has_bonds_between_metals_and_oxygen_alone() -> None:
    found = kinds(BARIUM_TITANATE)
    assert found["O-Ti"] == 6
    assert set(found) == {"O-Ti", "Ba-O"}


@pytest.mark.parametrize(
    ("name", "kind", "count"),
    [
        ("diamond", "C-C", 16), ("gaas", "As-Ga", 16), ("nacl", "Cl-Na", 54), ("na", "Na-Na", 8), ("cu", "Cu-Cu", 36),
        ("hbn", "B-N", 13), ("mgo", "Mg-O", 54),
    ],
)  # fmt: skip
def test_neighbours_have_bonds_and_nobody_else(name: str, kind: str, count: int) -> None:
    assert kinds(Crystal.load(name)) == {kind: count}


def test_a_molecule_is_drawn_whole() -> None:
    assert kinds(WATER) == {"H-O": 2}


@pytest.mark.parametrize("along", [0, 1, 2])
@pytest.mark.parametrize("name", ["graphene", "si"])
def test_the_chosen_lattice_vector_points_to_the_eye(name: str, along: int) -> None:
    crystal = Crystal.load(name)
    turn = axes_along(crystal.lattice, along)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(turn) == pytest.approx(1)  # nothing is mirrored
    seen = draw(crystal.to_dict(), along=along).axes
    np.testing.assert_allclose(seen[along, :2], 0, atol=1e-9)
    assert seen[along, 2] > 0
    assert seen[1 if along == 2 else 2, 1] > 0


def test_each_half_of_a_bond_has_the_colour_of_its_atom() -> None:
    shapes = bond_shapes(("Na", "Cl"), np.array([[0.0, 0, 0], [0, 0, 2.8]]))
    assert [shape[3] for shape in shapes] == [element_colour("Na"), element_colour("Cl")]
    assert [shape[2] for shape in shapes] == [[0.0, 0.0, 1.4]] * 2
    assert len(frame_shapes(np.zeros((12, 2, 3)))) == 12


def test_the_legend_names_each_element_once_and_bonds_can_be_left_out() -> None:
    viewer = StructureViewer(ChooseModel("nacl").structure, Theme())
    _, row = viewer.widget.children
    legend, toggle, _, a, *_ = row.children
    assert legend.value == legend_html(("Na", "Cl"))
    assert legend.value.count("Na") == 1
    toggle.value = False
    a.click()
    a.click()
