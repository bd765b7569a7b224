"""What another program writes is read as the same crystal, whatever the format."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from ase.io import write
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.structures.files import read
from mlxc.structures.sources import load_structure

# The format of ASE, the name of the file, how many bohr its digits leave open, and whether it holds moments.
FORMATS = {
    "vasp": ("POSCAR", 1e-6, False), "extxyz": ("x.xyz", 1e-6, True), "cube": ("x.cube", 1e-4, False),
    "espresso-in": ("x.pwi", 1e-6, False), "xsf": ("x.xsf", 1e-6, False), "json": ("x.json", 1e-6, True),
    "gen": ("x.gen", 1e-6, False), "aims": ("geometry.in", 1e-6, True), "traj": ("x.traj", 1e-6, True),
}  # fmt: skip


@st.composite
def crystals(draw: st.DrawFn) -> Crystal:
    """Crystals of one to four atoms, the elements in blocks, since some formats sort them."""
    species = sorted(draw(st.lists(st.sampled_from(["H", "C", "Co", "Fe", "O", "U"]), min_size=1, max_size=4)))
    lattice = 9 * np.eye(3) + draw(arrays(float, (3, 3), elements=st.floats(-2, 2)))
    positions = draw(arrays(float, (len(species), 3), elements=st.floats(-1, 1)))
    moments = draw(arrays(float, (len(species),), elements=st.sampled_from([-2.0, 0.0, 0.5, 3.0])))
    try:
        return Crystal(lattice, species, positions, moments)
    except InputError:
        assume(False)
        raise


def written(crystal: Crystal, form: str, folder: Path) -> Path:
    path = folder / FORMATS[form][0]
    potentials = {symbol: f"{symbol}.upf" for symbol in crystal.species}
    more = {"pseudopotentials": potentials} if form == "espresso-in" else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(path, crystal.to_ase(), format=form, **more)
    return path


@pytest.mark.thorough
@pytest.mark.parametrize("form", FORMATS)
@given(crystal=crystals())
def test_a_crystal_comes_back_from_every_format(form: str, crystal: Crystal) -> None:
    _, tolerance, with_moments = FORMATS[form]
    with tempfile.TemporaryDirectory() as folder:
        path = written(crystal, form, Path(folder))
        again = read(path.read_bytes(), path.name).crystal
    assert again.same_as(crystal, tolerance=tolerance, with_moments=with_moments)


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_is_the_origin_of_its_crystal(form: str, tmp_path: Path) -> None:
    path = written(Crystal.load("gaas"), form, tmp_path)
    assert load_structure(str(path)).origin.startswith(f"{path.name} (")


@pytest.mark.thorough
@given(crystal=crystals())
def test_a_res_file_keeps_lengths_and_angles(crystal: Crystal) -> None:
    """Its format says nothing of how the cell is turned."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.res")
        write(path, crystal.to_ase(), format="res")
        again = read(path.read_bytes(), path.name).crystal
    np.testing.assert_allclose(again.lattice @ again.lattice.T, crystal.lattice @ crystal.lattice.T, atol=1e-4)
    # Digits of fractions, of which whole ones do not count.
    difference = again.positions - crystal.positions
    np.testing.assert_allclose(difference, difference.round(), atol=1e-6)
