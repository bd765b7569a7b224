"""Reading the cell and the atoms of a Gaussian cube file (https://paulbourke.net/dataformats/cube/). Imports no torch.

ASE takes all lengths for bohr, where numbers of voxels below zero say that they are in angstrom, and makes vectors of
the cell point backwards then. The data are not looked at.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlxc.crystal.crystal import MAX_ATOMS, Crystal, too_many_atoms
from mlxc.errors import InputError
from mlxc.structures.formats.places import fractional
from mlxc.structures.formats.text import element, integer, vector, words_of
from mlxc.structures.reading import Reading
from mlxc.units import BOHR_ANG

# The lines of what a cube file begins with, from 1 on.
_PROGRAM, _ATOMS, _FIRST_AXIS, _FIRST_ATOM = 2, 3, 4, 7
_MOST_VOXELS = 100_000
_IN_ANGSTROM = "The numbers of voxels are negative, so all lengths of the cube file were taken in angstrom."


def read_cube(text: str, name: str) -> Reading:
    """The crystal whose cell is the box of a cube file; where the grid begins does not matter to a crystal.

    Args:
        text: The content of the file.
        name: How the crystal is called.

    Raises:
        InputError: the text is no cube file.
    """
    lines = [words_of(line) for line in text.split("\n", _FIRST_ATOM + MAX_ATOMS)]
    atoms = _number_of_atoms(lines)
    voxels, steps = _grid(lines)
    in_angstrom = _are_negative(voxels)
    # The last plane of a cube file of CASTEP repeats the first.
    intervals = abs(voxels) - ("castep2cube" in " ".join(lines[_PROGRAM - 1]))
    lattice = steps * intervals[:, None]
    species, places = _atoms(lines, atoms)
    positions = fractional(places, lattice)
    crystal = Crystal(lattice / BOHR_ANG if in_angstrom else lattice, species, positions, name=name)
    return Reading(crystal, "cube", notes=(_IN_ANGSTROM,) if in_angstrom else ())


def _number_of_atoms(lines: list[list[str]]) -> int:
    words = _words(lines, _ATOMS, 4)
    vector(words[1:], _ATOMS)
    # The number is negative where the data are orbitals.
    atoms = abs(integer(words[0], _ATOMS))
    if atoms > MAX_ATOMS:
        raise too_many_atoms(atoms)
    return atoms


def _grid(lines: list[list[str]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The numbers of voxels along the axes, and the edges of a voxel as rows."""
    voxels, steps = np.zeros(3), np.zeros((3, 3))
    for axis in range(3):
        line = _FIRST_AXIS + axis
        words = _words(lines, line, 4)
        voxels[axis], steps[axis] = integer(words[0], line), vector(words[1:], line)
        if abs(voxels[axis]) > _MOST_VOXELS:
            raise InputError(f"Line {line}: {words[0]} voxels are more than the {_MOST_VOXELS} that an axis may have.")
    return voxels, steps


def _are_negative(voxels: NDArray[np.float64]) -> bool:
    if voxels.min() > 0 or voxels.max() < 0:
        return bool(voxels.max() < 0)
    given = ", ".join(f"{count:.0f}" for count in voxels)
    raise InputError(
        f"Lines 4 to 6: the numbers of voxels are {given}; all are positive where lengths are in bohr, and all are "
        "negative where they are in angstrom."
    )


def _atoms(lines: list[list[str]], atoms: int) -> tuple[list[str], NDArray[np.float64]]:
    """The chemical symbols, and the places, shape ``(natom, 3)``, in the unit of the file."""
    species, places = [], np.zeros((atoms, 3))
    for atom in range(atoms):
        line = _FIRST_ATOM + atom
        words = _words(lines, line, 5)
        species.append(element(str(integer(words[0], line)), f"Line {line}"))
        places[atom] = vector(words[2:], line)
    return species, places


def _words(lines: list[list[str]], line: int, fewest: int) -> list[str]:
    words = lines[line - 1] if line <= len(lines) else []
    if len(words) < fewest:
        raise InputError(f"Line {line} of the cube file needs {fewest} numbers, and it has {len(words) or 'none'}.")
    return words
