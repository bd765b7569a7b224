"""Magnetic branches of an equation of state: solutions whose moments change smoothly with the volume.

A magnet may have several at one volume, such as a low-spin and a high-spin one. Points of different branches make no
smooth curve, and a curve that goes on along one may leave the lowest energy without a sign of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mlxc.kohn_sham.solved_state import SolvedState
from mlxc.units import BOHR_ANG, HARTREE_EV

# States of one volume are the same if their moments differ by less, Bohr magneton per atom.
SAME_MOMENT = 0.05
# Between neighbouring volumes a moment that changes by more has jumped: by itself, and in units of the other changes.
JUMP, JUMP_RATIO = 0.3, 2.5

Branch = Mapping[int, SolvedState]


def moment_per_atom(state: SolvedState) -> float:
    """The integral of the absolute magnetisation, Bohr magneton per atom; zero without spin."""
    return (state.absolute_magnetisation or 0.0) / len(state.crystal.species)


def same_branch(first: SolvedState, second: SolvedState) -> bool:
    """Whether two states of one volume are the same one."""
    return abs(moment_per_atom(first) - moment_per_atom(second)) < SAME_MOMENT


def jumps(states: Sequence[SolvedState]) -> list[int]:
    """The indices of those states of neighbouring volumes whose moment has jumped from that of the state before."""
    changes = np.abs(np.diff([moment_per_atom(state) for state in states]))
    large = changes > max(JUMP, JUMP_RATIO * float(np.median(changes))) if len(changes) else changes
    return [int(index) + 1 for index in np.flatnonzero(large)]


def branches(states: Sequence[SolvedState], followed: Branch) -> list[dict[int, SolvedState]]:
    """All branches, each with its states by the index of the volume.

    Args:
        states: The states of a curve, from the smallest to the largest volume.
        followed: Further states, by the index of their volume: a branch of its own if one of them has the largest
            volume, else what the branch that the curve has jumped to is at smaller ones.
    """
    curve = dict(enumerate(states))
    if len(states) - 1 in followed:
        return [curve, dict(sorted(followed.items()))]
    jumped = jumps(states)
    if not jumped:
        return [curve]
    low = {index: state for index, state in curve.items() if index < jumped[-1]}
    high = {index: state for index, state in curve.items() if index >= jumped[-1]}
    return [low, dict(sorted({**followed, **high}.items()))]


def described(branch: Branch) -> dict[str, Any]:
    """Volumes, energies and moments of a branch as plain data."""
    return {
        "volumes_ang3": [state.crystal.volume * BOHR_ANG**3 for state in branch.values()],
        "energies_ev": [float(state.energy.detach()) * HARTREE_EV for state in branch.values()],
        "moments_per_atom_bohr_magneton": [moment_per_atom(state) for state in branch.values()],
    }


def told(found: Sequence[Branch]) -> str:
    """What a person should know of several branches, in a sentence."""
    words = []
    for branch in found:
        moments = [moment_per_atom(state) for state in branch.values()]
        volumes = f"{len(branch)} volume{'s' if len(branch) > 1 else ''}"
        words.append(f"{min(moments):.2f} to {max(moments):.2f} at {volumes}")
    return (
        f"There are {len(found)} magnetic branches, with moments per atom of {' and of '.join(words)} (Bohr magneton); "
        "the curve is that of the one with the lowest minimum."
    )
