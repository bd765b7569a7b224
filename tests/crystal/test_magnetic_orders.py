"""Magnetic orders are those that textbooks name, and as many as an enumeration without any theory finds."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import spglib

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.magnetic_orders import MagneticOrder, magnetic_orders
from mlxc.crystal.superlattices import is_contained
from mlxc.errors import InputError

FCC = (np.ones((3, 3)) - np.eye(3)) / 2
BCC = np.ones((3, 3)) / 2 - np.eye(3)
HEXAGONAL = np.array([[1, 0, 0], [-0.5, 3**0.5 / 2, 0], [0, 0, 1.6]])
ROCK_SALT = Crystal(7.9 * FCC, ["Ni", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]], name="NiO")
IRON = Crystal(5.4 * BCC, ["Fe"], [[0, 0, 0]], name="iron")
IRON_CUBE = Crystal(5.4 * np.eye(3), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]], name="iron")
PEROVSKITE = Crystal(
    7.3 * np.eye(3),
    ["Ca", "Mn", "O", "O", "O"],
    [[0, 0, 0], [0.5, 0.5, 0.5], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]],
    name="CaMnO3",
)
COBALT = Crystal(4.7 * HEXAGONAL, ["Co", "Co"], [[1 / 3, 2 / 3, 0.25], [2 / 3, 1 / 3, 0.75]], name="cobalt")
CAESIUM_CHLORIDE = Crystal(5.4 * np.eye(3), ["Fe", "Co"], [[0, 0, 0], [0.5, 0.5, 0.5]], name="FeCo")
KAGOME = Crystal(
    9.0 * HEXAGONAL, ["Fe"] * 3, [[0.5, 0, 0], [0, 0.5, 0], [0.5, 0.5, 0]], name="kagome"
)  # whose triangles leave no antiferromagnet in one cell
RUTILE = Crystal(
    np.diag([9.2, 9.2, 6.2]),
    ["Mn", "Mn", "F", "F", "F", "F"],
    [[0, 0, 0], [0.5, 0.5, 0.5], [0.3, 0.3, 0], [0.7, 0.7, 0], [0.2, 0.8, 0.5], [0.8, 0.2, 0.5]],
    name="MnF2",
)


def names(crystal: Crystal, magnetic: str, max_cells: int = 2) -> list[str]:
    return [order.name for order in magnetic_orders(crystal, magnetic.split(), max_cells)]


def test_nickel_oxide_has_two_antiferromagnets_of_two_formula_units() -> None:
    *uniform, first, second = magnetic_orders(ROCK_SALT, ["Ni"])
    assert [order.name for order in uniform] == ["non-magnetic", "ferromagnetic"]
    assert [order.name.split(" (")[0] for order in (first, second)] == ["antiferromagnetic 1", "antiferromagnetic 2"]
    named = {order.layers: order for order in (first, second)}
    assert set(named) == {"layers along 001", "layers along 111"}
    # Three cube edges and four body diagonals along which the layers may follow each other.
    assert [named[layers].multiplicity for layers in sorted(named)] == [3, 4]
    assert {order.cells for order in (first, second)} == {2}
    assert all((order.signs[1] == 0).all() and order.signs[0].sum() == 0 for order in (first, second))


def test_iron_has_one_antiferromagnet_of_two_atoms_in_the_cube() -> None:
    assert names(IRON_CUBE, "Fe", 1) == ["non-magnetic", "ferromagnetic", "antiferromagnetic (layers along 001)"]
    primitive = names(IRON, "Fe")
    assert sorted(name.split(" (")[-1] for name in primitive[2:]) == ["layers along 001)", "layers along 110)"]


def test_a_perovskite_has_antiferromagnets_of_the_types_a_c_and_g() -> None:
    """E. O. Wollan, W. C. Koehler, Phys. Rev. 100, 545 (1955)."""
    orders = magnetic_orders(PEROVSKITE, ["Mn"])[2:]
    found = {order.layers: order.multiplicity for order in orders}
    assert found == {"layers along 001": 3, "layers along 110": 3, "layers along 111": 1}


def test_double_layers_are_told_by_their_signs() -> None:
    assert any(name.endswith("(layers along 001: ++--)") for name in names(PEROVSKITE, "Mn", 4))


def test_the_antiferromagnet_of_manganese_fluoride_takes_no_supercell() -> None:
    assert names(RUTILE, "Mn", 1)[2:] == ["antiferromagnetic (layers along 001)"]


def test_a_frustrated_triangle_has_no_antiferromagnet_in_one_cell() -> None:
    assert names(KAGOME, "Fe", 1) == ["non-magnetic", "ferromagnetic"]


def test_opposed_elements_make_a_ferrimagnet() -> None:
    orders = magnetic_orders(CAESIUM_CHLORIDE, ["Fe", "Co"], 1)
    assert [order.name for order in orders] == ["non-magnetic", "ferromagnetic", "ferrimagnetic (layers along 001)"]
    assert orders[-1].signs.tolist() == [[1], [-1]]
    assert len(magnetic_orders(CAESIUM_CHLORIDE, ["Co"], 1)) == 2


def test_moments_that_are_given_do_not_count() -> None:
    marked = Crystal(IRON_CUBE.lattice, IRON_CUBE.species, IRON_CUBE.positions, [2, -2], "iron")
    assert names(marked, "Fe") == names(IRON_CUBE, "Fe")


def test_layers_do_not_repeat_across_a_vacuum() -> None:
    square = Crystal(np.diag([5.0, 5.0, 20.0]), ["Fe"], [[0, 0, 0]], name="sheet")
    chain = Crystal(np.diag([5.0, 20.0, 20.0]), ["Fe"], [[0, 0, 0]], name="chain")
    assert len(magnetic_orders(square, ["Fe"])) == 2 + 2  # stripes and a chessboard
    assert names(chain, "Fe")[2:] == ["antiferromagnetic (layers along 001)"]  # along its fourfold axis


def test_supercells_of_more_atoms_than_allowed_are_left_out() -> None:
    assert len(magnetic_orders(ROCK_SALT, ["Ni"], 2, max_atoms=3)) == 2
    assert len(magnetic_orders(ROCK_SALT, ["Ni"], 2, max_atoms=4)) == 4


@pytest.mark.parametrize(
    ("crystal", "magnetic", "cells", "complaint"),
    [
        (ROCK_SALT, ["Fe"], 2, "magnetic: NiO has no atom of Fe"),
        (KAGOME, ["Fe"], 8, "max_cells: 8 cells hold 24 magnetic atoms, and orders of at most 16"),
    ],
)
def test_what_cannot_be_listed_is_said(crystal: Crystal, magnetic: list[str], cells: int, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        magnetic_orders(crystal, magnetic, cells)


@pytest.mark.parametrize(
    ("crystal", "magnetic"),
    [
        (ROCK_SALT, "Ni"),
        (IRON, "Fe"),
        (PEROVSKITE, "Mn"),
        pytest.param(COBALT, "Co", marks=pytest.mark.thorough),
        pytest.param(CAESIUM_CHLORIDE, "Fe Co", marks=pytest.mark.thorough),
    ],
    ids=lambda value: value.name if isinstance(value, Crystal) else "",
)
def test_as_many_orders_are_found_as_patterns_of_a_large_supercell_have_classes(
    crystal: Crystal, magnetic: str
) -> None:
    """All patterns of the 2 x 2 x 2 supercell, sorted by the operations that spglib finds for it."""
    large = crystal.supercell(2, 2, 2)
    sites = [index for index, symbol in enumerate(large.species) if symbol in magnetic.split()]
    expected = brute_force(large, sites)
    twice = 2 * np.eye(3, dtype=int)
    # The other supercells of up to four cells do not fit into this one.
    orders = [
        order for order in magnetic_orders(crystal, magnetic.split(), 4) if is_contained(twice, order.superlattice)
    ]
    found = dict.fromkeys((1, 2, 4), 0)
    arrangements = dict(found)
    for order in orders[1:]:  # without the state that has no moments
        found[order.cells] += 1
        arrangements[order.cells] += order.multiplicity
    assert (found, arrangements) == expected


def brute_force(large: Crystal, sites: list[int]) -> tuple[dict[int, int], dict[int, int]]:
    """How many classes of patterns, and how many patterns, have a period of 1, 2 or 4 of the 8 cells."""
    cell = (large.lattice, large.positions, large.atomic_numbers)
    symmetry = spglib.get_symmetry(cell, symprec=1e-5)
    moves = [
        _permutation(large, sites, w, t) for w, t in zip(symmetry["rotations"], symmetry["translations"], strict=True)
    ]
    of_lattice = np.array(np.meshgrid(*[[0, 0.5]] * 3, indexing="ij")).reshape(3, -1).T
    periods = [_permutation(large, sites, np.eye(3), shift) for shift in of_lattice]
    equal = {frozenset(move[site] for move in moves) for site in range(len(sites))}
    size = len(sites)
    classes: dict[int, int] = {1: 0, 2: 0, 4: 0}
    patterns = dict(classes)
    seen: set[tuple[int, ...]] = set()
    signs = 1 - 2 * ((np.arange(2 ** (size - 1))[:, None] >> np.arange(size)) & 1)
    kept = np.ones(len(signs), dtype=bool)
    for atoms in equal:
        sums = signs[:, sorted(atoms)].sum(axis=1)
        kept &= (sums == 0) | (abs(sums) == len(atoms))
    repeats = sum((signs[:, period] == signs).all(axis=1).astype(int) for period in periods)
    for pattern in signs[kept & (repeats > 1)]:
        cells = 8 // sum((pattern[period] == pattern).all() for period in periods)
        if tuple(pattern) in seen:
            continue
        orbit = {tuple(sign * pattern[move]) for move in moves for sign in (1, -1)}
        seen |= orbit
        classes[cells] += 1
        patterns[cells] += len(orbit) // 2
    return classes, patterns


def _permutation(large: Crystal, sites: list[int], rotation: Any, translation: Any) -> list[int]:
    positions = large.positions[sites]
    distances = (positions @ np.asarray(rotation).T + translation)[:, None] - positions
    distances -= distances.round()
    return [int(index) for index in np.abs(distances).max(axis=-1).argmin(axis=1)]


@pytest.mark.thorough
@pytest.mark.parametrize("crystal", [ROCK_SALT, PEROVSKITE, RUTILE], ids=lambda crystal: crystal.name)
def test_pymatgen_cannot_bring_two_orders_to_coincide(crystal: Crystal) -> None:
    """Up and down as two elements: no order matches another one, nor that with all spins turned over."""
    from pymatgen.analysis.structure_matcher import StructureMatcher

    (symbol,) = set(crystal.species) & {"Ni", "Mn"}
    orders = magnetic_orders(crystal, [symbol], 2 if crystal is RUTILE else 4)[1:]
    matcher = StructureMatcher(primitive_cell=False, scale=False, attempt_supercell=False)
    for order in orders:  # in other words it does match
        again = painted(crystal, order, 1)
        again.make_supercell([[0, 1, 0], [0, 0, 1], [1, 0, 0]])
        assert matcher.fit(painted(crystal, order, 1), again)
    for first, second in combinations(orders, 2):
        if first.cells == second.cells:
            for sign in (1, -1):
                assert not matcher.fit(painted(crystal, first, 1), painted(crystal, second, sign))


def painted(crystal: Crystal, order: MagneticOrder, sign: int) -> Any:
    """The order as a structure of pymatgen whose atoms up and down are iron and cobalt."""
    moved = order.in_supercell(crystal, order.superlattice, np.ones(len(crystal.species)))
    structure = moved.to_pymatgen()
    structure.remove_site_property("magmom")
    for index, moment in enumerate(sign * moved.moments):
        if moment:
            structure.replace(index, "Fe" if moment > 0 else "Co")
    return structure


def test_an_order_becomes_a_crystal_with_moments() -> None:
    order = magnetic_orders(ROCK_SALT, ["Ni"])[2]
    crystal = order.in_supercell(ROCK_SALT, order.superlattice, [2.0, 1.0])
    assert crystal.species == ("Ni", "Ni", "O", "O")
    assert crystal.moments.tolist() == [2, -2, 0, 0]
    assert crystal.volume == pytest.approx(2 * ROCK_SALT.volume)
    assert crystal.name == "NiO"
