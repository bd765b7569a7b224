"""What is said of a crystal is what textbooks and other libraries say."""

from __future__ import annotations

import pytest
from ase.build import bulk
from pymatgen.symmetry.analyzer import SpacegroupAnalyzer

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.summary import CrystalSummary
from mlxc.crystal.symmetry import conventional_cell
from mlxc.structures.shipped import shipped_names

TEXTBOOK = {
    "Al": (bulk("Al", cubic=True), "Fm-3m", 225, 4.05 / 2**0.5),
    "W": (bulk("W", a=3.16, cubic=True), "Im-3m", 229, 3.16 * 3**0.5 / 2),
    "Si": (bulk("Si", cubic=True), "Fd-3m", 227, 5.43 * 3**0.5 / 4),
    "MgO": (bulk("MgO", "rocksalt", a=4.21), "Fm-3m", 225, 4.21 / 2),
    "GaAs": (bulk("GaAs", "zincblende", a=5.65), "F-43m", 216, 5.65 * 3**0.5 / 4),
    "CsCl": (bulk("CsCl", "cesiumchloride", a=4.12), "Pm-3m", 221, 4.12 * 3**0.5 / 2),
    "Mg": (bulk("Mg", a=3.21, c=5.3), "P6_3/mmc", 194, 3.21),
    "ZnO": (bulk("ZnO", "wurtzite", a=3.25, c=5.2, u=0.38), "P6_3mc", 186, None),
    "CaF2": (bulk("CaF2", "fluorite", a=5.46), "Fm-3m", 225, 5.46 * 3**0.5 / 4),
}


@pytest.mark.parametrize("formula", TEXTBOOK)
def test_group_and_shortest_distance_are_those_of_the_textbook(formula: str) -> None:
    atoms, symbol, number, distance = TEXTBOOK[formula]
    summary = CrystalSummary.of(Crystal.from_ase(atoms))
    assert (summary.formula, summary.space_group, summary.space_group_number) == (formula, symbol, number)
    assert summary.volume_ang3 == pytest.approx(atoms.get_volume())
    if distance is not None:
        assert summary.shortest_distance_ang == pytest.approx(distance)


@pytest.mark.parametrize("name", shipped_names())
def test_the_group_is_that_of_pymatgen_and_the_cell_is_primitive(name: str) -> None:
    crystal = Crystal.load(name)
    summary = CrystalSummary.of(crystal)
    analyzer = SpacegroupAnalyzer(crystal.to_pymatgen(), symprec=1e-5)
    assert summary.space_group_number == analyzer.get_space_group_number()
    assert summary.primitive_atoms == summary.atoms
    assert summary.primitive_in_words == ""


def test_the_sentences_tell_source_formula_group_distance_moments_and_atoms() -> None:
    cube = bulk("Fe", a=2.87, cubic=True)
    crystal = Crystal.from_ase(cube)
    given = Crystal(crystal.lattice, crystal.species, crystal.positions, [2.2, -2.2], "iron", "fe.cif (CIF)")
    what, closest = CrystalSummary.of(given).sentences()
    assert what == "fe.cif (CIF): Fe, 2 atoms in a cell of 23.64 cubic angstrom, space group Im-3m (229)" + (
        ", lowered by the moments."
    )
    assert closest == "Closest atoms: 1 (Fe) and 2 (Fe), 2.485 angstrom; moments: 1 Fe +2.2, 1 Fe -2.2 Bohr magneton."
    parallel = CrystalSummary.of(Crystal.from_ase(cube).supercell(1, 1, 2))
    assert parallel.primitive_in_words == "4 atoms; the primitive cell has 1"
    alone = CrystalSummary.of(Crystal.from_ase(bulk("Al", a=4.05)))
    assert "Closest atoms: 1 (Al) and its own image, 2.864 angstrom; moments: none given." in alone.sentences()


def test_atoms_at_general_positions_have_no_symmetry_and_say_so() -> None:
    crystal = Crystal([[7, 0.3, 0.1], [0.2, 8, 0.4], [0.5, 0.1, 9]], ["H", "Li"], [[0.1, 0.2, 0.3], [0.6, 0.5, 0.9]])
    assert CrystalSummary.of(crystal).space_group == "P1"


@pytest.mark.parametrize(("formula", "lengths", "angles"), [
    ("Mg", (3.21, 3.21, 5.3), (90, 90, 120)), ("MgO", (4.21, 4.21, 4.21), (90, 90, 90)),
])  # fmt: skip
def test_the_conventional_cell_is_that_of_the_textbook(
    formula: str, lengths: tuple[float, ...], angles: tuple[float, ...]
) -> None:
    found = conventional_cell(Crystal.from_ase(TEXTBOOK[formula][0]))
    assert found is not None
    assert found[0] == pytest.approx(lengths)
    assert found[1] == pytest.approx(angles)
