"""How much of a metal there is at a Fermi level, which decides how cold smearing fills the states.

Cold smearing overfills the states below a gap, so that anywhere in the gap there are a few electrons too many. The only
level that leaves the right number of them lies close above the filled states, where F is too high by 0.08 widths for
each electron in reach. In an insulator that is an error which a narrower smearing does not mend quickly, while Gaussian
smearing makes none. Between the two F passes as

    F = c F_cold + (1 - c) F_Gaussian,

where c is a smooth function of the levels, one in metals and zero where the level lies deep in a gap. F is variational
if the occupations are its derivatives with respect to the levels, f = c f_cold + (1 - c) f_Gaussian + (F_cold -
F_Gaussian) dc/de; in between they leave the range of cold smearing by a few percent of the states at the edges.
"""

from __future__ import annotations

from math import log, pi, sqrt

import torch
from torch import Tensor

# Electrons for which there is room within a width of the level, per electron of the cell: where there are more it is a
# metal, where there are fewer an insulator, whose gap is then wider than some 8 widths.
METAL, INSULATOR = 1e-4, 1e-9


def metallic_share(
    eigenvalues: Tensor, degeneracy: Tensor, nelectrons: float, level: float, width: float
) -> tuple[float, Tensor]:
    """The share c of cold smearing, and its derivative with respect to each level.

    Args:
        eigenvalues: The eigenvalues, shape ``(nk * nspin, nband)``, hartree.
        degeneracy: The k-point weight times electrons that the state holds, shape ``(nk * nspin, 1)``.
        nelectrons: The number of electrons per cell.
        level: The level, hartree, at which Gaussian smearing of the same width holds them.
        width: The width, hartree.

    Returns:
        c, between 0 and 1, and its derivative, 1/hartree, shape of the eigenvalues, whose sum is zero.
    """
    x = (level - eigenvalues) / width
    room = degeneracy * torch.exp(-x.square()) / sqrt(pi)
    total = float(room.sum())
    if total <= INSULATOR * nelectrons:
        return 0.0, torch.zeros_like(eigenvalues)
    if total >= METAL * nelectrons:
        return 1.0, torch.zeros_like(eigenvalues)
    decades = log(METAL / INSULATOR)
    place = log(total / (INSULATOR * nelectrons)) / decades
    slope = 30 * place**2 * (1 - place) ** 2 / decades
    # The level moves with the states around it, each in proportion to its part in the room.
    changes = -2 * x * room
    of_room = (changes.sum() * room / total - changes) / (total * width)
    return place**3 * (10 - 15 * place + 6 * place**2), slope * of_room
