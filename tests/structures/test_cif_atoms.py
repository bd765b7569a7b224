"""The atoms of a CIF: which element, where, how many, and no crystal where one of these is not certain."""

from __future__ import annotations

import numpy as np
import pytest
from cif_texts import SITE, atoms, cif_text, cube, formula, name, read

from mlxc.errors import InputError

ROCKSALT = (cube(4.21), name("F m -3 m"))
FLUORINE = "F1 F 0.5 0.5 0.5"


@pytest.mark.parametrize("symbol", ["Mg", "MG", "mg", "Mg2+", "Mg+2", "Mg2", "Mg1.9+", "24Mg", "Mg(II)", "Mg0"])
def test_a_type_symbol_is_an_element_with_or_without_its_charge(symbol: str) -> None:
    assert atoms(cif_text(*ROCKSALT, f"A1 {symbol} 0 0 0", FLUORINE)) == {"Mg": 4, "F": 4}


@pytest.mark.parametrize(
    "symbol", ["M", "X", "Xx", "Mgx", "OH", "OH-", "H2O", "Wat", "Vac", "Va", "T", "Мg", "Mg²⁺", "CO"]
)
def test_a_type_symbol_that_is_no_element_is_refused(symbol: str) -> None:
    with pytest.raises(InputError, match=f"'{symbol}' is not a chemical element"):
        read(cif_text(*ROCKSALT, f"A1 {symbol} 0 0 0", FLUORINE))


LABELS = "label fract_x fract_y fract_z"


def labelled(label: str, composition: str = "") -> dict[str, int]:
    """The atoms of a crystal whose one element is known by its label alone."""
    more = formula(composition) if composition else ""
    return atoms(cif_text(*ROCKSALT, f"{label} 0 0 0", "F1 .5 .5 .5", columns=LABELS, more=more))


@pytest.mark.parametrize(
    ("label", "element"),
    [
        ("Mg", "Mg"), ("Mg1", "Mg"), ("MG1", "Mg"), ("Mg1A", "Mg"), ("Mg(1)", "Mg"), ("MgM1", "Mg"), ("Hg(1)", "Hg"),
        ("Na1", "Na"), ("AL1", "Al"), ("Cl_2", "Cl"), ("Cs1", "Cs"), ("C1", "C"), ("C10B", "C"), ("Co1", "Co"),
        ("SiT2", "Si"), ("D1", "H"), ("O2'", "O"), ("Fe3+", "Fe"),
    ],
)  # fmt: skip
def test_a_label_that_can_mean_one_element_means_it(label: str, element: str) -> None:
    assert labelled(label) == {element: 4, "F": 4}


@pytest.mark.parametrize(
    "label",
    ["M1", "X", "T1", "A", "1", "OH", "OH1", "Oh", "OW1", "Ow2", "Wat1", "Vac", "Va1", "OA1", "O1W", "Lp1",
     "NA1", "CA", "CO1", "CL1", "CS1", "SI1", "SN1", "HO1", "NB2"],
)  # fmt: skip
def test_a_label_that_can_mean_several_things_is_refused_without_a_formula(label: str) -> None:
    with pytest.raises(InputError, match=r"label '?\w+'?"):
        labelled(label)


@pytest.mark.parametrize(
    ("label", "composition", "element"),
    [
        ("CA1", "Ca F", "Ca"), ("NA1", "F Na", "Na"), ("NA1", "F N", "N"), ("CO1", "Co F", "Co"), ("CO1", "C F", "C"),
        ("CL1", "Cl F", "Cl"), ("OA1", "F O", "O"), ("HO1", "F H", "H"), ("HO1", "F Ho", "Ho"), ("SI", "F Si", "Si"),
        ("O1W", "F O", "O"), ("D1", "D F", "H"),
    ],
)  # fmt: skip
def test_a_formula_says_which_element_a_label_means(label: str, composition: str, element: str) -> None:
    assert labelled(label, composition) == {element: 4, "F": 4}


def test_a_label_of_two_elements_that_are_both_in_the_formula_is_refused() -> None:
    with pytest.raises(InputError, match="Co or C"):
        labelled("CO1", "C Co F2")


BRUCITE = ("3.142 3.142 4.766 90 90 120", name("P -3 m 1"), "Mg1 Mg 0 0 0", "O1 O .3333 .6667 .2203")


@pytest.mark.parametrize("composition", ["H2 Mg O2", "Mg (O H)2", "Mg(OH)2", "D2 Mg O2", "MG O2 H2"])
def test_hydrogen_that_the_formula_has_and_the_atoms_have_not_is_missed(composition: str) -> None:
    with pytest.raises(InputError, match=r"are Mg1 O2, but _chemical_formula_sum is"):
        read(cif_text(*BRUCITE, more=formula(composition)))
    whole = cif_text(*BRUCITE, "H1 H .3333 .6667 .425", more=formula(composition, 1))
    assert atoms(whole) == {"Mg": 1, "O": 2, "H": 2}


def test_a_structural_formula_stands_in_for_a_sum_that_is_missing() -> None:
    with pytest.raises(InputError, match=r"_chemical_formula_structural is 'Mg \(O H\)2'"):
        read(cif_text(*BRUCITE, more="_chemical_formula_structural 'Mg (O H)2'"))
    for agrees in ("Mg O2", "Mg(O)2", "magnesium peroxide", "(Mg,Fe) O2"):
        assert atoms(cif_text(*BRUCITE, more=f"_chemical_formula_structural '{agrees}'")) == {"Mg": 1, "O": 2}


def test_hydrogen_that_is_attached_or_in_a_label_is_missed_without_a_formula() -> None:
    with pytest.raises(InputError, match="2 hydrogen atoms to O1"):
        read(cif_text(*ROCKSALT, "Mg1 Mg 0 0 0 0", "O1 O .5 .5 .5 2", columns=SITE + " attached_hydrogens"))
    for label in ("OH1", "O-H", "O1W", "OW", "Wat2", "H2O"):
        with pytest.raises(InputError, match=f"label {label} .* speaks of hydrogen"):
            read(cif_text(*ROCKSALT, "Mg1 Mg 0 0 0", f"{label} O .5 .5 .5"))


@pytest.mark.parametrize(
    ("composition", "units"),
    [
        ("F Mg", 4),
        ("Mg4 F4", 4),
        ("Mg4 F4", 1),
        ("Mg F", None),
        ("Mg2 F2", 2),
        ("(Mg F)", 4),
        ("MG F", 4),
    ],
)
def test_a_formula_agrees_with_the_atoms_however_it_counts(composition: str, units: int | None) -> None:
    assert atoms(cif_text(*ROCKSALT, "Mg1 Mg 0 0 0", FLUORINE, more=formula(composition, units))) == {"Mg": 4, "F": 4}


@pytest.mark.parametrize(
    ("composition", "units"),
    [("F2 Mg", 4), ("F Mg", 2), ("F Mg", 1), ("F Mg", 8), ("Ca F", 4), ("F Mg O", 4), ("F", 4), ("F1.1 Mg", None)],
)
def test_a_formula_of_other_atoms_is_refused_and_both_are_said(composition: str, units: int | None) -> None:
    with pytest.raises(InputError, match=f"are F4 Mg4, but _chemical_formula_sum is '{composition}'"):
        read(cif_text(*ROCKSALT, "Mg1 Mg 0 0 0", FLUORINE, more=formula(composition, units)))


@pytest.mark.parametrize("composition", ["magnesia", "Mg F . H2 O", "Mg F, 2(H2 O)", "MgF₂", "Mg Fx", "Mg2+ F-"])
def test_a_formula_that_is_not_understood_is_refused(composition: str) -> None:
    with pytest.raises(InputError, match="must be a formula such as"):
        read(cif_text(*ROCKSALT, "Mg1 Mg 0 0 0", FLUORINE, more=formula(composition)))


OCCUPIED = SITE + " occupancy"


def occupied(*rows: str) -> dict[str, int]:
    return atoms(cif_text(*ROCKSALT, *rows, columns=OCCUPIED))


@pytest.mark.parametrize("occupancy", ["1", "1.", "1.000(3)", ".", "?", "0.999"])
def test_a_full_site_is_full(occupancy: str) -> None:
    assert occupied(f"Mg1 Mg 0 0 0 {occupancy}", f"{FLUORINE} 1") == {"Mg": 4, "F": 4}


def test_one_element_in_two_oxidation_states_on_one_site_is_that_element() -> None:
    assert occupied("Fe1 Fe2+ 0 0 0 .33", "Fe2 Fe3+ 0 0 0 .67", f"{FLUORINE} 1") == {"Fe": 4, "F": 4}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (["Mg1 Mg 0 0 0 0.5"], "Mg1 .* partially occupied"),
        (["Mg1 Mg 0 0 0 0.99"], "Mg1 .* partially occupied"),
        (["Mg1 Mg 0 0 0 .5", "Fe1 Fe 0 0 0 .5"], r"Mg1 and Fe1 .* partially occupied \(0.5 Mg and 0.5 Fe\)"),
        (["Fe1 Fe2+ 0 0 0 .5", "Fe2 Fe3+ 0 0 0 .3"], "Fe1 and Fe2 .* partially occupied"),
        (["Mg1 Mg 0 0 0 .8", "Fe1 Fe 0 0 0 .8"], "Mg1 and Fe1 .* on top of each other"),
        (["Mg1 Mg 0 0 0 1", "Fe1 Fe 0 0 0 1"], "Mg1 and Fe1 .* on top of each other"),
        (["Mg1 Mg 0 0 0 1", "Mg2 Mg 0 0 0 1"], "Mg1 and Mg2 .* on top of each other"),
        (["Mg1 Mg 0 0 0 1", "Fe1 Fe .5 0 .5 1"], "Fe1 .* and Mg1 .* on top of each other"),
        (["Mg1 Mg 0 0 0 1.5"], "between 0 and 1"),
        (["Mg1 Mg 0 0 0 -1"], "between 0 and 1"),
        (["Mg1 Mg 0 0 0 full"], "must be a number, not 'full'"),
        (["Mg1 Mg . . . 1"], "Mg1 is not located"),
        (["Mg1 Mg 0 ? 0 1"], "Mg1 is not located"),
        (["? ? 0 0 0 1"], "neither a label"),
    ],
)
def test_a_site_that_is_not_one_atom_is_refused_by_its_label(rows: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        occupied(*rows, f"{FLUORINE} 1")


def test_alternatives_of_disorder_are_refused_and_a_group_alone_is_not() -> None:
    columns = SITE + " disorder_assembly disorder_group"
    with pytest.raises(InputError, match="groups 1 and 2"):
        read(cif_text(*ROCKSALT, "Mg1 Mg 0 0 0 A 1", "F1 F .5 .5 .5 A 2", columns=columns))
    assert atoms(cif_text(*ROCKSALT, "Mg1 Mg 0 0 0 . .", "F1 F .5 .5 .5 . 1", columns=columns)) == {"Mg": 4, "F": 4}


def test_what_is_no_atom_is_left_out_and_told() -> None:
    columns = SITE + " occupancy calc_flag"
    rows = ("Mg1 Mg 0 0 0 1 .", f"{FLUORINE} 1 .", "X1 ? .25 .25 .25 1 dum", "H1 H . . . 0 .")
    reading = read(cif_text(*ROCKSALT, *rows, columns=columns))
    assert len(reading.crystal.species) == 8
    assert any("X1" in note for note in reading.notes)
    assert any("H1" in note for note in reading.notes)


def test_deuterium_is_hydrogen_and_told() -> None:
    reading = read(cif_text(*ROCKSALT, "D1 D 0 0 0", FLUORINE, more=formula("D F", 4)))
    assert reading.crystal.species.count("H") == 4
    assert any("Deuterium" in note and "D1" in note for note in reading.notes)


@pytest.mark.parametrize(
    ("cell", "group", "rounded", "exact", "count"),
    [
        ("2.504 2.504 6.661 90 90 120", "P 63/m m c", ".333 .667 .25", (1 / 3, 2 / 3, 1 / 4), 2),
        ("5.5 5.5 9 90 90 120", "P 63/m m c", ".33 .67 .25", (1 / 3, 2 / 3, 1 / 4), 2),
        ("6 6 5 90 90 120", "P 63/m m c", ".167 .333 .25", (0.1665, 0.333, 1 / 4), 6),
        ("4 4 5 90 90 120", "P -3 m 1", ".3333 .6666 .2203", (1 / 3, 2 / 3, 0.2203), 2),
        ("8 8 8 90 90 90", "P m -3 m", ".1231 .1229 .1230", (0.123, 0.123, 0.123), 8),
        ("5 5 13 90 90 120", "R -3 c :H", ".001 -.001 .2501", (0, 0, 1 / 4), 6),
        ("8.08 8.08 8.08 90 90 90", "F d -3 m :2", ".2624 .2624 .2625", (0.26243, 0.26243, 0.26243), 32),
        ("4.9 4.9 5.4 90 90 120", "P 32 2 1", ".4697 0 .667", (0.4697, 0, 2 / 3), 3),
    ],
)
def test_a_rounded_wyckoff_position_is_the_exact_one(
    cell: str, group: str, rounded: str, exact: tuple[float, float, float], count: int
) -> None:
    crystal = read(cif_text(cell, name(group), f"Si1 Si {rounded}")).crystal
    assert len(crystal.species) == count
    apart = crystal.positions[0] - exact
    assert apart - np.round(apart) == pytest.approx(0, abs=1e-4)


def test_a_position_that_is_moved_far_is_told_and_one_between_is_refused() -> None:
    assert any(
        "moved" in note for note in read(cif_text("5.5 5.5 9 90 90 120", name("P 63/m m c"), "B1 B .33 .67 .25")).notes
    )
    with pytest.raises(InputError, match="on top of each other"):
        read(cif_text(cube(5), name("P m -3 m"), "B1 B .03 0 0"))
    general = read(cif_text(cube(9), name("P m -3 m"), "Cl1 Cl .14 0 0"))
    assert (len(general.crystal.species), general.notes) == (6, ())


def test_atoms_beyond_the_limit_are_counted_and_not_made() -> None:
    rows = [f"He{i} He {i / 40:.5f} .123 .271" for i in range(1, 12)]
    with pytest.raises(InputError, match="at most 1000"):
        read(cif_text(cube(60), name("F m -3 m"), *rows))
