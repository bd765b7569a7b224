"""How electrons fill levels: two Fermi levels of a fixed moment, and cold smearing from a metal to an insulator."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
import torch
from torch import Tensor

import mlxc
from mlxc import Crystal, FermiDirac, Gaussian, GroundState, MarzariVanderbilt, PlaneWaves
from mlxc.kohn_sham.metallic_share import metallic_share
from mlxc.kohn_sham.occupations import Occupations, band_count, occupy, occupy_fixed_moment
from mlxc.observables.of_states import density_moment
from mlxc.response.fillings import Filling
from mlxc.response.levels import band_gap
from mlxc.terms.entropy import Smearing
from mlxc.xc.gga import PBE, PBE_MU

WEIGHTS = torch.tensor([0.125, 0.375, 0.5], dtype=torch.float64)
GAP = 0.12


def levels(gap: float = GAP) -> Tensor:
    """Three valence and three conduction bands at three k points, hartree."""
    valence = torch.tensor([[-0.30, -0.02, 0.0], [-0.28, -0.05, -0.01], [-0.25, -0.06, -0.03]], dtype=torch.float64)
    conduction = torch.tensor([[0.0, 0.04, 0.2], [0.02, 0.03, 0.3], [0.05, 0.06, 0.4]], dtype=torch.float64)
    return torch.cat([valence, conduction + gap], dim=1)


def free_energy(eigenvalues: Tensor, occupations: Occupations) -> float:
    """The sum of levels, minus TS."""
    return float((WEIGHTS[:, None] * occupations.electrons * eigenvalues).sum() + occupations.entropy_energy)


def filled(eigenvalues: Tensor, smearing: Smearing | None) -> float:
    return free_energy(eigenvalues, occupy(eigenvalues, WEIGHTS, 6, smearing))


def share(width: float) -> float:
    level = occupy(levels(), WEIGHTS, 6, Gaussian(width)).fermi_level
    return metallic_share((level - levels()) / width, 2 * WEIGHTS[:, None], 6, width).value


@pytest.mark.parametrize("smearing", [FermiDirac, Gaussian, MarzariVanderbilt])
def test_the_free_energy_is_a_continuous_function_of_width_and_gap(smearing: type) -> None:
    def largest_step(points: int) -> float:
        of_width = [filled(levels(), smearing(width)) for width in np.linspace(GAP / 12, GAP / 4, points)]
        of_gap = [filled(levels(gap), smearing(0.01)) for gap in np.linspace(0.04, 0.12, points)]
        return max(np.abs(np.diff(of_width)).max(), np.abs(np.diff(of_gap)).max())

    # A jump would stay as large as it is, however close the points are to each other.
    assert largest_step(61) == pytest.approx(largest_step(31) / 2, rel=0.1)


@pytest.mark.parametrize("width", [GAP / 3, GAP / 5, GAP / 5.5, GAP / 6, GAP / 7, GAP / 12])
def test_occupations_of_cold_smearing_are_the_derivatives_of_the_free_energy(width: float) -> None:
    smearing, eigenvalues = MarzariVanderbilt(width), levels()
    occupations = occupy(eigenvalues, WEIGHTS, 6, smearing)
    assert float((WEIGHTS[:, None] * occupations.electrons).sum()) == pytest.approx(6, abs=1e-10)
    for kpoint, band in ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (1, 4)):
        shifts = []
        for step in (1e-5, -1e-5):
            moved = eigenvalues.clone()
            moved[kpoint, band] += step
            shifts.append(filled(moved, smearing))
        slope = (shifts[0] - shifts[1]) / 2e-5 / float(WEIGHTS[kpoint])
        assert float(occupations.electrons[kpoint, band]) == pytest.approx(slope, abs=1e-6)


def test_cold_smearing_is_that_of_a_metal_in_a_metal_and_nothing_in_an_insulator() -> None:
    assert share(GAP / 3) == 1
    assert 0 < share(GAP / 6) < 1
    assert share(GAP / 12) == 0
    assert filled(levels(), MarzariVanderbilt(GAP / 12)) == pytest.approx(filled(levels(), None), abs=1e-9)
    # In a metal x f'(x) = s'(x) alone decides, so that the level is one at which the cold occupations are exact.
    metal = occupy(levels(-0.1), WEIGHTS, 6, MarzariVanderbilt(0.02))
    x = (metal.fermi_level - levels(-0.1)) / 0.02
    cold = 2 * MarzariVanderbilt(0.02).occupation(x)
    assert torch.allclose(metal.electrons, cold, atol=1e-10)


@pytest.mark.parametrize("width", [GAP / 4, GAP / 6, GAP / 7])
def test_the_description_of_a_crystal_does_not_matter_to_cold_smearing(width: float) -> None:
    smearing, eigenvalues = MarzariVanderbilt(width), levels()
    expected = filled(eigenvalues, smearing)
    doubled = occupy(eigenvalues.repeat(1, 2), WEIGHTS, 12, smearing)
    bands = (WEIGHTS[:, None] * doubled.electrons * eigenvalues.repeat(1, 2)).sum()
    assert float(bands + doubled.entropy_energy) == pytest.approx(2 * expected, abs=1e-10)
    for polarised in (
        occupy(eigenvalues.repeat(2, 1), WEIGHTS.repeat(2), 6, smearing),
        occupy_fixed_moment(eigenvalues.repeat(2, 1), WEIGHTS, 6, smearing, 0.0),
    ):
        bands = (WEIGHTS.repeat(2)[:, None] * polarised.electrons * eigenvalues.repeat(2, 1)).sum()
        assert float(bands + polarised.entropy_energy) == pytest.approx(expected, abs=1e-10)


def test_a_fixed_moment_has_a_fermi_level_for_each_spin_in_the_gap_of_the_spin() -> None:
    up, down = levels(), levels() + 0.5
    occupations = occupy_fixed_moment(torch.cat([up, down]), WEIGHTS, 6, FermiDirac(0.002), 2.0)
    level_up, level_down = occupations.fermi_levels
    assert occupations.fermi_level == max(level_up, level_down)
    # Four electrons of spin up reach one of the conduction bands, two of spin down leave a valence band empty.
    assert float((WEIGHTS[:, None] * occupations.electrons[:3]).sum()) == pytest.approx(4)
    assert float((WEIGHTS[:, None] * occupations.electrons[3:]).sum()) == pytest.approx(2)
    assert float(up[:, 3].min()) < level_up < float(up[:, 5].min())
    assert level_down < float(down[:, 2].max())


@pytest.mark.parametrize("smearing", [None, FermiDirac(0.01), Gaussian(0.01), MarzariVanderbilt(0.01)])
def test_a_spin_without_electrons_is_empty_and_has_no_fermi_level(smearing: Smearing | None) -> None:
    occupations = occupy_fixed_moment(torch.cat([levels(), levels()]), WEIGHTS, 3, smearing, 3.0)
    assert occupations.fermi_levels[1] == -inf
    assert np.isfinite(occupations.fermi_level)
    assert not occupations.electrons[3:].any()
    assert bool(torch.isfinite(occupations.entropy_energy))


def test_bands_are_counted_for_the_spin_with_more_electrons() -> None:
    assert band_count(15, False, 9.0) == band_count(15, False, -9.0) == 12
    assert band_count(15, True, 9.0000001) == 16
    assert band_count(8, True) == 8
    assert band_count(200, True) == 120


def silicon(smearing: Smearing | None, xc: str | PBE = "pbe") -> GroundState:
    settings = {"basis": PlaneWaves(5.0), "kmesh": (2, 2, 2), "pseudo": "gth", "tolerance": 1e-9}
    return mlxc.scf(Crystal.load("si"), xc=xc, smearing=smearing, differentiate=None, **settings)


@pytest.fixture(scope="module")
def gap_of_silicon() -> float:
    return float(band_gap(silicon(None)).detach())


@pytest.mark.thorough
@pytest.mark.parametrize(
    "widths_in_gap", [6.0, 7.0, *(pytest.param(n, marks=pytest.mark.slow) for n in (4.5, 8.0, 11.0))]
)
def test_the_free_energy_of_silicon_follows_the_width_as_its_levels_say(
    widths_in_gap: float, gap_of_silicon: float
) -> None:
    width, step = gap_of_silicon / widths_in_gap, 1e-3 * gap_of_silicon
    wide, middle, narrow = (silicon(MarzariVanderbilt(w)) for w in (width + step, width, width - step))

    def of_levels(width: float) -> float:
        weights = middle.basis.weights
        occupations = occupy(middle.eigenvalues, weights, 8, MarzariVanderbilt(width))
        bands = (weights[:, None] * occupations.electrons * middle.eigenvalues).sum()
        return float(bands + occupations.entropy_energy)

    # F is stationary in everything but the width, so that in first order the levels' own change is all.
    expected = of_levels(width + step) - of_levels(width - step)
    assert float(wide.energy) - float(narrow.energy) == pytest.approx(expected, rel=0.02, abs=2e-8)


@pytest.mark.thorough
@pytest.mark.parametrize("widths_in_gap", [7.0, *(pytest.param(n, marks=pytest.mark.slow) for n in (5.0, 10.0))])
def test_the_gradient_of_the_energy_needs_no_response_whatever_the_gap_holds(
    widths_in_gap: float, gap_of_silicon: float
) -> None:
    smearing, step = MarzariVanderbilt(gap_of_silicon / widths_in_gap), 1e-3
    xc = PBE(trainable=True)
    silicon(smearing, xc).energy.backward()
    energies = [float(silicon(smearing, PBE(mu=xc.mu.item() + sign * step)).energy) for sign in (1, -1)]
    assert float(xc.mu.grad) == pytest.approx((energies[0] - energies[1]) / (2 * step), rel=1e-4)


@pytest.mark.parametrize("width", [GAP / 3, GAP / 6, GAP / 7, GAP / 12])
def test_the_response_of_occupations_is_their_finite_difference(width: float) -> None:
    smearing, eigenvalues = MarzariVanderbilt(width), levels()
    filling = Filling.of(slice(0, 3), eigenvalues, WEIGHTS, 6, smearing)
    electrons = occupy(eigenvalues, WEIGHTS, 6, smearing).electrons
    assert torch.allclose(2 * filling.occupation(filling.x), electrons, atol=1e-5)
    assert (filling.changes is None) == (share(width) in (0, 1))
    if filling.changes is None:
        return
    shifts = torch.sin(torch.arange(18, dtype=torch.float64)).reshape(3, 6)
    step = 1e-5
    raised, lowered = (occupy(eigenvalues + sign * step * shifts, WEIGHTS, 6, smearing).electrons for sign in (1, -1))
    changes = 2 * filling.changes(shifts)
    assert torch.allclose(changes, (raised - lowered) / (2 * step), atol=1e-3)
    assert float((WEIGHTS[:, None] * changes).sum()) == pytest.approx(0, abs=1e-6)


@pytest.mark.thorough
@pytest.mark.parametrize("widths_in_gap", [6.5, *(pytest.param(n, marks=pytest.mark.slow) for n in (5.0, 7.0))])
def test_a_gradient_through_the_response_is_a_finite_difference_at_the_edge_of_a_gap(
    widths_in_gap: float, gap_of_silicon: float
) -> None:
    smearing, step = MarzariVanderbilt(gap_of_silicon / widths_in_gap), 1e-3

    def moment(mu: float) -> tuple[Tensor, PBE]:
        xc = PBE(mu=mu, trainable=True)
        settings = {"basis": PlaneWaves(5.0), "kmesh": (2, 2, 2), "pseudo": "gth", "tolerance": 1e-10}
        return density_moment(mlxc.scf(Crystal.load("si"), xc=xc, smearing=smearing, **settings)), xc

    middle, xc = moment(PBE_MU)
    middle.backward()
    raised, lowered = (float(moment(PBE_MU + sign * step)[0].detach()) for sign in (1, -1))
    assert float(xc.mu.grad) == pytest.approx((raised - lowered) / (2 * step), rel=1e-3)
