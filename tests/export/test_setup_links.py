"""A link to a set-up restores it, and whatever else a link holds is answered with a sentence."""

from __future__ import annotations

import base64
import hashlib
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
from mlxc.pseudo.pseudodojo import pseudodojo_content
from mlxc.tasks.eos.task import EquationOfStateTask

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


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of pseudopotentials that the server sets: PseudoDojo's aluminium, with another comment in its file."""
    (tmp_path / "house-set").mkdir()
    content = pseudodojo_content("pseudodojo-pbe", "Al").replace(b"</UPF>", b"<!-- our own --></UPF>")
    (tmp_path / "house-set" / "Al.upf").write_bytes(content)
    monkeypatch.setenv("MLXC_PSEUDO_DIR", str(tmp_path / "house-set"))
    return tmp_path / "house-set"


def test_a_folder_of_pseudopotentials_travels_by_name_and_content(folder: Path) -> None:
    original = Calculation.from_dict({"structure": "al"})
    assert original.pseudo == str(folder)
    encoded = encode_setup(original)
    text = zlib.decompress(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))).decode()
    assert str(folder.parent) not in text
    carried = json.loads(text)["pseudo"]
    content = (folder / "Al.upf").read_bytes()
    assert carried == {"name": "house-set", "sha256": {"Al": hashlib.sha256(content).hexdigest()}}
    assert_same_settings(decode_setup(encoded).model_dump(), original.model_dump())


def test_a_folder_is_found_wherever_it_lies_and_missed_where_its_files_are_others(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = encode_setup(Calculation.from_dict({"structure": "al", "ecut_ha": 12}))
    elsewhere = folder.rename(folder.with_name("moved"))
    monkeypatch.setenv("MLXC_PSEUDO_DIR", str(elsewhere))
    assert decode_setup(encoded).pseudo == str(elsewhere)
    file = elsewhere / "Al.upf"
    file.write_bytes(file.read_bytes().replace(b"our own", b"another"))
    with pytest.raises(InputError, match="“house-set” that are not on this server"):
        decode_setup(encoded)
    monkeypatch.delenv("MLXC_PSEUDO_DIR")
    with pytest.raises(InputError, match="“house-set” that are not on this server"):
        decode_setup(encoded)


def test_a_folder_with_the_files_of_a_family_is_that_family_elsewhere(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "Al.upf").write_bytes(pseudodojo_content("pseudodojo-pbe", "Al"))
    encoded = encode_setup(Calculation.from_dict({"structure": "al"}))
    monkeypatch.delenv("MLXC_PSEUDO_DIR")
    assert decode_setup(encoded).pseudo == "pseudodojo"


def test_a_link_to_the_set_up_of_an_equation_of_state_holds_only_what_was_chosen() -> None:
    chosen = {"structure": "al", "ecut_ha": 12, "kmesh": (3, 3, 3)}
    task = EquationOfStateTask.from_dict({"calculation": chosen})
    assert task.calculation.cutoff_smoothing_ha > 0
    assert decode_setup(encode_setup(task)) == Calculation.from_dict(chosen)


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
        (setup(structure="al", pseudo={"name": "x", "sha256": {"Al": "../../etc"}}), "pseudopotentials"),
        (setup(structure="al", pseudo={"name": "x" * 1000, "sha256": {}}), "pseudopotentials"),
        (setup(structure="al", pseudo={"name": "x", "sha256": {"Al": "0" * 64}}), "not on this server"),
        (setup(structure="al", pseudo={"name": "x", "sha256": {}}, pseudo_names={"Al": "/etc/passwd"}), "pseudo_names"),
        (setup(structure="al", kmesh=[1, 1, 10**9]), "kmesh"),
        (setup(structure="al", command="rm"), "no such setting"),
    ],
)  # fmt: skip
def test_a_hostile_link_is_answered_with_one_sentence(encoded: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        decode_setup(encoded)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400
