"""The components of the moments that a CIF lists, in whichever frame it lists them. Imports no torch.

The frames are those of the magnetic CIF dictionary (magCIF, category ATOM_SITE_MOMENT), in Bohr magneton and degrees:

* ``crystalaxis``: along unit vectors in the directions of the lattice vectors;
* ``Cartn``: along x parallel to a, z parallel to c*, and y that completes them to a right-handed frame;
* ``spherical``: the modulus, the angle from that z, and the angle about it from x towards y.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mlxc.errors import InputError
from mlxc.structures.cif.document import Block, number

Vector = NDArray[np.float64]

LABEL = "_atom_site_moment_label"
# Moments are written with two or three digits, Bohr magneton.
ROUNDED = 0.03


def _along_axes(components: Vector, lattice: Vector) -> Vector:
    return components


def _cartesian(components: Vector, lattice: Vector) -> Vector:
    first = lattice[0] / np.linalg.norm(lattice[0])
    third = np.linalg.inv(lattice)[:, 2]
    third = third / np.linalg.norm(third)
    vector = components @ np.array([first, np.cross(third, first), third])
    return np.asarray(vector @ np.linalg.inv(lattice) * np.linalg.norm(lattice, axis=1))


def _spherical(components: Vector, lattice: Vector) -> Vector:
    modulus, (polar, azimuthal) = components[0], np.radians(components[1:])
    flat = modulus * np.sin(polar)
    return _cartesian(np.array([flat * np.cos(azimuthal), flat * np.sin(azimuthal), modulus * np.cos(polar)]), lattice)


# By the tags of the three components, what makes of them those along the lattice vectors.
FRAMES: dict[tuple[str, ...], Callable[[Vector, Vector], Vector]] = {
    tuple(f"_atom_site_moment_crystalaxis_{axis}" for axis in "xyz"): _along_axes,
    tuple(f"_atom_site_moment_crystalaxis_m{axis}" for axis in "xyz"): _along_axes,
    tuple(f"_atom_site_moment_Cartn_{axis}" for axis in "xyz"): _cartesian,
    tuple(f"_atom_site_moment_spherical_{part}" for part in ("modulus", "polar", "azimuthal")): _spherical,
}


def given_components(block: Block, labels: list[str], lattice: Vector) -> dict[str, Vector]:
    """The components of the moments along unit vectors in the directions of the lattice vectors, Bohr magneton.

    Args:
        block: The block of the CIF that lists them.
        labels: The labels of all sites.
        lattice: The lattice vectors in rows, angstrom.

    Returns:
        Three components by the label of the site.

    Raises:
        InputError: they are not understood, belong to no site, or are given in several frames that disagree.
    """
    names = block.column(LABEL)
    frames = [tags for tags in FRAMES if all(block.column(tag) is not None for tag in tags)]
    if names is None or not frames:
        raise InputError(
            f"The CIF gives moments, and not by label and three components (such as {LABEL}, {next(iter(FRAMES))[0]})."
        )
    repeated = [name for name in names if names.count(name) > 1 or labels.count(str(name)) != 1]
    if repeated:
        raise InputError(f"The CIF must have one site and one moment with the label {repeated[0]}.")
    given: dict[str, Vector] = {}
    for tags in frames:
        for name, vector in _in_frame(block, names, tags, lattice).items():
            if np.abs(given.setdefault(name, vector) - vector).max() > ROUNDED + 0.01 * np.abs(vector).max():
                raise InputError(f"The CIF gives the moment of {name} in two frames, and they disagree.")
    if missing := [name for name in names if name not in given]:
        raise InputError(f"The moment of {missing[0]} in the CIF must have three components.")
    return given


def _in_frame(block: Block, names: tuple[str | None, ...], tags: tuple[str, ...], lattice: Vector) -> dict[str, Vector]:
    """The moments that are given in one frame, see above; none where all components are unknown."""
    given: dict[str, Vector] = {}
    for name, *texts in block.rows((LABEL, *tags), len(names)):
        known = [number(text, f"The moment of {name}") for text in texts if text is not None]
        if len(known) == 3:
            given[str(name)] = FRAMES[tags](np.array(known), lattice)
        elif known:
            raise InputError(f"The moment of {name} in the CIF must have three components.")
    return given
