"""The settings of a basis from plain data, and back.

PySCF is loaded only where Gaussians are wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlxc.basis.planewave.basis import PlaneWaves
from mlxc.basis.protocol import BasisSettings
from mlxc.crystal.crystal import Crystal


def basis_of(calculation: Mapping[str, Any]) -> BasisSettings:
    """The basis that the settings of a :class:`mlxc.Calculation`, as plain data, name."""
    shape = None if calculation["fft_grid"] is None else tuple(calculation["fft_grid"])
    if calculation["basis"] == "gaussian":
        from mlxc.basis.gaussian.basis import GaussianOrbitals

        names = calculation["gaussian_basis_names"]
        return GaussianOrbitals(calculation["gaussian_basis"], names, calculation["ecut_ha"], shape)
    return PlaneWaves(calculation["ecut_ha"], shape, calculation["cutoff_smoothing_ha"])


def described_basis(basis: BasisSettings, crystal: Crystal) -> dict[str, Any]:
    """The settings of a :class:`mlxc.Calculation` that name a basis, as plain data.

    A calculation knows no ghost functions: where there are some, they have a key of their own, ``ghosts``.
    """
    own = basis.to_dict()
    shape = None if own["fft_grid"] is None else list(own["fft_grid"])
    if own.get("kind") != "gaussian":
        return {
            "basis": "pw",
            "gaussian_basis": None,
            "gaussian_basis_names": {},
            "ecut_ha": own["ecut"],
            "fft_grid": shape,
            "cutoff_smoothing_ha": own["cutoff_smoothing"],
        }
    from mlxc.basis.gaussian.sets import grid_cutoff

    ghosts = own["ghosts"]
    species = (*crystal.species, *(symbol for symbol, _ in ghosts))
    described = {
        "basis": "gaussian",
        "gaussian_basis": own["name"],
        "gaussian_basis_names": own["names"],
        "ecut_ha": own["ecut"] or grid_cutoff(species, own["name"], own["names"]),
        "fft_grid": shape,
        "cutoff_smoothing_ha": 0.0,
    }
    return described | ({"ghosts": ghosts} if ghosts else {})


def saved_settings(saved: Mapping[str, Any]) -> BasisSettings:
    """The settings of a basis from plain data: its fields, ``fft_grid`` among them."""
    first, second, third = saved["fft_grid"]
    shape = (first, second, third)
    if saved.get("kind") == "gaussian":
        from mlxc.basis.gaussian.basis import GaussianOrbitals

        ghosts = tuple((symbol, (x, y, z)) for symbol, (x, y, z) in saved["ghosts"])
        return GaussianOrbitals(saved["name"], saved["names"], saved["ecut"], shape, ghosts)
    return PlaneWaves(saved["ecut"], shape, saved["cutoff_smoothing"])
