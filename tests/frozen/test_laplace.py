"""Fits at frozen densities: the minimum that another optimiser finds, and a covariance that explains the errors."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest
import torch
from scipy.optimize import least_squares

from mlxc import FrozenLibrary
from mlxc.frozen.curve import SolidCurve
from mlxc.frozen.screening import screen
from mlxc.frozen.uncertainty.laplace import errors_and_slopes, fit_lattice_constants, laplace_covariance
from mlxc.xc.gga import PBE, PBE_KAPPA, PBE_MU

BOTH = ("kappa", "mu")
NAMES = ["Al_fcc", "Si_diamond", "LiF_b1"]
STIFFNESS = 0.5


@pytest.fixture(scope="module")
def curves() -> list[SolidCurve]:
    library = FrozenLibrary()
    return [library.curve(name) for name in NAMES]


def errors_of_screening(kappa: float, mu: float) -> np.ndarray:
    rows = screen([PBE(kappa, mu)], solids=NAMES).rows
    return np.array([row.lattice_constant_error_percent for row in rows])


def test_errors_are_those_of_a_screening_and_slopes_their_differences(curves: list[SolidCurve]) -> None:
    errors, slopes = errors_and_slopes(PBE(trainable=True), curves, BOTH)
    np.testing.assert_allclose(errors, errors_of_screening(PBE_KAPPA, PBE_MU), rtol=1e-10)
    step = 1e-4
    along_mu = (
        (errors_of_screening(PBE_KAPPA, PBE_MU + step) - errors_of_screening(PBE_KAPPA, PBE_MU - step)) / 2 / step
    )
    np.testing.assert_allclose(slopes[:, 1], along_mu, rtol=1e-6)


@pytest.mark.thorough
def test_the_fit_is_the_minimum_that_another_optimiser_finds(curves: list[SolidCurve]) -> None:
    functional = PBE(trainable=True)
    fit_lattice_constants(functional, [*curves, curves[0]], BOTH, STIFFNESS)

    def residuals(place: np.ndarray) -> np.ndarray:
        errors = errors_of_screening(*place)
        held = sqrt(STIFFNESS) * (place - [PBE_KAPPA, PBE_MU])
        return np.concatenate([errors, errors[:1], held])

    found = least_squares(residuals, [PBE_KAPPA, PBE_MU], x_scale=[1, 0.1]).x
    np.testing.assert_allclose([functional.kappa.item(), functional.mu.item()], found, atol=2e-3)


def test_what_is_held_fast_stays_where_it_is(curves: list[SolidCurve]) -> None:
    functional = PBE(trainable=True)
    fit_lattice_constants(functional, curves, BOTH, 1e12)
    assert functional.mu.item() == pytest.approx(PBE_MU, abs=1e-8)


def test_the_covariance_explains_the_errors_that_are_left(curves: list[SolidCurve]) -> None:
    functional = PBE(trainable=True)
    covariance = laplace_covariance(functional, curves[:2], curves[2:], BOTH, STIFFNESS)
    errors, slopes = errors_and_slopes(functional, curves, BOTH)
    variances = (slopes @ covariance * slopes).sum(1)
    assert float((errors.square() / variances).mean()) == pytest.approx(1)
    # Its inverse is the Hessian of the objective of the fit, up to the temperature.
    hessian = slopes[:2].T @ slopes[:2] + STIFFNESS * torch.eye(2, dtype=torch.float64)
    product = covariance @ hessian
    torch.testing.assert_close(product, product[0, 0] * torch.eye(2, dtype=torch.float64))
