"""Ways to the fixed point: they all end there, and the ones that know more end sooner."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import mlxc
from mlxc import AndersonMixing, Crystal, FermiDirac, GroundState, InputError, LinearMixing, PlaneWaves
from mlxc.grid.fields import DENSITY, GRADIENT, TAU, FieldKinds, component_count
from mlxc.grid.grid import Grid
from mlxc.kohn_sham.eigensolver import Davidson
from mlxc.kohn_sham.mixing import mixers
from mlxc.kohn_sham.mixing.combination import best_combination
from mlxc.kohn_sham.mixing.kerker import KerkerPreconditioner
from mlxc.kohn_sham.mixing.mixers import ScheduledMixer
from mlxc.kohn_sham.mixing.schedule import PATIENCE, MixingStage
from mlxc.units import BOHR_ANG

STAGE = MixingStage(0.5)


def aluminium(**more: Any) -> GroundState:
    settings: dict[str, Any] = {"basis": PlaneWaves(5.0), "kmesh": (3, 3, 3), "smearing": FermiDirac(0.01)}
    return mlxc.scf(Crystal.load("al"), pseudo="gth", tolerance=1e-8, **settings, **more)


@pytest.mark.parametrize(
    "mixer",
    [LinearMixing(0.7), LinearMixing(0.9, screening=0.3), AndersonMixing(depth=2), AndersonMixing(schedule=[STAGE])],
    ids=["linear", "linear with Kerker", "shallow", "one stage"],
)
@pytest.mark.thorough
def test_every_way_of_mixing_ends_at_the_same_density(mixer: Any) -> None:
    usual, other = aluminium(), aluminium(mixer=mixer)
    assert other.converged
    assert [step.density_residual for step in other.history] != [step.density_residual for step in usual.history]
    assert float(other.energy) == pytest.approx(float(usual.energy), abs=1e-10)


@pytest.mark.thorough
def test_a_memory_saves_steps() -> None:
    careful = AndersonMixing(schedule=[MixingStage(0.2)])
    alone, with_memory = aluminium(mixer=LinearMixing(0.2), max_iterations=100), aluminium(mixer=careful)
    assert alone.converged
    assert len(with_memory.history) < len(alone.history)


def test_another_accuracy_of_the_orbitals_ends_at_the_same_density() -> None:
    settings: dict[str, Any] = {"basis": PlaneWaves(5.0), "kmesh": (2, 2, 2), "pseudo": "gth", "tolerance": 1e-8}
    usual = mlxc.scf(Crystal.load("si"), **settings)
    patient = mlxc.scf(Crystal.load("si"), eigensolver=Davidson(later_steps=8, accuracy=0.003), **settings)
    assert float(patient.energy) == pytest.approx(float(usual.energy), abs=1e-10)


@pytest.mark.parametrize("kinds", [(DENSITY,), (DENSITY, TAU), (DENSITY, GRADIENT), (DENSITY, GRADIENT, TAU)])
def test_kerkers_preconditioner_holds_back_the_charge_and_nothing_else(kinds: FieldKinds) -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 12, (6, 6, 6), 1.5)
    residual = torch.ones(component_count(kinds), 2, len(grid.miller), dtype=torch.complex128)
    taken = KerkerPreconditioner(grid, kinds, MixingStage(0.8, 1.0, 0.9))(residual).real
    charge = range(4) if GRADIENT in kinds else [0]
    expected = (0.8 * grid.squares / (grid.squares + 1))[1:]
    for field in range(len(residual)):
        held_back = expected if field in charge else torch.full_like(expected, 0.9)
        torch.testing.assert_close(taken[field, 0, 1:], held_back)
        torch.testing.assert_close(taken[field, 1], torch.full_like(taken[field, 1], 0.9))


@pytest.mark.parametrize("metal", [False, True])
def test_the_kinetic_energy_density_of_the_first_orbitals_takes_the_place_of_a_guess(metal: bool) -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 6, (6, 6, 6), 2.0)
    guess, found = torch.randn(2, 2, 1, len(grid.miller), dtype=torch.complex128)
    mixed = AndersonMixing().start(grid, (DENSITY, TAU), metal).next(guess, found - guess, 0.3)
    torch.testing.assert_close(mixed[1], found[1])
    assert bool(((mixed[0] - guess[0]).abs() < (found[0] - guess[0]).abs()).all())


def test_a_schedule_goes_on_when_the_residual_has_stopped_falling_and_stays_at_its_end() -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 6, (6, 6, 6), 2.0)
    fields = torch.zeros(1, 1, len(grid.miller), dtype=torch.complex128)
    mixer = ScheduledMixer(
        [mixing.start(grid, (DENSITY,), metal=True) for mixing in (LinearMixing(0.8), LinearMixing(0.1))]
    )
    fractions = [float(mixer.next(fields, fields + 1, 1.0)[0, 0, 1].real) for _ in range(3 * PATIENCE)]
    assert fractions == [0.8] * PATIENCE + [0.1] * (2 * PATIENCE)


def test_a_step_that_leads_astray_is_taken_back_to_a_part_of_it() -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 6, (6, 6, 6), 2.0)
    fields = torch.ones(1, 1, len(grid.miller), dtype=torch.complex128)
    residual = 0.1 * fields
    mixer = AndersonMixing().start(grid, (DENSITY,), metal=False)
    step = mixer.next(fields, residual, 1.0) - fields
    for share in (0.25, 0.25**2):
        torch.testing.assert_close(mixer.next(fields + step, 100 * residual, 100.0), fields + share * step)
    # What was found too far away does not count where the residual is smaller, whatever it was.
    fresh = AndersonMixing().start(grid, (DENSITY,), metal=False)
    fresh.next(fields, residual, 1.0)
    near = fields + 0.25**2 * step
    torch.testing.assert_close(mixer.next(near, residual / 2, 0.5), fresh.next(near, residual / 2, 0.5))


def test_a_response_at_right_angles_to_the_step_does_not_stop_the_mixing() -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 6, (6, 6, 6), 2.0)
    fields = torch.zeros(1, 1, len(grid.miller), dtype=torch.complex128)
    mixer = AndersonMixing(schedule=[STAGE], downhill=False).start(grid, (DENSITY,), metal=False)
    for _ in range(3):
        # The best combination of the first two steps is the first one, from which a step leads to the second one again.
        fields = mixer.next(fields, 1 - 1j * fields, 1.0)
    torch.testing.assert_close(fields, torch.full_like(fields, -1j), rtol=0, atol=1e-10)


@pytest.mark.parametrize("downhill", [False, True])
def test_a_strong_response_is_met_with_short_steps(downhill: bool) -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 6, (6, 6, 6), 2.0)
    fields = torch.zeros(1, 1, len(grid.miller), dtype=torch.complex128)
    mixer = AndersonMixing(downhill=downhill).start(grid, (DENSITY,), metal=False)
    for _ in range(6):
        residual = 1 - 60 * fields
        fields = mixer.next(fields, residual, float(residual.norm()))
    torch.testing.assert_close(fields, torch.full_like(fields, 1 / 60), rtol=0, atol=1e-10)


def test_titanium_with_cobalt_whose_moments_are_soft_converges() -> None:
    lattice = 2.967 * torch.eye(3, dtype=torch.float64).numpy() / BOHR_ANG
    crystal = Crystal(lattice, ["Ti", "Co"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    ground = mlxc.scf(crystal, basis=PlaneWaves(30.0), kmesh=(2, 2, 2), smearing=FermiDirac(0.01))
    assert ground.converged
    assert abs(ground.magnetisation or 0) > 1


def test_the_length_of_the_first_step_does_not_matter_where_the_residual_is_linear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 6, (6, 6, 6), 2.0)
    response = 1 + 2 / grid.squares.clamp(min=1.0)
    ends = []
    for length in (0.3, 1.0):
        monkeypatch.setattr(mixers, "FIRST_STEP", length)
        mixer = AndersonMixing(schedule=[STAGE]).start(grid, (DENSITY,), metal=False)
        fields = torch.zeros(1, 1, len(grid.miller), dtype=torch.complex128)
        for _ in range(4):
            fields = mixer.next(fields, 1 - response * fields, 1.0)
        ends.append(fields)
    torch.testing.assert_close(ends[0], ends[1], rtol=0, atol=1e-10)


def test_mixing_without_a_memory_is_linear_after_its_first_step() -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 6, (6, 6, 6), 2.0)
    fields = torch.zeros(1, 1, len(grid.miller), dtype=torch.complex128)
    mixer = AndersonMixing(depth=0, schedule=[STAGE]).start(grid, (DENSITY,), metal=False)
    shares = [float(mixer.next(fields, fields + 1, 1.0)[0, 0, 1].real) for _ in range(3)]
    assert shares == pytest.approx([mixers.FIRST_STEP * STAGE.damping, STAGE.damping, STAGE.damping])


def test_a_mixer_that_forgets_takes_a_shorter_step_with_the_damping_that_it_has_come_to() -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 6, (6, 6, 6), 2.0)
    fields = torch.zeros(1, 1, len(grid.miller), dtype=torch.complex128)
    response = 1 + 2 / grid.squares.clamp(min=1.0)
    safer = MixingStage(0.1)
    mixer = AndersonMixing(schedule=[STAGE, safer]).start(grid, (DENSITY,), metal=False)
    for _ in range(PATIENCE + 1):
        fields = mixer.next(fields, 1 - response * fields, 1.0)
    mixer.forget()
    unlearned = AndersonMixing(schedule=[safer]).start(grid, (DENSITY,), metal=False)
    steps = [each.next(fields, 1 - response * fields, 1.0) - fields for each in (mixer, unlearned)]
    torch.testing.assert_close(steps[0], mixers.AFTER_JUMP * steps[1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LinearMixing(0.0), "damping"),
        (lambda: LinearMixing(0.5, screening=-1.0), "screening"),
        (lambda: AndersonMixing(depth=-1), "depth"),
        (lambda: AndersonMixing(schedule=[]), "stage"),
    ],
)
def test_numbers_that_mix_nothing_are_refused(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make()


@pytest.mark.thorough
def test_a_kinetic_energy_density_that_rings_about_zero_keeps_no_self_consistent_field_from_converging() -> None:
    # At so low a cutoff the partial core of magnesium rings, and tau passes through zero at one point of this grid.
    half = 4.21 / 2 / BOHR_ANG
    positions = [[-0.01943291, 0.01887132, -0.00196679], [0.49199158, 0.48669491, 0.51694754]]
    moved = Crystal([[0, half, half], [half, 0, half], [half, half, 0]], ["Mg", "O"], positions)
    state = mlxc.scf(moved, xc="r2scan", basis=PlaneWaves(24.0), kmesh=(2, 2, 2), pseudo="pseudodojo", tolerance=1e-9)
    assert state.converged
    assert len(state.history) < 20


def test_as_many_steps_of_a_linear_map_as_there_are_dimensions_combine_to_its_fixed_point() -> None:
    generator = torch.Generator().manual_seed(0)
    fields = [torch.randn(3, dtype=torch.float64, generator=generator) for _ in range(4)]
    matrix, constant = torch.randn(3, 3, dtype=torch.float64, generator=generator), fields[0].flip(0)
    residuals = [matrix @ each + constant - each for each in fields]
    combined, residual = best_combination(fields, residuals, lambda vector: vector)
    assert torch.allclose(matrix @ combined + constant, combined)
    assert float(residual.norm()) < 1e-10
    of_two, remainder = best_combination(fields[:2], residuals[:2], lambda vector: vector)
    assert torch.allclose(matrix @ of_two + constant - of_two, remainder)
    assert float(remainder.norm()) < min(float(each.norm()) for each in residuals[:2])
