"""Densities on nodes that solids share: the energies, and the derivatives, of the points that they replace."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mlxc.frozen.batch import Batch
from mlxc.frozen.condensed import LARGEST_CHANGE_HA, CondensedSnapshots
from mlxc.frozen.library import FrozenLibrary
from mlxc.frozen.nodes import SMALLEST_DENSITY, SharedNodes, fits_nodes
from mlxc.frozen.snapshot import Snapshot
from mlxc.xc.catalogue import functional
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.functional import Functional

SOLIDS = ("Al_fcc", "Si_diamond", "NaCl_b1", "Cu_fcc", "Ni_fcc")


@pytest.fixture(scope="module")
def snapshots() -> list[Snapshot]:
    library = FrozenLibrary()
    return [snapshot for name in SOLIDS for snapshot in library.curve(name).snapshots[::3]]


def together(snapshots: list[Snapshot], module: nn.Module, start: nn.Module) -> Tensor:
    energies = CondensedSnapshots(snapshots, start).energies(module)
    return torch.stack([energies[one] for one in snapshots])


@pytest.mark.parametrize("name", ["lda", "pbe", "rpbe", "bulk-constrained", "r2scan"])
def test_energies_are_those_at_all_points(snapshots: list[Snapshot], name: str) -> None:
    module = functional(name)
    with torch.no_grad():
        error = (together(snapshots, module, module) - Batch.of(snapshots).energies(module)).abs().max()
    assert float(error) < 1e-7


def test_few_nodes_serve_many_points(snapshots: list[Snapshot]) -> None:
    unpolarised = [one for one in snapshots if fits_nodes(one)]
    assert len(unpolarised) == 12
    nodes = SharedNodes.of(unpolarised)
    assert len(nodes.ingredients["rho"][0]) < sum(len(one.volumes) for one in unpolarised) / 3
    assert torch.allclose(nodes.volumes.sum(1), torch.stack([one.volumes.sum() for one in unpolarised]), rtol=1e-6)


def test_derivatives_are_those_at_all_points_and_finite_differences(snapshots: list[Snapshot]) -> None:
    network = NeuralEnhancement("gga", (4,), seed=3)
    weights = torch.linspace(-1, 1, len(snapshots), dtype=torch.float64)
    parameters = list(network.parameters())
    condensed, exact = (
        torch.autograd.grad(energies @ weights, parameters)
        for energies in (together(snapshots, network, network), Batch.of(snapshots).energies(network))
    )
    for ours, theirs in zip(condensed, exact, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-6)
    bias, step = parameters[1], 1e-4
    values = []
    for sign in (1, -1):
        with torch.no_grad():
            bias[0] += sign * step
            values.append(float(together(snapshots, network, network) @ weights))
            bias[0] -= sign * step
    assert float(condensed[1][0]) == pytest.approx((values[0] - values[1]) / (2 * step), rel=1e-5)


class Jagged(Functional):
    """A functional that nodes cannot follow: its energy jumps with the density."""

    ingredients = ("rho",)

    def forward(self, rho: Tensor) -> Tensor:
        return torch.sign(torch.sin(200 * rho[0].log())) * rho[0]


def test_a_functional_that_nodes_do_not_serve_is_evaluated_at_all_points(snapshots: list[Snapshot]) -> None:
    unpolarised = [one for one in snapshots if fits_nodes(one)]
    error = SharedNodes.of(unpolarised).energies(Jagged()) - Batch.of(unpolarised).energies(Jagged())
    assert float(error.abs().max()) > LARGEST_CHANGE_HA
    assert torch.equal(together(unpolarised, Jagged(), Jagged()), Batch.of(unpolarised).energies(Jagged()))


@pytest.mark.parametrize("name", ["pbe", "bulk-unconstrained"])
def test_a_vacuum_has_few_nodes_whatever_a_functional_makes_of_large_gradients(name: str) -> None:
    sheet = [_in_vacuum(one) for one in FrozenLibrary().curve("graphene").snapshots[::3]]
    nodes, module = SharedNodes.of(sheet), functional(name)
    assert len(nodes.ingredients["rho"][0]) < sum(len(one.volumes) for one in sheet) / 5
    with torch.no_grad():
        error = nodes.energies(module) - Batch.of(sheet).energies(module)
    assert float(error.abs().max()) < LARGEST_CHANGE_HA


def _in_vacuum(snapshot: Snapshot) -> Snapshot:
    """Only the points of a sheet where hardly anything is."""
    chosen = snapshot.ingredients["rho"][0] < SMALLEST_DENSITY
    ingredients = {name: values[..., chosen] for name, values in snapshot.ingredients.items()}
    return Snapshot(snapshot.volume_ang3, snapshot.rest_ha, ingredients, snapshot.volumes[chosen])


def test_the_middle_of_a_vacuum_where_no_gradient_is_has_nodes() -> None:
    points = {"rho": torch.tensor([[0.1, 1e-9]]).double(), "grad": torch.zeros(1, 3, 2).double()}
    snapshot, module = Snapshot(1.0, 0.0, points, torch.tensor([1.0, 1e3]).double()), functional("pbe")
    assert float(SharedNodes.of([snapshot]).energies(module)) == pytest.approx(float(snapshot.energy(module)), rel=1e-9)


def test_spin_and_empty_space_stay_as_they_are() -> None:
    empty = {"rho": torch.tensor([[0.1, 0.0]]).double(), "grad": torch.zeros(1, 3, 2).double()}
    assert not fits_nodes(Snapshot(1.0, 0.0, empty, torch.ones(2).double()))
    assert not fits_nodes(FrozenLibrary().curve("Ni_fcc").snapshots[0])
    assert fits_nodes(FrozenLibrary().curve("graphene").snapshots[0])
