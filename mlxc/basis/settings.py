"""Which basis a calculation, or a saved result, names.

PySCF is loaded only where Gaussians are wanted.
"""

from __future__ import annotations

from typing import Any

from mlxc.basis.planewave.basis import PlaneWaves
from mlxc.basis.protocol import BasisSettings
from mlxc.calculation.calculation import Calculation


def settings_of(calculation: Calculation) -> BasisSettings:
    """Of a calculation."""
    if calculation.basis == "gaussian":
        from mlxc.basis.gaussian.basis import GaussianOrbitals

        assert calculation.gaussian_basis is not None  # the calculation has checked it
        return GaussianOrbitals(
            calculation.gaussian_basis, calculation.gaussian_basis_names, calculation.ecut_ha, calculation.fft_grid
        )
    return PlaneWaves(calculation.ecut_ha, calculation.fft_grid, calculation.cutoff_smoothing_ha)


def saved_settings(saved: dict[str, Any]) -> BasisSettings:
    """From plain data: the fields of the settings, ``fft_grid`` among them."""
    first, second, third = saved["fft_grid"]
    shape = (first, second, third)
    if saved.get("kind") == "gaussian":
        from mlxc.basis.gaussian.basis import GaussianOrbitals

        ghosts = tuple((symbol, (x, y, z)) for symbol, (x, y, z) in saved["ghosts"])
        return GaussianOrbitals(saved["name"], saved["names"], saved["ecut"], shape, ghosts)
    return PlaneWaves(saved["ecut"], shape, saved["cutoff_smoothing"])
