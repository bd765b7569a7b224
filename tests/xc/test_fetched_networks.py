"""Published networks that do not come with mlxc are fetched, and a sentence says how where there is no network."""

from __future__ import annotations

import hashlib
import io
import urllib.error
from collections.abc import Callable
from pathlib import Path

import pytest
from published_files import assert_same_energies, published_file
from support import Outcome

from mlxc.errors import InputError
from mlxc.xc.catalogue import check_name, functional_names
from mlxc.xc.checkpoints.architectures import build_architecture
from mlxc.xc.checkpoints.files import named_checkpoints
from mlxc.xc.published import fetch
from mlxc.xc.published.sources import SOURCES, PublishedSource

UNLICENSED = [name for name, source in SOURCES.items() if not source.may_be_passed_on]


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
