"""Multiplicities and densities in a CIF that are not those of its atoms are told."""

from __future__ import annotations

import pytest
from cif_texts import CUBIC, cif_text, cube, name, read

COLUMNS = "label type_symbol symmetry_multiplicity fract_x fract_y fract_z"
ALL_OF_MGO = [
    f"{element}{index} {element} 4 {place}"
    for element, places in (
        ("Mg", ("0 0 0", ".5 .5 0", ".5 0 .5", "0 .5 .5")),
        ("O", (".5 .5 .5", "0 0 .5", "0 .5 0", ".5 0 0")),
    )
    for index, place in enumerate(places, 1)
]


def rock_salt(symmetry: str, *rows: str, more: str = "") -> tuple[str, ...]:
    return read(cif_text(cube(4.21), name(symmetry), *rows, columns=COLUMNS, more=more)).notes


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param(4, 4, id="multiplicities"),
        pytest.param(48, 48, id="orders of the sites' symmetry, as SHELXL 97 has it"),
        pytest.param(1, 1, id="in the primitive cell"),
        pytest.param("?", ".", id="unknown"),
    ],
)
def test_multiplicities_in_each_of_their_meanings_agree(first: object, second: object) -> None:
    assert not rock_salt("F m -3 m", f"Mg1 Mg {first} 0 0 0", f"O1 O {second} .5 .5 .5")


def test_atoms_that_are_all_listed_may_keep_their_multiplicities() -> None:
    assert not rock_salt("P 1", *ALL_OF_MGO)


def test_multiplicities_of_another_symmetry_are_told() -> None:
    """The unique atoms alone, in the group of nothing; and an atom beside its special position."""
    (note,) = rock_salt("P 1", "Mg1 Mg 4 0 0 0", "O1 O 4 .5 .5 .5")
    assert note == "The CIF says that Mg1 is 4 times in the cell, and its symmetry makes 1 of it."
    (note,) = rock_salt("F m -3 m", "Mg1 Mg 4 0 0 0", "O1 O 4 .6 0 0")
    assert note == "The CIF says that O1 is 4 times in the cell, and its symmetry makes 24 of it."


def test_a_density_of_other_atoms_is_told() -> None:
    """Magnesium oxide has 3.58 g/cm3, and ice with deuterium 11 % more than what is computed as hydrogen."""
    rows = ("Mg1 Mg 4 0 0 0", "O1 O 4 .5 .5 .5")
    assert not rock_salt("F m -3 m", *rows, more="_exptl_crystal_density_diffrn 3.58(2)")
    (note,) = rock_salt("F m -3 m", *rows, more="_exptl_crystal_density_diffrn 0.90")
    assert note == "The density in the CIF is 0.9 g/cm3, and that of the atoms that were read is 3.59."
    hydride = cif_text(f"4.07 4.07 4.07 {CUBIC}", name("F m -3 m"), "Li1 Li 0 0 0", "D1 D .5 .5 .5",
                       more="_exptl_crystal_density_meas 0.89")  # fmt: skip
    assert not [note for note in read(hydride).notes if "density" in note]
