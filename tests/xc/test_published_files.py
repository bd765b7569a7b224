"""Published files become checkpoints byte by byte, and hostile ones get one sentence."""

from __future__ import annotations

import hashlib
import io
import pickle
import urllib.error
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from densities import random_ingredients, those_of
from published_references import FILES, shared_folder
from support import Outcome

from mlxc.errors import InputError
from mlxc.utils.assets import asset_path
from mlxc.xc.catalogue import check_name, functional, functional_names
from mlxc.xc.checkpoints.architectures import build_architecture
from mlxc.xc.checkpoints.convert import convert_checkpoint
from mlxc.xc.checkpoints.files import named_checkpoints, shipped_checkpoints
from mlxc.xc.checkpoints.record import read_record
from mlxc.xc.published import fetch
from mlxc.xc.published.form import PublishedFunctional
from mlxc.xc.published.sources import SOURCES, PublishedSource

SHIPPED = [name for name, source in SOURCES.items() if source.may_be_passed_on]
UNLICENSED = [name for name in SOURCES if name not in SHIPPED]
MIB = 2**20


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def weights_of(xc: PublishedFunctional) -> list[np.ndarray]:
    """The weights of all layers, in single precision as most authors have them."""
    return [xc.state_dict()[name].numpy().astype("<f4") for name in xc.layer_names()]


def torchscript(members: list[bytes], graph: str = "return x") -> bytes:
    """A zip file as TorchScript makes it; what a program would unpickle is rubbish."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xc/data.pkl", b"\x80\x02crubbish")
        archive.writestr("xc/code/__torch__.py", graph)
        for number, member in enumerate(members):
            archive.writestr(f"xc/data/{number}", member, zipfile.ZIP_DEFLATED if number % 2 else zipfile.ZIP_STORED)
    return content.getvalue()


def graph_of(name: str) -> str:
    return "torch.tanh(x)" if name.endswith("ueg") else "torch.elu(x)"


def published_file(name: str) -> bytes:
    """A file of the kind of the published ones, with initial weights."""
    return torchscript([w.tobytes() for w in weights_of(build_architecture(name, {}))], graph_of(name))


def published_folder(folder: Path) -> Path:
    """A folder of arrays as pcNN is published, with initial weights; some arrays are stored by columns."""
    folder.mkdir()
    xc = build_architecture("pcnn", {})
    for number, (name, array) in enumerate(zip(xc.layer_names(), weights_of(xc), strict=True)):
        np.save(folder / xc.array_files[name], np.asfortranarray(array) if number % 2 else array, allow_pickle=False)
    return folder


def assert_same_energies(path: Path, xc: PublishedFunctional) -> None:
    ingredients = those_of(xc, random_ingredients(2))
    rounded = {name: xc.state_dict()[name].float().double() for name in xc.layer_names()}
    xc.load_state_dict(xc.state_dict() | rounded)
    torch.testing.assert_close(functional(str(path))(**ingredients), xc(**ingredients), rtol=1e-13, atol=0)


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
    xc = build_architecture("hm-gga", {})
    names = [name.replace("network.layer", "fc") for name in xc.layer_names()]
    weights = {name: torch.tensor(array) for name, array in zip(names, weights_of(xc), strict=True)}
    torch.save(weights, tmp_path / "NNGGA", _use_new_zipfile_serialization=not legacy)
    convert_checkpoint(tmp_path / "NNGGA", tmp_path / "model.safetensors", "hm-gga", {})
    assert_same_energies(tmp_path / "model.safetensors", xc)


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
    "objects": (lambda path: npy(np.array([Bomb(path)] * 200, dtype=object).reshape(100, 2)), "holds object"),
    "whole numbers": (lambda path: npy(np.zeros((100, 2), dtype=np.int32)), "holds int32"),
    "big-endian": (lambda path: npy(np.zeros((100, 2), dtype=">f4")), "holds >f4"),
    "another shape": (lambda path: npy(np.zeros((2, 100), dtype="<f4")), r"the shape \(2, 100\), not \(100, 2\)"),
    "truncated": (lambda path: npy(np.zeros((100, 2), dtype="<f4"))[:-8], "792 bytes of numbers"),
    "longer": (lambda path: npy(np.zeros((100, 2), dtype="<f4")) + b"more", "804 bytes of numbers"),
    "cut off in its header": (lambda path: npy(np.zeros((100, 2), dtype="<f4"))[:40], "no array of numpy"),
    "a header that computes": (
        lambda path: npy(np.zeros((100, 2), dtype="<f4")).replace(b"(100, 2)", b"(50*2,2)"), "no array of numpy",
    ),
    "an enormous shape": (
        lambda path: npy(np.zeros((100, 2), dtype="<f4")).replace(b"(100, 2), }         ", b"(10000000000, 2), } "),
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


class Internet:
    """What is answered to downloads, and which were asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers: Callable[[str], bytes] = lambda address: b""

    def __call__(self, address: str, timeout: float) -> io.BytesIO:
        self.asked.append(address)
        return io.BytesIO(self.answers(address))


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Internet:
    """An internet of one's own, in which the files of Kanungo hold initial weights; an empty data directory."""
    published = Internet()
    monkeypatch.setenv("MLXC_CHECKPOINTS", str(tmp_path / "kept"))
    monkeypatch.setattr(fetch, "urlopen", published)
    for name in UNLICENSED:
        source = SOURCES[name]
        files = {file: hashlib.sha256(published_file(name)).hexdigest() for file in source.files}
        stand_in = PublishedSource(source.repository, source.commit, files, baseline=source.baseline)
        monkeypatch.setitem(SOURCES, name, stand_in)
    contents = {
        SOURCES[name].address(file): published_file(name) for name in UNLICENSED for file in SOURCES[name].files
    }
    published.answers = contents.__getitem__
    return published


def unreachable(address: str) -> bytes:
    raise urllib.error.URLError(OSError(101, "Network is unreachable"))


@pytest.mark.parametrize("name", UNLICENSED)
def test_an_unlicensed_one_is_a_functional_once_it_is_fetched(
    name: str, internet: Internet, mlxc_command: Callable[..., Outcome]
) -> None:
    with pytest.raises(InputError, match=f"'mlxc checkpoint fetch {name}' brings it"):
        check_name(name)
    assert name not in functional_names()
    assert name in mlxc_command("checkpoint", "list").stdout
    outcome = mlxc_command("checkpoint", "fetch", name.upper())
    assert outcome.code == 0, outcome.stderr
    assert name in outcome.stdout
    assert internet.asked == [SOURCES[name].address(file) for file in SOURCES[name].files]
    assert name in functional_names()
    check_name(name)
    assert_same_energies(named_checkpoints()[name], build_architecture(name, {}))
    assert "none stated" in mlxc_command("checkpoint", "show", name).stdout
    # A second time nothing is downloaded.
    assert mlxc_command("checkpoint", "fetch", name).code == 0
    assert len(internet.asked) == 1


def test_without_a_network_one_sentence_says_where_to_put_the_file(
    internet: Internet, mlxc_command: Callable[..., Outcome]
) -> None:
    content, address = internet.answers, SOURCES["kanungo-nnlda"].address("NNLDA.ptc")
    internet.answers = unreachable
    outcome = mlxc_command("checkpoint", "fetch", "kanungo-nnlda")
    place = fetch.downloads_directory() / "NNLDA.ptc"
    assert outcome.code == 2
    assert len(outcome.stderr.strip().splitlines()) == 1
    for told in ("Network is unreachable", address, str(place)):
        assert told in outcome.stderr
    place.parent.mkdir(parents=True)
    place.write_bytes(content(address))
    assert mlxc_command("checkpoint", "fetch", "kanungo-nnlda").code == 0
    assert "kanungo-nnlda" in named_checkpoints()


def test_a_download_that_is_not_the_published_file_is_refused_and_not_kept(
    internet: Internet, mlxc_command: Callable[..., Outcome]
) -> None:
    internet.answers = lambda address: b"<html>not found</html>"
    outcome = mlxc_command("checkpoint", "fetch", "kanungo-nngga")
    assert outcome.code == 2
    assert "is not the published file: its SHA-256 is" in outcome.stderr
    assert not list(fetch.downloads_directory().glob("*"))
    assert "kanungo-nngga" not in named_checkpoints()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("pcnn", "comes with mlxc"),
        ("kanungo", "did you mean 'kanungo-nn"),
        ("skala", "none of kanungo-nnlda, kanungo-nngga, kanungo-nngga-ueg"),
        ("../../etc/passwd", "none of"),
        ("", "none of"),
    ],
)
def test_what_cannot_be_fetched_is_one_sentence(
    name: str, sentence: str, internet: Internet, mlxc_command: Callable[..., Outcome]
) -> None:
    outcome = mlxc_command("checkpoint", "fetch", name)
    assert outcome.code == 2
    assert sentence in outcome.stderr
    assert len(outcome.stderr.strip().splitlines()) == 1
    assert not internet.asked
