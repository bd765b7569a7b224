"""Two shipped networks that have learned PBE in bulk Al, Ca and Ni alone: equal there, and not in graphene."""

from __future__ import annotations

from functools import cache
from math import pi

import numpy as np
import pytest

from mlxc import Calculation, Crystal, GroundState
from mlxc.calculation.run import run_calculation
from mlxc.frozen.snapshot import Snapshot
from mlxc.properties.birch_murnaghan import fit_birch_murnaghan
from mlxc.xc.analysis.domain import outside, reduced_variables
from mlxc.xc.catalogue import functional
from mlxc.xc.checkpoints.files import checkpoint_of
from mlxc.xc.checkpoints.record import CheckpointRecord

UNCONSTRAINED, CONSTRAINED = "bulk-unconstrained", "bulk-constrained"
BOTH = pytest.mark.parametrize("xc", [UNCONSTRAINED, CONSTRAINED])
# Small and cheap: coarse meshes and low cutoffs do not change what a functional is asked about.
CASES = {
    "al": {"ecut_ha": 12, "kmesh": (4, 4, 4)},
    "ca": {"ecut_ha": 20, "kmesh": (3, 3, 3)},
    "ni": {"ecut_ha": 30, "kmesh": (3, 3, 3), "spin": True},
    "graphene": {"ecut_ha": 20, "kmesh": (4, 4, 1)},
}
# Where energies are a smooth function of the length.
SETTINGS_OF_LENGTHS = {
    "al": {"ecut_ha": 20, "kmesh": (6, 6, 6)},
    "ca": {"ecut_ha": 34, "kmesh": (4, 4, 4)},
    "ni": {"ecut_ha": 49, "kmesh": (4, 4, 4)},
    "graphene": {"ecut_ha": 30, "kmesh": (6, 6, 1)},
}


@cache
def ground_state(name: str, xc: str, max_iterations: int = 30) -> GroundState:
    settings = {"structure": name, "xc": xc, "max_iterations": max_iterations}
    return Calculation.from_dict(settings | CASES[name]).run()


def energy_per_atom(ground: GroundState) -> float:
    return float(ground.energy.detach()) / len(ground.crystal.species)


def equilibrium_length(name: str, xc: str) -> float:
    """In units of that of the shipped crystal: the edge of a metal's cell, or that of graphene at fixed height."""
    settings = {"structure": name, "xc": xc, "cutoff_smoothing_ha": 0.5, "tolerance": 1e-5} | CASES[name]
    calculation = Calculation.from_dict(settings | SETTINGS_OF_LENGTHS[name])
    lengths = np.linspace(0.98, 1.02, 5)
    power = 2 if name == "graphene" else 3
    states: list[GroundState] = []
    for length in lengths:
        old = calculation.crystal
        lattice = old.lattice * [[length], [length], [1.0 if name == "graphene" else length]]
        crystal = Crystal(lattice, old.species, old.positions, old.moments, old.name)
        states.append(run_calculation(calculation.with_crystal(crystal), start=states))
        assert states[-1].converged
    energies = [float(state.energy.detach()) for state in states]
    return float(fit_birch_murnaghan(lengths**power, energies).volume0 ** (1 / power))


def record_of(name: str) -> CheckpointRecord:
    record = checkpoint_of(name)
    assert record is not None
    return record


def test_both_networks_have_seen_the_same_data() -> None:
    unconstrained, constrained = record_of(UNCONSTRAINED), record_of(CONSTRAINED)
    assert unconstrained.domain == constrained.domain
    assert unconstrained.training_data == constrained.training_data
    weights = [sum(p.numel() for p in functional(name).parameters()) for name in (UNCONSTRAINED, CONSTRAINED)]
    assert weights[0] == pytest.approx(weights[1], rel=0.01)


@pytest.mark.thorough
@BOTH
def test_what_the_networks_have_seen_holds_aluminium_and_not_the_vacuum_of_graphene(xc: str) -> None:
    domain = record_of(xc).domain
    shares = {}
    for name in ("al", "graphene"):
        snapshot = Snapshot.of(ground_state(name, "pbe"))
        beyond = outside(domain, reduced_variables(snapshot.ingredients["rho"], snapshot.ingredients["grad"]))
        shares[name] = float(snapshot.volumes[beyond].sum() / snapshot.volumes.sum())
    assert shares["al"] < 0.01
    assert shares["graphene"] > 0.4
    thinnest = 3 / (4 * pi * domain["rs"][1] ** 3)
    assert float(ground_state("graphene", "pbe").density.min()) < 1e-3 * thinnest


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["al", "ca", "ni"])
@BOTH
def test_in_the_bulk_either_network_gives_the_energy_of_pbe(xc: str, name: str) -> None:
    ground, pbe = ground_state(name, xc), ground_state(name, "pbe")
    assert ground.converged
    assert energy_per_atom(ground) == pytest.approx(energy_per_atom(pbe), abs=1e-3)


@pytest.mark.thorough
def test_the_constrained_network_gives_the_energy_of_pbe_in_graphene_too() -> None:
    ground = ground_state("graphene", CONSTRAINED)
    assert ground.converged
    assert energy_per_atom(ground) == pytest.approx(energy_per_atom(ground_state("graphene", "pbe")), abs=1e-3)


@pytest.mark.thorough
def test_the_unconstrained_network_fails_in_graphene() -> None:
    ground = ground_state("graphene", UNCONSTRAINED)
    assert not ground.converged
    assert ground.message.startswith("Not converged: ")
    assert ground.history[-1].density_residual > 0.1
    assert abs(energy_per_atom(ground) - energy_per_atom(ground_state("graphene", "pbe"))) > 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "xc", "tolerance"),
    [
        *((name, UNCONSTRAINED, 5e-3) for name in ("al", "ca", "ni")),
        *((name, CONSTRAINED, 1e-3) for name in ("al", "ca", "ni", "graphene")),
    ],
)
def test_lattice_constants_are_those_of_pbe_where_a_network_holds(name: str, xc: str, tolerance: float) -> None:
    assert equilibrium_length(name, xc) == pytest.approx(equilibrium_length(name, "pbe"), rel=tolerance)
