"""Statements about physics that hold whatever the numbers are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import mlxc
from mlxc import Crystal, FermiDirac, GroundState, PlaneWaves
from mlxc.crystal.brillouin import irreducible_mesh
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.grid.fields import Fields
from mlxc.grid.irreducible_points import IrreduciblePoints
from mlxc.grid.symmetrizer import Symmetrizer
from mlxc.kohn_sham.eigensolver import diagonalise
from mlxc.kohn_sham.occupations import occupy
from mlxc.kohn_sham.problem import Problem
from mlxc.pseudo.library import find_pseudopotential
from mlxc.pseudo.make import make_pseudopotential
from mlxc.terms.standard import standard_terms
from mlxc.terms.xc import xc_energy, xc_potential
from mlxc.xc.catalogue import functional
from mlxc.xc.gga import PBE


def silicon(shift: float | np.ndarray = 0.0) -> Crystal:
    """Distorted until only inversion is left of its symmetry."""
    lattice = [[0, 5.13, 5.13], [5.13, 0, 5.13], [5.13, 5.13, 0]]
    return Crystal(lattice, ["Si", "Si"], np.array([[0, 0, 0], [0.27, 0.24, 0.2]]) + shift)


def ground_state(crystal: Crystal, kmesh: tuple[int, int, int] = (2, 2, 2), **settings: object) -> GroundState:
    options = {"basis": PlaneWaves(6.0), "smearing": FermiDirac(0.01), "tolerance": 1e-9} | settings
    return mlxc.scf(crystal, kmesh=kmesh, **options)


def test_energy_does_not_change_when_the_crystal_is_moved_by_a_grid_point() -> None:
    at_rest = ground_state(silicon())
    moved = ground_state(silicon(shift=1 / np.array(at_rest.basis.grid.shape)))
    assert float(moved.energy) == pytest.approx(float(at_rest.energy), abs=1e-9)


@pytest.mark.thorough
def test_energy_hardly_changes_when_the_crystal_is_moved_off_the_grid() -> None:
    # Only E_xc, the one term that is not exact on the grid, can notice.
    at_rest, moved = ground_state(silicon()), ground_state(silicon(shift=0.0123))
    assert float(moved.energy) == pytest.approx(float(at_rest.energy), abs=2e-5)


def test_energy_does_not_change_when_the_crystal_is_rotated() -> None:
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    rotated = Crystal(silicon().lattice @ rotation.T, silicon().species, silicon().positions)
    assert float(ground_state(rotated).energy) == pytest.approx(float(ground_state(silicon()).energy), abs=1e-9)


def test_a_supercell_has_as_many_times_the_energy_of_the_cell() -> None:
    cell = ground_state(silicon(), kmesh=(2, 2, 2), basis=PlaneWaves(6.0, (16, 16, 16)))
    twice = ground_state(silicon().supercell(1, 1, 2), kmesh=(2, 2, 1), basis=PlaneWaves(6.0, (16, 16, 32)))
    assert float(twice.energy) == pytest.approx(2 * float(cell.energy), abs=1e-8)


@pytest.mark.parametrize("name", ["al", "si", "mg", "graphene", "nacl"])
@pytest.mark.parametrize("xc", ["pbe", "r2scan"])
def test_irreducible_points_of_the_grid_give_the_xc_energy_and_potential_of_all_points(name: str, xc: str) -> None:
    crystal = Crystal.load(name)
    group = SpaceGroup.of(crystal)
    grid = PlaneWaves(4.0).discretise(crystal, irreducible_mesh((1, 1, 1), group), group).grid
    symmetrizer, points = Symmetrizer(group, grid), IrreduciblePoints.of(group, grid)
    assert points.weights.sum() == grid.size
    assert len(points.index) < 0.2 * grid.size
    noise = torch.rand(2, *grid.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    density, tau = (symmetrizer.field(values)[None] for values in (0.02 + 0.01 * noise[0], 0.05 + 0.03 * noise[1]))
    arguments = functional(xc), grid, Fields(density, tau=tau if xc == "r2scan" else None)
    few, every = xc_potential(*arguments, points), xc_potential(*arguments)
    assert float(few[0]) == pytest.approx(float(every[0]), rel=1e-12)
    assert float(xc_energy(*arguments, points).detach()) == pytest.approx(float(every[0]), rel=1e-12)
    for ours, theirs in zip(few[1], every[1], strict=True):
        if theirs is not None:
            torch.testing.assert_close(symmetrizer.field(ours), symmetrizer.field(theirs), rtol=0, atol=1e-11)


def test_operations_that_do_not_map_the_grid_onto_itself_relate_none_of_its_points() -> None:
    # The diamond structure's glides by a quarter of the cell do not fit on 15 points, the other half of the group does.
    crystal = Crystal.load("si")
    group = SpaceGroup.of(crystal)
    grid = PlaneWaves(4.0, (15, 15, 15)).discretise(crystal, irreducible_mesh((1, 1, 1), group), group).grid
    fitting = np.abs(group.translations * 15 - np.round(group.translations * 15)).max(axis=1) < 1e-6
    half = SpaceGroup(group.rotations[fitting], group.translations[fitting])
    assert 0 < len(half) < len(group)
    assert torch.equal(IrreduciblePoints.of(group, grid).index, IrreduciblePoints.of(half, grid).index)


@pytest.mark.thorough
def test_the_energy_of_the_residual_tells_how_far_the_free_energy_is_from_its_minimum() -> None:
    for crystal, spin in ((silicon(), False), (silicon(), True), (Crystal.load("al"), False)):
        history = ground_state(crystal, spin=spin).history
        for record in history[1:]:
            error = record.free_energy_ha - history[-1].free_energy_ha
            if record.residual_energy_ha > 1e-8:
                assert 0.01 * record.residual_energy_ha < error < 10 * record.residual_energy_ha


@pytest.mark.parametrize(
    "name", ["al", *(pytest.param(name, marks=pytest.mark.thorough) for name in ("si", "mg", "graphene"))]
)
def test_irreducible_mesh_gives_the_energy_of_the_full_mesh(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    crystal = Crystal.load(name)
    kmesh = (3, 3, 1) if name == "graphene" else (3, 3, 3)
    settings = {"basis": PlaneWaves(5.0), "smearing": FermiDirac(0.02)}
    reduced = ground_state(crystal, kmesh, **settings)
    monkeypatch.setattr(SpaceGroup, "of", classmethod(lambda cls, crystal: cls.identity()))
    full = ground_state(crystal, kmesh, **settings | {"basis": PlaneWaves(5.0, reduced.basis.grid.shape)})
    assert len(reduced.kpoints) < len(full.kpoints)
    assert float(full.energy) == pytest.approx(float(reduced.energy), abs=1e-8)
    assert torch.allclose(full.density, reduced.density, atol=1e-7)


def test_density_holds_all_electrons_and_is_nowhere_negative() -> None:
    ground = ground_state(silicon())
    assert float(ground.basis.grid.integrate(ground.density).sum()) == pytest.approx(8, abs=1e-9)
    assert float(ground.density.min()) > 0


@pytest.mark.thorough
def test_energy_error_is_of_second_order_in_the_density_error() -> None:
    crystal, group, smearing = silicon(), SpaceGroup.of(silicon()), FermiDirac(0.01)
    ground = ground_state(crystal, tolerance=1e-11)
    pseudopotentials = {"Si": make_pseudopotential(find_pseudopotential("Si", "pseudodojo", "pbe"))}
    problem = Problem(crystal, ground.basis, standard_terms(functional("pbe")), pseudopotentials, group)
    density = ground.basis.grid.fourier(ground.density)[None]
    wave = torch.zeros_like(density)
    wave[..., 1:40] = 0.003 * density[..., :1]  # an error of long wavelength that changes no number of electrons

    def energy_from(error: float) -> float:
        potential = problem.effective_potential(
            Symmetrizer(group, ground.basis.grid).coefficients(density + error * wave)
        )
        counts = torch.ones_like(ground.eigenvalues)
        pairs = diagonalise(problem.hamiltonian(potential), ground.orbitals, counts.shape[1], counts, 1e-10, 60)
        occupations = occupy(pairs.eigenvalues, ground.basis.weights, problem.ions.nelectrons, smearing)
        terms = problem.energies(pairs.orbitals, occupations, problem.fields(pairs.orbitals, occupations.electrons))
        return sum(terms.values()) - float(ground.energy)

    small, large = energy_from(1.0), energy_from(2.0)
    assert small > 1e-9
    assert large / small == pytest.approx(4, rel=0.05)


@pytest.mark.thorough
def test_eigenvalues_do_not_depend_on_the_start() -> None:
    first, second = ground_state(silicon(), seed=1), ground_state(silicon(), seed=2)
    filled = first.occupations > 1e-3
    assert torch.allclose(first.eigenvalues[filled], second.eigenvalues[filled], atol=1e-7)


def test_orbitals_are_orthonormal_solutions() -> None:
    ground = ground_state(silicon())
    overlap = ground.orbitals @ ground.orbitals.mH
    assert torch.allclose(overlap, torch.eye(overlap.shape[-1], dtype=overlap.dtype), atol=1e-12)


def test_a_ground_state_to_start_from_is_left_as_it_is() -> None:
    first = ground_state(silicon())
    again = ground_state(silicon(), start=first)
    assert len(again.history) == 1
    assert float(again.energy) == pytest.approx(float(first.energy), abs=1e-12)


@pytest.mark.thorough
def test_starting_from_a_neighbouring_volume_gives_the_same_state_sooner() -> None:
    aluminium = Crystal.load("al")
    settings = {"basis": PlaneWaves(8.0), "kmesh": (4, 4, 4), "smearing": FermiDirac(0.01)}
    first = ground_state(aluminium, **settings)
    cold = ground_state(aluminium.scaled(1.01), **settings)
    warm = ground_state(aluminium.scaled(1.01), **settings, start=first)
    assert float(warm.energy) == pytest.approx(float(cold.energy), abs=1e-9)
    assert len(warm.history) < len(cold.history)


def test_a_state_with_fewer_bands_is_a_start_too() -> None:
    """Fixed occupations need the filled bands alone; smeared ones, or a larger moment, need more."""
    settings = {"basis": PlaneWaves(5.0), "kmesh": (2, 2, 2), "pseudo": "gth", "tolerance": 1e-9}
    filled = mlxc.scf(Crystal.load("si"), **settings)
    smeared = settings | {"smearing": FermiDirac(0.01)}
    warm, cold = (mlxc.scf(Crystal.load("si"), **smeared, **start) for start in ({"start": filled}, {}))
    assert filled.orbitals.shape[1] < warm.orbitals.shape[1]
    assert float(warm.energy) == pytest.approx(float(cold.energy), abs=1e-10)
    assert warm.history[0].density_residual < cold.history[0].density_residual / 5


@pytest.mark.thorough
def test_a_state_of_another_functional_is_a_start_and_not_the_answer() -> None:
    settings = {"basis": PlaneWaves(8.0), "kmesh": (2, 2, 2), "pseudo": "gth", "tolerance": 1e-7}
    first, close = mlxc.scf(Crystal.load("si"), **settings), PBE(mu=0.2205)
    warm, cold = (mlxc.scf(Crystal.load("si"), xc=close, **settings, **start) for start in ({"start": first}, {}))
    assert float((warm.density - cold.density).abs().max()) < 1e-7
    assert float((warm.density - first.density).abs().max()) > 1e-5


def test_gamma_centred_meshes_have_the_known_number_of_irreducible_points() -> None:
    counts = {
        name: len(irreducible_mesh((8, 8, 8), SpaceGroup.of(Crystal.load(name)))) for name in ("al", "si", "gaas")
    }
    assert counts == {"al": 29, "si": 29, "gaas": 29}
    mesh = irreducible_mesh((4, 4, 4), SpaceGroup.identity())
    assert len(mesh) == 36  # time reversal alone: (64 + 8) / 2
    assert mesh.weights.sum() == pytest.approx(1)


def test_a_wide_smearing_gets_as_many_bands_as_it_reaches() -> None:
    ground = mlxc.scf(Crystal.load("al"), basis=PlaneWaves(8.0), kmesh=(2, 2, 2), smearing=FermiDirac(0.15))
    assert ground.converged
    assert ground.eigenvalues.shape[1] > 6
    assert float(ground.occupations[:, -1].max()) < 1e-6
