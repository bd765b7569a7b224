"""A link to a set-up restores it, and whatever else a link holds is answered with a sentence."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from set_ups import SEVERAL, assert_same_settings, strained

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc.export.link import LONGEST_LINK, decode_setup, encode_setup

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("calculation", [{"structure": "mgo"}, {"structure": strained("al", (0.7,)), **SEVERAL}])
def test_a_link_restores_the_set_up(calculation: dict[str, Any]) -> None:
    original = Calculation.from_dict(calculation)
    encoded = encode_setup(original)
    assert set(encoded) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    assert_same_settings(decode_setup(encoded).model_dump(), original.model_dump())


def test_a_link_to_a_shipped_structure_is_short() -> None:
    assert len(encode_setup(Calculation.from_dict({"structure": "mgo"}))) < 200


def test_a_link_names_no_files() -> None:
    checkpoint = ROOT / "assets/checkpoints/pbe-proxy.safetensors"
    with pytest.raises(InputError, match=r"functional pbe-proxy\.safetensors"):
        encode_setup(Calculation.from_dict({"structure": "al", "xc": str(checkpoint)}))
    encode_setup(Calculation.from_dict({"structure": "al", "xc": "pbe-proxy"}))


def test_a_link_asks_for_no_term_that_is_a_file(tmp_path: Path) -> None:
    np.save(tmp_path / "v.npy", np.zeros((2, 2, 2)))
    terms = {"external_potential": str(tmp_path / "v.npy")}
    with pytest.raises(InputError, match="files of your own"):
        encode_setup(Calculation.from_dict({"structure": "al", "terms": terms}))
    with pytest.raises(InputError, match="which are files"):
        decode_setup(setup(structure="al", terms=terms))


def packed(content: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(content)).decode().rstrip("=")


def setup(**settings: Any) -> str:
    return packed(json.dumps(settings).encode())


@pytest.mark.parametrize(
    ("encoded", "said"),
    [
        ("", "damaged"),
        ("%%%", "damaged"),
        ("Ä", "damaged"),
        ("AAAA", "damaged"),
        ("A" * (LONGEST_LINK + 1), "damaged"),
        (packed(b" " * 10**8), "damaged"),
        (packed(b"[" * 50_000), "damaged"),
        (packed(b"[1, 2]"), "damaged"),
        (encode_setup(Calculation.from_dict({"structure": "mgo"}))[:-6], "damaged"),
        (setup(), "structure"),
        (setup(structure="/etc/passwd"), "does not come with"),
        (setup(structure={"name": "x" * 1000}), "letters"),
        (setup(structure={"lattice_ang": 1, "species": ["Al"], "fractional_positions": []}), "lattice_ang"),
        (setup(structure="al", xc="/tmp/model.safetensors"), "is a file"),
        (setup(structure="al", xc="0.5*pbe + 0.5*../model.SAFETENSORS"), "is a file"),
        (setup(structure="al", xc=["pbe"]), "is a file"),
        (setup(structure="al", xc="nonsense"), "not a known functional"),
        (setup(structure="al", pseudo="/etc"), "pseudopotentials"),
        (setup(structure="al", pseudo={"a": 1}), "pseudopotentials"),
        (setup(structure="al", kmesh=[1, 1, 10**9]), "kmesh"),
        (setup(structure="al", command="rm"), "no such setting"),
    ],
)  # fmt: skip
def test_a_hostile_link_is_answered_with_one_sentence(encoded: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        decode_setup(encoded)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
