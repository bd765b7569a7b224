"""Functionals that a hand moves along a line give what whole functionals give there."""

from __future__ import annotations

import pytest
import torch

import mlxc
from mlxc import FrozenLibrary, InputError
from mlxc.frozen.moved.line import Line, movable
from mlxc.frozen.moved.move import DEVIATIONS, Move, weight_at
from mlxc.frozen.moved.on_line import Polynomial, chebyshev_points
from mlxc.frozen.screener import Screener
from mlxc.frozen.screening import screen
from mlxc.xc.uncertainty import standard_deviation

WEIGHT = Move("exchange_network.0.weight", 3)


@pytest.fixture(scope="module")
def screener() -> Screener:
    return Screener(FrozenLibrary())


@pytest.mark.parametrize("move", [WEIGHT, Move(direction=2)])
def test_a_place_on_a_line_gives_what_the_functional_there_gives(screener: Screener, move: Move) -> None:
    for place in (-0.37, 0.8):
        candidate = screener.moved("solids-gga", move, place)
        found = screener.row(candidate, "Si_diamond", "moved")
        (expected,) = screen([candidate.module], screener.library, solids=["Si_diamond"]).rows
        assert found.lattice_constant_ang == pytest.approx(expected.lattice_constant_ang, abs=1e-6)
        assert found.bulk_modulus_gpa == pytest.approx(expected.bulk_modulus_gpa, rel=1e-5)
        assert found.outside_domain_fraction == expected.outside_domain_fraction


def test_the_middle_of_a_line_is_the_functional_itself(screener: Screener) -> None:
    middle, itself = screener.moved("solids-gga", WEIGHT, 0.0), screener.candidate("solids-gga")
    assert middle.energies("Al_fcc") == pytest.approx(itself.energies("Al_fcc"), abs=1e-10)


def test_members_of_an_ensemble_give_what_whole_functionals_give(screener: Screener) -> None:
    for solid in ("NaCl_b1", "graphene", "Ni_fcc"):
        found = screener.row(screener.candidate("solids-gga#3"), solid, "member")
        (expected,) = screen(["solids-gga#3"], screener.library, solids=[solid]).rows
        assert found.lattice_constant_ang == pytest.approx(expected.lattice_constant_ang, abs=1e-6)
        assert found.cohesive_energy_ev == pytest.approx(expected.cohesive_energy_ev, abs=1e-4)


def test_directions_are_independent_and_make_the_standard_deviation(screener: Screener) -> None:
    functional = mlxc.functional("overfit-gga")
    length = screener.library.curve("Al_fcc").predictions(functional)["lattice_constant_ang"]
    parameters = list(functional.parameters())
    slopes = torch.autograd.grad(length, parameters, retain_graph=True, materialize_grads=True)
    count = movable(functional)["directions"]
    changes = []
    for direction in range(1, count + 1):
        shifts = Line.of(functional, Move(direction=direction)).shifts
        changes.append(sum(float((slopes[index] * shift).sum()) for index, shift in shifts.items()) / DEVIATIONS)
    found = sum(change**2 for change in changes) ** 0.5
    assert found == pytest.approx(standard_deviation(length, functional), rel=1e-6)


def test_what_a_hand_may_move_is_told_with_its_values() -> None:
    told = movable(mlxc.functional("solids-gga"))
    weight = told["weights"][WEIGHT.weight]
    assert weight["shape"] == [16, 2]
    assert len(weight["values"]) == 32
    assert (told["members"], told["directions"] > 0) == (16, True)
    plain = movable(mlxc.functional("pbe-proxy"))
    assert (plain["members"], plain["directions"]) == (0, 0)
    line = Line.of(mlxc.functional("solids-gga"), WEIGHT)
    moved = dict(line.at(0.5).named_parameters())[WEIGHT.weight].flatten()[3]
    assert moved.item() == pytest.approx(weight_at(weight["values"][3], weight["typical"], 0.5))


def test_a_smooth_function_is_a_polynomial_and_another_one_is_evaluated() -> None:
    asked: list[float] = []

    def smooth(place: float) -> torch.Tensor:
        asked.append(place)
        return torch.tensor([1.0, place, 0.01 * place**3], dtype=torch.float64)

    polynomial = Polynomial(smooth)
    known = len(asked)
    assert polynomial.at(0.3) == pytest.approx(smooth(0.3), abs=1e-12)
    assert len(asked) == known + 1
    kink = Polynomial(lambda place: torch.tensor([abs(place - 0.1)], dtype=torch.float64))
    assert float(kink.at(0.1)[0]) == 0  # type: ignore[index]
    assert Polynomial(lambda place: "There is none.").at(0.2) == "There is none."
    assert set(chebyshev_points(4)) <= set(chebyshev_points(8))


@pytest.mark.parametrize("data", [{}, {"weight": "a", "direction": 1}, {"weight": 3}, {"other": 1}, {"direction": -1}])
def test_a_move_that_names_nothing_is_one_sentence(data: dict[str, object]) -> None:
    with pytest.raises(InputError, match="move: give a weight"):
        Move.from_dict(data)


def test_what_a_functional_does_not_have_cannot_move() -> None:
    functional = mlxc.functional("pbe-proxy")
    with pytest.raises(InputError, match="no weight 33 in"):
        Line.of(functional, Move("exchange_network.0.weight", 32))
    with pytest.raises(InputError, match="no ensemble"):
        Line.of(functional, Move(direction=1))
