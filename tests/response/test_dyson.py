"""Dyson's equation: what is found obeys it, however many of its steps were rough."""

from __future__ import annotations

import pytest
import torch

import mlxc
from mlxc import Crystal, FermiDirac, PlaneWaves
from mlxc.response.bands import refined_bands
from mlxc.response.dyson import solve_dyson
from mlxc.response.independent import IndependentResponse
from mlxc.response.kernel import kernel_at

SMEARING = {"si": None, "al": FermiDirac(0.02)}


@pytest.mark.parametrize("tolerance", [1e-6, 1e-9])
@pytest.mark.parametrize(("crystal", "xc"), [("si", "pbe"), ("al", "pbe"), ("si", "r2scan")])
def test_the_response_to_a_potential_is_what_that_and_its_own_field_cause(
    crystal: str, xc: str, tolerance: float
) -> None:
    ground = mlxc.scf(
        Crystal.load(crystal), xc=xc, basis=PlaneWaves(8.0), kmesh=(2, 2, 2), smearing=SMEARING[crystal],
        pseudo="gth", tolerance=1e-9,
    )  # fmt: skip
    problem, grid = ground.problem, ground.basis.grid
    chi, kernel = IndependentResponse(refined_bands(ground, 1e-10)), kernel_at(problem, ground.fields)
    field = torch.randn(ground.fields.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    potential = grid.real(problem.symmetrised(grid.fourier(field)))
    nothing = torch.zeros_like(grid.fourier(field))
    found, history = solve_dyson(chi, kernel, grid, potential, nothing, crystal == "al", tolerance, 0.0)
    caused = chi(potential + kernel(grid.real(found)), 1e-12).fields
    assert history[-1].residual < tolerance
    assert float((caused - found).norm()) < tolerance * float(found.norm())
