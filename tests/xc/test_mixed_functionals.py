"""Between two functionals, and between a network and what it corrects: at the ends it is one of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import mlxc
from mlxc.xc.analysis.probe import ingredients_at
from mlxc.xc.catalogue import functional_groups
from mlxc.xc.checkpoint import save_checkpoint
from mlxc.xc.checkpoints.corrected import corrected_by
from mlxc.xc.functional import declared_ingredients
from mlxc.xc.hybrid import HybridXC
from mlxc.xc.sums.expression import mixed


def energies(name: str) -> torch.Tensor:
    """E_xc per volume at some densities."""
    rs, s = torch.meshgrid(
        torch.tensor([0.5, 2.0, 5.0], dtype=torch.float64), torch.tensor([0.1, 1.0], dtype=torch.float64), indexing="ij"
    )
    functional = mlxc.functional(name)
    given = ingredients_at(rs.flatten(), None, s.flatten(), torch.ones(6, dtype=torch.float64))
    with torch.no_grad():
        found: torch.Tensor = functional(**{name: given[name] for name in declared_ingredients(functional)})
    return found


@pytest.mark.parametrize(("first", "second"), [("lda", "solids-mgga"), ("0.5*pbe + 0.5*scan", "r2scan")])
def test_a_mix_goes_from_one_functional_to_the_other(first: str, second: str) -> None:
    ends = energies(first), energies(second)
    for share in (0.0, 0.3, 1.0):
        expected = (1 - share) * ends[0] + share * ends[1]
        torch.testing.assert_close(energies(mixed(first, second, share)), expected, rtol=1e-9, atol=0)


def test_all_that_a_network_corrects_is_a_functional() -> None:
    bases = {name: corrected_by(name) for group in functional_groups().values() for name in group}
    assert bases["ms2-proxy"] == "lda"
    assert bases["solids-mgga"] == "0.8*lda + 0.2*r2scan"
    assert bases["pcnn"] == "scan"
    assert bases["pbe"] is bases["hm-gga"] is bases["bulk-unconstrained"] is None
    for base in filter(None, bases.values()):
        mlxc.functional(base)


def test_a_hybrid_says_itself_what_it_corrects(tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    save_checkpoint(HybridXC("pbe", hidden=(4,)), path, name="own", description="", licence="MIT")
    assert corrected_by(str(path)) == "pbe"
