"""Which crystals may be magnetic, and the moments that their atoms start with."""

from __future__ import annotations

import numpy as np
import pytest
from ase.data import atomic_numbers, ground_state_magnetic_moments

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.magnetism import (
    ALONE,
    HIGH_SPIN,
    OFTEN_MAGNETIC,
    SMALL,
    may_be_magnetic,
    moments_by_element,
    often_magnetic,
    starting_moments,
)

BOX = 18.0
FCC = (np.ones((3, 3)) - np.eye(3)) / 2


def molecule(*atoms: tuple[str, float, float], moments: list[float] | None = None) -> Crystal:
    """Atoms in a plane, about the middle of a large box; positions in bohr."""
    positions = [[0.5, 0.5 + x / BOX, 0.5 + y / BOX] for _, x, y in atoms]
    return Crystal(BOX * np.eye(3), [symbol for symbol, _, _ in atoms], positions, moments)


def rock_salt(cation: str, anion: str, moments: list[float] | None = None) -> Crystal:
    return Crystal(8 * FCC, [cation, anion], [[0, 0, 0], [0.5, 0.5, 0.5]], moments)


@pytest.mark.parametrize("symbol", HIGH_SPIN)
def test_an_element_starts_with_the_spin_of_its_free_atom(symbol: str) -> None:
    """As ASE lists ground states; one electron more is unpaired beside the open shell, in Cr's 4s or in Gd's 5d."""
    free = ground_state_magnetic_moments[atomic_numbers[symbol]]
    assert free - HIGH_SPIN[symbol] in (0, 1)


@pytest.mark.parametrize(("symbol", "moment"), [("Mn", 5), ("Fe", 4), ("Co", 3), ("Ni", 2), ("Eu", 7), ("Gd", 7)])
def test_open_shells_start_with_all_spins_parallel(symbol: str, moment: float) -> None:
    assert starting_moments(rock_salt(symbol, "O")).tolist() == [moment, SMALL]
    assert SMALL < 1 <= moment


def test_where_no_element_is_magnetic_each_atom_starts_with_a_moment() -> None:
    """A cell without any moment would stay without one."""
    assert moments_by_element(["Al", "O", "O"]).tolist() == [ALONE] * 3
    # An open shell that hardly ever keeps its moment in a crystal is no reason for smaller ones beside it.
    assert moments_by_element(["Ti", "O"]).tolist() == [2.0, ALONE]


@pytest.mark.parametrize("moments", [[1.5, 0.0], [0.0, -0.2], [2.0, -2.0]])
def test_moments_that_are_given_are_those_of_all_atoms(moments: list[float]) -> None:
    assert starting_moments(rock_salt("Fe", "O", moments)).tolist() == moments


def test_elements_that_are_often_magnetic_are_told_once() -> None:
    assert often_magnetic(["O", "Fe", "Cr", "Fe", "O"]) == ["Fe", "Cr"]
    assert set(HIGH_SPIN) >= OFTEN_MAGNETIC


@pytest.mark.parametrize(
    ("crystal", "magnetic"),
    [
        (molecule(("O", 0, 1.14), ("O", 0, -1.14)), True),
        (molecule(("N", 0, 1.09), ("O", 0, -1.09)), True),
        (molecule(("H", 0, 0)), True),
        (molecule(("O", 0, 0), ("H", 1.43, 1.1), ("H", -1.43, 1.1)), False),
        (Crystal.load("al"), False),
        (Crystal.load("si"), False),
        (Crystal.load("graphene"), False),
        (Crystal.load("ni"), True),
        (rock_salt("Fe", "O"), True),
        (rock_salt("Mg", "O"), False),
        (rock_salt("Mg", "O", [0, 0.1]), True),
    ],
    ids=["O2", "NO", "an atom of H", "H2O", "Al", "Si", "graphene", "Ni", "FeO", "MgO", "MgO with a moment"],
)
def test_spin_is_on_where_there_may_be_a_moment(crystal: Crystal, magnetic: bool) -> None:
    assert may_be_magnetic(crystal) is magnetic


def test_the_electrons_of_one_element_may_be_unpaired_in_a_molecule_but_hardly_in_a_crystal() -> None:
    oxygen = molecule(("O", 0, 1.14), ("O", 0, -1.14))
    dense = Crystal(oxygen.lattice * 0.4, oxygen.species, (oxygen.positions - 0.5) * 2.5)
    assert may_be_magnetic(oxygen)
    assert not may_be_magnetic(dense)
