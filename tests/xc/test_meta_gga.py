"""Functionals of the density of kinetic energy in the self-consistent field."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import mlxc
from mlxc import Crystal, FermiDirac, GroundState, PlaneWaves
from mlxc.basis.hamiltonian import EffectivePotential
from mlxc.basis.planewave.hamiltonian import LocalOperator
from mlxc.frozen.curve import compute_curve
from mlxc.grid.fields import Fields
from mlxc.properties.bands import eigenvalues_at
from mlxc.properties.forces import forces_and_stress
from mlxc.solids.table import read_solids
from mlxc.xc.functional import Functional
from mlxc.xc.lda import LDA

# No symmetry but inversion, so that no displacement changes the space group.
POSITIONS = np.array([[0.02, 0, 0], [0.28, 0.23, 0.25]])
LATTICE = Crystal.load("si").lattice


class LighterElectrons(Functional):
    """LDA plus a multiple of tau: electrons whose mass is divided by 1 + share."""

    ingredients = ("rho", "tau")

    def __init__(self, share: float) -> None:
        super().__init__()
        self.local = LDA()
        self.share = torch.nn.Parameter(torch.tensor(share, dtype=torch.float64))

    def forward(self, rho: Tensor, tau: Tensor) -> Tensor:
        return self.local(rho) + self.share * tau.sum(0)


def ground_state(
    xc: str | Functional, crystal: Crystal | None = None, spin: bool = False, pseudo: str = "gth-pbe"
) -> GroundState:
    crystal = crystal or Crystal(LATTICE, ["Si", "Si"], POSITIONS)
    return mlxc.scf(
        crystal, xc=xc, basis=PlaneWaves(8.0, (24, 24, 24), cutoff_smoothing=2.0), kmesh=(2, 2, 2), pseudo=pseudo,
        smearing=FermiDirac(0.01), tolerance=1e-8, spin=spin, total_moment=1.0 if spin else None,
    )  # fmt: skip


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("spin", "pseudo"),
    [*(pytest.param(spin, "gth-pbe", marks=pytest.mark.slow) for spin in (False, True)), (False, "pseudodojo")],
)
def test_forces_and_stress_are_slopes_of_the_energy(spin: bool, pseudo: str) -> None:
    forces, stress = forces_and_stress(ground_state("r2scan", spin=spin, pseudo=pseudo))
    step, volume = 1e-3, abs(np.linalg.det(LATTICE))
    strain = np.array([[0.6, 0.2, 0.0], [0.2, -0.3, 0.4], [0.0, 0.4, 0.5]])
    # The centre of inversion stays where it is: E_xc on a grid depends a little on the place of a crystal.
    shift = np.array([[0.3, -0.5, 0.8], [-0.3, 0.5, -0.8]])

    def energy(strain: np.ndarray, displacement: np.ndarray) -> float:
        lattice = LATTICE @ (np.eye(3) + strain).T
        moved = POSITIONS + displacement @ np.linalg.inv(LATTICE)
        return float(ground_state("r2scan", Crystal(lattice, ["Si", "Si"], moved), spin, pseudo).energy)

    rest = np.zeros((3, 3))
    stretched = (energy(step * strain, rest[:2]) - energy(-step * strain, rest[:2])) / (2 * step * volume)
    assert float((stress.numpy() * strain).sum()) == pytest.approx(stretched, abs=1e-7)
    displaced = (energy(rest, step * shift) - energy(rest, -step * shift)) / (2 * step)
    assert -float((forces.numpy() * shift).sum()) == pytest.approx(displaced, abs=1e-5)


@pytest.mark.thorough
def test_a_potential_of_kinetic_energy_acts_as_minus_half_of_the_divergence_of_a_flow() -> None:
    ground = ground_state("r2scan")
    assert ground.kinetic_potential is not None
    basis, everywhere, psi = ground.basis, slice(0, len(ground.orbitals)), ground.orbitals
    potential = EffectivePotential(torch.zeros_like(ground.kinetic_potential), kinetic=ground.kinetic_potential)
    found, expected = torch.zeros_like(psi), torch.zeros_like(psi)
    LocalOperator(basis, everywhere, 0, potential).add_to(found, psi)
    for wave_vector in basis.kplusg.movedim(-1, 0)[:, :, None]:
        flow = basis.transform.to_grid(psi * wave_vector, everywhere) * ground.kinetic_potential[0]
        expected += basis.transform.from_grid(flow, everywhere) * wave_vector / 2
    assert torch.allclose(found, expected, atol=1e-13)


def test_a_share_of_tau_is_a_share_of_the_kinetic_energy() -> None:
    si, basis = Crystal.load("si"), PlaneWaves(8.0)
    xc = LighterElectrons(0.3)
    ground = mlxc.scf(si, xc=xc, basis=basis, kmesh=(2, 2, 2), pseudo="gth-pbe")
    local = ground.energies["xc"] - 0.3 * ground.energies["kinetic"]
    assert ground.kinetic_density is not None
    tau = float(ground.basis.grid.integrate(ground.kinetic_density).sum().detach())
    assert tau == pytest.approx(ground.energies["kinetic"], rel=1e-9)
    density = ground.density
    expected = LDA()(density.flatten(1)).sum() * float(ground.basis.grid.volume) / ground.basis.grid.size
    assert local == pytest.approx(float(expected), abs=1e-6)
    ground.energy.backward()
    assert float(xc.share.grad) == pytest.approx(ground.energies["kinetic"], rel=1e-9)


def test_bands_at_the_mesh_are_those_of_the_scf(tmp_path: Path) -> None:
    ground = mlxc.scf(
        Crystal.load("si"), xc="r2scan", basis=PlaneWaves(8.0), kmesh=(2, 2, 2), pseudo="gth-pbe", tolerance=1e-9
    )
    bands = eigenvalues_at(ground, ground.kpoints.fractional)[0, :, :4]
    assert np.allclose(bands, ground.eigenvalues.numpy()[:, :4], atol=1e-5)
    ground.save(tmp_path / "state.h5")
    assert torch.equal(GroundState.load(tmp_path / "state.h5").kinetic_density, ground.kinetic_density)


@pytest.mark.thorough
def test_no_electron_has_less_kinetic_energy_than_one_orbital_would_give_it() -> None:
    """In NaCl the valence alone does where the core of chlorine lies."""
    ground = mlxc.scf(Crystal.load("nacl"), xc="r2scan", basis=PlaneWaves(20.0), kmesh=(2, 2, 2))
    assert ground.kinetic_density is not None
    points, volumes = ground.problem.xc.points(Fields(ground.density, tau=ground.kinetic_density))
    valence, _ = ground.problem.xc.points(Fields(ground.density, tau=torch.zeros_like(ground.density)))
    total, core = points["tau"].sum(0), valence["tau"].sum(0)
    orbital = points["grad"].sum(0).square().sum(0) / (8 * points["rho"].sum(0))
    assert bool((total > orbital).all())
    assert float((points["rho"].sum(0) * volumes)[total - core < orbital].sum()) > 1


@pytest.mark.slow
def test_silicon_with_tpss_has_the_lattice_constant_of_all_electrons() -> None:
    """At densities of PBE. If the core had no kinetic energy it would be 1.8 % larger.

    5.461 angstrom: J. Wellendorff, K. T. Lundgaard, K. W. Jacobsen, T. Bligaard, J. Chem. Phys. 140, 144107 (2014).
    """
    silicon = read_solids("sol58lc")["Si_diamond"]
    found = compute_curve(silicon).predictions(mlxc.functional("mgga_x_tpss + mgga_c_tpss"))
    assert float(found["lattice_constant_ang"]) == pytest.approx(5.461, abs=0.006)


@pytest.mark.thorough
def test_orbitals_of_a_neighbouring_volume_tell_a_meta_gga_their_kinetic_energy() -> None:
    settings = {"xc": "r2scan", "basis": PlaneWaves(12.0), "kmesh": (4, 4, 4), "smearing": FermiDirac(0.01)}
    first = mlxc.scf(Crystal.load("al"), **settings)
    cold, warm = (mlxc.scf(Crystal.load("al").scaled(1.01), **settings, start=start) for start in ((), first))
    assert float(warm.energy) == pytest.approx(float(cold.energy), abs=1e-7)
    assert warm.history[0].density_residual < cold.history[0].density_residual / 10
    assert len(warm.history) < len(cold.history)
