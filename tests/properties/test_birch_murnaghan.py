"""The fit of an equation of state finds what energies were made from, and refuses those that have no minimum."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxc.properties.birch_murnaghan import BirchMurnaghan, FitError, fit_birch_murnaghan

VOLUMES = np.linspace(0.94, 1.06, 7)


@given(
    volume0=st.floats(1.0, 1e4),
    bulk_modulus=st.floats(1e-3, 5.0),
    derivative=st.floats(2.0, 8.0),
    centre=st.floats(0.96, 1.04),
)
def test_a_fit_finds_the_parameters_that_energies_were_made_from(
    volume0: float, bulk_modulus: float, derivative: float, centre: float
) -> None:
    made_from = BirchMurnaghan(-1.0, volume0, bulk_modulus, derivative)
    volumes = volume0 * centre * VOLUMES
    found = fit_birch_murnaghan(volumes, made_from(volumes))
    assert found.energy0 == pytest.approx(-1.0, abs=1e-9 * (1 + bulk_modulus * volume0))
    assert found.volume0 == pytest.approx(volume0, rel=1e-6)
    assert found.bulk_modulus == pytest.approx(bulk_modulus, rel=1e-4)
    assert found.bulk_modulus_derivative == pytest.approx(derivative, rel=1e-2)


def test_energies_with_a_maximum_have_no_equation_of_state() -> None:
    with pytest.raises(FitError, match="no minimum"):
        fit_birch_murnaghan(VOLUMES, -((VOLUMES - 1) ** 2))


def test_equal_volumes_are_one_point() -> None:
    with pytest.raises(FitError, match="at least 4 points, not 1"):
        fit_birch_murnaghan(np.full(7, 10.0), np.arange(7.0))
