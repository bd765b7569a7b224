"""What is known of functionals: the kind of their origin, what to cite, and their oddities."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
import torch
from densities import random_ingredients, those_of
from support import Outcome

from mlxc.codes.functionals import pyscf_functional
from mlxc.xc.cards.card import ORIGINS
from mlxc.xc.catalogue import card_of, functional, functional_names, origin_of
from mlxc.xc.libxc.named import NAMED
from mlxc.xc.published.cards import CARDS
from mlxc.xc.published.sources import SOURCES

# As their papers say it.
KNOWN = {
    "lda": "non-empirical", "pbe": "non-empirical", "pbesol": "non-empirical", "scan": "non-empirical",
    "r2scan": "non-empirical", "rscan": "non-empirical", "rppscan": "non-empirical", "task": "non-empirical",
    "lak": "non-empirical", "r4scan": "non-empirical", "revscan": "fitted",
    "pbe-kappa-mu": "fitted", "beef": "learned", "mbeef": "learned", "mcml": "learned",
    "ktbm": "learned", "mgga_x_ktbm_3,gga_c_pbe_sol": "learned", "pcnn": "learned", "xcdiff": "learned",
    "hm-gga": "learned", "kanungo-nnlda": "learned", "solids-mgga": "learned", "MCML": "learned",
}  # fmt: skip


@pytest.mark.parametrize(("name", "origin"), KNOWN.items())
def test_the_kind_of_origin_is_that_of_the_paper(name: str, origin: str) -> None:
    assert origin_of(name) == origin
    assert origin in ORIGINS


def test_every_name_that_is_listed_has_an_origin_and_most_of_libxc_has_none() -> None:
    assert all(origin_of(name) in ORIGINS for name in functional_names())
    assert origin_of("gga_x_b88,gga_c_lyp") is None


def test_every_published_network_has_a_card_and_a_source() -> None:
    assert set(CARDS) == set(SOURCES)


@pytest.mark.parametrize("name", NAMED)
def test_a_short_name_means_the_two_parts_in_libxc(name: str) -> None:
    short, parts = functional(name), functional(NAMED[name].code)
    ingredients = those_of(parts, random_ingredients(2))
    assert short.ingredients == parts.ingredients
    assert torch.equal(short(**ingredients), parts(**ingredients))
    assert pyscf_functional(name) == NAMED[name].code
    assert card_of(NAMED[name].code) is card_of(name)


def test_the_command_line_tells_oddities_licence_and_citation(mlxc_command: Callable[..., Outcome]) -> None:
    told = mlxc_command("checkpoint", "show", "xcdiff").stdout
    for words in ("not symmetric in the spins", "MPL-2.0", "L161109", "github.com/semodi/libnxc"):
        assert words in told
    card = json.loads(mlxc_command("checkpoint", "show", "hm-gga", "--json").stdout)["card"]
    assert any("floor" in remark or "small constants" in remark for remark in card["remarks"])
    assert json.loads(mlxc_command("checkpoint", "show", "mcml", "--json").stdout)["card"]["origin"] == "learned"
    assert json.loads(mlxc_command("checkpoint", "show", "pbe-proxy", "--json").stdout)["card"] is None
    assert "learned" in mlxc_command("checkpoint", "show", "kanungo-nngga").stdout
    assert mlxc_command("checkpoint", "show", "nonsense").code == 2
