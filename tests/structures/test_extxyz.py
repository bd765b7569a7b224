"""Extended XYZ is read with its moments, and the image that is taken of several is told."""

from __future__ import annotations

import numpy as np
import pytest

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.structures.files import read, read_structure
from mlxc.units import BOHR_ANG

LATTICE = 'Lattice="4.21 0 0 0 4.21 0 0 0 4.21"'
IRON = Crystal(4.21 / BOHR_ANG * np.eye(3), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]], [2.0, -2.0])


def iron(columns: str, first: str, second: str, more: str = "") -> str:
    return f"2\n{LATTICE} Properties={columns} {more}\n{first}\n{second}\n"


@pytest.mark.parametrize(
    "text",
    [
        iron("species:S:1:pos:R:3:initial_magmoms:R:1", "Fe 0 0 0 2", "Fe 2.105 2.105 2.105 -2"),
        iron("species:S:1:pos:R:3:magmoms:R:1", "Fe 0 0 0 2.0D0", "Fe 2.105D0 2.105 0.2105E+01 -2"),
        iron("species:S:1:pos:R:3:magmoms:R:3", "Fe 0 0 0 0 0 2", "Fe 2.105 2.105 2.105 0 0 -2"),
        iron("Z:I:1:force:R:3:pos:R:3:magmom:R:1", "26 9 9 9 0 0 0 2", "26 9 9 9 2.105 2.105 2.105 -2"),
        iron("species:S:1:pos:R:3:magmoms:R:1", "26 0 0 0 2", "fe 2.105 2.105 2.105 -2", 'pbc="T T T" energy=-1.5'),
        iron("species:S:1:pos:R:3:magmoms:R:1", "Fe 0 0 0 2", "Fe 2.105 2.105 2.105 -2").replace('"', "'") + "\n\n",
        "\ufeff" + iron("species:S:1:pos:R:3:magmoms:R:1", "Fe 0 0 0 2", "Fe 2.105 2.105 2.105 -2"),
    ],
)
def test_moments_are_read_in_all_the_ways_of_writing_them(text: str) -> None:
    assert read_structure(text, "fe.xyz").same_as(IRON, with_moments=True)


@pytest.mark.parametrize(
    "text",
    [
        iron("species:S:1:pos:R:3:magmoms:R:1:Z:I:1", "Fe 0 0 0 2 26", "Fe 2.105 2.105 2.105 -2 26"),
        iron("species:S:1:pos:R:3:magmoms:R:1:occupancy:R:1", "Fe 0 0 0 2 1", "Fe 2.105 2.105 2.105 -2 1.0"),
        iron("species:S:1:pos:R:3:magmoms:R:1", "Fe 0 0 0 2", "Fe 2.105 2.105 2.105 -2", f"{LATTICE} units=Angstrom"),
    ],
)
def test_what_is_said_twice_and_alike_is_understood(text: str) -> None:
    assert read_structure(text, "fe.xyz").same_as(IRON, with_moments=True)


def test_a_direction_that_is_not_periodic_is_told() -> None:
    reading = read(f'1\n{LATTICE} pbc="T T F"\nFe 0 0 0\n', "fe.xyz")
    assert reading.notes == (
        "pbc: the structure is not periodic along cell vector 3; mlxc repeats its cell along all three.",
    )


def test_the_last_image_is_taken_and_told() -> None:
    text = "".join(f"1\n{LATTICE}\n{symbol} 0 0 0\n" for symbol in ("Fe", "Ni", "Cu"))
    reading = read(text, "path.xyz")
    assert reading.crystal.species == ("Cu",)
    assert reading.crystal.origin == "path.xyz, image 3 (extended XYZ)"
    assert reading.notes == ("The file has 3 images, and the last one was taken.",)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1\na molecule\nFe 0 0 0\n", "no three-dimensional cell"),
        ("1\n\nFe 0 0 0\n", "no three-dimensional cell"),
        ('1\nLattice="4 4 4 90 90 90"\nFe 0 0 0\n', "nine numbers, and it has 6"),
        ('1\nLattice="4,0 0 0 0 4 0 0 0 4"\nFe 0 0 0\n', "decimals follow a point"),
        ("1\nLattice=\u201c4 0 0 0 4 0 0 0 4\u201d\nFe 0 0 0\n", r"U\+201C, left double quotation mark"),
        (f"1\n{LATTICE}\nFe \u22121 0 0\n", r"line 3: .* U\+2212, minus sign"),
        (f"1\n{LATTICE}\nXx 0 0 0\n", "line 3: 'Xx' is not a chemical element"),
        (f"2\n{LATTICE}\nFe 0 0 0\n", "line 1 announces 2 atoms, and 1 lines"),
        (f"1000000000\n{LATTICE}\nFe 0 0 0\n", "announces 1000000000 atoms"),
        (f"1\n{LATTICE} Properties=species:S:1:pos:R:3\nFe 0 0\n", "line 3 has 3 columns, and 4 are announced"),
        (f"1\n{LATTICE} Properties=species:S:1:pos:R\nFe 0 0 0\n", "does not have the form"),
        (f"1\n{LATTICE} Properties=species:S:1:force:R:3\nFe 0 0 0\n", "three of pos"),
        (f"1\n{LATTICE} Properties=species:S:1:pos:R:3:magmoms:R:3\nFe 0 0 0 2 0 0\n", "does not point along z"),
        (f"1\n{LATTICE} charge=-1\nFe 0 0 0\n", "net charge of -1"),
        (f'1\n{LATTICE} pbc="T T"\nFe 0 0 0\n', "pbc needs three times T or F"),
        (f"1\n{LATTICE} {LATTICE.replace('4.21', '5')}\nFe 0 0 0\n", "line 2 says Lattice twice, and not the same"),
        (f"1\n{LATTICE} units=bohr\nFe 0 0 0\n", "in angstrom, and the file says 'bohr'"),
        (f"1\n{LATTICE} Properties=species:S:1:pos:R:3:Z:I:1\nFe 0 0 0 27\n", "several elements, Co and Fe"),
        (f"1\n{LATTICE} Properties=species:S:1:pos:R:3:occupancy:R:1\nFe 0 0 0 .5\n", "partially occupied"),
    ],
)
def test_what_is_no_crystal_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read(text, "x.xyz")
