"""An input of pw.x gives the cell, the atoms and the order of the moments that pw.x computes, or is refused."""

from __future__ import annotations

import numpy as np
import pytest
from ase.geometry import cellpar_to_cell

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.structures.files import read, read_structure
from mlxc.structures.formats.bravais import lattice_of
from mlxc.structures.formats.espresso import read_espresso
from mlxc.units import BOHR_ANG

SPECIES = "Mg 24.3 Mg.upf\nO 16.0 o_pbe.upf"
POSITIONS = "ATOMIC_POSITIONS crystal\nMg 0 0 0\nO .5 .5 .5"
CELL = "CELL_PARAMETERS angstrom\n4.21 0 0\n0 4.21 0\n0 0 4.21\n"
MGO = Crystal(4.21 / BOHR_ANG * np.eye(3), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])
A_BOHR = 4.21 / BOHR_ANG
NOTHING, FACE, BODY, BASE = [], [[0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]], [[0.5, 0.5, 0.5]], [[0.5, 0.5, 0]]


def pwi(
    system: str = "ibrav = 1, A = 4.21", cards: str = "", species: str = SPECIES, positions: str = POSITIONS
) -> str:
    head = (
        f"&CONTROL\n calculation = 'scf' ! one = two\n/\n&SYSTEM\n nat = 2, ntyp = 2, {system}\n ecutwfc = 40.0d0\n/\n"
    )
    return f"{head}&ELECTRONS\n/\nATOMIC_SPECIES\n{species}\n{positions}\nK_POINTS automatic\n4 4 4 0 0 0\n{cards}"


# The conventional cell (a, b, c in units of a, angles), and the lattice points within it.
CONVENTIONAL = {
    1: ((1, 1, 1, 90, 90, 90), NOTHING), 2: ((1, 1, 1, 90, 90, 90), FACE), 3: ((1, 1, 1, 90, 90, 90), BODY),
    -3: ((1, 1, 1, 90, 90, 90), BODY), 4: ((1, 1, 1.6, 90, 90, 120), NOTHING), 6: ((1, 1, 1.4, 90, 90, 90), NOTHING),
    7: ((1, 1, 1.4, 90, 90, 90), BODY), 8: ((1, 1.2, 1.4, 90, 90, 90), NOTHING), 9: ((1, 1.2, 1.4, 90, 90, 90), BASE),
    -9: ((1, 1.2, 1.4, 90, 90, 90), BASE), 91: ((1, 1.2, 1.4, 90, 90, 90), [[0, 0.5, 0.5]]),
    10: ((1, 1.2, 1.4, 90, 90, 90), FACE), 11: ((1, 1.2, 1.4, 90, 90, 90), BODY),
    12: ((1, 1.2, 1.4, 90, 90, 70), NOTHING), -12: ((1, 1.2, 1.4, 90, 105, 90), NOTHING),
    13: ((1, 1.2, 1.4, 90, 90, 70), [[0.5, 0, 0.5]]), -13: ((1, 1.2, 1.4, 90, 105, 90), BASE),
    14: ((1, 1.2, 1.4, 80, 105, 70), NOTHING),
}  # fmt: skip
# What the description of pw.x says of ibrav, for a = 2, b = 4, c = 6: which vector is the first matters to positions.
FIRST_AND_LAST = {
    2: ([-1, 0, 1], [-1, 1, 0]), 3: ([1, 1, 1], [-1, -1, 1]), -3: ([-1, 1, 1], [1, 1, -1]),
    7: ([1, -1, 3], [-1, -1, 3]), 9: ([1, 2, 0], [0, 0, 6]), -9: ([1, -2, 0], [0, 0, 6]), 91: ([2, 0, 0], [0, 2, 3]),
    10: ([1, 0, 3], [0, 2, 3]), 11: ([1, 2, 3], [-1, -2, 3]), 13: ([1, 0, -3], [1, 0, 3]), -13: ([1, 2, 0], [0, 0, 6]),
}  # fmt: skip


@pytest.mark.parametrize("ibrav", CONVENTIONAL)
def test_a_bravais_lattice_has_the_points_of_its_conventional_cell_and_no_others(ibrav: int) -> None:
    (a, b, c, *angles), inside = CONVENTIONAL[ibrav]
    alpha, beta, gamma = np.cos(np.radians(angles))
    # A monoclinic lattice has one angle, which has the place of its axes.
    cosines = [alpha, beta, gamma] if ibrav == 14 else [gamma, 0, 0] if ibrav in (12, 13) else [0, beta, 0]
    vectors = lattice_of(ibrav, [a, b, c, *cosines])
    conventional = np.array(cellpar_to_cell([a, b, c, *angles]))
    points = np.vstack([np.eye(3), *inside]) @ conventional @ np.linalg.inv(vectors)
    np.testing.assert_allclose(points, points.round(), atol=1e-12)
    assert np.linalg.det(conventional) == pytest.approx((1 + len(inside)) * np.linalg.det(vectors))


@pytest.mark.parametrize("ibrav", FIRST_AND_LAST)
def test_the_vectors_of_a_bravais_lattice_are_those_that_pw_takes(ibrav: int) -> None:
    vectors = lattice_of(ibrav, [2, 1 if ibrav == 7 else 2, 3, 0, 0, 0])
    np.testing.assert_allclose(vectors[[0, 2]], FIRST_AND_LAST[ibrav], atol=1e-15)


@pytest.mark.parametrize(("ibrav", "axis"), [(5, [0, 0, 1]), (-5, [1, 1, 1])])
def test_a_rhombohedral_lattice_has_three_equal_vectors_around_its_axis(ibrav: int, axis: list[int]) -> None:
    vectors = lattice_of(ibrav, [9.0, 0, 0, 0.3, 0, 0])
    np.testing.assert_allclose(vectors @ vectors.T, 81 * (0.3 + 0.7 * np.eye(3)), atol=1e-12)
    assert np.ptp(vectors @ axis) < 1e-12
    assert np.linalg.det(vectors) > 0


@pytest.mark.parametrize(
    "text",
    [
        pwi(),
        pwi(f"ibrav=1, celldm(1)={A_BOHR}"),
        pwi(f"IBRAV=1, CELLDM = {A_BOHR}, 0.0, 0.0 ! bohr"),
        pwi("ibrav = 0", CELL),
        pwi(f"ibrav = 0, celldm(1) = {A_BOHR}", CELL.replace("angstrom", "{alat}").replace("4.21", "1.0")),
        pwi("ibrav = 0, A = 4.21", CELL.replace("angstrom", "").replace("4.21", "1.0")),
        pwi(positions="ATOMIC_POSITIONS (angstrom)\nMg 0 0 0\n# a comment\n\nO 2.105d0 2.105 2.105 1 0 1 ! another"),
        pwi(positions=f"ATOMIC_POSITIONS{{bohr}}\nMg 0 0 0\nO {A_BOHR / 2} {A_BOHR / 2} {A_BOHR / 2}"),
        pwi(positions="ATOMIC_POSITIONS alat\nMg 0 0 0\nO 1/2 0.5 3/6"),
        pwi(species="Mg1 24 Mg.upf\nO_a 16 O.upf", positions="ATOMIC_POSITIONS crystal\nMg1 0 0 0\nO_a .5 .5 .5"),
        pwi("ibrav = 1, A = 4.21, tot_charge = 0.0, nspin = 2").replace("/\n", "&end\n"),
        pwi("ibrav = 1, A = 4.21 /\n &IGNORED"),
    ],
)
def test_one_crystal_in_all_the_ways_of_writing_it(text: str) -> None:
    assert read_structure(text, "scf.in").same_as(MGO)


def iron(magnetisations: str) -> str:
    system = f"ibrav = 1, A = 2.87, {magnetisations}"
    labels = "ATOMIC_POSITIONS crystal\nFe1 0 0 0\nFe2 .5 .5 .5"
    return pwi(system, species="Fe1 55.8 Fe.upf\nFe2 55.8 Fe.upf", positions=labels)


@pytest.mark.parametrize(
    ("magnetisations", "signs"),
    [
        ("nspin = 2, starting_magnetization(1) = 0.5, starting_magnetization(2) = -0.3", [1, -1]),
        ("nspin = 2, starting_magnetization = -0.5, 0.5", [-1, 1]),
        ("nspin = 2, starting_magnetization(2) = 0.5", [0, 1]),
        ("nspin = 2", [0, 0]),
        ("starting_magnetization(1) = 0.5", [0, 0]),
    ],
)
def test_moments_have_the_signs_of_the_labels_and_that_is_told(magnetisations: str, signs: list[int]) -> None:
    reading = read(iron(magnetisations), "fe.pwi")
    assert np.sign(reading.crystal.moments).tolist() == signs
    assert abs(reading.crystal.moments).max() in (0, 4)  # a free atom of iron has four unpaired electrons
    assert ("starting_magnetization" in " ".join(reading.notes)) == ("starting" in magnetisations)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (pwi("ibrav = 1, A = 4.21, tot_charge = 1.0"), "net charge of \\+1"),
        (pwi("ibrav = 1, A = 4.21, noncolin = .true."), "not collinear"),
        (pwi("ibrav = 1, A = 4.21, nspin = 4"), "not collinear"),
        (pwi("space_group = 225, ibrav = 1, A = 4.21"), "space_group"),
        (pwi(positions=POSITIONS.replace("crystal", "crystal_sg")), "'crystal_sg' is none of alat"),
        (pwi("ibrav = 15, A = 4.21"), "ibrav: 15 is no Bravais lattice"),
        (pwi("A = 4.21"), "must say the Bravais lattice"),
        (pwi("ibrav = 4, A = 4.21"), "ibrav 4 needs the ratio c/a"),
        (pwi("ibrav = 5, celldm(1) = 8, celldm(4) = -0.6"), "celldm\\(4\\): the cosine -0.6"),
        (pwi("ibrav = 14, celldm = 8, 1, 1, 0.9, 0.9, -0.9"), "no cell with the angles"),
        (pwi("ibrav = 1"), "celldm\\(1\\): the lattice constant is 0"),
        (pwi("ibrav = 1, A = 4.21, celldm(1) = 8"), "celldm as well as A"),
        (pwi("ibrav = 1, celldm(1) = 8,5"), "decimals follow a point"),
        (pwi("ibrav 1"), "'ibrav' is not understood"),
        (pwi("ibrav = 0"), "no card CELL_PARAMETERS"),
        (pwi("ibrav = 0", CELL.replace("angstrom", "")), "give the unit"),
        (pwi("ibrav = 0, A = 4", CELL), "must not be given"),
        (pwi(cards=CELL), "the cell follows from celldm"),
        (pwi(cards=POSITIONS), "ATOMIC_POSITIONS is there for the second time"),
        (pwi().replace("nat = 2", "nat = 3"), "nat: it is 3, and ATOMIC_POSITIONS has 2 lines"),
        (pwi().replace("ntyp = 2", "ntyp = 1"), "ntyp: it is 1"),
        (pwi(species="Ca 40 Ca.upf\nO 16 O.upf"), "'Mg' is not one of the labels"),
        (pwi(species="Mgx 24 Mg.upf\nO 16 O.upf"), "'Mgx' is not a chemical element"),
        (pwi(species="Mg 24 Fe.upf\nO 16 O.upf"), "pseudopotential Fe.upf of another element"),
        (pwi(positions="ATOMIC_POSITIONS crystal\nMg 0 0 0\nO \u2212.5 .5 .5"), "U\\+2212, minus sign"),
        (pwi(positions="ATOMIC_POSITIONS crystal\nMg 0 0 0\nO sqrt(3)/2 .5 .5"), "'sqrt\\(3\\)/2' is not a number"),
        (pwi(positions="ATOMIC_POSITIONS crystal\nMg 0 0\nO .5 .5 .5"), "needs a label and three coordinates"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_the_reason(text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read_espresso(text, "name")
