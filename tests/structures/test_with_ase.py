"""What readers of ASE leave out or guess is refused or told; formats that nobody has looked at are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.structures.files import read, read_structure
from mlxc.units import BOHR_ANG

RES = "TITL mgo\nCELL 1.0 4.21 4.21 4.21 90 90 90\nLATT -1\nSFAC Mg O\nMg 1 0.0 0.0 0.0 1.0\nO 2 0.5 0.5 0.5 1.0\nEND\n"
PDB = (
    "CRYST1    4.210    4.210    4.210  90.00  90.00  90.00 P 1\n"
    "ATOM      1   Mg MOL     1       0.000   0.000   0.000  1.00  0.00          MG  \n"
    "ATOM      2    O MOL     1       2.105   2.105   2.105  1.00  0.00           O  \n"
    "ENDMDL\n"
)
AIMS = (
    "lattice_vector 4.21 0 0\nlattice_vector 0 4.21 0\nlattice_vector 0 0 4.21\n"
    "atom 0 0 0 Mg\natom_frac 0.5 0.5 0.5 O\n".replace("atom_frac 0.5 0.5 0.5", "atom 2.105 2.105 2.105")
)
XSF = "CRYSTAL\nPRIMVEC\n4.21 0 0\n0 4.21 0\n0 0 4.21\nPRIMCOORD\n2 1\nMg 0 0 0\n8 2.105 2.105 2.105\n"
GEN = "2 F\nMg O\n1 1 0 0 0\n2 2 .5 .5 .5\n0 0 0\n4.21 0 0\n0 4.21 0\n0 0 4.21\n"
CELL = (
    "%BLOCK LATTICE_ABC\n4.21 4.21 4.21\n90 90 90\n%ENDBLOCK LATTICE_ABC\n"
    "%block positions_frac\nMg:1 0 0 0 ! first\nO .5 .5 .5\n%endblock positions_frac\n"
)
XDATCAR = "mgo\n1\n4.21 0 0\n0 4.21 0\n0 0 4.21\nMg O\n1 1\n" + "".join(
    f"Direct configuration= {image}\n0 0 0\n.{image} .{image} .{image}\n" for image in (3, 4, 5)
)
MGO = Crystal(4.21 / BOHR_ANG * np.eye(3), ["Mg", "O"], [[0, 0, 0], [0.5, 0.5, 0.5]])


@pytest.mark.parametrize(
    ("filename", "text"),
    [("mgo.res", RES), ("mgo.pdb", PDB), ("geometry.in", AIMS), ("mgo.xsf", XSF), ("mgo.gen", GEN), ("mgo.cell", CELL),
     ("XDATCAR", XDATCAR), ("mgo.res", RES.replace("1.0\n", "11.00000 0.04\n")),
     ("mgo.cell", "%BLOCK LATTICE_CART\nbohr\n7.955747 0 0\n0 7.955747 0\n0 0 7.955747\n%ENDBLOCK LATTICE_CART\n"
      "%BLOCK POSITIONS_ABS\nnm\nMg 0 0 0\nO .2105 .2105 .2105\n%ENDBLOCK POSITIONS_ABS\n")],
)  # fmt: skip
def test_one_crystal_in_many_formats(filename: str, text: str) -> None:
    assert read(text, filename).crystal.same_as(MGO, tolerance=1e-5)


@pytest.mark.parametrize(
    ("filename", "text", "complaint"),
    [
        ("x.res", RES.replace("LATT -1", "LATT 1"), "atoms by their symmetry"),
        ("x.res", RES.replace("LATT -1\n", ""), "atoms by their symmetry"),
        ("x.res", RES.replace("SFAC", "SYMM -X, -Y, Z\nSFAC"), "atoms by their symmetry"),
        ("x.res", RES.replace("0.5 1.0", "0.5 0.5"), "partially occupied"),
        ("x.res", RES.replace("O 2 0.5", "O 2 5e-1"), "2 lines of atoms, of which 1 are understood"),
        ("x.res", RES.replace("SFAC Mg O", "SFAC Ca O"), "write the elements of SFAC"),
        ("x.res", RES + "x" * 10**6, "a line of more than 10000 letters"),
        ("x.pdb", PDB.replace("4.210  ", "1.000  ").replace("    4.210", "    1.000"), "CRYST1 is missing or 1 1 1"),
        ("x.pdb", PDB.partition("\n")[2], "CRYST1 is missing"),
        ("x.pdb", PDB.replace("P 1", "P 21/c"), "atoms by their symmetry"),
        ("x.pdb", PDB.replace("1.00  0.00           O", "0.50  0.00           O"), "partially occupied"),
        ("x.pdb", PDB.replace("          MG  ", ""), "does not say the elements"),
        ("geometry.in", AIMS + "empty 1 1 1 Mg\n", "sites without nuclei"),
        ("geometry.in", AIMS + "initial_charge 1\n", "net charge of \\+1"),
        ("geometry.in", AIMS.replace("atom 2", "atom \u22122"), "line 5 holds the character U\\+2212"),
        ("geometry.in", AIMS.replace("lattice_vector", "#"), "no three-dimensional cell"),
        ("x.cell", CELL.replace(".5 .5 .5", ".5 .5 .5 MIXTURE:( 1 0.5)"), "shared by elements"),
        ("x.cell", CELL.replace(".5 .5 .5", ".5 .5 .5 SPIN=( 0 0 2 )"), "the moment is a vector"),
        ("x.cell", CELL.replace("ABC\n", "ABC\nfurlong\n", 1), "the unit 'furlong' is none of"),
        ("x.cell", CELL + "CHARGE : 1\n", "net charge of \\+1"),
        ("x.xsf", XSF.replace("2 1\n", "3 1\n"), "damaged, or it is no XSF"),
        ("OUTCAR", "vasp\n", "give the CONTCAR"),
        ("x.pwo", "Program PWSCF\n", "give the input"),
        ("x.mol2", "hello\n", "a structure is read from CIF, POSCAR"),
        ("x.csv", "a,b\n", "a structure is read from CIF, POSCAR"),
    ],
)
def test_what_asks_for_more_than_is_read_is_refused(filename: str, text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        read(text, filename)


def test_moments_of_a_cell_file_are_read() -> None:
    text = CELL.replace("0 0 0", "0 0 0 SPIN= 2.5").replace("O .5 .5 .5", "Mg:2 .5 .5 .5 spin: -2.5")
    assert read_structure(text, "x.cell").moments.tolist() == [2.5, -2.5]


VASPRUN = """<?xml version="1.0" encoding="ISO-8859-1"?>
<modeling>
 <incar><i type="int" name="ISPIN">     2</i><v name="MAGMOM">   3.0  -3.0</v></incar>
 <kpoints><varray name="kpointlist"><v>0 0 0</v></varray></kpoints>
 <parameters><separator name="electronic"><i name="NELECT">     16.0</i></separator></parameters>
 <atominfo>
  <array name="atoms"><set><rc><c>Fe</c><c>1</c></rc><rc><c>Fe</c><c>1</c></rc></set></array>
  <array name="atomtypes"><set><rc><c>   2</c><c>Fe</c><c>  55.8</c><c>  8.0</c><c>  PAW_PBE Fe</c></rc></set></array>
 </atominfo>
 <structure name="initialpos"><crystal><varray name="basis">
  <v>2.8 0 0</v><v>0 2.8 0</v><v>0 0 2.8</v></varray></crystal>
  <varray name="positions"><v>0 0 0</v><v>0.5 0.5 0.5</v></varray></structure>
 <calculation>
  <scstep><energy><i name="e_fr_energy">-1</i><i name="e_wo_entrp">-1</i><i name="e_0_energy">-1</i></energy></scstep>
  <structure><crystal><varray name="basis"><v>2.9 0 0</v><v>0 2.9 0</v><v>0 0 2.9</v></varray></crystal>
   <varray name="positions"><v>0 0 0</v><v>0.5 0.5 0.5</v></varray></structure>
  <varray name="forces"><v>0 0 0</v><v>0 0 0</v></varray>
  <energy><i name="e_fr_energy">-1</i><i name="e_wo_entrp">-1</i><i name="e_0_energy">-1</i></energy>
 </calculation>
</modeling>
"""


def test_of_a_run_of_vasp_the_last_structure_is_read_with_the_moments_it_began_with() -> None:
    reading = read(VASPRUN, "vasprun.xml")
    iron = Crystal(2.9 / BOHR_ANG * np.eye(3), ["Fe", "Fe"], [[0, 0, 0], [0.5, 0.5, 0.5]], [3.0, -3.0])
    assert reading.crystal.same_as(iron, with_moments=True)
    assert "moments" in " ".join(reading.notes)


@pytest.mark.parametrize(
    ("changed", "to", "complaint"),
    [("16.0", "15.0", "net charge of \\+1"), ("<i type", '<i name="LNONCOLLINEAR"> T </i><i type', "not collinear")],
)
def test_a_run_of_vasp_with_a_charge_or_with_spins_in_all_directions_is_refused(
    changed: str, to: str, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        read(VASPRUN.replace(changed, to), "vasprun.xml")


@pytest.mark.parametrize("form", ["traj", "json"])
def test_moments_that_were_computed_are_taken_and_so_is_the_last_image(form: str, tmp_path: Path) -> None:
    images = [Atoms("Fe2", [[0, 0, 0], [1.4, 1.4, 1.4]], cell=[2.8] * 3, pbc=True) for _ in range(2)]
    images[-1].calc = SinglePointCalculator(images[-1], energy=0.0, magmoms=[2.0, -2.0])
    path = tmp_path / f"fe.{form}"
    from ase.io import write

    write(path, images)
    reading = read(path.read_bytes(), path.name)
    assert reading.crystal.moments.tolist() == [2.0, -2.0]
    assert reading.crystal.origin.startswith(f"fe.{form}, image 2 (")
    assert reading.notes == ("The file has 2 images, and the last one was taken.",)
