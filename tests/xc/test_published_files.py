"""Published files become checkpoints byte by byte, and hostile ones get one sentence."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from published_files import (
    assert_same_energies,
    published_file,
    published_folder,
    state_dict_file,
    torchscript,
    weights_of,
)
from published_references import FILES, shared_folder
from support import Outcome

from mlxc.errors import InputError
from mlxc.utils.assets import asset_path
from mlxc.xc.catalogue import functional
from mlxc.xc.checkpoints.architectures import build_architecture
from mlxc.xc.checkpoints.convert import convert_checkpoint
from mlxc.xc.checkpoints.files import shipped_checkpoints
from mlxc.xc.checkpoints.record import read_record
from mlxc.xc.published.sources import SOURCES

SHIPPED = [name for name, source in SOURCES.items() if source.may_be_passed_on]
MIB = 2**20


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


ORIGINALS = {"hm-lda": published_file("hm-lda"), "hm-lda, by name": state_dict_file("hm-lda")}


@pytest.mark.parametrize("name", [name for name in FILES if name != "pcnn"])
def test_a_torchscript_file_becomes_a_checkpoint_whatever_is_pickled_in_it(name: str, tmp_path: Path) -> None:
    (tmp_path / "xc").write_bytes(published_file(name))
    convert_checkpoint(tmp_path / "xc", tmp_path / "model.safetensors", name, {})
    assert_same_energies(tmp_path / "model.safetensors", build_architecture(name, {}))


def test_a_folder_of_arrays_becomes_a_checkpoint(tmp_path: Path, mlxc_command: Callable[..., Outcome]) -> None:
    source, target = str(published_folder(tmp_path / "pcNN")), tmp_path / "model.safetensors"
    assert mlxc_command("checkpoint", "convert", source, str(target), "--architecture", "pcnn").code == 0
    assert_same_energies(target, build_architecture("pcnn", {}))


@pytest.mark.parametrize("legacy", [False, True])
def test_a_state_dict_of_numbered_layers_becomes_a_checkpoint(legacy: bool, tmp_path: Path) -> None:
    torch.save(torch.load(io.BytesIO(state_dict_file("hm-gga"))), tmp_path / "new")
    (tmp_path / "old").write_bytes(state_dict_file("hm-gga"))
    convert_checkpoint(tmp_path / ("old" if legacy else "new"), tmp_path / "model.safetensors", "hm-gga", {})
    assert_same_energies(tmp_path / "model.safetensors", build_architecture("hm-gga", {}))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_checkpoint_holds_the_numbers_of_the_published_file(name: str, tmp_path: Path) -> None:
    originals = shared_folder() / "original"
    paths = [path for file in SOURCES[name].files for path in originals.rglob(Path(file).name) if path.is_file()]
    hashes = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in paths}
    found = [hashes[sha256] for sha256 in SOURCES[name].files.values()]
    source = found[0] if len(found) == 1 else found[0].parent
    convert_checkpoint(source, tmp_path / "model.safetensors", name, {})
    ours, theirs = (functional(made).state_dict() for made in (name, str(tmp_path / "model.safetensors")))
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_checkpoint_brings_the_text_of_its_licence_and_tells_where_it_is_from(name: str) -> None:
    record, source = read_record(shipped_checkpoints()[name]), SOURCES[name]
    for told in (source.licence, source.licence_file, source.repository, source.commit):
        assert told in record.licence
    text = asset_path("checkpoints", "licences", source.licence_file).read_text()
    assert source.licence.split(",")[0].split("-")[0] in text.replace("Mozilla Public License", "MPL")
    assert "arXiv:" in record.training_data


HOSTILE_ZIPS: dict[str, tuple[Callable[[list[bytes]], bytes], str]] = {
    "truncated": (lambda m: torchscript(m)[:-2000], "damaged"),
    "one array too few": (lambda m: torchscript(m[:-1]), "7 arrays of weights, where hm-lda has 8"),
    "one array too many": (lambda m: torchscript([*m, m[0]]), "9 arrays of weights"),
    "another shape": (lambda m: torchscript([m[0] + b"\x00" * 4, *m[1:]]), "not the 200 numbers"),
    "a gigabyte in a few bytes": (lambda m: torchscript([bytes(64 * MIB), *m[1:]]), "not the 200 numbers"),
    "not a number": (lambda m: torchscript([np.full(200, np.nan, "<f4").tobytes(), *m[1:]]), "not all finite"),
    "no weights": (lambda m: torchscript([]), "0 arrays"),
}


@pytest.mark.parametrize(("make", "sentence"), HOSTILE_ZIPS.values(), ids=HOSTILE_ZIPS)
def test_a_hostile_torchscript_file_is_one_sentence(
    make: Callable[[list[bytes]], bytes], sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "xc"
    path.write_bytes(make([w.tobytes() for w in weights_of(build_architecture("hm-lda", {}))]))
    with pytest.raises(InputError, match=sentence) as error:
        convert_checkpoint(path, tmp_path / "model.safetensors", "hm-lda", {})
    assert "\n" not in str(error.value)
    assert not (tmp_path / "model.safetensors").exists()


@given(
    length=st.floats(0, 1),
    changes=st.lists(st.tuples(st.floats(-1, 1, exclude_max=True), st.integers(0, 255)), max_size=8),
    form=st.sampled_from(["hm-lda", "hm-lda, by name", "pcnn"]),
)
@settings(max_examples=60)
def test_whatever_is_altered_in_a_file_it_is_weights_or_one_sentence(
    length: float, changes: list[tuple[float, int]], form: str
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        source = published_folder(folder / "source") if form == "pcnn" else folder / "source"
        path = source / "w1.npy" if form == "pcnn" else source
        content = bytearray(path.read_bytes() if form == "pcnn" else ORIGINALS[form])
        for place, value in changes:
            # Half of the changes near the ends, where what is not weights stands.
            end = 300 if place < 0 else len(content)
            content[int(abs(place) ** 2 * end) * (1 if place > -0.5 else -1)] = value
        path.write_bytes(content[: round(len(content) * min(2 * length, 1))])
        sentence = ""
        try:
            convert_checkpoint(source, folder / "model.safetensors", form.split(",")[0], {})
        except InputError as error:
            sentence = str(error)
        assert "\n" not in sentence


def test_altered_bytes_in_a_zip_file_are_noticed(tmp_path: Path) -> None:
    members = [w.tobytes() for w in weights_of(build_architecture("hm-lda", {}))]
    content = bytearray(torchscript(members))
    content[content.index(members[0]) + 3] ^= 1
    (tmp_path / "xc").write_bytes(content)
    with pytest.raises(InputError, match="damaged"):
        convert_checkpoint(tmp_path / "xc", tmp_path / "model.safetensors", "hm-lda", {})


def test_the_graph_tells_apart_what_the_weights_do_not(tmp_path: Path) -> None:
    for name, other in (("kanungo-nngga", "kanungo-nngga-ueg"), ("kanungo-nngga-ueg", "kanungo-nngga")):
        (tmp_path / "xc").write_bytes(published_file(name))
        with pytest.raises(InputError, match=f"another graph than {other}"):
            convert_checkpoint(tmp_path / "xc", tmp_path / "model.safetensors", other, {})


def npy(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    np.save(content, array, allow_pickle=True)
    return content.getvalue()


HOSTILE_ARRAYS: dict[str, tuple[Callable[[Path], bytes], str]] = {
    "empty": (lambda path: b"", "no array of numpy"),
    "text": (lambda path: b"1 2 3\n4 5 6\n", "no array of numpy"),
    "a pickle": (lambda path: pickle.dumps(Bomb(path)), "no array of numpy"),
    "objects": (lambda path: npy(np.array([Bomb(path)] * 200, dtype=object).reshape(100, 2)), r"the kind '\|O'"),
    "whole numbers": (lambda path: npy(np.zeros((100, 2), dtype=np.int32)), "the kind '<i4'"),
    "big-endian": (lambda path: npy(np.zeros((100, 2), dtype=">f4")), "the kind '>f4'"),
    "another shape": (lambda path: npy(np.zeros((2, 100), dtype="<f4")), r"the shape \(2, 100\), not \(100, 2\)"),
    "truncated": (lambda path: npy(np.zeros((100, 2), dtype="<f4"))[:-8], "792 bytes of numbers"),
    "longer": (lambda path: npy(np.zeros((100, 2), dtype="<f4")) + b"more", "804 bytes of numbers"),
    "cut off in its header": (lambda path: npy(np.zeros((100, 2), dtype="<f4"))[:40], "no array of numpy"),
    "a header that computes": (
        lambda path: npy(np.zeros((100, 2), dtype="<f4")).replace(b"(100, 2)", b"(50*2,2)"), "no array of numpy",
    ),
    "an enormous shape": (
        lambda path: npy(np.zeros((100, 2), dtype="<f4")).replace(b"(100, 2), }         ", b"(900000000, 2), }   "),
        "the shape",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("make", "sentence"), HOSTILE_ARRAYS.values(), ids=HOSTILE_ARRAYS)
def test_a_hostile_array_is_one_sentence_and_nothing_of_it_is_run(
    make: Callable[[Path], bytes], sentence: str, tmp_path: Path
) -> None:
    trace, folder = tmp_path / "was-here", published_folder(tmp_path / "pcNN")
    (folder / "w1.npy").write_bytes(make(trace))
    with pytest.raises(InputError, match=sentence) as error:
        convert_checkpoint(folder, tmp_path / "model.safetensors", "pcnn", {})
    assert "\n" not in str(error.value)
    assert not trace.exists()


def test_a_folder_without_its_files_or_for_another_form_is_one_sentence(tmp_path: Path) -> None:
    folder = published_folder(tmp_path / "pcNN")
    with pytest.raises(InputError, match="hm-lda is published in one file"):
        convert_checkpoint(folder, tmp_path / "model.safetensors", "hm-lda", {})
    (folder / "b3c.npy").unlink()
    with pytest.raises(InputError, match="no such file"):
        convert_checkpoint(folder, tmp_path / "model.safetensors", "pcnn", {})


@pytest.mark.parametrize("architecture", ["hm-lda", "xcdiff", "pcnn"])
def test_a_pickle_in_the_place_of_a_published_file_is_not_run(architecture: str, tmp_path: Path) -> None:
    trace = tmp_path / "was-here"
    for save in (torch.save, lambda thing, file: file.write_bytes(pickle.dumps(thing))):
        save({"fc1.weight": Bomb(trace)}, tmp_path / "model.pt")
        with pytest.raises(InputError, match="nothing of it was run"):
            convert_checkpoint(tmp_path / "model.pt", tmp_path / "model.safetensors", architecture, {})
    assert not trace.exists()
