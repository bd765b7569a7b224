"""A free atom is started again with other orbitals of its open shell, and the lower state is kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import mlxc
from mlxc import Crystal, FermiDirac, PlaneWaves
from mlxc.kohn_sham.start.open_shell import NO_ELECTRONS, WITHIN_REACH, is_free_atom, other_filling, told_of_shells
from mlxc.units import BOHR_ANG

# Levels of the minority spin of an iron atom, hartree: s, three d and two d above them.
IRON = torch.tensor([[-0.151, -0.144, -0.144, -0.144, -0.119, -0.119, 0.03]], dtype=torch.float64)


def electrons(*filled: float) -> torch.Tensor:
    return torch.tensor([[*filled, 0.0, 0.0, 0.0]], dtype=torch.float64)


def atom(symbol: str, edge_ang: float, moment: float = 0.0) -> Crystal:
    return Crystal(np.eye(3) * edge_ang / BOHR_ANG, [symbol], [[0.5, 0.5, 0.5]], [moment])


def test_the_highest_filled_levels_give_their_electrons_to_the_lowest_empty_ones() -> None:
    moved = other_filling(IRON, electrons(0.85, 0.38, 0.38, 0.39))
    assert moved is not None
    assert moved[0].tolist() == pytest.approx([0.85, 0, 0, 0, 0.575, 0.575, 0])


def test_what_finds_no_room_stays_where_it_was() -> None:
    moved = other_filling(IRON, electrons(1.0, 1.0, 1.0, 1.0))
    assert moved is not None
    assert moved[0].tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 1, 1, 0])


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=8), st.data())
def test_no_electron_is_lost_and_no_level_holds_more_than_it_can(levels: list[float], data: st.DataObject) -> None:
    for capacity in (1.0, 2.0):
        filled = data.draw(st.lists(st.floats(0, capacity), min_size=len(levels), max_size=len(levels)))
        if max(filled) <= capacity / 2 + NO_ELECTRONS:
            continue
        before = torch.tensor([filled], dtype=torch.float64)
        after = other_filling(torch.tensor([sorted(levels)], dtype=torch.float64), before)
        if after is not None:
            assert float(after.sum()) == pytest.approx(float(before.sum()))
            assert float(after.min()) >= -1e-12
            assert float(after.max()) <= capacity * (1 + NO_ELECTRONS)


def test_a_closed_shell_is_not_opened() -> None:
    far = IRON.clone()
    far[0, 4:] += WITHIN_REACH
    assert other_filling(far, electrons(1.0, 1.0, 1.0, 1.0)) is None
    assert other_filling(IRON, torch.zeros_like(IRON)) is None


def test_only_an_atom_far_from_its_images_is_free() -> None:
    assert is_free_atom(atom("Fe", 6.0))
    assert not is_free_atom(atom("Po", 3.36))
    assert not is_free_atom(Crystal.load("si"))
    assert not is_free_atom(Crystal.load("al"))


def test_two_fillings_are_told_unless_they_end_the_same() -> None:
    assert told_of_shells(1e-6) == ""
    assert "2 mHa" in told_of_shells(-0.002)
    assert "lower; the lower one is kept" in told_of_shells(-0.002)
    assert "higher; the lower one is kept" in told_of_shells(0.002)


@pytest.mark.slow
def test_an_iron_atom_ends_in_the_same_state_from_different_starts() -> None:
    """From one its sixth d electron is shared by three orbitals at first, from the other one by two, 3 mHa lower."""
    settings = {"basis": PlaneWaves(22.0), "kmesh": (1, 1, 1), "smearing": FermiDirac(0.003), "spin": True}
    energies = [
        float(mlxc.scf(atom("Fe", 6.0, moment), pseudo="pseudodojo-pbe", differentiate=None, **settings).energy)
        for moment in (0.0, 5.0)
    ]
    assert energies[0] == pytest.approx(energies[1], abs=1e-5)
