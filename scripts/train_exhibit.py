"""Trains two networks on the bulk of Al, Ca and Ni alone: what the form of a functional does where there are no data.

    python scripts/train_exhibit.py [--folder DIR] [--curves DIR] [--seed N] [--steps N]

``bulk-unconstrained`` is :class:`~mlxc.xc.unconstrained.NNPBE` as published: its network sees the density, its
polarisation and its reduced gradient, unscaled, and gives the energy per electron. ``bulk-constrained`` is
:class:`~mlxc.xc.enhancement.NeuralEnhancement`, with as many weights. Data, loss, optimiser and number of steps are the
same for both. Both learn PBE in these metals; in the vacuum around graphene one of them is lost.

The loss is that of arXiv 2602.15923: Hartree, ion and kinetic terms are fixed at the densities of PBE, and E_xc is
learned, that of each metal at seven volumes, and the energy of each electron. So that potentials come out right as well
as energies, the slopes of the XC energy per volume count too, which helps either network. About twelve minutes
on one core, two of them for the densities.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from levenberg_marquardt import NormalEquations, minimise
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value, jacrev, vmap

from mlxc.crystal.crystal import Crystal
from mlxc.frozen.curve import SolidCurve
from mlxc.frozen.snapshot import Snapshot
from mlxc.solids.table import Solid
from mlxc.training.subjects.subjects import Preparation
from mlxc.xc.analysis.domain import domain_of
from mlxc.xc.catalogue import functional
from mlxc.xc.checkpoint import save_checkpoint
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.unconstrained import NNPBE, softplus_network

CHECKPOINTS = Path(__file__).resolve().parent.parent / "assets" / "checkpoints"
TEACHER = "pbe"
# Plane waves up to the cutoff that PseudoDojo recommends, hartree.
METALS = {"al": 20, "ca": 34, "ni": 49}
SETTINGS = {"kmesh": (6, 6, 6), "smearing": "marzari-vanderbilt", "width_ha": 0.01}
# Both networks of the constrained functional together have as many weights as the one of the other.
HIDDEN_UNCONSTRAINED, HIDDEN_CONSTRAINED = (16, 16), (10, 10)
STEPS = 200
SEED = 0
# The error of a crystal's energy per electron is smaller than those of points, which cancel, but matters more.
CRYSTAL_WEIGHT = 1e3
# Points whose derivatives are computed together.
TOGETHER = 512
INGREDIENTS = ("rho", "grad")


class Points(NamedTuple):
    """Points of a density, and what a functional should say there.

    Attributes:
        rho: shape ``(npoint, nspin)``.
        grad: shape ``(npoint, nspin, 3)``.
        energy: XC energy per volume, shape ``(npoint,)``.
        by_density: its derivatives with respect to ``rho``.
        by_gradient: its derivatives with respect to ``grad``.
        weight: of the errors, shape ``(npoint,)``: the square root of the share of the electrons.
    """

    rho: Tensor
    grad: Tensor
    energy: Tensor
    by_density: Tensor
    by_gradient: Tensor
    weight: Tensor

    @classmethod
    def of(cls, snapshot: Snapshot, teacher: nn.Module) -> Points:
        """All of a snapshot, with the answers of a functional that knows them."""
        given = {name: snapshot.ingredients[name].clone().requires_grad_() for name in INGREDIENTS}
        energy = teacher(**given)
        by_density, by_gradient = torch.autograd.grad(energy.sum(), list(given.values()))
        rho, grad = (values.detach() for values in given.values())
        electrons = rho.sum(0) * snapshot.volumes
        weight = (electrons / electrons.sum()).sqrt()
        return cls(rho.T, grad.permute(2, 0, 1), energy.detach(), by_density.T, by_gradient.permute(2, 0, 1), weight)

    def portions(self) -> Iterator[Points]:
        """A few points at a time."""
        return (Points(*parts) for parts in zip(*(values.split(TOGETHER) for values in self), strict=True))


@dataclass
class Lesson:
    """What a functional is to learn, as a least-squares problem in the vector of its weights.

    Attributes:
        learner: the functional.
        points: of several densities, which count alike.
        snapshots: crystals whose XC energies count alike.
        energies: of these, hartree per cell.
    """

    learner: nn.Module
    points: Sequence[Points]
    snapshots: Sequence[Snapshot]
    energies: Sequence[float]

    def learn(self, steps: int) -> None:
        """Move the weights."""
        start = nn.utils.parameters_to_vector(self.learner.parameters()).detach()
        found = minimise(start, self.normal_equations, self.sum_of_squares, steps)
        nn.utils.vector_to_parameters(found, self.learner.parameters())

    def normal_equations(self, weights: Tensor) -> NormalEquations:
        """Of all errors, hartree per electron."""
        matrix, slope, squares = weights.new_zeros(len(weights), len(weights)), torch.zeros_like(weights), 0.0
        for jacobian, errors in self._linearised(weights):
            matrix += jacobian.T @ jacobian
            slope += jacobian.T @ errors
            squares += float(errors.square().sum())
        return NormalEquations(matrix, slope, squares)

    def sum_of_squares(self, weights: Tensor) -> float:
        """Of all errors."""
        at_points = vmap(self._errors_of_point, in_dims=(None, 0))
        with torch.no_grad():
            total = self._errors_of_crystals(weights).square().sum()
            for points in self.points:
                total += sum(at_points(weights, part).square().sum() for part in points.portions()) / len(self.points)
        return float(total)

    def _linearised(self, weights: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Jacobians ``(nerror, nweight)`` and errors."""
        yield jacrev(self._errors_of_crystals)(weights), self._errors_of_crystals(weights)

        def twice(weights: Tensor, point: Points) -> tuple[Tensor, Tensor]:
            errors = self._errors_of_point(weights, point)
            return errors, errors

        at_points = vmap(jacrev(twice, has_aux=True), in_dims=(None, 0))
        scale = len(self.points) ** -0.5
        for points in self.points:
            for part in points.portions():
                jacobian, errors = at_points(weights, part)
                yield scale * jacobian.reshape(-1, len(weights)), scale * errors.flatten()

    def _errors_of_point(self, weights: Tensor, point: Points) -> Tensor:
        """Of the energy per electron, the potentials, and the slopes with respect to the gradient over n^(-1/3)."""

        def energy_per_volume(rho: Tensor, grad: Tensor) -> Tensor:
            return self._evaluate(weights, rho[:, None], grad[..., None])[0]

        slopes, energy = grad_and_value(energy_per_volume, argnums=(0, 1))(point.rho, point.grad)
        density, nspin = point.rho.sum(), len(point.rho)
        potential = (slopes[0] - point.by_density) / nspin**0.5
        other = (slopes[1] - point.by_gradient) * density ** (1 / 3) / nspin**0.5
        return point.weight * torch.cat([((energy - point.energy) / density)[None], potential, other.flatten()])

    def _errors_of_crystals(self, weights: Tensor) -> Tensor:
        errors = []
        for snapshot, right in zip(self.snapshots, self.energies, strict=True):
            rho, grad = (snapshot.ingredients[name] for name in INGREDIENTS)
            energy = (self._evaluate(weights, rho, grad) * snapshot.volumes).sum()
            errors.append((energy - right) / (rho.sum(0) * snapshot.volumes).sum())
        return torch.stack(errors) * (CRYSTAL_WEIGHT / len(errors)) ** 0.5

    def _evaluate(self, weights: Tensor, rho: Tensor, grad: Tensor) -> Tensor:
        """The learner's XC energy per volume with other weights than its own."""
        named = dict(self.learner.named_parameters())
        pieces = weights.split([parameter.numel() for parameter in named.values()])
        shaped = {name: piece.view(named[name].shape) for name, piece in zip(named, pieces, strict=True)}
        energy: Tensor = functional_call(self.learner, shaped, (rho, grad))
        return energy


def metrics_of(learner: nn.Module, curves: Sequence[SolidCurve], teacher: nn.Module) -> dict[str, float]:
    """Errors at the densities of PBE: of crystals' energies, and of their lattice constants."""
    metrics = {}
    with torch.no_grad():
        errors = [
            float(snapshot.xc_energy(learner) - snapshot.xc_energy(teacher)) / len(curve.solid.crystal.species)
            for curve in curves
            for snapshot in curve.snapshots
        ]
        metrics["largest_error_mha_per_atom"] = 1e3 * max(map(abs, errors))
        for curve in curves:
            found, right = (float(curve.predictions(xc)["lattice_constant_ang"]) for xc in (learner, teacher))
            metrics[f"error_percent_of_lattice_constant_{curve.solid.name}"] = 100 * (found / right - 1)
    return metrics


def curves_of_metals(folder: Path) -> list[SolidCurve]:
    """PBE's densities of all metals at seven volumes; those that are in the folder are not computed again."""
    table = {
        name: Solid(name, Crystal.load(name), {}, SETTINGS | {"ecut_ha": cutoff, "spin": name == "ni"})
        for name, cutoff in METALS.items()
    }
    prepare = Preparation(table, TEACHER, folder)
    return [prepare.curve(solid) for solid in table.values()]


def main() -> None:
    """Train both networks and write their checkpoints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, default=CHECKPOINTS, help="for the checkpoints")
    parser.add_argument("--curves", type=Path, help="keeps the densities of PBE for another run")
    parser.add_argument("--seed", type=int, default=SEED, help="of the initial weights")
    parser.add_argument("--steps", type=int, default=STEPS, help="for each network")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        curves = curves_of_metals(arguments.curves or Path(temporary))
    teacher = functional(TEACHER)
    snapshots = [snapshot for curve in curves for snapshot in curve.snapshots]
    # What lies between is much like these.
    points = [Points.of(curve.snapshots[index], teacher) for curve in curves for index in (0, -1)]
    with torch.no_grad():
        energies = [float(snapshot.xc_energy(teacher)) for snapshot in snapshots]
    seen = [({name: snapshot.ingredients[name] for name in INGREDIENTS}, snapshot.volumes) for snapshot in snapshots]
    domain = domain_of(seen)
    learners = {
        "bulk-unconstrained": NNPBE(softplus_network(NNPBE.nfeature, HIDDEN_UNCONSTRAINED, arguments.seed)),
        "bulk-constrained": NeuralEnhancement("gga", HIDDEN_CONSTRAINED, arguments.seed),
    }
    descriptions = {
        "bulk-unconstrained": "network without constraints that has learned PBE in bulk Al, Ca and Ni alone; it fails "
        "for graphene",
        "bulk-constrained": "neural generalised gradient, constrained by its form, that has learned PBE in bulk Al, Ca "
        "and Ni alone",
    }
    for name, learner in learners.items():
        started = time.perf_counter()
        Lesson(learner, points, snapshots, energies).learn(arguments.steps)
        record = save_checkpoint(
            learner,
            arguments.folder / f"{name}.safetensors",
            name=name,
            description=descriptions[name],
            baseline=TEACHER,
            training_data="PBE's XC energies of bulk Al, Ca and ferromagnetic Ni at seven volumes each, and its "
            "energies per electron and their slopes at the smallest and largest; PBE's densities, PseudoDojo, "
            f"plane waves, by {Path(__file__).name}",
            seed=arguments.seed,
            metrics=metrics_of(learner, curves, teacher),
            domain=domain,
            licence="MIT",
        )
        print(f"{name} after {time.perf_counter() - started:.0f} s: {record.metrics}", flush=True)


if __name__ == "__main__":
    main()
