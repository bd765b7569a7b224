"""Set-ups that tests of what is told of a run share."""

from __future__ import annotations

from typing import Any

import numpy as np

from mlxc.crystal.crystal import Crystal

# Of everything something that is not the default.
SEVERAL: dict[str, Any] = {
    "xc": "pbesol", "ecut_ha": 12.5, "kmesh": [2, 3, 4], "smearing": "gaussian", "width_ha": 0.02, "spin": True,
    "total_moment": -1.25, "pseudo": "gth", "pseudo_names": {"Al": "GTH-PBE-q3"}, "cutoff_smoothing_ha": 0.3,
    "tolerance": 3e-7, "max_iterations": 33, "seed": 4, "fft_grid": [24, 24, 24],
}  # fmt: skip
# A crystal of hydrogen costs PySCF a second where aluminium costs it many.
HYDROGEN: dict[str, Any] = {
    "structure": {
        "name": "hydrogen",
        "lattice_ang": [[2.0, 0, 0], [0, 2.1, 0], [0, 0, 2.2]],
        "species": ["H"],
        "fractional_positions": [[0.1, 0, 0]],
    },
    "basis": "gaussian",
    "gaussian_basis": "gth-szv",
    "ecut_ha": 8,
    "kmesh": [2, 2, 1],
    "width_ha": 0.02,
    "tolerance": 1e-8,
}


def strained(name: str = "si", moments: tuple[float, ...] | None = None) -> dict[str, Any]:
    """A crystal that nobody ships, as if it had been uploaded."""
    crystal = Crystal.load(name)
    strain = np.eye(3) + np.array([[0.012, 0.003, 0], [0.003, 0, 0], [0, 0, -0.007]])
    return Crystal(crystal.lattice @ strain, crystal.species, crystal.positions, moments, "my crystal (1)").to_dict()


def assert_same_settings(first: Any, second: Any) -> None:
    """Two settings are equal, but for the last digits of a structure, its name, which may be one of a file, and what it
    was read from.
    """
    if isinstance(first, dict):
        assert set(first) - {"origin"} == set(second) - {"origin"}
        for key in set(first) - {"name", "origin"}:
            assert_same_settings(first[key], second[key])
    elif isinstance(first, list) and first and not isinstance(first[0], str):
        np.testing.assert_allclose(first, second, rtol=0, atol=2e-12)
    else:
        assert first == second
