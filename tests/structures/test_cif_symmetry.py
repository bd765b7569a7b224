"""The symmetry of a CIF: every setting of every space group, and no crystal where two things in the file disagree."""

from __future__ import annotations

import gemmi
import numpy as np
import pytest
from cif_texts import atoms, cif_text, cube, formula, name, operations, read
from numpy.typing import NDArray

from mlxc.errors import InputError

SETTINGS = list(gemmi.spacegroup_table())
GENERAL = np.array([0.1230, 0.0771, 0.2931])


def cell_of(setting: gemmi.SpaceGroup) -> str:
    """A large cell of no more symmetry than the setting asks for: a triclinic metric averaged over its point group."""
    metric = np.diag([225.0, 324.0, 441.0]) + np.array([[0, 18, 27], [18, 0, 36], [27, 36, 0]])
    rotations = [np.array(operation.rot) // operation.DEN for operation in setting.operations()]
    mean = np.mean([rotation.T @ metric @ rotation for rotation in rotations], axis=0)
    lengths = np.sqrt(np.diag(mean))
    angles = [np.degrees(np.arccos(mean[i, j] / lengths[i] / lengths[j])) for i, j in ((1, 2), (0, 2), (0, 1))]
    return " ".join(f"{value:.9f}" for value in (*lengths, *angles))


def images_of(setting: gemmi.SpaceGroup) -> NDArray[np.float64]:
    """What the operations of gemmi's table make of one general position."""
    return np.array([operation.apply_to_xyz(list(GENERAL)) for operation in setting.operations()])


def assert_general_position(setting: gemmi.SpaceGroup, symmetry: str) -> None:
    site = "He1 He {:.4f} {:.4f} {:.4f}".format(*GENERAL)
    crystal = read(cif_text(cell_of(setting), symmetry, site)).crystal
    expected = images_of(setting)
    apart = crystal.positions[:, None] - expected
    same = np.abs(apart - np.round(apart)).max(axis=2) < 1e-6
    assert len(crystal.species) == len(expected)
    assert (same.sum(axis=0) == 1).all()
    assert (same.sum(axis=1) == 1).all()


def assert_each_way(setting: gemmi.SpaceGroup) -> None:
    """The setting is understood by its name, by its Hall symbol, by its operations, and by all of them together."""
    listed = operations(*(operation.triplet() for operation in setting.operations()))
    called = f"{name(setting.xhm())}\n_space_group_IT_number {setting.number}"
    hall = f"_space_group_name_Hall '{setting.hall}'"
    for symmetry in (name(setting.xhm()), hall, listed, f"{called}\n{hall}\n{listed}"):
        assert_general_position(setting, symmetry)


@pytest.mark.parametrize("setting", SETTINGS[::23], ids=gemmi.SpaceGroup.xhm)
def test_settings_of_space_groups(setting: gemmi.SpaceGroup) -> None:
    assert_each_way(setting)


@pytest.mark.slow
def test_every_setting_of_every_space_group() -> None:
    assert {setting.number for setting in SETTINGS} == set(range(1, 231))
    for setting in SETTINGS:
        assert_each_way(setting)


@pytest.mark.thorough
def test_a_number_alone_is_the_standard_setting_or_a_question_of_origin() -> None:
    origins = {number for number in range(1, 231) for row in SETTINGS if row.number == number and row.ext in "12"}
    for setting in SETTINGS:
        if not setting.is_reference_setting():
            continue
        number = f"_symmetry_Int_Tables_number {setting.number}"
        if setting.number in origins:
            with pytest.raises(InputError, match="which origin"):
                assert_general_position(setting, number)
        else:
            assert_general_position(setting, number)


# Names of one space group each in its standard setting, as they are found in files.
NAMES = {
    "F m -3 m": ("Fm-3m", "F m 3 m", "Fm3m", "F 4/m -3 2/m", "F 4/m 3 2/m", "F_m_-3_m", "FM-3M", "F m -3 m :1",
                 "F m -3 m S"),
    "F d -3 m:2": ("F d -3 m :2", "Fd-3m:2", "F d -3 m Z", "Fd-3mZ", "Fd3m:2", "F d -3 m :o2",
                   "F 41/d -3 2/m (origin choice 2)"),
    "F d -3 m:1": ("F d -3 m :1", "F d -3 m S", "Fd-3mS", "Fd3m :1", "F d -3 m (origin choice 1)"),
    "P 1 21/c 1": ("P 21/c", "P21/c", "P2_1/c", "P 2(1)/c", "P 1 2_1/c 1", "P121/c1", "P 1 21/C 1"),
    "P 1 21/n 1": ("P 21/n", "P2(1)/n", "P 1 2(1)/n 1"),
    "R -3 m:H": ("R -3 m", "R-3m", "R -3 m :H", "R-3mH", "R -3 m HR", "R -3 2/m (hexagonal axes)", "H -3 m"),
    "R -3 m:R": ("R -3 m", "R -3 m :R", "R-3m:r", "R -3 m R", "R-3mR", "R -3 m RS", "R -3 2/m (rhombohedral axes)"),
    "P 63/m m c": ("P 63/m m c", "P63/mmc", "P6_3/mmc", "P 6(3)/m m c", "P 63/m 2/m 2/c"),
    "P n m a": ("Pnma", "P 21/n 21/m 21/a"),
    "C m c a": ("C m c e", "Cmca", "C 2/m 2/c 21/a"),
    "A b m 2": ("A e m 2", "Aem2", "A b m 2"),
    "P 42/m n m": ("P4_2/mnm", "P 42/m 21/n 2/m"),
    "I 41/a m d:2": ("I 41/a m d :2", "I4_1/amdZ", "I 41/a 2/m 2/d :2"),
    "P a -3": ("P a 3", "Pa3", "Pa-3", "P 21/a -3"),
    "I a -3 d": ("I a 3 d", "Ia3d", "I 41/a -3 2/d"),
    "P 21 21 21": ("P212121", "P 2(1) 2(1) 2(1)", "P 2_1 2_1 2_1"),
    "C 1 2/m 1": ("C 2/m", "C2/m"),
    "P 1 1 2/m": ("P 2/m",),
    "P 1 1 21/b": ("P 21/b", "P2_1/b"),
}  # fmt: skip


@pytest.mark.parametrize(("setting", "written"), [(key, one) for key, names in NAMES.items() for one in names])
def test_a_name_is_understood_short_full_and_old(setting: str, written: str) -> None:
    assert_general_position(gemmi.SpaceGroup(setting), name(written))


WRITTEN = {
    "capitals and blanks": ("X, Y, Z", "X, 1/2+Y, 1/2 + Z", "1/2+X, Y, 1/2+Z", "X+1/2, Y+1/2, Z"),
    "decimals": ("x,y,z", "x,y+.5,z+0.5", "0.5+x,y,z+0.50", "x+0.5,y+0.5,z"),
    "more than one cell away": ("x,y,z", "x,y+3/2,z-1/2", "x+1/2,y,z+1/2", "x-1/2,y+1/2,z+1"),
    "each one twice": ("x,y,z", "x,y,z", "x,y+1/2,z+1/2", "x,y+1/2,z+1/2", "x+1/2,y,z+1/2", "x+1/2,y+1/2,z"),
    "no identity": ("x,y+1/2,z+1/2", "x+1/2,y,z+1/2", "x+1/2,y+1/2,z"),
}


@pytest.mark.parametrize("kind", WRITTEN)
def test_operations_are_understood_as_they_are_written(kind: str) -> None:
    text = cif_text(cube(4.05), operations(*WRITTEN[kind]), "Al1 Al 0 0 0")
    centres = read(text).crystal.positions
    assert sorted(map(tuple, centres)) == [(0, 0, 0), (0, 0.5, 0.5), (0.5, 0, 0.5), (0.5, 0.5, 0)]


def test_thirds_in_operations_may_be_rounded() -> None:
    text = cif_text("4 4 9 90 90 120", operations("x,y,z", "-y,x-y,z+.333", "-x+y,-x,z+0.667"), "Se1 Se .1 .2 .3")
    assert read(text).crystal.positions[:, 2] == pytest.approx([0.3, 0.3 + 1 / 3, 0.3 + 2 / 3])


CONTRADICTIONS = {
    "a name and a number": (f"{name('F m -3 m')}\n_symmetry_Int_Tables_number 227", "227"),
    "a name and a Hall symbol": (f"{name('F m -3 m')}\n_space_group_name_Hall '-P 4 2 3'", "221"),
    "a name and a Hall symbol of another origin": (
        f"{name('F d -3 m :2')}\n_space_group_name_Hall 'F 4d 2 3 -1d'", "another setting"),
    "two names": (f"{name('F m -3 m')}\n_symmetry_space_group_name_H-M 'P m -3 m'", "F m -3 m and P m -3 m"),
    "two numbers": ("_symmetry_Int_Tables_number 225\n_space_group_IT_number 221", "225 and 221"),
    "a name and the cell": (name("P 63/m m c"), "does not fit its cell"),
    "operations and the cell": (operations("x,y,z", "-y,x-y,z", "-x+y,-x,z"), "do not fit its cell"),
    "axes and the cell": (name("R -3 m :H"), "does not fit its cell"),
    "operations without centring and a name": (f"{name('F m -3 m')}\n{operations('x,y,z', '-x,-y,-z')}", "225"),
    "operations of nothing and a name": (f"{name('F m -3 m')}\n{operations('x,y,z')}", "225"),
    "operations that are no group": (operations("x,y,z", "-y,x,z"), "no group"),
    "a typographic minus": (operations("x,y,z", "−x,−y,−z"), "'−x,−y,−z'"),
    "a misprint": (operations("x,y,z", "-x,-y,-w"), "'-x,-y,-w'"),
    "two coordinates": (operations("x,y,z", "-x,-y"), "'-x,-y'"),
    "no rotation": (operations("x,y,z", "2x,y,z"), "'2x,y,z'"),
    "a sum without a sign": (operations("x,y,z", "1/2x 1/2,y,z"), "symmetry operation"),
    "time that is reversed": (operations("x,y,z", "x+1/2,y,z,-1"), "reverses time"),
    "an unknown name": (name("F m -3 k"), "'F m -3 k'"),
    "a typographic minus in a name": (name("F m −3 m"), "'F m −3 m'"),
    "an origin that the group has not": (name("F m -3 m :2"), "'F m -3 m :2'"),
    "an unknown Hall symbol": ("_space_group_name_Hall '-F 4 2 nonsense'", "nonsense"),
    "a number beyond 230": ("_symmetry_Int_Tables_number 231", "from 1 to 230, not 231"),
    "a broken number": ("_symmetry_Int_Tables_number 225.5", "not 225.5"),
    "a name that puts atoms on each other": (name("I m -3 m"), "on top of each other"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CONTRADICTIONS)
def test_a_contradiction_is_a_sentence(kind: str) -> None:
    symmetry, words = CONTRADICTIONS[kind]
    with pytest.raises(InputError) as error:
        read(cif_text(cube(4.21), symmetry, "Mg1 Mg 0 0 0", "O1 O .5 .5 .5"))
    assert words in str(error.value)


ALL = (
    "Mg1 Mg 0 0 0", "Mg2 Mg 0 .5 .5", "Mg3 Mg .5 0 .5", "Mg4 Mg .5 .5 0",
    "O1 O .5 .5 .5", "O2 O .5 0 0", "O3 O 0 .5 0", "O4 O 0 0 .5",
)  # fmt: skip


@pytest.mark.parametrize("symmetry", ["", operations("x,y,z")])
def test_atoms_that_are_all_listed_are_not_doubled(symmetry: str) -> None:
    assert atoms(cif_text(cube(4.21), f"{name('F m -3 m')}\n{symmetry}", *ALL)) == {"Mg": 4, "O": 4}


def test_copies_that_are_counted_once_are_told() -> None:
    notes = read(cif_text(cube(4.21), name("F m -3 m"), *ALL)).notes
    assert any("Mg2, Mg3, Mg4, O2, O3, O4" in note for note in notes)
    corners = (*ALL, "Mg5 Mg 1 0 0", "Mg6 Mg 1 1 1")
    reading = read(cif_text(cube(4.21), name("P 1"), *corners))
    assert len(reading.crystal.species) == 8
    assert any("Mg1 and Mg5 and Mg6" in note for note in reading.notes)


def test_operations_that_are_listed_win_over_the_origin_of_a_name() -> None:
    second = operations(*(operation.triplet() for operation in gemmi.SpaceGroup("F d -3 m:2").operations()))
    text = cif_text(cube(5.431), f"{name('F d -3 m :1')}\n{second}", "Si1 Si .125 .125 .125")
    reading = read(text)
    assert len(reading.crystal.species) == 8
    assert any("another setting" in note for note in reading.notes)


DIAMOND = cube(5.431)
# Silicon is on 8a, which is the origin of the first choice and an eighth away from that of the second.
FIRST, SECOND = "Si1 Si 0 0 0", "Si1 Si .125 .125 .125"


@pytest.mark.parametrize("symmetry", [name("F d -3 m"), name("F d 3 m"), "_symmetry_Int_Tables_number 227"])
@pytest.mark.parametrize("site", [FIRST, SECOND])
def test_an_origin_that_is_left_open_is_decided_by_the_formula_units(symmetry: str, site: str) -> None:
    reading = read(cif_text(DIAMOND, symmetry, site, more=formula("Si", 8)))
    assert len(reading.crystal.species) == 8
    assert reading.crystal.to_pymatgen().get_space_group_info()[1] == 227
    assert any("taken as F d -3 m" in note for note in reading.notes)


def test_an_origin_that_nothing_decides_is_asked_for() -> None:
    with pytest.raises(InputError, match=r"'F d -3 m:1' with 8 atoms or 'F d -3 m:2' with 16 atoms"):
        read(cif_text(DIAMOND, name("F d -3 m"), FIRST))


def test_an_origin_is_decided_by_multiplicities_by_the_composition_or_by_distances() -> None:
    columns = "label type_symbol symmetry_multiplicity fract_x fract_y fract_z"
    assert atoms(cif_text(DIAMOND, name("F d -3 m"), "Si1 Si 8 0 0 0", columns=columns)) == {"Si": 8}
    spinel = ("Mg1 Mg 0 0 0", "Al1 Al .625 .625 .625", "O1 O .3874 .3874 .3874")
    cell = (cube(8.083), name("F d -3 m"), *spinel)
    assert atoms(cif_text(*cell, more=formula("Al2 Mg O4"))) == {"Mg": 8, "Al": 16, "O": 32}
    for titanium, oxygen in (("0 0 0", "0 0 .2081"), ("0 .75 .125", "0 .75 .3331")):
        anatase = (f"Ti1 Ti {titanium}", f"O1 O {oxygen}")
        assert atoms(cif_text("3.785 3.785 9.514 90 90 90", name("I 41/a m d"), *anatase)) == {"Ti": 4, "O": 8}


def test_a_code_of_the_coordinate_system_names_the_origin() -> None:
    symmetry = f"{name('F d -3 m')}\n_space_group_IT_coordinate_system_code 2"
    assert atoms(cif_text(DIAMOND, symmetry, SECOND)) == {"Si": 8}


def test_axes_that_are_left_open_are_those_of_the_cell() -> None:
    bismuth = (read(cif_text("4.746 4.746 4.746 57.24 57.24 57.24", name("R -3 m"), "Bi1 Bi .2341 .2341 .2341")),
               read(cif_text("4.5468 4.5468 11.862 90 90 120", name("R -3 m"), "Bi1 Bi 0 0 .2341")))  # fmt: skip
    rhombohedral, hexagonal = (reading.crystal for reading in bismuth)
    assert (len(rhombohedral.species), len(hexagonal.species)) == (2, 6)
    assert hexagonal.volume == pytest.approx(3 * rhombohedral.volume, rel=1e-3)


def test_a_setting_beyond_the_tables_is_taken_by_its_operations() -> None:
    """B 21/c is no standard name; its operations say everything."""
    listed = operations("x,y,z", "-x,y+1/2,-z+1/2", "-x,-y,-z", "x,-y+1/2,z+1/2",
                        "x+1/2,y,z+1/2", "-x+1/2,y+1/2,-z", "-x+1/2,-y,-z+1/2", "x+1/2,-y+1/2,z")  # fmt: skip
    reading = read(cif_text("6 7 8 90 99 90", f"{name('B 21/c')}\n{listed}", "Si1 Si .1 .2 .3"))
    assert len(reading.crystal.species) == 8
    assert any("B 21/c" in note for note in reading.notes)
