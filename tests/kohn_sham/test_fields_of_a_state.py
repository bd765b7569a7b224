"""What is said of a converged state at each point of space adds up to its energies."""

from __future__ import annotations

import pytest
import torch

import mlxc
from mlxc import Crystal, FermiDirac, GroundState, PlaneWaves
from mlxc.grid.grid import Grid
from mlxc.kohn_sham.residual import WAVELENGTHS, residual_spectrum
from mlxc.xc.catalogue import functional


@pytest.fixture(scope="module")
def state() -> GroundState:
    return mlxc.scf(
        Crystal.load("al"), basis=PlaneWaves(8.0), kmesh=(2, 2, 2), smearing=FermiDirac(0.02), tolerance=1e-7
    )


def test_the_xc_energy_per_volume_integrates_to_the_xc_energy(state: GroundState) -> None:
    energy, _ = state.problem.xc.on_grid(state.problem.functional, state.density, None)
    assert float(state.basis.grid.integrate(energy)) == pytest.approx(state.energies["xc"], abs=1e-9)


def test_electric_and_xc_potential_make_up_the_effective_potential(state: GroundState) -> None:
    _, xc = state.problem.xc.on_grid(state.problem.functional, state.density, None)
    total = state.problem.electric_potential(state.density) + xc[0]
    # The effective potential holds no waves that no matrix element sees.
    seen = state.basis.grid.real(state.basis.grid.fourier(total))
    torch.testing.assert_close(seen, state.potential[0], atol=1e-4, rtol=0)


def test_another_functional_may_be_asked_about_the_same_density(state: GroundState) -> None:
    local, _ = state.problem.xc.on_grid(functional("lda"), state.density, None)
    ratio = float(state.basis.grid.integrate(local)) / state.energies["xc"]
    assert 0.9 < ratio < 1.0  # PBE binds more strongly than the local density approximation


@pytest.mark.parametrize(("edge", "band"), [(24.0, 0), (14.0, 0), (8.0, 1), (4.0, 2), (2.0, 3)])
def test_a_wave_is_in_the_band_of_its_wavelength(edge: float, band: int) -> None:
    grid = Grid(torch.eye(3, dtype=torch.float64) * edge, (8, 8, 8), torch.inf)
    x = torch.arange(8, dtype=torch.float64) / 8
    wave = (1 + torch.cos(2 * torch.pi * x))[None, :, None, None].expand(1, 8, 8, 8)
    shares = residual_spectrum(grid, grid.fourier(wave))
    assert len(shares) == len(WAVELENGTHS) + 1
    assert shares[band] == pytest.approx(1.0)


def test_the_shares_of_a_residual_add_up(state: GroundState) -> None:
    for record in state.history:
        assert sum(record.residual_spectrum) == pytest.approx(1.0)
