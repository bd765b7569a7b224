"""A POSCAR is read by VASP's rules: what it says is computed, and what it does not say is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.structures.files import read_structure
from mlxc.structures.formats.poscar import read_poscar
from mlxc.units import BOHR_ANG

CUBE = "c\n1.0\n4.21 0 0\n0 4.21 0\n0 0 4.21\n"
PLACES = "Direct\n0 0 0\n0.5 0.5 0.5\n"
USUAL = CUBE + "Mg O\n1 1\n" + PLACES
MGO = Crystal(4.21 / BOHR_ANG * np.eye(3), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.mark.parametrize(
    "text",
    [
        USUAL,
        "c\n-74.618461\n1 0 0\n0 1 0\n0 0 1\nMg O\n1 1\n" + PLACES,
        "c\n4.21\n1 0 0\n0 1 0\n0 0 1\nMg O\n1 1\nCartesian\n0 0 0\n.5 .5 .5\n",
        "c\n2 2 4.21\n2.105 0 0\n0 2.105 0\n0 0 1\nMg O\n1 1\nCartesian\n0 0 0\n1.0525 1.0525 .5\n",
        CUBE + "Mg O\n1 1\nSelective dynamics\nkartesisch\n0 0 0 T T F\n2.105 2.105 2.105 F F F\n",
        CUBE + "Mg_pv O_s/0a1b2c\n1 1\n" + PLACES,
        CUBE + "Mg\nO\n1\n1\n" + PLACES,
        CUBE + "Mg Al O\n1 0 1\n" + PLACES,
        CUBE + "Mg O\n1 1   # one of each\nDirect ! fractional\n0 0 0 Mg\n.5 .5 .5 O1\n",
        USUAL + "\n0.0 0.0 0.1\n0.0 0.0 0.0\n",
        "c\n1.0D+00 ! scale\n4.21d0 0 1.23-101 ! a\n0 4.21 0\n0 0 .421E1\nMg O\n1 1\n" + PLACES,
        USUAL.removeprefix("c"),
        USUAL.replace(" ", "\t").replace("\n", " \r\n"),
    ],
)
def test_one_crystal_in_all_the_ways_of_writing_it(text: str) -> None:
    assert read_structure(text, "POSCAR").same_as(MGO, tolerance=1e-5)


def test_a_species_may_come_twice() -> None:
    crystal = read_structure(CUBE + "Fe O Fe\n1 1 1\nDirect\n0 0 0\n.5 .5 .5\n.5 0 .5\n", "CONTCAR")
    assert crystal.species == ("Fe", "O", "Fe")


@pytest.mark.parametrize("name", ["POSCAR_bulk", "POSCAR.relaxed", "contcar", "mgo.vasp", "mgo.poscar", "structure"])
def test_a_poscar_is_known_by_its_name_or_by_its_form(name: str) -> None:
    assert read_structure(USUAL, name).origin == f"{name} (POSCAR)"


@pytest.mark.parametrize("comment", ["BCC Fe", "Mg O", "", "C"])
def test_elements_are_not_taken_from_the_comment(comment: str) -> None:
    text = comment + CUBE[1:] + "1 1\n" + PLACES
    with pytest.raises(InputError, match="does not say its elements: no line of species"):
        read_poscar(text)
    assert read_poscar(text, ["Mg", "O"]).crystal.same_as(MGO)


@pytest.mark.parametrize(
    ("text", "species", "complaint"),
    [
        (CUBE + "Mg O\n1\n" + PLACES, [], "the species Mg, O and the numbers of atoms 1,"),
        (CUBE + "Mg\n1 1\n" + PLACES, [], "each species needs one number"),
        (CUBE + "1 1\n" + PLACES, ["Mg"], "each species needs one number"),
        (USUAL, ["Ca", "O"], "names Mg, O itself"),
        (CUBE + "BCC\n1\n" + PLACES, [], "Line 6: 'BCC' is not a chemical element"),
        (CUBE + "CO\n1\nDirect\n0 0 0\n", [], "'CO' may be Co, or C and O"),
        (CUBE + "Mg O\n-1 1\n" + PLACES, [], "Line 7: a number of atoms is negative"),
        (CUBE + "Mg O\n1.0 1\n" + PLACES, [], "Line 7: '1.0' is not a whole number"),
        (CUBE + "Mg O\n1 1000000000\n" + PLACES, [], "at most 1000"),
        (CUBE + "Mg O\n1 1\n0 0 0\n.5 .5 .5\n", [], "Line 8 must say Direct or Cartesian"),
        (CUBE + "Mg O\n1 1\nDirect\n0 0 0\n", [], "ends after line 9, and the position of atom 2 of 2"),
        (CUBE + "Mg O\n1 1\nDirect\n0 0 0\n\n.5 .5 .5\n", [], "Line 10 of the POSCAR is blank"),
        (USUAL + ".25 .25 .25\n", [], "more positions than the 2"),
        (USUAL + "Direct configuration= 2\n0 0 0\n", [], "begins another configuration"),
        (CUBE + "Mg O\n1 1\nDirect\n0 0 0 O\n.5 .5 .5 Mg\n", [], "Line 9 is the position of Mg by the counts"),
        (USUAL.replace("1.0", "0.0"), [], "the scale is one number that is not zero"),
        (USUAL.replace("1.0", "1.0 2.0"), [], "the scale is one number that is not zero"),
        (USUAL.replace("1.0", "1.0 -2.0 1.0"), [], "the scale is one number that is not zero"),
        (USUAL.replace("1.0", "1,0"), [], "decimals follow a point and not a comma"),
        (USUAL.replace("0.5 0.5", "\u22120.5 0.5"), [], r"Line 10: '.*' is not a number .* U\+2212, minus sign"),
        (USUAL.replace("0 0 0\n0.5", "0\u00a00 0\n0.5"), [], r"Line 9: .* U\+00A0, no-break space"),
        (USUAL.replace("4.21 0 0", "nan 0 0"), [], "Line 3: 'nan' is not a number"),
        (USUAL.replace("4.21 0 0", "4.21 0 0 0"), [], "Line 3 has more than the three numbers"),
        (USUAL.replace("4.21 0 0", "0 8.42 0"), [], "span no volume"),
    ],
)  # fmt: skip
def test_what_a_poscar_does_not_say_is_not_guessed(text: str, species: list[str], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read_poscar(text, species)
