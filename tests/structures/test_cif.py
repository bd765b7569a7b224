"""A CIF is read as what it says, whoever wrote it; what it does not say, or says in two ways, is a sentence."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from ase.io import write
from cif_texts import CUBIC, atoms, cif_text, cube, formula, name, operations, read
from pymatgen.io.cif import CifWriter

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.structures.cif.writing import cif_of
from mlxc.structures.formats.cif import read_cif
from mlxc.structures.shipped import shipped_names
from mlxc.units import BOHR_ANG

DATA = Path(__file__).resolve().parents[1] / "data/structures"
EXPECTED = json.loads((DATA / "expected.json").read_text())
CASES = sorted(path.name for path in DATA.iterdir() if path.suffix in (".cif", ".mcif"))
MGO = cif_text(cube(4.21), name("F m -3 m"), "Mg1 Mg 0 0 0", "O1 O 0.5 0.5 0.5")
ROCKSALT = {"Mg": 4, "O": 4}


def volume_ang3(crystal: Crystal) -> float:
    return crystal.volume * BOHR_ANG**3


@pytest.mark.parametrize("case", CASES)
def test_a_file_of_a_kind_that_people_report_is_read_as_it_is_meant_or_refused(case: str) -> None:
    expected = EXPECTED[case]
    text = (DATA / case).read_text(encoding="utf-8")
    if expected["atoms"] == "refuse":
        with pytest.raises(InputError) as error:
            read(text)
        assert str(error.value).count(". ") == 0
        return
    crystal = read(text).crystal
    assert Counter(crystal.species) == expected["atoms"]
    assert volume_ang3(crystal) == pytest.approx(expected["volume_ang3"], abs=0.01)
    if "moments" in expected:
        assert crystal.moments == pytest.approx(expected["moments"])


# How programs and databases write the same rock salt.
STYLES = {
    "COD": """data_9000496
_chemical_formula_sum            'Mg O'
_space_group_IT_number           225
_symmetry_space_group_name_Hall  '-F 4 2 3'
_symmetry_space_group_name_H-M   'F m -3 m'
_cell_angle_alpha                90
_cell_angle_beta                 90
_cell_angle_gamma                90
_cell_formula_units_Z            4
_cell_length_a                   4.2110(3)
_cell_length_b                   4.2110(3)
_cell_length_c                   4.2110(3)
_cell_volume                     74.671
loop_
_atom_site_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
MgM 0.00000 0.00000 0.00000 0.00410
O1 0.50000 0.50000 0.50000 0.00450
""",
    "ICSD": """data_52026-ICSD
_chemical_name_systematic 'Magnesium Oxide'
_chemical_formula_structural 'Mg O'
_chemical_formula_sum 'Mg1 O1'
_cell_length_a 4.2112(5)
_cell_length_b 4.2112(5)
_cell_length_c 4.2112(5)
_cell_angle_alpha 90.
_cell_angle_beta 90.
_cell_angle_gamma 90.
_cell_volume 74.68
_cell_formula_units_Z 4
_symmetry_space_group_name_H-M 'F m -3 m'
_symmetry_Int_Tables_number 225
loop_
_atom_type_symbol
_atom_type_oxidation_number
Mg2+ 2
O2- -2
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_symmetry_multiplicity
_atom_site_Wyckoff_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
_atom_site_attached_hydrogens
Mg1 Mg2+ 4 a 0 0 0 1. 0
O1 O2- 4 b 0.5 0.5 0.5 1. 0
#End of data_52026-ICSD
""",
    "VESTA": """#======================================================================
# CRYSTAL DATA
#----------------------------------------------------------------------
data_VESTA_phase_1

_chemical_name_common                  'MgO'
_cell_length_a                         4.211000
_cell_length_b                         4.211000
_cell_length_c                         4.211000
_cell_angle_alpha                      90.000000
_cell_angle_beta                       90.000000
_cell_angle_gamma                      90.000000
_cell_volume                           74.671373
_space_group_name_H-M_alt              'P 1'
_space_group_IT_number                 1

loop_
_space_group_symop_operation_xyz
   'x, y, z'

loop_
   _atom_site_label
   _atom_site_occupancy
   _atom_site_fract_x
   _atom_site_fract_y
   _atom_site_fract_z
   _atom_site_adp_type
   _atom_site_U_iso_or_equiv
   _atom_site_type_symbol
   Mg1  1.0  0.000000 0.000000 0.000000 Uiso  ? Mg
   Mg2  1.0  0.000000 0.500000 0.500000 Uiso  ? Mg
   Mg3  1.0  0.500000 0.000000 0.500000 Uiso  ? Mg
   Mg4  1.0  0.500000 0.500000 0.000000 Uiso  ? Mg
   O1   1.0  0.500000 0.500000 0.500000 Uiso  ? O
   O2   1.0  0.500000 0.000000 0.000000 Uiso  ? O
   O3   1.0  0.000000 0.500000 0.000000 Uiso  ? O
   O4   1.0  0.000000 0.000000 0.500000 Uiso  ? O
""",
    "FINDSYM": """data_findsym-output
_symmetry_space_group_name_H-M "F 4/m -3 2/m"
_symmetry_Int_Tables_number 225
_space_group.reference_setting '225:-F 4 2 3'
_space_group.transform_Pp_abc a,b,c;0,0,0
_cell_length_a    4.21100
_cell_length_b    4.21100
_cell_length_c    4.21100
_cell_angle_alpha 90.00000
_cell_angle_beta  90.00000
_cell_angle_gamma 90.00000
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_symmetry_multiplicity
_atom_site_Wyckoff_label
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_occupancy
Mg1 Mg   4 a 0.00000 0.00000 0.00000 1.00000
O1  O    4 b 0.50000 0.50000 0.50000 1.00000
""",
    "mmCIF": """data_MGO
_cell.length_a 4.211
_cell.length_b 4.211
_cell.length_c 4.211
_cell.angle_alpha 90.00
_cell.angle_beta 90.00
_cell.angle_gamma 90.00
_symmetry.space_group_name_H-M 'F m -3 m'
loop_
_atom_site.group_PDB
_atom_site.id
_atom_site.type_symbol
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
_atom_site.occupancy
HETATM 1 MG 0.000 0.000 0.000 1.00
HETATM 2 O 2.1055 2.1055 2.1055 1.00
""",
}


@pytest.mark.parametrize("program", STYLES)
def test_rock_salt_is_rock_salt_whoever_wrote_it(program: str) -> None:
    crystal = read(STYLES[program]).crystal
    assert Counter(crystal.species) == ROCKSALT
    distance = np.abs(crystal.positions[0] - crystal.positions[-1])
    assert sorted(distance % 1) in ([0, 0, 0.5], [0.5, 0.5, 0.5])


@pytest.mark.parametrize("shipped", shipped_names())
def test_what_other_libraries_write_is_the_same_crystal_again(shipped: str) -> None:
    crystal = Crystal.load(shipped)
    lines = io.BytesIO()
    write(lines, crystal.to_ase(), format="cif")
    for text in (lines.getvalue().decode(), str(CifWriter(crystal.to_pymatgen(), significant_figures=12))):
        again = read(text).crystal
        assert again.species == crystal.species
        assert again.lattice @ again.lattice.T == pytest.approx(crystal.lattice @ crystal.lattice.T, abs=1e-5)
        apart = again.positions - crystal.positions
        assert apart - np.round(apart) == pytest.approx(0, abs=1e-8)
    conventional = read(str(CifWriter(crystal.to_pymatgen(), symprec=1e-3))).crystal
    assert conventional.formula == crystal.formula
    assert conventional.to_pymatgen().matches(crystal.to_pymatgen())


def test_a_crystal_that_is_written_is_read_again_with_its_moments_in_whatever_cell() -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        lattice = 9 * np.eye(3) + rng.normal(size=(3, 3))
        positions = np.array([[0, 0, 0], [0.5, 0.4, 0.6], [0.2, 0.7, 0.1]]) + 0.02 * rng.random((3, 3))
        crystal = Crystal(lattice, ["Fe", "O", "Fe"], positions, [2.2, 0.0, rng.normal()])
        again = read(cif_of(crystal)).crystal
        assert again.species == crystal.species
        assert again.moments == pytest.approx(crystal.moments, abs=1e-6)
        assert again.lattice @ again.lattice.T == pytest.approx(lattice @ lattice.T, abs=1e-6)


def test_of_several_blocks_the_last_is_taken_and_told_and_another_can_be_named() -> None:
    silicon = cif_text(cube(5.43), name("F d -3 m :1"), "Si1 Si 0 0 0", block="Silicon")
    both = read("data_global\n_journal_year 2001\n" + MGO + silicon)
    assert (both.crystal.formula, both.block) == ("Si", "Silicon")
    assert any("Silicon is taken" in note for note in both.notes)
    named = read(MGO + silicon, "TEST")
    assert (named.crystal.formula, named.block, named.notes) == ("MgO", "test", ())
    with pytest.raises(InputError, match=r"'germanium'.*test, Silicon"):
        read(MGO + silicon, "germanium")


FACES = operations("x,y,z", "x,y+1/2,z+1/2", "x+1/2,y,z+1/2", "x+1/2,y+1/2,z")
SYNTAX = {
    "a loop on one line": MGO.replace("_space_group_name_H-M_alt 'F m -3 m'", FACES).replace("loop_\n_sp", "loop_ _sp"),
    "numbers in quotes": MGO.replace("_a 4.21", "_a '4.21'").replace("0 0 0", "'0' '0' \"0\""),
    "uncertainties of nothing": MGO.replace("90", "90.(0)"),
    "plus signs": MGO.replace("_space_group_name_H-M_alt 'F m -3 m'", FACES.replace("'x", "'+x")),
    "Macintosh line ends": MGO.replace("\n", "\r"),
    "DOS line ends and end of file": MGO.replace("\n", "\r\n") + "\x1a",
    "no end of the last line": MGO.strip(),
    "blanks that do not break": MGO.replace(" 0 0 0", "\u00a00\u20090 0"),
    "a byte order mark": "\ufeff" + MGO,
    "capitals": MGO.upper().replace("MG1 MG", "MG1 Mg"),
    "tags with dots": MGO.replace("_atom_site_", "_atom_site.").replace("_cell_", "_cell."),
    "umlauts in a name": MGO.replace("data_test", "data_test\n_publ_author_name 'Jürgen Groß'"),
    "a text field for the space group": MGO.replace("'F m -3 m'", "\n;F m -3 m\n;"),
    "a quoted question mark": MGO.replace("data_test", "data_test\n_chemical_formula_sum '?'"),
    "the same value twice": MGO.replace("data_test", "data_test\n_cell_length_a 4.21"),
    "a save frame": "data_d\nsave_frame\n_cell_length_a 1\nsave_\n" + MGO,
    "uncertainties": MGO.replace("4.21", "4.210(12)").replace("90", "90.0(1)"),
    "CIF 2": "#\\#CIF_2.0\n" + MGO.replace("'F m -3 m'", '"""F m -3 m"""').replace(
        "data_test", "data_test\n_a '''it's\n;no field'''\n_b [1 'x y' [2 3]]\n_c {'a':1 'b':[1]}"
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SYNTAX)
def test_the_syntax_of_cif_is_read_with_its_variants(kind: str) -> None:
    assert atoms(SYNTAX[kind]) == ROCKSALT


BROKEN = {
    "a column too few": (MGO.replace("0 0 0", "0 0"), "values in loop"),
    "words behind the atoms": (MGO + "and so on\n", "values in loop"),
    "blanks without quotes": (MGO.replace("'", ""), "'_space_group_name_H-M_alt F m -3 m' breaks its syntax"),
    "no data block": (MGO.replace("data_test", ""), "block header"),
    "an open text field": (MGO + "_x\n;abc\n", "text field"),
    "two lengths": (MGO.replace("data_test", "data_test\n_cell_length_a 5"), "_cell_length_a twice"),
    "no cell": (MGO.replace("_cell_length_a", "_cell_length_x"), "_cell_length_a"),
    "a length of 0": (MGO.replace("_a 4.21", "_a 0"), "positive lengths"),
    "a length with a unit": (MGO.replace("_a 4.21", "_a 4.21Å"), "'4.21Å'"),
    "a decimal comma": (MGO.replace("_a 4.21", "_a 4,21"), "'4,21'"),
    "an angle of 180": (MGO.replace("alpha 90", "alpha 180"), "enclose a volume"),
    "angles that close no cell": (cif_text("4 4 4 60 60 120", name("P 1"), "Mg1 Mg 0 0 0"), "enclose a volume"),
    "a missing angle": (cif_text("4 4 4 90 ? 90", name("P 1"), "Mg1 Mg 0 0 0"), "_cell_angle_beta"),
    "another volume": (MGO.replace("data_test", "data_test\n_cell_volume 18.65"), "_cell_volume"),
    "a typographic minus": (MGO.replace("0.5 0.5 0.5", "−0.5 0.5 0.5"), "'−0.5'"),
    "not a number": (MGO.replace("0.5 0.5 0.5", "nan 0.5 0.5"), "'nan'"),
    "an atom far away": (MGO.replace("0.5 0.5 0.5", "1e30 0.5 0.5"), "too large"),
    "modulated": (MGO.replace("data_test", "data_test\n_cell_modulation_dimension 1"), "modulated"),
    "Cartesian axes that nobody knows": (
        cif_text("4 4 5 90 90 120", name("P 1"), "Mg 0 0 0", columns="label Cartn_x Cartn_y Cartn_z"),
        "Cartesian",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_not_understood_is_one_sentence(kind: str) -> None:
    text, words = BROKEN[kind]
    with pytest.raises(InputError) as error:
        read_cif(text, "broken")
    assert words in str(error.value)
    assert "\n" not in str(error.value)


def test_an_angle_that_symmetry_fixes_may_be_missing() -> None:
    text = cif_text("4.21 4.21 4.21 90 90 ?", name("F m -3 m"), "Mg1 Mg 0 0 0", "O1 O .5 .5 .5")
    assert atoms(text) == ROCKSALT
    assert any("_cell_angle_gamma" in note for note in read(text).notes)


def test_cartesian_coordinates_follow_the_matrix_in_the_file() -> None:
    matrix = np.array([[4.0, -2.0, 0.0], [0.0, 3.4641016, 0.0], [0.0, 0.0, 5.0]])
    lines = [f"_atom_sites_Cartn_tran_matrix_{i + 1}{j + 1} {matrix[i, j]}" for i in range(3) for j in range(3)]
    place = matrix @ [0.2, 0.3, 0.4]
    text = cif_text(
        "4 4 5 90 90 120", name("P 1"), "Mg {} {} {}".format(*place),
        columns="label Cartn_x Cartn_y Cartn_z", more="\n".join(lines),
    )  # fmt: skip
    assert read(text).crystal.positions[0] == pytest.approx([0.2, 0.3, 0.4], abs=1e-6)


def test_a_volume_that_is_a_little_old_is_told() -> None:
    reading = read(MGO.replace("data_test", "data_test\n_cell_volume 76.1"))
    assert any("_cell_volume" in note for note in reading.notes)


def test_without_any_symmetry_the_atoms_are_all_atoms_and_this_is_told() -> None:
    listed = read(cif_text(cube(4.21), "", "Mg1 Mg 0 0 0", "O1 O .5 .5 .5"))
    assert len(listed.crystal.species) == 2
    assert any("No symmetry" in note for note in listed.notes)
    for unknown in (
        "_symmetry_space_group_name_H-M ?",
        "_symmetry_cell_setting cubic",
        "_space_group_symop_xyz_ x,y,z",
    ):
        with pytest.raises(InputError, match="not known"):
            read(cif_text(cube(4.21), unknown, "Mg1 Mg 0 0 0"))


def test_a_formula_decides_whether_the_atoms_without_symmetry_are_all() -> None:
    rows = ("Mg1 Mg 0 0 0", "O1 O .5 .5 .5")
    with pytest.raises(InputError, match=r"Mg1 O1.*'Mg O' with 4"):
        read(cif_text(f"4.21 4.21 4.21 {CUBIC}", "", *rows, more=formula("Mg O", 4)))
    assert len(read(cif_text(cube(4.21), operations("x,y,z"), *rows, more=formula("Mg O", 1))).notes) == 0
