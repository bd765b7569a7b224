"""Collinear spin: what must not change when electrons carry a direction."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import mlxc
from mlxc import Calculation, Crystal, FermiDirac, GroundState, InputError, PlaneWaves
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.kohn_sham.monitor import SCFRecord
from mlxc.kohn_sham.occupations import occupy, occupy_fixed_moment
from mlxc.kohn_sham.spin import check_filling, usual_spin

OXYGEN = Crystal([[7, 0, 0], [0, 6, 0], [0, 0, 6]], ["O", "O"], [[0.34, 0.5, 0.5], [0.66, 0.5, 0.5]])
# With a vacuum on all sides.
IN_A_BOX = Crystal(16 * np.eye(3), ["O", "O"], [[0.5, 0.5, 0.43], [0.5, 0.5, 0.57]])
SETTINGS = {"basis": PlaneWaves(20.0), "kmesh": (1, 1, 1), "smearing": FermiDirac(0.005), "spin": True}


def aluminium(**settings: object) -> GroundState:
    return mlxc.scf(
        Crystal.load("al"),
        basis=PlaneWaves(6.0),
        kmesh=(3, 3, 3),
        smearing=FermiDirac(0.02),
        tolerance=1e-8,
        **settings,
    )


def test_a_metal_without_magnetism_loses_the_moment_it_starts_with() -> None:
    unpolarised, polarised = aluminium(), aluminium(spin=True)
    assert polarised.magnetisation == pytest.approx(0, abs=1e-5)
    assert float(polarised.energy) == pytest.approx(float(unpolarised.energy), abs=1e-9)
    assert torch.allclose(polarised.density.sum(0), unpolarised.density[0], atol=1e-7)


def test_turning_all_spins_over_changes_nothing_but_the_sign_of_the_moment() -> None:
    up = mlxc.scf(Crystal(OXYGEN.lattice, OXYGEN.species, OXYGEN.positions, [1, 1]), **SETTINGS)
    down = mlxc.scf(Crystal(OXYGEN.lattice, OXYGEN.species, OXYGEN.positions, [-1, -1]), **SETTINGS)
    assert up.magnetisation == pytest.approx(2, abs=1e-3)
    assert down.magnetisation == pytest.approx(-up.magnetisation, abs=1e-6)
    assert float(down.energy) == pytest.approx(float(up.energy), abs=1e-8)


@pytest.mark.thorough
def test_a_fixed_moment_is_held_and_costs_energy_where_it_is_not_the_natural_one() -> None:
    free = mlxc.scf(OXYGEN, **SETTINGS)
    singlet = mlxc.scf(OXYGEN, **SETTINGS, total_moment=0.0)
    triplet = mlxc.scf(OXYGEN, **SETTINGS, total_moment=2.0)
    assert singlet.magnetisation == pytest.approx(0, abs=1e-8)
    assert triplet.magnetisation == pytest.approx(2, abs=1e-8)
    assert float(triplet.energy) == pytest.approx(float(free.energy), abs=1e-4)
    assert float(singlet.energy) > float(triplet.energy) + 0.01


def test_fixing_a_moment_of_zero_fills_both_spins_like_an_unpolarised_system() -> None:
    levels = torch.linspace(-0.5, 0.5, 24, dtype=torch.float64).reshape(3, 8)
    weights = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    unpolarised = occupy(levels, weights, 7, FermiDirac(0.02))
    polarised = occupy_fixed_moment(levels.repeat(2, 1), weights, 7, FermiDirac(0.02), 0.0)
    assert torch.allclose(polarised.electrons.chunk(2)[0] * 2, unpolarised.electrons)
    assert float(polarised.entropy_energy) == pytest.approx(float(unpolarised.entropy_energy))
    assert polarised.fermi_level == pytest.approx(unpolarised.fermi_level)


def test_opposite_moments_make_atoms_of_one_element_different() -> None:
    cube = {"lattice": torch.eye(3).numpy() * 6.0, "species": ["Cr", "Cr"], "positions": [[0, 0, 0], [0.5, 0.5, 0.5]]}
    ferromagnet = SpaceGroup.of(Crystal(**cube, moments=[1, 1]))
    antiferromagnet = SpaceGroup.of(Crystal(**cube, moments=[1, -1]))
    assert len(ferromagnet) == 2 * len(antiferromagnet)


@pytest.mark.parametrize(
    ("crystal", "total_moment", "fixed_occupations", "spin"),
    [
        (IN_A_BOX, None, False, True),
        (IN_A_BOX, None, True, False),
        (IN_A_BOX, 2.0, True, True),
        (Crystal.load("al"), None, False, False),
        (Crystal.load("al"), 0.0, False, True),
        (Crystal.load("ni"), None, False, True),
        (Crystal.load("ni"), None, True, False),
    ],
    ids=["O2", "O2 in pairs", "O2 with a moment", "Al", "Al with a held moment", "Ni", "Ni in pairs"],
)
def test_spin_is_on_by_itself_where_a_moment_is_given_or_may_be_found(
    crystal: Crystal, total_moment: float | None, fixed_occupations: bool, spin: bool
) -> None:
    assert usual_spin(crystal, total_moment, fixed_occupations) is spin


@pytest.mark.parametrize(
    ("electrons", "moment", "complaint"),
    [
        (2, 1.0, "total_moment: 2 electrons per cell and a moment of 1 .* give an even moment, or choose a smearing."),
        (3, 2.0, "total_moment: 3 electrons per cell and a moment of 2 .* give an odd moment, or choose a smearing."),
        (2, 0.5, "total_moment: 2 electrons per cell and a moment of 0.5 leave no whole number"),
        (2, 4.0, "total_moment: 4 is more than the 2 valence electrons of the cell allow."),
        (2, -4.0, "total_moment: -4 is more than the 2 valence electrons of the cell allow."),
        (3, None, "smearing: 3 electrons per cell cannot fill bands in pairs; .* or spin with a total moment."),
    ],
)
def test_fixed_occupations_leave_whole_electrons_in_each_spin(
    electrons: float, moment: float | None, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        check_filling(electrons, moment, fixed_occupations=True)


@pytest.mark.parametrize(
    ("electrons", "moment", "fixed_occupations"),
    [
        (2, None, True),
        (2, 0.0, True),
        (2, 2.0, True),
        (3, -1.0, True),
        (3, 2.0, False),
        (3, 0.37, False),
        (3, 3, False),
    ],
)
def test_moments_that_the_electrons_can_have_are_taken(
    electrons: float, moment: float | None, fixed_occupations: bool
) -> None:
    check_filling(electrons, moment, fixed_occupations)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"spin": False, "total_moment": 1.0}, "switch spin on"),
        ({"spin": True, "smearing": "none"}, "must be given"),
        ({"spin": True, "total_moment": 50.0}, "more than the 3 valence electrons"),
        ({"spin": True, "smearing": "none", "total_moment": 2.0}, "give an odd moment"),
    ],
)
def test_settings_of_spin_that_do_not_fit_are_refused_in_words(settings: dict[str, object], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        Calculation.from_dict({"structure": "al", **settings}).check()


def test_the_steps_of_a_second_start_go_on_from_the_first_and_say_so() -> None:
    al = Crystal.load("al")
    records: list[SCFRecord] = []
    ground = mlxc.scf(
        Crystal(al.lattice, al.species, al.positions, [0.5]),
        basis=PlaneWaves(5.0),
        kmesh=(2, 2, 2),
        smearing=FermiDirac(0.02),
        spin=True,
        tolerance=1e-5,
        monitor=records.append,
        differentiate=None,
    )
    assert [record.iteration for record in records] == list(range(1, len(records) + 1))
    starts = [record.start for record in records]
    assert starts == sorted(starts)
    assert set(starts) == {1, 2}
    # The second one has larger moments; what is kept is one of them.
    first, second = (next(record for record in records if record.start == start) for start in (1, 2))
    assert second.magnetisation_bohr_magneton > first.magnetisation_bohr_magneton
    assert {record.start for record in ground.history} == {1, 2}
    assert [record.iteration for record in ground.history] == list(range(1, len(records) + 1))
    assert "started twice" in ground.message
