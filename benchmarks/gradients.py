"""Gradients of what a converged state determines: against central finite differences, and what they cost.

    python benchmarks/gradients.py accuracy [al si ni graphene al-gaussian si-gaussian h-gaussian]
    python benchmarks/gradients.py cost [al si ni graphene tio2-rutile nio-afm]

Accuracy is judged at coarse settings, at which SCFs are converged to 1e-11 per electron, or 1e-8 for lattice constants,
which are made of energies alone: the derivative belongs to the discretised problem, whatever its size. Each functional
has one parameter p: conventional ones are p E_xc with p = 1; of the network it is a step p along all weights, in the
direction in which the energy changes most. Finite differences are of fourth order. A density moment is the integral of
n^2 cos(2 pi x) along the last lattice vector. What is not said to be in Gaussian orbitals is in plane waves; hydrogen
is a row of atoms that keep most of their moments.

Cost is that of the recommended settings and default tolerances: one backward pass from a density moment, from the gap
(which has to be found first) where there is one, and from another moment of the state whose first one has gone before,
all beside the SCF from free atoms. It is processor time, with one thread, which depends little on what else runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import real_crystals
import torch
from tables import median, print_header, print_row
from torch import Tensor, nn

import mlxc
from mlxc import Calculation, Crystal, GroundState
from mlxc.ground_state import warm_up
from mlxc.kohn_sham.occupations import make_smearing
from mlxc.properties.differentiable_fit import differentiable_birch_murnaghan
from mlxc.properties.forces import forces_and_stress
from mlxc.response.implicit import Implicit
from mlxc.response.levels import band_gap
from mlxc.xc.functional import declared_ingredients

CASES: dict[str, dict[str, Any]] = {
    "al": {"kmesh": (4, 4, 4), "smearing": mlxc.FermiDirac(0.01), "basis": mlxc.PlaneWaves(14.0, None, 1.0)},
    "si": {"kmesh": (2, 2, 2), "basis": mlxc.PlaneWaves(14.0, None, 1.0)},
    "ni": {
        "kmesh": (3, 3, 3),
        "smearing": mlxc.FermiDirac(0.01),
        "spin": True,
        "basis": mlxc.PlaneWaves(40.0, None, 1.0),
    },
    "graphene": {"kmesh": (3, 3, 1), "smearing": mlxc.FermiDirac(0.01), "basis": mlxc.PlaneWaves(30.0, None, 1.0)},
    "al-gaussian": {
        "kmesh": (3, 3, 3),
        "smearing": mlxc.FermiDirac(0.01),
        "basis": mlxc.GaussianOrbitals("gth-dzvp-molopt-sr", fft_grid=(15, 15, 15)),
    },
    "si-gaussian": {"kmesh": (2, 2, 2), "basis": mlxc.GaussianOrbitals("gth-dzvp-molopt-sr", fft_grid=(16, 16, 16))},
    "h-gaussian": {
        "kmesh": (2, 1, 1),
        "smearing": mlxc.FermiDirac(0.025),
        "spin": True,
        "basis": mlxc.GaussianOrbitals("gth-dzvp", fft_grid=(16, 20, 20)),
    },
}
COSTS = ("al", "si", "ni", "graphene", "tio2-rutile", "nio-afm")
SPIN = {"ni", "h-gaussian"}
# From larger moments an SCF finds it hard to leave the saturated state, which is not the ground state.
HYDROGEN = Crystal(np.diag([6.5, 7.0, 7.0]), ["H"], [[0, 0, 0]], [0.7], name="h")
# Atoms out of their places, so that there are forces.
DISPLACED = {"si", "graphene"}
FUNCTIONALS = ("lda", "pbe", "r2scan", "pbe-proxy")
STEP = 2e-3
TOLERANCE = 1e-11
RATIOS = (0.88, 0.94, 1.0, 1.06, 1.12)


class Scaled(nn.Module):
    """p times the energy of a functional, p = 1."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.functional = mlxc.functional(name)
        self.ingredients = declared_ingredients(self.functional)
        self.p = nn.Parameter(torch.ones((), dtype=torch.float64))

    def forward(self, **ingredients: Tensor) -> Tensor:
        energy: Tensor = self.p * self.functional(**ingredients)
        return energy


class AlongDirection(nn.Module):
    """A network whose weights are moved by p along a direction, p = 0."""

    def __init__(self, name: str, direction: dict[str, Tensor]) -> None:
        super().__init__()
        self.network = [mlxc.functional(name)]  # in a list, so that p is the only parameter
        self.ingredients = declared_ingredients(self.network[0])
        self.weights = {key: value.detach() for key, value in self.network[0].named_parameters()}
        self.direction = direction
        self.p = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, **ingredients: Tensor) -> Tensor:
        moved = {key: value + self.p * self.direction[key] for key, value in self.weights.items()}
        energy: Tensor = torch.func.functional_call(self.network[0], moved, (), ingredients)
        return energy


@cache
def _steepest(name: str, case: str) -> dict[str, Tensor]:
    """The gradient of the energy with respect to all weights, of length one."""
    network = mlxc.functional(name)
    _scf(case, network, 1e-6).energy.backward()
    gradients = {key: value.grad for key, value in network.named_parameters() if value.grad is not None}
    length = torch.stack([gradient.square().sum() for gradient in gradients.values()]).sum().sqrt()
    return {key: gradient / length for key, gradient in gradients.items()}


def _model(name: str, case: str, shift: float = 0.0) -> nn.Module:
    model = Scaled(name) if name != "pbe-proxy" else AlongDirection(name, _steepest(name, case))
    with torch.no_grad():
        model.p += shift
    return model


def _crystal(case: str, ratio: float = 1.0) -> Crystal:
    name = case.removesuffix("-gaussian")
    crystal = (HYDROGEN if name == HYDROGEN.name else Crystal.load(name)).scaled(ratio ** (1 / 3))
    if name not in DISPLACED:
        return crystal
    # Along the axis of a bond, which keeps some symmetry.
    shift = 0.02 * (crystal.positions[1] - crystal.positions[0])
    positions = crystal.positions + np.array([shift, np.zeros(3)])
    return Crystal(crystal.lattice, crystal.species, positions, crystal.moments, crystal.name)


def _scf(case: str, xc: nn.Module, tolerance: float, ratio: float = 1.0) -> GroundState:
    ground = mlxc.scf(_crystal(case, ratio), xc=xc, tolerance=tolerance, **CASES[case])
    assert ground.converged, ground.message
    return ground


def _moment(ground: GroundState, waves: int = 1) -> Tensor:
    n = ground.density.shape[-1]
    wave = torch.cos(2 * torch.pi * waves * torch.arange(n) / n)
    return (ground.density.square() * wave).sum() * ground.basis.grid.volume / ground.basis.grid.size


def observables(case: str, xc: nn.Module) -> dict[str, Tensor]:
    """All that is compared, of one functional."""
    ground = _scf(case, xc, TOLERANCE)
    found = {"energy (Ha)": ground.energy, "density moment": _moment(ground)}
    found["lowest eigenvalue (Ha)"] = ground.eigenvalues[0, 0]
    if ground.smearing is None:
        found["gap (Ha)"] = band_gap(ground)
    if case in SPIN:
        polarisation = (ground.density[0] - ground.density[1]).sum()
        found["magnetisation"] = polarisation * ground.basis.grid.volume / ground.basis.grid.size
    if case in DISPLACED:  # which is in plane waves
        found["force (Ha/bohr)"] = forces_and_stress(ground)[0][0].norm()
    if case == "h-gaussian":  # nothing holds the row together
        return found
    volumes, energies = [], []
    for ratio in RATIOS:
        state = _scf(case, xc, 1e-8, ratio)
        volumes.append(state.crystal.volume)
        energies.append(state.energy)
    fit = differentiable_birch_murnaghan(volumes, torch.stack(energies))
    return found | {"a0 (relative)": (fit.volume0 / _crystal(case).volume) ** (1 / 3)}


def finite_differences(case: str, name: str) -> dict[str, float]:
    """Derivatives of all observables with respect to p."""
    values: dict[int, dict[str, Tensor]] = {}
    for shift in (-2, -1, 1, 2):
        with torch.no_grad():
            values[shift] = observables(case, _model(name, case, shift * STEP))
    return {
        key: float(8 * (values[1][key] - values[-1][key]) - (values[2][key] - values[-2][key])) / (12 * STEP)
        for key in values[1]
    }


def accuracy(cases: list[str]) -> None:
    """Print how far gradients are from finite differences."""
    print_header("crystal", "functional", "observable", "gradient", "finite difference", "relative difference")
    for case in cases:
        for name in FUNCTIONALS:
            model = _model(name, case)
            expected = finite_differences(case, name)
            for key, value in observables(case, model).items():
                (gradient,) = torch.autograd.grad(value, model.p, retain_graph=True)
                off = abs(float(gradient) / expected[key] - 1)
                print_row([case, name, key, f"{float(gradient):.9g}", f"{expected[key]:.9g}", f"{off:.1e}"])


def cost(cases: list[str], repeats: int) -> None:
    """Print what one gradient costs."""
    print_header(
        "crystal", "SCF (s)", "SCF steps", "density / SCF", "steps of the adjoint", "gap / SCF", "second density / SCF"
    )
    for case in cases:
        calculation = _calculation(case)
        rows: list[tuple[float, ...]] = []
        for _ in range(repeats):
            started = time.process_time()
            ground = _found(calculation)
            scf = time.process_time() - started
            state = Implicit().attach(ground)
            first = _seconds(lambda state=state: _moment(state))
            again = _seconds(lambda state=state: _moment(state, waves=2))
            has_gap = ground.smearing is None
            fresh = Implicit().attach(ground)
            gap = _seconds(lambda fresh=fresh: band_gap(fresh)) if has_gap else float("nan")
            rows.append((scf, first / scf, gap / scf, again / scf))
        assert state.adjoint is not None
        scf, density, gap, again = (median(column) for column in zip(*rows, strict=True))
        steps = len(state.adjoint.histories[0])
        of_gap = f"{gap:.2f}" if has_gap else "-"
        print_row([case, f"{scf:.2f}", str(len(ground.history)), f"{density:.2f}", str(steps), of_gap, f"{again:.2f}"])


def _seconds(loss: Callable[[], Tensor]) -> float:
    """Processor time of a loss and of the way back from it."""
    started = time.process_time()
    loss().backward(retain_graph=True)
    return time.process_time() - started


def _calculation(case: str) -> Calculation:
    if case in real_crystals.cases():
        # All of these are insulators, so that there is a gap.
        return real_crystals.calculation_of(case, real_crystals.cases()[case] | {"width_ha": None}, "pbe")
    return Calculation.from_dict({"structure": case, "spin": case in SPIN})


def _found(calculation: Calculation) -> GroundState:
    ground = mlxc.scf(
        calculation.crystal,
        xc="pbe-kappa-mu",
        basis=mlxc.PlaneWaves(calculation.ecut_ha),
        kmesh=calculation.kmesh,
        smearing=make_smearing(calculation.smearing, calculation.width_ha),
        spin=calculation.spin,
        total_moment=calculation.total_moment,
    )
    assert ground.converged, ground.message
    return ground


def main() -> None:
    """Print Markdown tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("accuracy", "cost"))
    parser.add_argument("cases", nargs="*", metavar="case", help="default: all that there are for it")
    parser.add_argument("--threads", type=int, default=None, help="default: 1 for cost, 2 for accuracy")
    parser.add_argument("--repeats", type=int, default=3, help="of cost, of which the median is told")
    arguments = parser.parse_args()
    known = COSTS if arguments.what == "cost" else tuple(CASES)
    if unknown := set(arguments.cases) - set(known):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; choose from {', '.join(known)}")
    torch.set_num_threads(arguments.threads or (1 if arguments.what == "cost" else 2))
    warm_up()
    if arguments.what == "accuracy":
        accuracy(arguments.cases or list(known))
    else:
        cost(arguments.cases or list(known), arguments.repeats)


if __name__ == "__main__":
    main()
