"""A second start for a free atom whose open shell can be filled in several ways.

An approximate functional lowers the levels that it fills, so that each way of filling the nearly degenerate orbitals of
an open shell may be self-consistent: in a cube the electron that iron has in its d shell beyond half of it is shared by
two orbitals or by three, some mHa apart. Which of them an SCF ends in depends on its first steps.
"""

from __future__ import annotations

import torch
from torch import Tensor

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.distances import closest_pair
from mlxc.kohn_sham.start.second_start import SAME_ENERGY
from mlxc.units import BOHR_ANG, HARTREE_EV

# An atom farther than this from its images is free: in no crystal are neighbours as far apart.
FREE_ANG = 5.5
# A part of what a level holds that is none, of levels that are filled or empty.
NO_ELECTRONS = 0.02
# Levels within this of each other belong together, hartree. Empty ones are known roughly.
DEGENERATE, EMPTY_DEGENERATE = 1e-3, 1e-2
# An empty level so far above the highest filled one, hartree, may be the lower one once it is filled.
WITHIN_REACH = 0.05


def is_free_atom(crystal: Crystal) -> bool:
    """Whether a crystal is an atom in a box."""
    return len(crystal.species) == 1 and closest_pair(crystal.lattice, crystal.positions)[0] * BOHR_ANG > FREE_ANG


def other_filling(levels: Tensor, electrons: Tensor) -> Tensor | None:
    """The electrons of the highest filled levels of each row moved to the lowest empty ones.

    Args:
        levels: The levels, hartree, ascending, shape ``(nk * nspin, nband)``.
        electrons: The electrons in each of them, same shape; a level holds 2 without spin, else 1.

    Returns:
        the electrons in each of them, same shape; None if no empty level is near to a filled one.
    """
    capacity = 2.0 if float(electrons.max()) > 1 + NO_ELECTRONS else 1.0
    moved = torch.stack([_moved(*row, capacity) for row in zip(levels, electrons, strict=True)])
    return None if torch.equal(moved, electrons) else moved


def _moved(levels: Tensor, electrons: Tensor, capacity: float) -> Tensor:
    holds_some = electrons > NO_ELECTRONS * capacity
    if not bool(holds_some.any()) or bool(holds_some.all()):
        return electrons
    highest, lowest = levels[holds_some].max(), levels[~holds_some].min()
    if float(lowest - highest) > WITHIN_REACH:
        return electrons
    donors = holds_some & (levels > highest - DEGENERATE)
    acceptors = ~holds_some & (levels < lowest + EMPTY_DEGENERATE)
    given = electrons * donors
    amount = torch.minimum(given.sum(), capacity * acceptors.sum())
    return electrons - given * (amount / given.sum()) + acceptors * (amount / acceptors.sum())


def told_of_shells(difference_ha: float) -> str:
    """What a person should know of two fillings, in a sentence; empty if both have led to one state.

    Args:
        difference_ha: The second free energy minus the first one, hartree.
    """
    if abs(difference_ha) < SAME_ENERGY:
        return ""
    lower = "lower" if difference_ha < 0 else "higher"
    difference = abs(difference_ha)
    return (
        "The SCF was started twice, since the open shell of an atom can be filled in several ways: with other orbitals "
        f"filled it ended {difference * 1e3:.3g} mHa ({difference * HARTREE_EV * 1e3:.3g} meV) {lower}; "
        "the lower one is kept."
    )
