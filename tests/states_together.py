"""Ground states for one process, or for several that a launcher starts with this file as their program."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import torch

import mlxc

# Tight enough for forces, which are of first order in the error of the density.
TIGHT = 1e-12


def computed(name: str) -> dict[str, Any]:
    """A metal, of which a second state goes on from the first, an insulator with a meta-GGA, or a magnet."""
    crystal = mlxc.Crystal.load({"metal": "al", "meta-gga": "si", "magnet": "ni"}[name])
    settings: dict[str, Any] = {"kmesh": (3, 3, 3), "smearing": mlxc.MarzariVanderbilt(0.02)}
    xc = mlxc.functional("pbe-kappa-mu" if name == "metal" else "pbe")
    if name == "meta-gga":
        positions = crystal.positions + np.array([[0, 0, 0], [0.02, -0.01, 0.013]])
        crystal = mlxc.Crystal(crystal.lattice, crystal.species, positions)
        settings, xc = {"kmesh": (2, 2, 2)}, mlxc.functional("r2scan")
    basis = mlxc.PlaneWaves(14 if name == "magnet" else 6)
    settings |= {"basis": basis, "spin": name == "magnet", "tolerance": TIGHT, "forces": True}
    ground = mlxc.scf(crystal, xc=xc, **settings)
    again = mlxc.scf(crystal, xc=xc, start=ground, **settings) if name == "metal" else ground
    loss = ground.energy + (ground.density**2).mean()
    gradient = torch.autograd.grad(loss, list(xc.parameters())) if name == "metal" else ()
    assert ground.forces is not None
    assert ground.stress is not None
    filled = ground.occupations > 0.1
    return {
        "energy": ground.energy.detach(),
        "energy of a continued one": again.energy.detach(),
        "density": ground.density.detach(),
        "forces": ground.forces,
        "stress": ground.stress,
        "levels": ground.eigenvalues.detach() * filled,
        "occupations": ground.occupations.detach(),
        "fermi levels": torch.tensor(ground.fermi_levels),
        "gradient": torch.stack([*gradient]) if gradient else torch.zeros(1),
        "steps of a continued one": torch.tensor(float(len(again.history) < len(ground.history))),
    }


if __name__ == "__main__":
    with mlxc.distributed() as processes:
        found = computed(sys.argv[1])
    torch.save(found, f"{sys.argv[2]}/{processes.number}.pt")
