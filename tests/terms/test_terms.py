"""Each term of the energy against something known about it."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import mlxc
from mlxc import Crystal, FermiDirac, Gaussian, GroundState, MarzariVanderbilt, PlaneWaves
from mlxc.basis.planewave.cutoff import kinetic_energies
from mlxc.grid.grid import Grid
from mlxc.kohn_sham.occupations import occupy
from mlxc.pseudo.atom import solve_atom
from mlxc.pseudo.gth import GTHPseudopotential
from mlxc.pseudo.gth_table import find_gth
from mlxc.pseudo.harmonics import solid_harmonics
from mlxc.terms.entropy import Smearing
from mlxc.terms.ewald import ewald_energy
from mlxc.terms.hartree import hartree_energy, hartree_potential

# Madelung constants with respect to the nearest-neighbour distance.
ROCK_SALT, CAESIUM_CHLORIDE = 1.747564594633, 1.762674773071


def ewald(crystal: Crystal, charges: list[int]) -> torch.Tensor:
    return ewald_energy(torch.tensor(crystal.lattice), torch.tensor(crystal.positions), charges)


def test_ewald_sum_gives_the_madelung_constants() -> None:
    rock_salt = Crystal(np.array([[0, 1, 1], [1, 0, 1], [1, 1, 0]]) * 5.0, ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert float(ewald(rock_salt, [1, -1])) == pytest.approx(-ROCK_SALT / 5.0, abs=1e-11)
    caesium_chloride = Crystal(np.eye(3) * 8.0, ["Cs", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    assert float(ewald(caesium_chloride, [1, -1])) == pytest.approx(-CAESIUM_CHLORIDE / (4 * sqrt(3)), abs=1e-11)


def test_ewald_energy_of_a_slab_does_not_depend_on_how_the_sums_are_split() -> None:
    graphene = Crystal.load("graphene")
    doubled = ewald(graphene.supercell(2, 2, 1), [4] * 8)
    assert float(doubled) == pytest.approx(4 * float(ewald(graphene, [4, 4])), rel=1e-11)


def test_hartree_energy_of_a_wave_is_the_one_of_electrostatics() -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * 6, (12, 12, 12), radius=5.0)
    x = torch.arange(12, dtype=torch.float64) / 12
    density = (1 + 0.5 * torch.cos(2 * pi * x))[:, None, None].expand(12, 12, 12)
    coefficients = grid.fourier(density)
    # A cos(Gx) has the potential 4 pi A / G^2 cos(Gx) and the energy volume * 4 pi A^2 / (4 G^2).
    wave_vector = 2 * pi / 6
    assert float(hartree_energy(grid, coefficients)) == pytest.approx(216 * pi * 0.25 / wave_vector**2)
    potential = grid.real(hartree_potential(grid, coefficients))
    assert float(potential[0, 0, 0]) == pytest.approx(4 * pi * 0.5 / wave_vector**2)


def test_gradient_on_the_grid_is_that_of_the_wave() -> None:
    lattice = torch.tensor([[5.0, 0, 0], [1, 6, 0], [0, 2, 7]], dtype=torch.float64)
    grid = Grid(lattice, (10, 12, 14), radius=3.0)
    points = (
        torch.stack(
            torch.meshgrid(*[torch.arange(n, dtype=torch.float64) / n for n in grid.shape], indexing="ij"), -1
        ).double()
        @ lattice
    )
    wave = grid.gvectors[3]
    field = torch.cos(points @ wave)
    assert torch.allclose(grid.real(grid.fourier(field)), field)
    assert torch.allclose(grid.gradient(field), -wave[:, None, None, None] * torch.sin(points @ wave))


@given(st.sampled_from([FermiDirac(0.01), Gaussian(0.02), MarzariVanderbilt(0.02)]), st.floats(-6, 6))
def test_free_energy_is_stationary_in_the_occupations(smearing: FermiDirac, x: float) -> None:
    point = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(smearing.occupation(point), point)
    (entropy_slope,) = torch.autograd.grad(smearing.entropy(point), point)
    assert float(entropy_slope) == pytest.approx(x * float(slope), abs=1e-9)


@given(st.integers(1, 15), st.sampled_from([FermiDirac(0.01), Gaussian(0.02), MarzariVanderbilt(0.005)]))
def test_occupations_add_up_to_the_electrons(nelectrons: int, smearing: FermiDirac) -> None:
    eigenvalues = torch.linspace(-0.5, 1.0, 40, dtype=torch.float64).reshape(4, 10).sort(dim=1).values
    weights = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    occupations = occupy(eigenvalues, weights, nelectrons, smearing)
    assert float((weights[:, None] * occupations.electrons).sum()) == pytest.approx(nelectrons, abs=1e-10)
    if not isinstance(smearing, MarzariVanderbilt):  # cold smearing gives up the sign to keep energies near zero width
        assert float(occupations.entropy_energy) <= 1e-12


@pytest.mark.parametrize("ell", range(4))
def test_spherical_harmonics_are_orthonormal_and_obey_the_addition_theorem(ell: int) -> None:
    cosine, weight = np.polynomial.legendre.leggauss(12)
    phi = np.arange(24) * 2 * pi / 24
    sine = np.sqrt(1 - cosine**2)
    directions = np.stack(
        [np.outer(sine, np.cos(phi)), np.outer(sine, np.sin(phi)), np.outer(cosine, np.ones(24))], axis=-1
    ).reshape(-1, 3)
    harmonics = solid_harmonics(ell, torch.tensor(directions))
    weights = torch.tensor(np.repeat(weight * 2 * pi / 24, 24))
    assert torch.allclose((harmonics * weights) @ harmonics.T, torch.eye(2 * ell + 1, dtype=torch.float64), atol=1e-12)
    assert torch.allclose(harmonics.square().sum(0), torch.tensor((2 * ell + 1) / (4 * pi), dtype=torch.float64))


@pytest.mark.parametrize(
    ("symbol", "ell", "index"), [("Al", 0, 0), ("Al", 0, 1), ("Al", 1, 0), ("Ca", 1, 1), ("Ni", 2, 0)]
)
def test_projectors_in_reciprocal_space_are_the_transforms_of_those_in_real_space(
    symbol: str, ell: int, index: int
) -> None:
    from scipy.special import spherical_jn

    pseudopotential = GTHPseudopotential(find_gth(symbol, "gth-pbe", "pbe"))
    r = torch.linspace(1e-6, 15, 6000, dtype=torch.float64)
    projector = pseudopotential.projector(ell, index, r)
    assert float(torch.trapezoid(r**2 * projector**2, r)) == pytest.approx(1, abs=1e-6)
    for q in (0.0, 0.7, 3.0):
        integrand = 4 * pi * r**2 * torch.tensor(spherical_jn(ell, q * r.numpy())) * projector
        analytic = pseudopotential.projector_form_factor(ell, index, torch.tensor(q, dtype=torch.float64))
        assert float(analytic) == pytest.approx(float(torch.trapezoid(integrand, r)), abs=1e-6)


@pytest.mark.parametrize("symbol", ["Al", "C", "Ca", "Ni"])
def test_local_form_factor_is_the_transform_of_the_local_potential(symbol: str) -> None:
    pseudopotential = GTHPseudopotential(find_gth(symbol, "gth-pbe", "pbe"))
    r = torch.linspace(1e-6, 15, 60000, dtype=torch.float64)
    short_ranged = pseudopotential.local_potential(r) + pseudopotential.charge / r
    for q in (0.0, 1.0, 4.0):
        expected = float(torch.trapezoid(4 * pi * r**2 * short_ranged * torch.sinc(q * r / pi), r))
        expected -= 4 * pi * pseudopotential.charge / q**2 if q else 0
        analytic = pseudopotential.local_form_factor(torch.tensor(q, dtype=torch.float64))
        assert float(analytic) == pytest.approx(expected, rel=1e-6, abs=2e-6)


@pytest.mark.parametrize("symbol", ["H", "C", "Al", "Ca", "Ni"])
def test_the_free_pseudo_atom_is_neutral_and_its_density_has_the_right_transform(symbol: str) -> None:
    entry = find_gth(symbol, "gth-pbe", "pbe")
    atom = solve_atom(entry)
    electrons = float((4 * pi * atom.weights * atom.radius**2 * atom.density).sum())
    assert electrons == pytest.approx(entry.charge, rel=1e-4)
    assert float(atom.density_form_factor(torch.tensor([0.0, 1.0], dtype=torch.float64))[0]) == pytest.approx(electrons)
    assert len(atom.shells) == sum(-(-count // (4 * ell + 2)) for ell, count in enumerate(entry.electrons))


def test_cutoff_smoothing_leaves_low_energies_alone_and_closes_the_basis_smoothly() -> None:
    k = torch.zeros(400, 3, dtype=torch.float64)
    k[:, 0] = torch.linspace(0, sqrt(2 * 10.0) * 0.9999, 400, dtype=torch.float64)
    bare, smoothed = kinetic_energies(k, 10.0, 0.0), kinetic_energies(k, 10.0, 0.5)
    assert torch.equal(bare[bare < 9.5], smoothed[bare < 9.5])
    assert bool((smoothed >= bare).all())
    assert float(smoothed[-1]) > 1e3


@pytest.mark.parametrize("smearing", [FermiDirac(0.01), Gaussian(0.01), MarzariVanderbilt(0.01)])
def test_an_insulator_is_filled_up_to_its_gap_by_any_smearing(smearing: Smearing) -> None:
    valence = torch.linspace(-0.06, 0.0, 12, dtype=torch.float64).reshape(4, 3)
    levels = torch.cat([valence, valence + 1.0], dim=1)
    occupations = occupy(levels, torch.full((4,), 0.25, dtype=torch.float64), 6, smearing)
    assert 0.3 < occupations.fermi_level < 0.7
    assert torch.allclose(occupations.electrons[:, :3], torch.tensor(2.0, dtype=torch.float64), atol=1e-9)
    assert float(occupations.entropy_energy) == pytest.approx(0, abs=1e-9)


def test_cold_smearing_changes_nothing_in_a_wide_gap() -> None:
    def diamond(smearing: Smearing | None) -> GroundState:
        settings = {"kmesh": (2, 2, 2), "pseudo": "gth", "tolerance": 1e-8}
        return mlxc.scf(Crystal.load("diamond"), basis=PlaneWaves(12.0), smearing=smearing, **settings)

    fixed, cold = diamond(None), diamond(MarzariVanderbilt(0.015))
    assert float(cold.energy) == pytest.approx(float(fixed.energy), abs=1e-6)
    assert float(cold.occupations.sum(1) @ cold.basis.weights) == pytest.approx(8, abs=1e-10)
