"""Functionals in files: what was written comes back, and whatever else lies in a file is refused with a sentence."""

from __future__ import annotations

import json
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from densities import random_ingredients, those_of
from models import MODELS
from torch import nn

import mlxc
from mlxc import InputError
from mlxc.cli import main
from mlxc.xc.checkpoint import load_checkpoint, save_checkpoint
from mlxc.xc.checkpoints.record import FORMAT, METADATA_KEY, read_record
from mlxc.xc.enhancement import NeuralEnhancement
from mlxc.xc.unconstrained import NNPBE


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A small checkpoint that is in order."""
    path = tmp_path / "model.safetensors"
    save_checkpoint(NeuralEnhancement("gga", (4,)), path, name="model", domain={"rs": (0.1, 10), "s": (0, None)})
    return path


@pytest.mark.parametrize("build", MODELS.values(), ids=MODELS)
def test_a_functional_from_a_file_gives_the_energy_of_the_one_that_was_saved(
    build: Callable[[], nn.Module], tmp_path: Path
) -> None:
    saved, path = build(), tmp_path / "model.safetensors"
    record = save_checkpoint(saved, path, name="a model", seed=3, metrics={"error": 0.1}, licence="MIT")
    loaded = mlxc.functional(str(path))
    ingredients = those_of(saved, random_ingredients(2))
    assert torch.equal(loaded(**ingredients), saved(**ingredients))
    assert read_record(path) == record == loaded.checkpoint
    assert record.ingredients == saved.ingredients


def rewritten(path: Path, change: Callable[[dict, dict], None]) -> None:
    """Change the tensors or the record of a checkpoint and write it again as it is."""
    weights, record = safetensors.torch.load_file(path), json.loads(read_record(path).model_dump_json())
    change(weights, record)
    safetensors.torch.save_file(weights, path, {METADATA_KEY: json.dumps(record)})


def raw(header: bytes, length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header


class Bomb:
    """Unpickled, it leaves a file behind."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def _name_of_weights(weights: dict) -> str:
    return "correlation_network.0.weight"


def _nan(weights: dict, record: dict) -> None:
    weights[_name_of_weights(weights)][0, 0] = float("nan")


def _infinite(weights: dict, record: dict) -> None:
    weights[_name_of_weights(weights)][0, 0] = float("inf")


def _missing(weights: dict, record: dict) -> None:
    del weights[_name_of_weights(weights)]


def _extra(weights: dict, record: dict) -> None:
    weights["backdoor"] = torch.zeros(2)


def _wrong_shape(weights: dict, record: dict) -> None:
    weights[_name_of_weights(weights)] = torch.zeros(3, 3, dtype=torch.float64)


def _single_precision(weights: dict, record: dict) -> None:
    weights[_name_of_weights(weights)] = weights[_name_of_weights(weights)].float()


def _altered(weights: dict, record: dict) -> None:
    weights[_name_of_weights(weights)][0, 0] += 1e-12


def _relabelled(weights: dict, record: dict) -> None:
    record["training_data"] = "all crystals there are"


DAMAGE: dict[str, tuple[Callable[[dict, dict], None], str]] = {
    "NaN": (_nan, "are not all finite"),
    "infinity": (_infinite, "are not all finite"),
    "missing weights": (_missing, "lacks the weights"),
    "more weights": (_extra, "has no weights 'backdoor'"),
    "another shape": (_wrong_shape, r"\(3, 3\) float64"),
    "single precision": (_single_precision, "float32"),
    "altered weight": (_altered, "altered or damaged"),
    "altered record": (_relabelled, "altered or damaged"),
    "newer format": (lambda w, r: r.update(format=FORMAT + 1), "newer than this version"),
    "unknown architecture": (lambda w, r: r.update(architecture="transformer"), "'transformer' is not known"),
    "unknown setting": (lambda w, r: r.update(config={"depth": 3}), "cannot be built"),
    "setting of another type": (lambda w, r: r.update(config={"rung": "gga", "hidden": "many"}), "1 to 16 hidden"),
    "billions of units": (lambda w, r: r.update(config={"rung": "gga", "hidden": [10**9] * 2}), "1 to 16 hidden"),
    "another file as baseline": (
        lambda w, r: r.update(architecture="hybrid", config={"baseline": "/etc/passwd"}),
        "conventional baseline",
    ),
    "a sum of other files": (
        lambda w, r: r.update(architecture="sum", config={"terms": [{"weight": 1, "conventional": "/etc/passwd"}]}),
        "not a conventional functional",
    ),
    "a sum in a sum": (
        lambda w, r: r.update(architecture="sum", config={"terms": [{"weight": 1, "architecture": "sum"}]}),
        "a sum stands in a sum",
    ),
    "a sum of nothing": (lambda w, r: r.update(architecture="sum", config={"terms": []}), "1 to 16 terms"),
    "a sum without weights": (
        lambda w, r: r.update(architecture="sum", config={"terms": [{"conventional": "pbe"}]}),
        "cannot be built",
    ),
    "a sum of no terms": (lambda w, r: r.update(architecture="sum", config={"terms": 3}), "cannot be built"),
    "other ingredients": (lambda w, r: r.update(ingredients=["rho"]), "not those of its architecture"),
    "unknown ingredient": (lambda w, r: r.update(ingredients=["spin"]), "entry 'ingredients"),
    "domain of other variables": (lambda w, r: r.update(domain={"colour": [0, 1]}), "entry 'domain"),
    "more entries": (lambda w, r: r.update(command="rm"), "entry 'command'"),
}


@pytest.mark.parametrize(("change", "sentence"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_checkpoint_is_refused_with_a_sentence(
    change: Callable[[dict, dict], None], sentence: str, checkpoint: Path
) -> None:
    rewritten(checkpoint, change)
    with pytest.raises(InputError, match=sentence) as error:
        mlxc.functional(str(checkpoint))
    assert "\n" not in str(error.value)


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "cut off after 0 bytes"),
    "cut off in its length": (b"\x10\x00", "cut off after 2 bytes"),
    "cut off in its header": (raw(b"{}", 500), "cut off after 10 bytes"),
    "text": (b"these are my weights, more or less", "not a safetensors file"),
    "enormous header": (raw(b"{}", 1 << 60), "not a safetensors file"),
    "header that is no JSON": (raw(b"{'a': 1}" + b" " * 100), "header is not a JSON object"),
    "header that is a list": (raw(b"[" + b"1," * 50 + b"1]"), "header is not a JSON object"),
    "deeply nested header": (raw(b"[" * 200_000), "header is not a JSON object"),
    "no record": (raw(b'{"__metadata__":{}}'), "without a record"),
    "record that is no JSON": (raw(b'{"__metadata__":{"mlxc":"hello"}}'), "record is not JSON"),
    "record that is a number": (raw(b'{"__metadata__":{"mlxc":"3"}}'), "record is not valid"),
    "TorchScript or pickle in a zip": (b"PK\x03\x04" + bytes(range(1, 100)), "may run code"),
    "pickle": (pickle.dumps({"weights": [1.0, 2.0]}), "a pickle, which may run code"),
}


@pytest.mark.parametrize(("content", "sentence"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_checkpoint_is_refused_with_a_sentence(content: bytes, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=sentence) as error:
        mlxc.functional(str(path))
    assert "\n" not in str(error.value)


def test_any_file_may_be_named_but_only_checkpoints_are_read() -> None:
    with pytest.raises(InputError, match="'/etc/passwd': is not a safetensors file"):
        mlxc.functional("/etc/passwd")


def test_a_checkpoint_cut_off_within_its_weights_is_refused(checkpoint: Path) -> None:
    checkpoint.write_bytes(checkpoint.read_bytes()[:-8])
    with pytest.raises(InputError, match="tensors do not fit"):
        load_checkpoint(checkpoint)


def test_an_oversized_file_is_refused_before_it_is_read(checkpoint: Path) -> None:
    with checkpoint.open("ab") as file:
        file.truncate(1 << 40)  # a hole: it takes no room on the disk
    with pytest.raises(InputError, match="larger than 256 MiB"):
        load_checkpoint(checkpoint)


def test_a_checkpoint_may_be_read_by_whoever_may_read_other_new_files(tmp_path: Path) -> None:
    (tmp_path / "other").touch()
    save_checkpoint(NNPBE(), tmp_path / "model.safetensors", name="model")
    modes = {file.stat().st_mode for file in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_checkpoint_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written: no such file or directory"):
        save_checkpoint(NNPBE(), tmp_path / "nowhere" / "model.safetensors", name="model")


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.safetensors").mkdir()
    for name in ("folder", "nowhere"):
        with pytest.raises(InputError, match="cannot be read"):
            mlxc.functional(f"{tmp_path}/{name}.safetensors")


def test_nothing_in_a_pickle_is_run_neither_by_loading_nor_by_converting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trace, path = tmp_path / "was-here", tmp_path / "model.pt"
    monkeypatch.chdir(tmp_path)
    for save in (torch.save, lambda thing, file: file.write_bytes(pickle.dumps(thing))):
        save({"a": Bomb(trace)}, path)
        for name in (str(path), path.name):
            with pytest.raises(InputError, match="may run code"):
                mlxc.functional(name)
        assert (
            main(["checkpoint", "convert", str(path), str(tmp_path / "x.safetensors"), "--architecture", "nnlda"]) == 2
        )
    assert not trace.exists()


@pytest.mark.parametrize("nested", [False, True])
def test_weights_of_a_state_dict_become_a_checkpoint(nested: bool, tmp_path: Path) -> None:
    model, path = NNPBE(), tmp_path / "model.safetensors"
    weights = {f"model.xc.{name}": value.float() for name, value in model.state_dict().items()}
    torch.save({"model_state_dict": weights, "global_step": 5} if nested else weights, tmp_path / "model.pt")
    command = ["checkpoint", "convert", str(tmp_path / "model.pt"), str(path), "--architecture", "nnpbe"]
    assert main([*command, "--config", '{"hidden": [10]}', "--name", "from elsewhere"]) == 0
    ingredients = those_of(model, random_ingredients(1))
    torch.testing.assert_close(mlxc.functional(str(path))(**ingredients), model.float().double()(**ingredients))
    assert read_record(path).name == "from elsewhere"


def test_an_unknown_form_of_functional_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a Linear"):
        save_checkpoint(nn.Linear(1, 1), tmp_path / "model.safetensors", name="line")
    assert not list(tmp_path.iterdir())


def test_a_sum_of_a_network_and_conventional_functionals_is_a_checkpoint(tmp_path: Path) -> None:
    network, path = tmp_path / "network.safetensors", tmp_path / "sum.safetensors"
    save_checkpoint(NeuralEnhancement("gga", (4,)), network, name="network")
    saved = mlxc.functional(f"0.5*{network} + 0.3*pbe + 0.2*gga_x_b88,gga_c_lyp")
    record = save_checkpoint(saved, path, name="sum")
    assert [term.get("conventional") for term in record.config["terms"]] == [None, "pbe", "gga_x_b88,gga_c_lyp"]
    loaded = mlxc.functional(str(path))
    ingredients = those_of(saved, random_ingredients(2))
    assert torch.equal(loaded(**ingredients), saved(**ingredients))
    # What is fixed in the one is fixed in the other, and it can be saved anew.
    trainable = [[name for name, one in xc.named_parameters() if one.requires_grad] for xc in (saved, loaded)]
    assert trainable[0] == trainable[1] != []
    assert save_checkpoint(loaded, path, name="sum").content_hash == record.content_hash
    with pytest.raises(InputError, match="a sum itself"):
        save_checkpoint(mlxc.functional("0.5*solids-mgga + 0.5*pbe"), tmp_path / "nested.safetensors", name="nested")


def test_weights_that_are_not_finite_cannot_be_saved(tmp_path: Path) -> None:
    model = NeuralEnhancement("lda", (4,))
    next(model.parameters()).data[:] = float("nan")
    with pytest.raises(InputError, match="not all finite"):
        save_checkpoint(model, tmp_path / "model.safetensors", name="nothing")


def test_the_command_line_shows_and_lists_checkpoints(checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checkpoint", "show", str(checkpoint), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["domain"] == {"rs": [0.1, 10.0], "s": [0.0, None]}
    assert main(["checkpoint", "show", str(checkpoint)]) == 0
    assert "neural-enhancement" in capsys.readouterr().out
    assert main(["checkpoint", "show", "solids-mgga"]) == 0
    assert "0.8 * neural-enhancement (rung mgga" in capsys.readouterr().out
    assert main(["checkpoint", "list"]) == 0
    assert "pbe-proxy" in capsys.readouterr().out
    assert main(["checkpoint", "show", "nothing.safetensors"]) == 2
    assert "no such file" in capsys.readouterr().err
