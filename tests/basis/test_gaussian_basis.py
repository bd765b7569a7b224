"""Gaussian orbitals: solids as in PySCF, the way to the limit of plane waves, gradients, and wrong input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from differences import check_gradient
from pyscf.pbc import dft, gto
from support import Outcome
from torch import Tensor, nn

import mlxc
from mlxc import (
    Calculation,
    Crystal,
    EquationOfStateTask,
    FermiDirac,
    GaussianOrbitals,
    GroundState,
    InputError,
    PlaneWaves,
)
from mlxc.basis.gaussian.orthonormal import orthonormal_functions
from mlxc.basis.gaussian.sets import gaussian_basis_names, grid_cutoff, shells
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.properties.bands import eigenvalues_at
from mlxc.pseudo.library import find_pseudopotentials
from mlxc.response.levels import band_gap
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.gga import PBE

COARSE = (15, 15, 15)
SILICON = {"kmesh": (2, 2, 2), "pseudo": "gth", "tolerance": 1e-8}
ALUMINIUM = SILICON | {"smearing": FermiDirac(0.02)}
# Hydrogen atoms in a row, far enough from each other to keep their moments.
ROW = Crystal([[6.0, 0, 0], [0, 7, 0], [0, 0, 7]], ["H"], [[0, 0, 0]], [1.0])
MAGNET: dict[str, Any] = {"kmesh": (2, 1, 1), "smearing": FermiDirac(0.01), "spin": True, "tolerance": 1e-8}


def silicon(name: str = "gth-szv", crystal: Crystal | None = None, **more: Any) -> GroundState:
    basis = GaussianOrbitals(name, fft_grid=more.pop("fft_grid", COARSE), ghosts=more.pop("ghosts", ()))
    ground = mlxc.scf(crystal or Crystal.load("si"), basis=basis, **SILICON | more)
    assert ground.converged
    return ground


def pyscf_energy(ground: GroundState, kmesh: tuple[int, int, int], width: float | None) -> float:
    """The free energy that PySCF finds with the same functions and pseudopotentials on the same grid, hartree."""
    crystal, settings = ground.crystal, ground.basis.settings
    assert isinstance(settings, GaussianOrbitals)
    names = {symbol: entry.name for symbol, entry in find_pseudopotentials(crystal.species, "gth", "pbe", {}).items()}
    cell = gto.M(
        unit="B", a=crystal.lattice, basis=settings.sets(crystal), pseudo=names, mesh=list(ground.basis.grid.shape),
        atom=list(zip(crystal.species, (crystal.positions @ crystal.lattice).tolist(), strict=True)),
        spin=None, verbose=0,
    )  # fmt: skip
    polarised = len(ground.density) == 2
    cell.spin = round(abs(crystal.moments).sum() * np.prod(kmesh))  # PySCF counts the electrons of all k points
    field = (dft.KUKS if polarised else dft.KRKS)(cell, cell.make_kpts(kmesh), xc="pbe")
    if width is not None:
        field = field.smearing(sigma=width, method="fermi")
    field.conv_tol = 1e-9
    field.kernel()
    assert field.converged
    return float(field.e_tot if width is None else field.e_free)


@pytest.mark.thorough
def test_an_insulators_energy_is_that_of_pyscf() -> None:
    ground = silicon()
    assert float(ground.energy) / 2 == pytest.approx(pyscf_energy(ground, (2, 2, 2), None) / 2, abs=1e-5)


@pytest.mark.slow
def test_a_metals_free_energy_is_that_of_pyscf() -> None:
    ground = mlxc.scf(Crystal.load("al"), basis=GaussianOrbitals("gth-szv", fft_grid=(12, 12, 12)), **ALUMINIUM)
    assert float(ground.energy) == pytest.approx(pyscf_energy(ground, (2, 2, 2), 0.02), abs=1e-5)


@pytest.mark.thorough
def test_a_magnets_free_energy_is_that_of_pyscf() -> None:
    # Hydrogen's pseudopotential is local, so the two codes differ on no grid.
    ground = mlxc.scf(ROW, basis=GaussianOrbitals("gth-dzvp", fft_grid=(24, 28, 28)), **MAGNET)
    assert ground.magnetisation > 0.9
    assert float(ground.energy) == pytest.approx(pyscf_energy(ground, (2, 1, 1), 0.01), abs=1e-7)


@pytest.mark.thorough
def test_the_energy_falls_towards_that_of_plane_waves_as_the_basis_grows() -> None:
    names = ("gth-szv", "gth-dzvp", "gth-tzvp")
    energies = [float(silicon(name, fft_grid=(20, 20, 20)).energy) for name in names]
    limit = float(mlxc.scf(Crystal.load("si"), basis=PlaneWaves(16.0), **SILICON).energy)
    assert energies[0] > energies[1] + 1e-3
    assert energies[1] > energies[2] + 1e-5
    assert energies[2] > limit + 1e-4
    assert energies[2] == pytest.approx(limit, abs=0.02)


def test_the_energy_does_not_change_when_the_crystal_is_moved_from_grid_point_to_grid_point() -> None:
    si = Crystal.load("si")
    moved = Crystal(si.lattice, si.species, si.positions + np.array([1, 4, -2]) / COARSE)
    assert float(silicon(crystal=moved).energy) == pytest.approx(float(silicon().energy), abs=1e-9)


class WithoutSymmetry(GaussianOrbitals):
    """All k points of the mesh, and a density as it comes."""

    def symmetry(self, crystal: Crystal) -> SpaceGroup:
        return SpaceGroup.identity()


@pytest.mark.thorough
def test_the_irreducible_k_points_give_the_energy_of_the_whole_mesh() -> None:
    whole = mlxc.scf(Crystal.load("al"), basis=WithoutSymmetry("gth-szv"), **ALUMINIUM)
    part = mlxc.scf(Crystal.load("al"), basis=GaussianOrbitals("gth-szv"), **ALUMINIUM)
    assert len(part.kpoints) < len(whole.kpoints)
    assert float(part.energy) == pytest.approx(float(whole.energy), abs=1e-8)


def test_a_coarse_grid_with_an_even_number_of_points_has_a_variational_energy() -> None:
    # In an oblique cell the wave vector -n/2 and its partner at n/2 have different lengths.
    cell = Crystal([[7, 0, 0], [-3.5, 6.1, 0], [0.7, 0.3, 8]], ["H", "H"], [[0, 0, 0], [0.16, 0.08, 0.1]])
    ground = mlxc.scf(
        cell, basis=GaussianOrbitals("gth-szv", fft_grid=(8, 8, 8)), kmesh=(1, 1, 1), smearing=None, tolerance=1e-11
    )
    problem = ground.problem
    assert problem is not None
    density = problem.basis.grid.fourier(ground.fields)
    direction = torch.randn(ground.fields.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    change = problem.basis.grid.fourier(1e-4 * direction * ground.density.abs())

    def energy(fields: Tensor) -> float:
        terms = problem.electron_terms(ground.orbitals, ground.occupations, fields)
        return float(terms["local"] + terms["hartree"] + terms["xc"])

    potential = problem.differentiable_potential(ground.fields).detach()
    cell_point = problem.basis.grid.volume / problem.basis.grid.size
    slope = (potential * problem.basis.grid.real(change)).sum() * cell_point
    assert (energy(density + change) - energy(density - change)) / 2 == pytest.approx(float(slope), rel=1e-6)


@pytest.mark.parametrize("functional", ["pbe", "r2scan"])
def test_bands_at_the_points_of_the_mesh_are_those_of_the_scf(functional: str) -> None:
    ground = silicon(xc=functional)
    bands = eigenvalues_at(ground, ground.kpoints.fractional)[0]
    assert np.allclose(bands[:, : ground.eigenvalues.shape[1]], ground.eigenvalues.numpy(), atol=1e-6)


@pytest.mark.thorough
def test_elements_may_have_basis_sets_of_their_own() -> None:
    cell = Crystal([[9, 0, 0], [0, 7, 0], [0, 0, 7]], ["C", "O"], [[0, 0, 0], [0.237, 0, 0]])
    settings: dict[str, Any] = {"kmesh": (1, 1, 1), "smearing": None}
    grid = (27, 21, 21)
    energies = {}
    for names in ({}, {"O": "gth-dzvp"}, {"C": "gth-dzvp", "O": "gth-dzvp"}):
        ground = mlxc.scf(cell, basis=GaussianOrbitals("gth-szv", names, fft_grid=grid), **settings)
        assert ground.converged
        energies[len(names)] = float(ground.energy)
    assert energies[0] > energies[1] > energies[2]


def test_every_basis_set_has_functions_that_a_grid_can_hold() -> None:
    assert {"gth-szv", "gth-dzvp", "gth-tzvp", "gth-tzv2p", "gth-dzvp-molopt-sr"} <= set(gaussian_basis_names())
    for name in gaussian_basis_names():
        assert all(len(exponents) == contractions.shape[1] for _, exponents, contractions in shells("C", name))
        assert 10 < grid_cutoff(["C"], name, {}) < 200


def test_functions_that_are_sums_of_others_are_left_out() -> None:
    vectors = torch.randn(3, 5, 4, dtype=torch.complex128, generator=torch.Generator().manual_seed(2))
    vectors = torch.cat([vectors, vectors[:, :, :1] + 1e-7 * vectors[:, :, 1:2]], dim=-1)
    overlap = vectors.mH @ vectors
    found = orthonormal_functions(overlap)
    assert found.linear_dependence.dropped == 1
    assert found.linear_dependence.condition_number > 1e10
    unity = found.combinations.mH @ overlap @ found.combinations
    assert torch.allclose(unity, torch.eye(4, dtype=torch.complex128).expand(3, -1, -1), atol=1e-9)
    assert not found.padding.any()


@pytest.mark.thorough
def test_a_compressed_crystal_loses_functions_but_not_its_energy() -> None:
    crystal = Crystal.load("si").scaled(0.8)
    ground = silicon("gth-aug-dzvp", crystal, fft_grid=(18, 18, 18))
    dependence = ground.summary()["linear_dependence"]
    assert dependence["functions"] == 34
    assert 0 < dependence["dropped"] < 17
    assert dependence["condition_number"] > 1e8
    limit = float(mlxc.scf(crystal, basis=PlaneWaves(16.0), **SILICON).energy)
    assert limit < float(ground.energy) < limit + 0.05


@pytest.mark.thorough
def test_functions_of_a_neighbour_that_is_not_there_lower_the_energy() -> None:
    alone = Crystal(6.5 * np.eye(3), ["H"], [[0, 0, 0]], [1.0])
    settings = MAGNET | {"kmesh": (1, 1, 1)}
    place = ("H", (1.4 / 6.5, 0.0, 0.0))
    energies = [
        float(mlxc.scf(alone, basis=GaussianOrbitals("gth-szv", fft_grid=(24, 24, 24), ghosts=g), **settings).energy)
        for g in ((), (place,))
    ]
    assert -0.02 < energies[1] - energies[0] < -1e-4


@pytest.mark.thorough
def test_functions_far_away_change_nothing() -> None:
    alone = Crystal([[20.0, 0, 0], [0, 5, 0], [0, 0, 5]], ["H"], [[0, 0, 0]], [1.0])
    settings = MAGNET | {"kmesh": (1, 1, 1)}
    ghost = ("H", (0.5, 0.0, 0.0))
    energies = [
        float(mlxc.scf(alone, basis=GaussianOrbitals("gth-szv", fft_grid=(64, 16, 16), ghosts=g), **settings).energy)
        for g in ((), (ghost,))
    ]
    assert energies[1] == pytest.approx(energies[0], abs=1e-6)


def test_functions_on_top_of_those_of_an_atom_are_left_out() -> None:
    si = Crystal.load("si")
    doubled = silicon(ghosts=(("Si", (0.0, 0.0, 1e-6)),))
    assert doubled.summary()["linear_dependence"]["dropped"] == 4
    assert float(doubled.energy) == pytest.approx(float(silicon(crystal=si).energy), abs=1e-6)


def test_operations_that_move_ghosts_are_no_symmetry() -> None:
    si = Crystal.load("si")
    whole = GaussianOrbitals("gth-szv", fft_grid=COARSE).symmetry(si)
    kept = GaussianOrbitals("gth-szv", fft_grid=COARSE, ghosts=(("Si", (0.5, 0.5, 0.5)),)).symmetry(si)
    lost = GaussianOrbitals("gth-szv", fft_grid=COARSE, ghosts=(("Si", (0.5, 0.5, 0.4)),)).symmetry(si)
    assert len(whole) >= len(kept) > len(lost) > 1


@pytest.mark.thorough
def test_a_result_of_another_kind_of_basis_is_no_start_but_no_obstacle_either() -> None:
    waves = mlxc.scf(Crystal.load("si"), basis=PlaneWaves(8.0), **SILICON)
    small = silicon()
    for start in (waves, small):
        assert float(silicon("gth-dzvp", start=start).energy) == pytest.approx(float(silicon("gth-dzvp").energy))


def test_what_is_saved_is_read_again(tmp_path: Path) -> None:
    ghosts = (("Si", (0.5, 0.5, 0.5)),)
    saved = silicon(ghosts=ghosts)
    saved.save(tmp_path / "si.h5")
    read = GroundState.load(tmp_path / "si.h5")
    assert read.basis.settings == saved.basis.settings
    assert read.summary() == saved.summary()
    assert torch.equal(read.orbitals, saved.orbitals)
    assert read.density_gradient is not None
    assert torch.equal(read.density_gradient, saved.density_gradient)
    assert len(silicon(ghosts=ghosts, start=read).history) <= 2


@pytest.mark.thorough
def test_volumes_of_an_equation_of_state_start_from_each_other() -> None:
    calculation = {
        "structure": "al", "basis": "gaussian", "gaussian_basis": "gth-szv", "kmesh": (2, 2, 2), "width_ha": 0.02,
        "ecut_ha": 8.0,
    }  # fmt: skip
    steps: dict[int, int] = {}
    equation = EquationOfStateTask.from_dict({"calculation": calculation, "points": 5}).run(
        monitor=lambda record: steps.update({record.point: record.iteration})
    )
    assert equation.converged
    assert 3.8 < equation.summary()["lattice_constant_ang"] < 4.4
    assert max(steps[point] for point in (2, 3, 4)) < steps[0]
    basis = GaussianOrbitals("gth-szv", fft_grid=equation.reference.basis.grid.shape)
    single = mlxc.scf(
        equation.reference.crystal, basis=basis, kmesh=(2, 2, 2),
        smearing=FermiDirac(0.02), tolerance=1e-8,
    )  # fmt: skip
    assert float(equation.reference.energy) == pytest.approx(float(single.energy), abs=1e-7)


def spin_density(ground: GroundState) -> Tensor:
    assert ground.magnetisation is not None
    assert ground.magnetisation > 0.9
    return (ground.density[0] - ground.density[1]).square().sum()


GRADIENTS: dict[str, tuple[dict[str, Any], Callable[[], nn.Module], Callable[[GroundState], Tensor]]] = {
    "density of an insulator": (SILICON, lambda: PBE(trainable=True), lambda ground: ground.density.square().sum()),
    "gap": (SILICON, lambda: NeuralEnhancement("mgga", (4,), seed=3), band_gap),
    "energy of a metal": (ALUMINIUM, lambda: PBE(trainable=True), lambda ground: ground.energy),
    "density of a metal": (
        ALUMINIUM,
        lambda: NeuralEnhancement("gga", (4,), seed=3),
        lambda ground: ground.density.square().sum(),
    ),
    "level of a metal": (
        ALUMINIUM,
        lambda: NeuralEnhancement("lda", (4,), seed=3),
        lambda ground: ground.eigenvalues[0, 0],
    ),
    "spin density of a magnet": (
        MAGNET,
        lambda: PBE(trainable=True),
        spin_density,
    ),
}


# A gradient of each kind of crystal; more models and losses take longer.
FURTHER = ("gap", "density of a metal", "level of a metal")


@pytest.mark.thorough
@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case in FURTHER else ()) for case in GRADIENTS]
)
def test_gradients_through_the_scf_are_finite_differences(case: str) -> None:
    settings, build, loss = GRADIENTS[case]
    settings = settings | {"tolerance": 1e-10}
    crystal = ROW if settings.get("spin") else Crystal.load("al" if "smearing" in settings else "si")
    magnet = GaussianOrbitals("gth-dzvp", fft_grid=(16, 20, 20))
    basis = magnet if crystal is ROW else GaussianOrbitals("gth-szv", fft_grid=(12, 12, 12))

    def value(xc: nn.Module) -> Tensor:
        ground = mlxc.scf(crystal, xc=xc, basis=basis, **settings)
        assert ground.converged
        return loss(ground)

    check_gradient(value, build)


@pytest.mark.thorough
def test_the_command_line_computes_in_gaussians(mlxc_command: Callable[..., Outcome]) -> None:
    options = ["--kmesh", "2", "2", "2", "--json"]
    outcome = mlxc_command("scf", "al", "--basis", "gaussian", "--gaussian-basis", "gth-dzvp-molopt-sr", *options)
    assert outcome.code == 0
    result = json.loads(outcome.stdout)
    assert result["calculation"]["gaussian_basis"] == "gth-dzvp-molopt-sr"
    assert result["linear_dependence"]["functions"] == 13
    assert result["forces_ha_bohr"] is None
    assert result["free_energy_ha"] == pytest.approx(-2.0, abs=0.2)


WRONG: dict[str, tuple[list[str], list[str]]] = {
    "a set that there is not": (["--gaussian-basis", "gth-dzpv"], ["gth-dzpv", "did you mean 'gth-dzv'"]),
    "a set without the element": (["--gaussian-basis", "gth-cc-dzvp"], ["gth-cc-dzvp", "Al", "gth-szv"]),
    "another set for an absent element": (["--gaussian-name", "Mg=gth-szv"], ["no Mg", "Al"]),
    "pseudopotentials of another form": (["--pseudo", "pseudodojo"], ["GTH", "Al", "UPF"]),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_is_answered_with_one_sentence(mistake: str, mlxc_command: Callable[..., Outcome]) -> None:
    options, words = WRONG[mistake]
    outcome = mlxc_command("scf", "al", "--basis", "gaussian", *options)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert outcome.stderr.count("\n") == 1
    assert all(word in outcome.stderr for word in words)


def test_the_library_answers_the_same_mistakes_with_the_same_sentences() -> None:
    for basis, pseudo, word in (
        (GaussianOrbitals("gth-dzpv"), "gth", "did you mean 'gth-dzv'"),
        (GaussianOrbitals("gth-cc-dzvp"), "gth", "no functions for Al"),
        (GaussianOrbitals(), "pseudodojo", "GTH"),
    ):
        with pytest.raises(InputError, match=word):
            mlxc.scf(Crystal.load("al"), basis=basis, kmesh=(1, 1, 1), pseudo=pseudo, smearing=FermiDirac(0.01))


def test_plane_waves_have_no_gaussian_basis_set() -> None:
    with pytest.raises(InputError, match="plane waves"):
        Calculation.from_dict({"structure": "al", "gaussian_basis": "gth-szv"})
