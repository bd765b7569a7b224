"""The magnetic symmetry of a CIF and the moments of its atoms, which are collinear along any axis. Imports no torch.

Tags and axes are those of the magnetic CIF dictionary (magCIF), see :mod:`mlxc.structures.cif.moment_components`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mlxc.errors import InputError
from mlxc.structures.cif.atoms import Atoms, stabiliser
from mlxc.structures.cif.document import Block, shortened
from mlxc.structures.cif.moment_components import ROUNDED, given_components
from mlxc.structures.cif.operations import Operations, as_group, from_texts, product, translations_only
from mlxc.structures.cif.sites import Site

OPERATIONS = "_space_group_symop_magn_operation_xyz"
CENTRINGS = "_space_group_symop_magn_centering_xyz"
NAMES = tuple(f"_space_group_magn_{kind}" for kind in ("number_BNS", "name_BNS", "number_OG", "name_OG"))
# The magnetic group of nothing but the identity, by number and name.
TRIVIAL = ("1.1", "1.1.1", "P1")
_MODULATED = ("_space_group_symop_magn_ssg_", "_space_group_symop_ssg_", "_cell_wave_vector_", "_atom_site_fourier_")


def refuse_modulated(block: Block) -> None:
    """Refuse a structure that no cell repeats.

    Raises:
        InputError: it is modulated.
    """
    if any(block.has(prefix) for prefix in _MODULATED) or (block.number("_cell_modulation_dimension") or 0) > 0:
        raise InputError("The structure of the CIF is modulated, and no cell repeats it; give a commensurate one.")


def magnetic_operations(block: Block, lattice: NDArray[np.float64]) -> Operations | None:
    """The operations of the magnetic space group, times its centring vectors; None where none are listed.

    Raises:
        InputError: they are not understood, form no group or do not fit the cell.
    """
    if block.column(OPERATIONS) is None:
        name = block.text(*NAMES)
        if name is not None and name.replace(" ", "") not in TRIVIAL:
            raise InputError(f"The CIF names the magnetic group {shortened(name)}; list its operations, {OPERATIONS}.")
        return None
    operations = _listed(block, OPERATIONS)
    if block.column(CENTRINGS) is not None:
        operations = product(_listed(block, CENTRINGS), operations)
    operations = as_group(operations, OPERATIONS)
    if not operations.keep(lattice):
        raise InputError("The magnetic operations of the CIF do not fit its cell, which has another symmetry.")
    return operations


def has_moments(block: Block) -> bool:
    """Whether a block gives magnetic moments of atoms."""
    return block.has("_atom_site_moment_")


def moments_of(
    block: Block, sites: list[Site], atoms: Atoms, operations: Operations, lattice: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The moment of each atom along the one axis of all moments, Bohr magneton, shape ``(natom,)``.

    The axis points such that the largest of its components along the lattice vectors is positive.

    Raises:
        InputError: moments are not understood, contradict the operations, or have several axes.
    """
    lengths = np.linalg.norm(lattice, axis=1)
    given = given_components(block, [site.label for site in sites], lattice)
    vectors = np.zeros((len(atoms.elements), 3))
    for index, site in enumerate(sites):
        moment = given.get(site.label)
        if moment is None:
            continue
        own = [atom for atom, of in enumerate(atoms.sites) if of == index]
        if not own:
            raise InputError(f"{site.label} of the CIF has a moment and is a copy of another site; list it once.")
        kept = stabiliser(atoms.positions[own[0]], operations, lattice)
        back = _turned(moment / lengths, operations, np.array([atoms.operations[own[0]]]))[0]
        allowed = _turned(back, operations, kept).mean(axis=0)
        if np.linalg.norm((allowed - back) @ lattice) > ROUNDED + 0.01 * np.linalg.norm(back @ lattice):
            raise InputError(f"The moment of {site.label} in the CIF contradicts the magnetic operations on its site.")
        vectors[own] = _turned(moment / lengths, operations, np.array([atoms.operations[atom] for atom in own]))
    return _along_one_axis(vectors * lengths, lattice / lengths[:, None])


def _listed(block: Block, tag: str) -> Operations:
    """Magnetic operations; time reversal stands behind the coordinates, or in a column of its own."""
    texts = block.column(tag) or ()
    reversals = block.column(tag.removesuffix("xyz") + "timereversal")
    if reversals is not None and len(reversals) == len(texts):
        texts = tuple(f"{text},{reversal}" for text, reversal in zip(texts, reversals, strict=True))
    elif any((text or "").count(",") != 3 for text in texts):
        raise InputError(f"{tag} of the CIF must say whether time is reversed, as in 'x,y,z,-1'.")
    return from_texts(texts, tag)


def _turned(moment: NDArray[np.float64], operations: Operations, indices: NDArray[np.int64]) -> NDArray[np.float64]:
    """What operations make of a moment with components in lattice vectors: it is an axial vector, odd in time."""
    rotations = operations.rotations[indices]
    signs = np.round(np.linalg.det(rotations)) * operations.reversals[indices]
    return np.asarray(signs[:, None] * (rotations @ moment))


def _along_one_axis(components: NDArray[np.float64], directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Moments as numbers along the axis that all of them have.

    Args:
        components: along the lattice vectors, shape ``(natom, 3)``.
        directions: unit vectors along these, in rows.

    Raises:
        InputError: they have several axes.
    """
    vectors = components @ directions
    sizes = np.linalg.norm(vectors, axis=1)
    largest = int(np.argmax(sizes))
    if sizes[largest] < 1e-9:
        return np.zeros(len(vectors))
    axis = vectors[largest] / sizes[largest]
    axis = axis * np.sign(components[largest][np.argmax(np.abs(np.round(components[largest], 6)))])
    along = vectors @ axis
    across = np.linalg.norm(vectors - np.outer(along, axis), axis=1)
    if across.max() > ROUNDED + 0.01 * sizes[largest]:
        raise InputError("The moments of the CIF point along several axes; mlxc computes collinear ones, along one.")
    return np.asarray(np.sign(along) * sizes)


def without_magnetic_operations(operations: Operations) -> Operations:
    """The operations of a file that gives moments and no magnetic operations.

    Raises:
        InputError: there are other ones than the identity, and nobody knows what they do to moments.
    """
    if len(operations) > 1:
        raise InputError(
            f"The CIF gives moments and operations that say nothing about them; give {OPERATIONS}, "
            "or all atoms of the cell in P 1."
        )
    return translations_only()
