"""The checkpoints that a person brings: what is in order is kept, everything else refused in one sentence."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from mlxc_app.choose.own.checkpoints import delete_checkpoint, examine_alone, keep_checkpoint, own_checkpoints

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc.runs.folder import RunFolder, runs_directory
from mlxc.utils.assets import asset_path
from mlxc.xc.catalogue import functional
from mlxc.xc.checkpoints.record import METADATA_KEY

PROXY = (asset_path("checkpoints") / "pbe-proxy.safetensors").read_bytes()


async def examine_here(path: Path) -> None:
    """Load the weights and ask them in this process, which takes a fraction of the time."""
    functional(str(path))


def keep(name: str, content: bytes = PROXY, owner: str = "") -> Path:
    return asyncio.run(keep_checkpoint(name, content, owner, examine_here))


def split(content: bytes) -> tuple[dict[str, object], bytes]:
    """The header and the weights of a file."""
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


def joined(header: dict[str, object], weights: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + weights


def with_record(**changes: object) -> bytes:
    header, weights = split(PROXY)
    metadata = header["__metadata__"]
    assert isinstance(metadata, dict)
    record = json.loads(metadata[METADATA_KEY]) | changes
    return joined(header | {"__metadata__": {METADATA_KEY: json.dumps(record)}}, weights)


def with_a_weight(number: bytes) -> bytes:
    """The last weight, in double precision, replaced."""
    return PROXY[:-8] + number


def without_record() -> bytes:
    header, weights = split(PROXY)
    del header["__metadata__"]
    return joined(header, weights)


def with_another_shape() -> bytes:
    header, weights = split(PROXY)
    name = next(name for name, entry in header.items() if name != "__metadata__" and len(entry["shape"]) == 2)  # type: ignore[index]
    entry = header[name]
    assert isinstance(entry, dict)
    return joined(header | {name: entry | {"shape": entry["shape"][::-1]}}, weights)


BAD: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "cut off in its header": lambda: PROXY[:50],
    "cut off in its weights": lambda: PROXY[:-100],
    "not a number": lambda: with_a_weight(b"\xff" * 8),
    "infinite": lambda: with_a_weight(b"\x00" * 6 + b"\xf0\x7f"),
    "another weight": lambda: with_a_weight(b"\x00" * 8),
    "more bytes": lambda: PROXY + b"\x00" * 8,
    "another name": lambda: with_record(name="mine"),
    "another form": lambda: with_record(architecture="transformer"),
    "other settings": lambda: with_record(config={"hidden": [3]}),
    "another shape": with_another_shape,
    "no record": without_record,
    "newer": lambda: with_record(format=99),
    "a pickle": lambda: b"\x80\x04cos\nsystem\n",
    "text": lambda: b"these are no weights at all, only words that somebody wrote",
}


@pytest.mark.parametrize(
    ("what", "examine"),
    [
        *((what, examine_here) for what in BAD),
        pytest.param("not a number", examine_alone, marks=pytest.mark.process),
        *(pytest.param(what, examine_alone, marks=[pytest.mark.process, pytest.mark.slow]) for what in BAD),
    ],
)
def test_a_checkpoint_that_is_not_in_order_is_refused_in_one_sentence_and_leaves_nothing(
    what: str, examine: Callable[[Path], Awaitable[None]]
) -> None:
    with pytest.raises(InputError, match=r"bad\.safetensors") as refused:
        asyncio.run(keep_checkpoint("bad.safetensors", BAD[what](), "", examine))
    sentence = str(refused.value)
    assert "\n" not in sentence
    assert str(runs_directory()) not in sentence
    assert "upload" not in sentence
    assert len(sentence) < 300
    assert own_checkpoints("") == []
    assert list((runs_directory() / "checkpoints").iterdir()) == []


@pytest.mark.process
def test_a_checkpoint_is_kept_once_under_a_harmless_name() -> None:
    path = asyncio.run(keep_checkpoint("../../my <b>model.safetensors", PROXY, ""))
    assert path.name == "my-b-model.safetensors"
    assert keep("my <b>model.safetensors") == path
    assert own_checkpoints("") == [path]


def test_on_a_shared_server_nobody_sees_or_deletes_what_another_has_brought(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLXC_SHARED", "1")
    path = keep("hers.safetensors", owner="ada")
    assert (own_checkpoints("ada"), own_checkpoints("bob"), own_checkpoints("")) == ([path], [], [])
    with pytest.raises(InputError, match="not yours"):
        delete_checkpoint(path, "bob")
    delete_checkpoint(path, "ada")
    assert own_checkpoints("ada") == []


def test_a_checkpoint_is_deleted_but_not_while_a_run_needs_it() -> None:
    path = keep("mine.safetensors")
    run = RunFolder.create(Calculation.from_dict({"structure": "al", "xc": f"clamped:{path}"}), "a run")
    with pytest.raises(InputError, match="needed by “a run”"):
        delete_checkpoint(path, "")
    run.set_status("finished")
    delete_checkpoint(path, "")
    assert own_checkpoints("") == []
    with pytest.raises(InputError, match="not there any more"):
        delete_checkpoint(path, "")


def test_no_file_but_an_own_checkpoint_can_be_deleted(tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(PROXY)
    for path in (other, asset_path("checkpoints") / "pbe-proxy.safetensors"):
        with pytest.raises(InputError):
            delete_checkpoint(path, "")
        assert path.exists()
