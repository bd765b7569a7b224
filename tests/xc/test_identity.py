"""A functional knows what it is called and what it consists of, and says so when it has changed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import mlxc
from mlxc.xc.analysis.clamped import Clamped
from mlxc.xc.checkpoint import load_checkpoint, save_checkpoint
from mlxc.xc.checkpoints.files import checkpoint_of, checkpoint_path
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.gga import PBE
from mlxc.xc.identity import identity_of
from mlxc.xc.sums.weighted_sum import WeightedSum
from mlxc.xc.unconstrained import NNLDA, softplus_network


def change(functional: nn.Module) -> None:
    with torch.no_grad():
        next(functional.parameters()).mul_(1.01)


@pytest.mark.parametrize("name", ["pbe", "PBE", "r2scan", "gga_x_b88,gga_c_lyp", "pbe-proxy", "0.75*pbe + 0.25*lda"])
def test_a_named_functional_knows_its_name(name: str) -> None:
    assert identity_of(mlxc.functional(name)).name == name
    assert identity_of(mlxc.functional(name)) == identity_of(deepcopy(mlxc.functional(name)))


@pytest.mark.parametrize("name", ["pbe-kappa-mu", "pbe-proxy", "0.5*pbe + 0.5*pbe-proxy"])
def test_a_functional_that_has_changed_says_so(name: str) -> None:
    functional = mlxc.functional(name)
    before = identity_of(functional)
    change(functional)
    after = identity_of(functional)
    assert after.name == f"{name}, changed"
    assert after.content_hash != before.content_hash


def test_a_checkpoint_is_its_record(tmp_path: object) -> None:
    record = checkpoint_of("pbe-proxy")
    path = checkpoint_path("pbe-proxy")
    assert record is not None
    assert path is not None
    assert identity_of(load_checkpoint(path)).content_hash == record.content_hash
    save_checkpoint(NeuralEnhancement(seed=1), f"{tmp_path}/mine.safetensors", name="mine")
    assert identity_of(load_checkpoint(f"{tmp_path}/mine.safetensors")).name == "mine"
    assert identity_of(mlxc.functional(f"{tmp_path}/mine.safetensors")).name == f"{tmp_path}/mine.safetensors"


def test_a_module_is_its_class_and_its_weights() -> None:
    first, same, other = (NeuralEnhancement(seed=seed) for seed in (1, 1, 2))
    assert identity_of(first).name == "NeuralEnhancement"
    assert identity_of(first) == identity_of(same)
    assert identity_of(first).content_hash != identity_of(other).content_hash


def test_settings_that_are_no_weights_count_as_well() -> None:
    first, second = (NNLDA(softplus_network(1, (4,), 0), mode, 1) for mode in (1, 2))
    assert identity_of(first).content_hash != identity_of(second).content_hash
    wide, narrow = (Clamped(PBE(), {"rs": (None, rs)}) for rs in (6.0, 5.0))
    assert identity_of(wide).content_hash != identity_of(narrow).content_hash


class Weighing(nn.Module):
    """A functional with things in it that are neither weights nor plain data."""

    ingredients = ("rho",)

    def __init__(self, function: Any, other: Any) -> None:
        super().__init__()
        self.function, self.other = function, other
        self.factor = nn.Parameter(torch.ones(2, dtype=torch.bfloat16))

    def forward(self, rho: Tensor) -> Tensor:
        return self.function(rho.sum(0))


def test_functions_arrays_and_objects_count_as_well() -> None:
    class Held:
        def __init__(self, value: float) -> None:
            self.value = value

    others: list[Any] = [np.zeros(2), np.ones(2), torch.zeros(2), torch.ones(2), Held(1.0), Held(2.0)]
    hashes = [
        identity_of(Weighing(f, other)).content_hash
        for f in (torch.sin, lambda n: 2 * n, lambda n: 3 * n)
        for other in others
    ]
    assert len(set(hashes)) == len(hashes)
    assert identity_of(Weighing(torch.sin, Held(1.0))) == identity_of(Weighing(torch.sin, Held(1.0)))


def test_different_functionals_have_different_contents() -> None:
    names = ["lda", "pbe", "pbesol", "rpbe", "scan", "r2scan", "pbe-proxy", "gga_x_b88,gga_c_lyp", "gga_x_b88"]
    assert len({identity_of(mlxc.functional(name)).content_hash for name in names}) == len(names)


def test_a_sum_is_called_after_its_parts() -> None:
    total = WeightedSum([0.25, 0.75], [mlxc.functional("pbe"), NeuralEnhancement(seed=1)])
    assert identity_of(total).name == "0.25*pbe + 0.75*NeuralEnhancement"
    change(total.functionals[1])
    changed = WeightedSum([0.25, 0.75], [mlxc.functional("pbe"), NeuralEnhancement(seed=1)])
    assert identity_of(total).content_hash != identity_of(changed).content_hash
