"""A GPU gives what the processor gives: energies, forces and gradients through the self-consistent field."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import mlxc
from mlxc import Crystal, FermiDirac, GaussianOrbitals, GroundState, PlaneWaves
from mlxc.properties.forces import forces_and_stress
from mlxc.xc.enhancement import NeuralEnhancement

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")

DISTORTED = Crystal(
    [[0, 5.13, 5.13], [5.13, 0, 5.13], [5.13, 5.13, 0]], ["Si", "Si"], [[0.01, 0.01, 0.01], [0.25, 0.25, 0.25]]
)
CASES: dict[str, dict[str, Any]] = {
    "insulator": {"crystal": DISTORTED, "kmesh": (2, 2, 2)},
    "metal": {"crystal": Crystal.load("al"), "kmesh": (3, 3, 3), "smearing": FermiDirac(0.02)},
    "magnet": {"crystal": Crystal.load("ni"), "kmesh": (2, 2, 2), "smearing": FermiDirac(0.01), "spin": True,
               "basis": PlaneWaves(12.0), "pseudo": "pseudodojo"},
    "metal in Gaussians": {"crystal": Crystal.load("al"), "kmesh": (3, 3, 3), "smearing": FermiDirac(0.02),
                           "basis": GaussianOrbitals("gth-dzvp", ecut=8.0)},
}  # fmt: skip


def ground_state(case: str, xc: Any, device: str) -> GroundState:
    settings = {"basis": PlaneWaves(8.0), "pseudo": "gth", "tolerance": 1e-10} | CASES[case]
    crystal = settings.pop("crystal")
    ground = mlxc.scf(crystal, xc=xc, device=device, **settings)
    assert ground.converged
    return ground


@pytest.mark.parametrize("xc", ["lda", "pbe", "r2scan"])
@pytest.mark.parametrize("case", CASES)
def test_energy_density_and_levels_are_those_of_the_processor(case: str, xc: str) -> None:
    here, there = ground_state(case, xc, "cpu"), ground_state(case, xc, "cuda")
    assert there.density.is_cuda
    assert float(there.energy) == pytest.approx(float(here.energy), abs=1e-9)
    torch.testing.assert_close(there.density.cpu(), here.density, rtol=0, atol=1e-7)
    torch.testing.assert_close(there.eigenvalues[..., :1].cpu(), here.eigenvalues[..., :1], rtol=0, atol=1e-7)


@pytest.mark.parametrize("case", ["insulator", "magnet"])
def test_forces_and_stress_are_those_of_the_processor(case: str) -> None:
    here, there = (forces_and_stress(ground_state(case, "pbe", device)) for device in ("cpu", "cuda"))
    for mine, its in zip(here, there, strict=True):
        torch.testing.assert_close(its.cpu(), mine, rtol=0, atol=1e-7)


@pytest.mark.parametrize("case", CASES)
def test_gradients_of_a_density_are_those_of_the_processor(case: str) -> None:
    gradients = []
    for device in ("cpu", "cuda"):
        xc = NeuralEnhancement("gga", (4,), seed=3).to(device)
        ground_state(case, xc, device).density.square().sum().backward()
        gradients.append([parameter.grad.cpu() for parameter in xc.parameters() if parameter.grad is not None])
    here, there = gradients
    assert here
    for mine, its in zip(here, there, strict=True):
        torch.testing.assert_close(its, mine, rtol=1e-5, atol=1e-7)
