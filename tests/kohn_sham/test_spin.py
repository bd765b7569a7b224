"""Collinear spin: what must not change when electrons carry a direction."""

from __future__ import annotations

import pytest
import torch

import mlxc
from mlxc import Calculation, Crystal, FermiDirac, GroundState, InputError, PlaneWaves
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.kohn_sham.monitor import SCFRecord
from mlxc.kohn_sham.occupations import occupy, occupy_fixed_moment

OXYGEN = Crystal([[7, 0, 0], [0, 6, 0], [0, 0, 6]], ["O", "O"], [[0.34, 0.5, 0.5], [0.66, 0.5, 0.5]])
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
    assert {record.start for record in ground.history} in ({1}, {2})
    assert "started twice" in ground.message
