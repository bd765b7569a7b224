"""Magnetic CIFs: collinear moments along any axis, turned as axial vectors that are odd in time."""

from __future__ import annotations

import numpy as np
import pytest
import spglib
from ase.cell import Cell
from cif_texts import atoms, cif_text, cube, formula, name, read

from mlxc.errors import InputError

IDENTITY = ("x,y,z,+1",)
ANTICENTRED = ("x,y,z,+1", "x+1/2,y+1/2,z+1/2,-1")
HEXAGONAL = "4 4 5 90 90 120"
IRON = "Fe1 Fe 0 0 0"


def magnetic(
    cell: str,
    operations: tuple[str, ...],
    rows: tuple[str, ...],
    moments: tuple[str, ...],
    centrings: tuple[str, ...] = (),
    components: str = "crystalaxis_x crystalaxis_y crystalaxis_z",
    more: str = "",
) -> str:
    """A magnetic CIF with operations, centrings, sites, and moments along the lattice vectors."""
    lists = []
    for kind, listed in (("operation", operations), ("centering", centrings)):
        if listed:
            numbered = [f"{index} {text}" for index, text in enumerate(listed, 1)]
            lists += ["loop_", f"_space_group_symop_magn_{kind}.id", f"_space_group_symop_magn_{kind}.xyz", *numbered]
    tags = [f"_atom_site_moment.{component}" for component in ("label", *components.split())]
    return cif_text(cell, "\n".join(lists), *rows, more=more) + "\n".join(["loop_", *tags, *moments]) + "\n"


@pytest.mark.parametrize(
    ("cell", "components", "size"),
    [
        (cube(4), "2.1 0 0", 2.1), (cube(4), "0 2.1 0", 2.1), (cube(4), "0 0 2.1(1)", 2.1), (cube(4), "-2.1 0 0", -2.1),
        (cube(4), "1 1 1", np.sqrt(3)), (cube(4), "1 -2 0", -np.sqrt(5)), (HEXAGONAL, "2 2 0", 2.0),
        (HEXAGONAL, "2 1 0", np.sqrt(3)), ("4 5 6 80 95 110", "0 0 -3", -3.0),
    ],
)  # fmt: skip
def test_an_antiferromagnet_has_opposite_moments_along_whatever_axis(cell: str, components: str, size: float) -> None:
    """In a hexagonal cell the unit vectors along a and b enclose 120 degrees, so that 2 2 0 is as long as 2 0 0."""
    text = magnetic(cell, IDENTITY, (IRON,), (f"Fe1 {components}",), ANTICENTRED)
    assert read(text).crystal.moments == pytest.approx([size, -size])


AXES, CARTESIAN = "crystalaxis_x crystalaxis_y crystalaxis_z", "Cartn_x Cartn_y Cartn_z"
SPHERICAL = "spherical_modulus spherical_polar spherical_azimuthal"
CELLS = (cube(4), HEXAGONAL, "4 5 6 80 95 110", "7 4 5 62 71 118")


def in_frame(cell: str, frame: str, components: np.ndarray) -> str:
    """What components along the lattice vectors are in another frame; ASE's cells have x parallel to a, z to c*."""
    vectors = Cell.fromcellpar([float(word) for word in cell.split()])
    x, y, z = components @ (vectors / vectors.lengths()[:, None])
    size = np.linalg.norm([x, y, z])
    spherical = (size, np.degrees(np.arccos(z / size)), np.degrees(np.arctan2(y, x)))
    values = {AXES: components, CARTESIAN: (x, y, z), SPHERICAL: spherical}[frame]
    return " ".join(f"{value:.6f}" for value in values)


@pytest.mark.parametrize("frame", [CARTESIAN, SPHERICAL])
@pytest.mark.parametrize("cell", CELLS)
def test_moments_in_other_frames_are_those_along_the_lattice_vectors(cell: str, frame: str) -> None:
    """A file that gives both frames is refused where they disagree."""
    for components in (*np.eye(3), *np.random.default_rng(1).normal(size=(3, 3))):
        along, turned = in_frame(cell, AXES, 2 * components), in_frame(cell, frame, 2 * components)
        expected = read(magnetic(cell, IDENTITY, (IRON,), (f"Fe1 {along}",), ANTICENTRED)).crystal.moments
        alone = magnetic(cell, IDENTITY, (IRON,), (f"Fe1 {turned}",), ANTICENTRED, frame)
        assert read(alone).crystal.moments == pytest.approx(expected, abs=1e-5)
        both = magnetic(cell, IDENTITY, (IRON,), (f"Fe1 {along} {turned}",), ANTICENTRED, f"{AXES} {frame}")
        assert read(both).crystal.moments == pytest.approx(expected, abs=1e-5)
        other = both.replace(along, in_frame(cell, AXES, np.roll(components, 1)), 1)
        with pytest.raises(InputError, match="Fe1 in two frames, and they disagree"):
            read(other)


def test_a_moment_stands_in_whichever_frame_it_is_known_in() -> None:
    both = f"{AXES} {SPHERICAL}"
    rows = (IRON, "Fe2 Fe .5 .5 .5")
    mixed = magnetic(cube(4), IDENTITY, rows, ("Fe1 0 0 2 . . .", "Fe2 ? ? ? 2 180 0"), components=both)
    assert read(mixed).crystal.moments == pytest.approx([2, -2])


def test_a_ferromagnet_and_a_ferrimagnet_keep_their_signs() -> None:
    centred = ("x,y,z,+1", "x+1/2,y+1/2,z+1/2,+1")
    iron = read(magnetic(cube(2.87), IDENTITY, (IRON,), ("Fe1 0 0 2.2",), centred)).crystal
    assert iron.moments == pytest.approx([2.2, 2.2])
    rows = (IRON, "Fe2 Fe .5 .5 .5", "O1 O 0 0 .5")
    ferrimagnet = read(magnetic(HEXAGONAL, IDENTITY, rows, ("Fe1 4 2 0", "Fe2 -3.00 -1.50 0"))).crystal
    assert ferrimagnet.moments == pytest.approx([2 * np.sqrt(3), -1.5 * np.sqrt(3), 0])


# P 42'/m n m', number 136.499 of Belov, Neronova and Smirnova.
MNF2 = (
    "x,y,z,+1", "x+1/2,-y+1/2,-z+1/2,+1", "-x+1/2,y+1/2,-z+1/2,+1", "-x,-y,z,+1", "-x,-y,-z,+1",
    "-x+1/2,y+1/2,z+1/2,+1", "x+1/2,-y+1/2,z+1/2,+1", "x,y,-z,+1", "y,x,-z,-1", "-y,-x,-z,-1",
    "-y+1/2,x+1/2,z+1/2,-1", "y+1/2,-x+1/2,z+1/2,-1", "-y,-x,z,-1", "y,x,z,-1", "y+1/2,-x+1/2,-z+1/2,-1",
    "-y+1/2,x+1/2,-z+1/2,-1",
)  # fmt: skip
RUTILE = ("4.8734 4.8734 3.3099 90 90 90", MNF2, ("Mn1 Mn 0 0 0", "F1 F .305 .305 0"))


def test_manganese_fluoride_is_the_antiferromagnet_that_its_magnetic_group_makes() -> None:
    """The witness is spglib, which finds the group again in the crystal that was read."""
    text = magnetic(*RUTILE, ("Mn1 0 0 4.6",), more=formula("F2 Mn", 2))
    assert atoms(text) == {"Mn": 2, "F": 4}
    crystal = read(text).crystal
    assert crystal.moments == pytest.approx([4.6, -4.6, 0, 0, 0, 0])
    vectors = [[0, 0, moment] for moment in crystal.moments]
    found = spglib.get_magnetic_symmetry_dataset(
        (crystal.lattice.tolist(), crystal.positions.tolist(), crystal.atomic_numbers, vectors)
    )
    assert spglib.get_magnetic_spacegroup_type(found.uni_number).bns_number == "136.499"


def test_operations_that_mix_axes_of_different_lengths_keep_the_size_of_moments() -> None:
    """A hexagonal cell that is doubled along a: its mirror maps a onto a combination of a and b."""
    cell = "8 4 7 90 90 120"
    operations = ("x,y,z,+1", "-x,-2x+y,z,+1")
    text = magnetic(cell, operations, ("Ho1 Ho .2 .1 .3",), ("Ho1 0 0 3",))
    assert read(text).crystal.moments == pytest.approx([3, -3])
    along = magnetic(cell, operations, ("Ho1 Ho .2 .1 .3",), ("Ho1 0 3 0",))
    assert np.abs(read(along).crystal.moments) == pytest.approx([3, 3])


def test_time_reversal_may_stand_in_a_column_of_its_own() -> None:
    text = magnetic(*RUTILE, ("Mn1 0 0 4.6",))
    lines = text.splitlines()
    start = lines.index("_space_group_symop_magn_operation.xyz")
    lines.insert(start + 1, "_space_group_symop_magn_operation_timereversal")
    for index in range(start + 2, start + 2 + len(MNF2)):
        operation, _, reversal = lines[index].rpartition(",")
        lines[index] = f"{operation} {reversal}"
    assert read("\n".join(lines)).crystal.moments == pytest.approx([4.6, -4.6, 0, 0, 0, 0])


def test_moments_without_operations_need_all_atoms() -> None:
    moments = (
        "loop_\n_atom_site_moment_label\n_atom_site_moment_crystalaxis_x\n_atom_site_moment_crystalaxis_y\n"
        "_atom_site_moment_crystalaxis_z\nFe1 0 0 1\n"
    )
    assert read(cif_text(cube(4), name("P 1"), IRON) + moments).crystal.moments == pytest.approx([1])
    with pytest.raises(InputError, match="say nothing about them"):
        read(cif_text(cube(4), name("F m -3 m"), IRON) + moments)


TRIANGLE = ("x,y,z,+1", "-y,x-y,z,+1", "-x+y,-x,z,+1")
REFUSED = {
    "three axes": (magnetic(HEXAGONAL, TRIANGLE, ("Mn1 Mn .3 0 0",), ("Mn1 2 0 0",)), "several axes"),
    "canted": (magnetic(cube(4), IDENTITY, (IRON, "Fe2 Fe .5 .5 .5"), ("Fe1 2 0 0", "Fe2 -2 .2 0")), "several axes"),
    "against its site": (magnetic(*RUTILE, ("Mn1 4.6 0 0",)), "contradicts"),
    "a grey group": (magnetic(cube(4), ("x,y,z,+1", "x,y,z,-1"), (IRON,), ("Fe1 2 0 0",)), "contradicts"),
    "a smaller cell than that of the moments": (
        magnetic(cube(4), ("x,y,z,+1", "x+1,y,z,-1"), (IRON,), ("Fe1 2 0 0",)),
        "contradicts",
    ),
    "no time reversal": (magnetic(cube(4), ("x,y,z", "-x,-y,-z"), (IRON,), ("Fe1 2 0 0",)), "time is reversed"),
    "a moment of nothing": (magnetic(cube(4), IDENTITY, (IRON,), ("Fe2 2 0 0",)), "label Fe2"),
    "two sites of a label": (magnetic(cube(4), IDENTITY, (IRON, "Fe1 Fe .5 .5 .5"), ("Fe1 2 0 0",)), "label Fe1"),
    "a missing component": (magnetic(cube(4), IDENTITY, (IRON,), ("Fe1 2 ? 0",)), "three components"),
    "a typographic minus": (magnetic(cube(4), IDENTITY, (IRON,), ("Fe1 −2 0 0",)), "'−2'"),
    "a modulus alone": (
        magnetic(cube(4), IDENTITY, (IRON,), ("Fe1 2",), components="spherical_modulus"),
        "not by label and three components",
    ),
    "no known component": (magnetic(cube(4), IDENTITY, (IRON,), ("Fe1 . . .",)), "three components"),
    "no group": (magnetic(cube(4), ("x,y,z,+1", "-y,x,z,-1"), (IRON,), ("Fe1 0 0 2",)), "no group"),
    "another cell": (magnetic("4 5 6 90 90 90", TRIANGLE, ("Mn1 Mn .3 0 0",), ("Mn1 0 0 2",)), "do not fit its cell"),
    "a group and no operations": (
        magnetic(cube(4), (), (IRON,), ("Fe1 0 0 2",), more="_space_group_magn.number_BNS 62.448"),
        "62.448",
    ),
    "another formula": (magnetic(*RUTILE, ("Mn1 0 0 4.6",), more=formula("F3 Mn")), "F4 Mn2"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_moments_that_are_not_collinear_or_not_certain_are_refused(kind: str) -> None:
    text, words = REFUSED[kind]
    with pytest.raises(InputError) as error:
        read(text)
    assert words in str(error.value)
