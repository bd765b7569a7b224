"""A potential that somebody applies: what is known of its energy, its force and its symmetry, in both bases."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import pi
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from ase.io.cube import write_cube
from differences import check_gradient
from support import Outcome
from torch import Tensor

import mlxc
from mlxc import (
    Calculation,
    Crystal,
    ExternalPotential,
    FermiDirac,
    GaussianOrbitals,
    GroundState,
    InputError,
    PlaneWaves,
)
from mlxc.crystal.symmetry import SpaceGroup
from mlxc.export.archive import archive_files, meanings
from mlxc.grid.grid import Grid
from mlxc.grid.interpolation import interpolated_coefficients
from mlxc.properties.forces import forces_and_stress
from mlxc.response.loss import Cotangents
from mlxc.runs.folder import RunFolder
from mlxc.xc.gga import PBE

SILICON = Crystal.load("si")
BASES: dict[str, Any] = {"plane waves": PlaneWaves(8.0), "Gaussians": GaussianOrbitals("gth-szv", ecut=8.0)}
# Statements hold in both; that they do in Gaussians takes longer to see.
CASES = [
    pytest.param(basis, id=name, marks=() if name == "plane waves" else pytest.mark.thorough)
    for name, basis in BASES.items()
]
in_both = pytest.mark.parametrize("basis", CASES)
in_gaussians_slowly = pytest.mark.parametrize(
    "basis", [CASES[0], pytest.param(BASES["Gaussians"], id="Gaussians", marks=pytest.mark.slow)]
)


def wave(*miller: int, crystal: Crystal = SILICON, height: float = 0.05) -> Callable[[Tensor], Tensor]:
    """height cos(G.r)."""
    vector = torch.tensor(2 * pi * np.array(miller) @ np.linalg.inv(crystal.lattice).T)
    return lambda positions: height * torch.cos(positions @ vector)


def star(positions: Tensor) -> Tensor:
    """A potential with the symmetry of silicon: the shortest reciprocal lattice vectors, with their phases."""
    members = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)]
    atoms = torch.tensor(SILICON.positions @ SILICON.lattice)
    return torch.stack([wave(*miller)(positions - atom) for miller in members for atom in atoms]).sum(0)


def scf(*potentials: Any, crystal: Crystal = SILICON, **more: Any) -> GroundState:
    settings: dict[str, Any] = {"basis": BASES["plane waves"], "kmesh": (2, 2, 2), "pseudo": "gth", "tolerance": 1e-9}
    ground = mlxc.scf(crystal, **settings | {"terms": [ExternalPotential(v) for v in potentials]} | more)
    assert ground.converged
    return ground


@in_both
def test_a_constant_potential_shifts_the_levels_and_the_energy_of_every_electron(basis: Any) -> None:
    without, with_it = scf(basis=basis), scf(np.full((2, 3, 4), 0.25), basis=basis)
    assert float(with_it.energy - without.energy) == pytest.approx(8 * 0.25, abs=1e-9)
    torch.testing.assert_close(with_it.eigenvalues, without.eigenvalues + 0.25, rtol=0, atol=1e-7)
    assert with_it.energies["external_potential"] == pytest.approx(2, abs=1e-9)
    assert "external_potential" not in without.energies
    assert len(with_it.kpoints) == len(without.kpoints)


@in_both
def test_the_energy_changes_by_the_integral_of_the_density_and_the_potential(basis: Any) -> None:
    higher, lower = (scf(wave(1, 0, 0, height=height), basis=basis) for height in (0.011, 0.009))
    state = scf(wave(1, 0, 0, height=0.01), basis=basis)
    slope = float(higher.energy - lower.energy) / 0.002
    assert slope == pytest.approx(state.energies["external_potential"] / 0.01, rel=1e-4)


@pytest.mark.thorough
def test_forces_and_stress_are_finite_differences() -> None:
    crystal = Crystal(SILICON.lattice, SILICON.species, [[0.01, 0.02, 0], [0.25, 0.25, 0.25]])
    field = wave(1, 0, 0)(torch.tensor(uniform((16, 16, 16)) @ SILICON.lattice))

    def free_energy(shift: float, strain: float) -> float:
        positions = crystal.positions + np.array([[shift, 0, 0], [0, 0, 0]])
        lattice = crystal.lattice @ (np.eye(3) + np.diag([strain, 0, 0]))
        moved = Crystal(lattice, crystal.species, positions)
        basis = PlaneWaves(10.0, fft_grid=(24, 24, 24), cutoff_smoothing=3.0)
        return float(scf(field, crystal=moved, basis=basis).energy)

    ground = scf(field, crystal=crystal, basis=PlaneWaves(10.0, fft_grid=(24, 24, 24), cutoff_smoothing=3.0))
    forces, stress = forces_and_stress(ground)
    moved = (free_energy(1e-3, 0) - free_energy(-1e-3, 0)) / 2e-3
    assert -float(forces[0] @ torch.tensor(crystal.lattice[0])) == pytest.approx(moved, abs=1e-5)
    strained = (free_energy(0, 1e-3) - free_energy(0, -1e-3)) / 2e-3 / crystal.volume
    assert float(stress[0, 0]) == pytest.approx(strained, abs=2e-7)


def test_the_forces_on_the_atoms_add_up_to_the_pull_of_the_potential_on_the_electrons() -> None:
    crystal = Crystal(SILICON.lattice, SILICON.species, SILICON.positions + 0.03)
    ground = scf(wave(1, 0, 0), crystal=crystal, basis=PlaneWaves(12.0))
    grid = ground.basis.grid
    slope = grid.gradient(wave(1, 0, 0)(torch.tensor(uniform(grid.shape) @ SILICON.lattice)))
    pull = grid.integrate(ground.density.sum(0) * slope)
    assert float(pull.norm()) > 0.01
    torch.testing.assert_close(forces_and_stress(ground)[0].sum(0), -pull, rtol=0, atol=1e-4)


def uniform(shape: tuple[int, int, int]) -> np.ndarray:
    return np.stack(np.meshgrid(*(np.arange(n) / n for n in shape), indexing="ij"), axis=-1)


@pytest.mark.thorough
@pytest.mark.parametrize("suffix", [".cube", ".npy"])
def test_a_file_says_the_same_as_the_function(suffix: str, tmp_path: Path) -> None:
    values = wave(1, 0, 0)(torch.tensor(uniform((9, 10, 12)) @ SILICON.lattice)).numpy()
    path = tmp_path / f"v{suffix}"
    if suffix == ".npy":
        np.save(path, values)
    else:
        with path.open("w") as file:
            write_cube(file, SILICON.to_ase(), values)
    from_file, from_function = scf(path), scf(wave(1, 0, 0))
    assert float(from_file.energy) == pytest.approx(float(from_function.energy), abs=1e-6)
    assert len(from_file.kpoints) == len(from_function.kpoints)


@pytest.mark.thorough
@in_gaussians_slowly
def test_a_potential_with_the_crystals_symmetry_keeps_the_k_mesh_and_gives_the_energy_without_symmetry(
    basis: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    symmetric = scf(star, basis=basis)
    assert len(symmetric.kpoints) == len(scf(basis=basis).kpoints)
    monkeypatch.setattr(ExternalPotential, "symmetry", lambda self, crystal, group: SpaceGroup.identity())
    plain = scf(star, basis=basis)
    assert len(plain.kpoints) > len(symmetric.kpoints)
    assert float(plain.energy) == pytest.approx(float(symmetric.energy), abs=1e-8)


def test_only_operations_that_leave_the_potential_as_it_is_remain() -> None:
    group = SpaceGroup.of(SILICON)
    assert len(ExternalPotential(star).symmetry(SILICON, group)) == len(group) == 48
    # One of four equivalent directions is left, and with it a quarter of the rotations.
    centre = torch.tensor(SILICON.positions.mean(0) @ SILICON.lattice)
    along_one = ExternalPotential(lambda positions: wave(1, 0, 0)(positions - centre))
    assert len(along_one.symmetry(SILICON, group)) == 12
    noise = np.random.default_rng(0).normal(size=(6, 7, 8))
    assert len(ExternalPotential(noise).symmetry(SILICON, group)) == 1


@pytest.mark.parametrize("given", [(8, 9, 10), (5, 6, 7), (12, 12, 12)])
@pytest.mark.parametrize("radius", [2.0, torch.inf])
def test_interpolation_goes_through_waves_that_both_grids_hold(given: tuple[int, int, int], radius: float) -> None:
    grid = Grid(torch.tensor(SILICON.lattice), (10, 12, 9), radius)
    values, expected = (
        wave(1, -1, 2)(torch.tensor(uniform(shape) @ SILICON.lattice)) + 0.3 for shape in (given, grid.shape)
    )
    torch.testing.assert_close(interpolated_coefficients(grid, values), grid.fourier(expected), rtol=0, atol=1e-14)


def test_values_pass_through_a_finer_grid_unchanged() -> None:
    values = torch.randn(4, 5, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    fine = Grid(torch.tensor(SILICON.lattice), (8, 10, 12), torch.inf)
    onto = fine.real(interpolated_coefficients(fine, values))
    torch.testing.assert_close(onto[::2, ::2, ::2], values)


@pytest.mark.thorough
@in_gaussians_slowly
def test_the_gradient_of_a_loss_is_the_finite_difference_with_a_potential_applied(basis: Any) -> None:
    def moment(xc: Any) -> Tensor:
        ground = scf(wave(1, 0, 0), xc=xc, basis=basis, tolerance=1e-10)
        n = ground.density.shape[-1]
        return (ground.density * torch.cos(2 * pi * torch.arange(n) / n)).square().sum()

    check_gradient(moment, lambda: PBE(trainable=True))


@pytest.mark.thorough
def test_the_susceptibility_is_its_own_adjoint_with_a_potential_applied() -> None:
    settings = {"crystal": Crystal.load("al"), "smearing": FermiDirac(0.02), "xc": PBE(trainable=True)}
    ground = scf(wave(0, 0, 1, crystal=Crystal.load("al")), **settings)
    assert ground.adjoint is not None
    assert ground.problem is not None
    zeros = [torch.zeros_like(part.detach()) for part in (ground.orbitals, ground.eigenvalues, ground.occupations)]
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((2, *ground.fields.shape), generator=generator, dtype=torch.float64)
    left, right = map(ground.problem.symmetrizer.field, noise)
    forward = (left * ground.adjoint.cotangent(Cotangents(right, *zeros))).sum()
    backward = (right * ground.adjoint.cotangent(Cotangents(left, *zeros))).sum()
    assert float(forward) == pytest.approx(float(backward), rel=1e-9)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((3, 3)), "three dimensions"),
        (np.full((2, 2, 2), np.nan), "finite"),
        (lambda positions: positions, "one number for each position"),
        (lambda positions: positions[..., 0] / 0, "finite"),
        ([["a"]], "numbers"),
    ],
)
def test_values_that_make_no_potential_are_refused(values: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        scf(values)


def test_files_that_hold_no_potential_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.cube").write_text("nothing\n")
    with (tmp_path / "other.cube").open("w") as file:
        write_cube(file, Crystal.load("al").to_ase(), np.zeros((2, 2, 2)))
    for name, message in (("none.npy", "no such file"), ("text.cube", "neither"), ("other.cube", "cell")):
        with pytest.raises(InputError, match=message) as caught:
            scf(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_cube_file_stays_what_it_is_in_fractional_coordinates_when_the_cell_is_deformed(tmp_path: Path) -> None:
    values = wave(1, 0, 0)(torch.tensor(uniform((12, 12, 12)) @ SILICON.lattice)).numpy()
    with (tmp_path / "v.cube").open("w") as file:
        write_cube(file, SILICON.to_ase(), values)
    wider = SILICON.scaled(1.03)
    from_file = scf(tmp_path / "v.cube", crystal=wider)
    assert float(from_file.energy) == pytest.approx(float(scf(values, crystal=wider).energy), abs=1e-6)


def test_a_record_does_not_say_that_a_function_is_a_file() -> None:
    record = scf(star).calculation
    assert record["terms"] == {"external_potential": None}
    with pytest.raises(InputError, match="external_potential"):
        Calculation.from_dict(record)
    assert scf(np.zeros((2, 2, 2)), star).calculation["terms"] == {"external_potential": None}


def test_an_archive_holds_the_file_of_a_term_under_a_name_of_its_own(tmp_path: Path) -> None:
    np.save(tmp_path / "density.npy", np.full((2, 2, 2), 0.1))
    settings = {"structure": "si", "pseudo": "gth", "ecut_ha": 5, "kmesh": [1, 1, 1]}
    terms = {"external_potential": str(tmp_path / "density.npy")}
    folder = RunFolder.create(Calculation.from_dict({**settings, "terms": terms}), "with a term", tmp_path)
    files = archive_files(folder)
    assert files["external_potential-density.npy"] == tmp_path / "density.npy"
    assert "external_potential=external_potential-density.npy" in str(files["run.sh"])
    assert '"external_potential-density.npy"' in str(files["run.py"])
    assert "run.sh read" in meanings(folder, files)["external_potential-density.npy"]


def test_a_calculation_names_its_further_terms_and_a_record_without_any_has_none(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", wave(1, 0, 0)(torch.tensor(uniform((8, 8, 8)) @ SILICON.lattice)).numpy())
    settings = {"structure": "si", "pseudo": "gth", "ecut_ha": 6, "kmesh": [2, 2, 2]}
    plain = Calculation.from_dict(settings)
    assert "terms" not in plain.model_dump(mode="json")
    applied = Calculation.from_dict({**settings, "terms": {"external_potential": str(tmp_path / "v.npy")}})
    assert Calculation.from_dict(applied.model_dump(mode="json")) == applied
    found = applied.run().summary()
    assert "external_potential" in found["energies_ha"]
    assert found["calculation"]["terms"] == {"external_potential": str(tmp_path / "v.npy")}
    assert plain.run().summary()["energies_ha"].keys() == found["energies_ha"].keys() - {"external_potential"}
    with pytest.raises(InputError, match="no term 'nonsense'"):
        Calculation.from_dict({**settings, "terms": {"nonsense": "1"}})


def test_the_command_line_adds_a_term(mlxc_command: Callable[..., Outcome]) -> None:
    np.save("v.npy", np.full((2, 2, 2), 0.1))
    options = ["scf", "si", "--pseudo", "gth", "--ecut", "5", "--kmesh", "1", "1", "1", "--json"]
    found = mlxc_command(*options, "--term", "external_potential=v.npy")
    assert json.loads(found.stdout)["energies_ha"]["external_potential"] == pytest.approx(0.8, abs=1e-9)
    missing = mlxc_command(*options, "--term", "external_potential=none.npy")
    assert missing.code == 2
    assert "none.npy" in missing.stderr


@pytest.mark.thorough
def test_what_a_calculation_needs_is_counted_with_the_symmetry_that_is_left(tmp_path: Path) -> None:
    from mlxc.calculation.feasibility import check_calculation

    np.save(tmp_path / "v.npy", np.random.default_rng(0).normal(size=(6, 6, 6)))
    settings = {"structure": "si", "pseudo": "gth", "ecut_ha": 6, "kmesh": [2, 2, 2]}
    counts = [
        check_calculation(Calculation.from_dict({**settings, "terms": terms})).irreducible_kpoints
        for terms in ({}, {"external_potential": str(tmp_path / "v.npy")})
    ]
    assert counts[0] < counts[1] == len(scf(tmp_path / "v.npy", basis=PlaneWaves(6.0)).kpoints)
