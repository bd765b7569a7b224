"""The ways of filling the shells of an atom."""

from __future__ import annotations

import pytest

from mlxc import InputError
from mlxc.atoms.shells import Channel, candidate_fillings, magnetisation

# Valence electrons with PseudoDojo's cores, and the spins of the textbook's ground states.
ATOMS = {
    ("H", 1): 1, ("Li", 3): 1, ("C", 4): 2, ("N", 5): 3, ("O", 6): 2, ("F", 7): 1, ("Ga", 13): 1, ("Ti", 12): 2,
    ("V", 13): 3, ("Fe", 16): 4, ("Ni", 18): 2, ("Cu", 19): 1, ("Pd", 18): 0, ("W", 14): 4, ("Ca", 10): 0,
}  # fmt: skip


@pytest.mark.parametrize(("atom", "moment"), ATOMS.items())
def test_the_first_candidate_is_the_textbook_configuration(atom: tuple[str, int], moment: int) -> None:
    fillings = candidate_fillings(*atom)
    assert magnetisation(fillings[0]) == moment
    for filling in fillings:
        assert sum(channel.electrons * count for channel, count in filling.items()) == atom[1]


def test_one_p_electron_is_along_the_axis_and_two_are_around_it() -> None:
    along, around = Channel(0, 0, 1), Channel(0, 1, 1)
    assert candidate_fillings("B", 3)[0].keys() == {Channel(0, 0, 0), Channel(1, 0, 0), along}
    assert candidate_fillings("C", 4)[0].keys() == {Channel(0, 0, 0), Channel(1, 0, 0), around}


def test_electrons_move_between_outer_s_and_d_shells_only() -> None:
    def d_electrons(filling: dict[Channel, int]) -> int:
        total = sum(channel.electrons * count for channel, count in filling.items() if channel.parity == 0)
        return total - 4  # 3s2 4s2

    # 3d8 4s2, 3d9 4s1 and 3d10 of nickel; magnesium and gallium have no choice.
    moments = {magnetisation(filling) for filling in candidate_fillings("Ni", 18)}
    assert moments == {0, 2}
    assert d_electrons(candidate_fillings("Ni", 18)[0]) == 8
    assert len(candidate_fillings("Mg", 10)) == len(candidate_fillings("Ga", 13)) == 1


def test_a_core_with_an_open_shell_is_refused() -> None:
    with pytest.raises(InputError, match="closed shells"):
        candidate_fillings("Fe", 10)
