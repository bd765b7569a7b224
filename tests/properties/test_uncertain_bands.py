"""Standard deviations of bands: those of finite differences of whole self-consistent calculations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import mlxc
from mlxc.crystal.brillouin import band_path
from mlxc.properties.bands import BandStructure, bands_on_path
from mlxc.response.perturbed import perturbations
from mlxc.xc.checkpoint import save_checkpoint
from mlxc.xc.checkpoints.ensemble import Ensemble
from mlxc.xc.gga import PBE, PBE_KAPPA, PBE_MU

# Columns are the directions, by a standard deviation each.
FACTOR = torch.tensor([[0.02, 0.0], [-0.005, 0.015]], dtype=torch.float64)
STEP = 0.1
POINTS = 6
METAL: dict[str, Any] = {"basis": mlxc.PlaneWaves(8.0), "kmesh": (2, 2, 2), "smearing": mlxc.FermiDirac(0.02)}
CASES: dict[str, tuple[mlxc.Crystal, dict[str, Any]]] = {
    "silicon": (mlxc.Crystal.load("si"), {"basis": mlxc.PlaneWaves(6.0), "kmesh": (2, 2, 2)}),
    "smeared silicon": (mlxc.Crystal.load("si"), METAL | {"smearing": mlxc.Gaussian(0.002)}),
    "aluminium": (mlxc.Crystal.load("al"), METAL),
    "silicon in Gaussians": (mlxc.Crystal.load("si"), {"basis": mlxc.GaussianOrbitals("gth-szv"), "kmesh": (2, 2, 2)}),
    "hydrogen with its moment held": (
        mlxc.Crystal(np.eye(3) * 6.0, ["H"], np.zeros((1, 3)), moments=[0.8]),
        METAL | {"spin": True, "total_moment": 0.8},
    ),
    "stretched hydrogen": (
        mlxc.Crystal(np.eye(3) * 6.0, ["H"], np.zeros((1, 3)), moments=[1.0]),
        METAL | {"spin": True},
    ),
}


def computed(case: str, xc: Any, **further: Any) -> mlxc.GroundState:
    crystal, settings = CASES[case]
    return mlxc.scf(crystal, xc=xc, pseudo="gth", tolerance=1e-9, **(settings | further))


def uncertain_bands(ground: mlxc.GroundState) -> BandStructure:
    return bands_on_path(ground, band_path(ground.crystal, POINTS), perturbations=perturbations(ground).potentials)


def distances(bands: BandStructure) -> tuple[NDArray[np.float64], float]:
    """Levels from where deviations count, and the gap."""
    edges = bands.band_gap.edges
    reference = bands.ground.fermi_level if edges is None else edges.valence.energy
    return bands.eigenvalues - reference, 0.0 if edges is None else edges.gap


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("checkpoints") / "kappa-mu.safetensors"
    functional = PBE(trainable=True)
    ensemble = Ensemble.of_covariance(functional, FACTOR @ FACTOR.T, ("kappa", "mu"))
    save_checkpoint(functional, path, name="kappa-mu", ensemble=ensemble)
    return str(path)


# An insulator, a metal, and a magnet with a Fermi level for each spin; the others take longer.
FURTHER = ("smeared silicon", "silicon in Gaussians", "stretched hydrogen")


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=pytest.mark.slow if case in FURTHER else ()) for case in CASES]
)
def test_bands_have_the_deviations_of_whole_calculations(case: str, checkpoint: str) -> None:
    ground = computed(case, checkpoint)
    told = uncertain_bands(ground)
    changes, gaps = [], []
    for kappa, mu in (FACTOR.T * STEP).tolist():
        ends = [
            distances(
                bands_on_path(
                    computed(case, PBE(PBE_KAPPA + sign * kappa, PBE_MU + sign * mu), start=ground), told.path
                )
            )
            for sign in (1, -1)
        ]
        nband = min(levels.shape[-1] for levels, _ in ends)
        changes.append((ends[0][0][..., :nband] - ends[1][0][..., :nband]) / (2 * STEP))
        gaps.append((ends[0][1] - ends[1][1]) / (2 * STEP))
    expected = np.linalg.norm(changes, axis=0)
    assert told.deviations is not None
    assert told.deviations.bands[..., : expected.shape[-1]] == pytest.approx(expected, rel=1e-2, abs=2e-6)
    if told.band_gap.edges is None:
        assert told.deviations.gap is None
    else:
        assert told.deviations.gap == pytest.approx(float(np.linalg.norm(gaps)), rel=1e-2)
