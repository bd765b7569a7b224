"""Weights from elsewhere into checkpoints: ``state_dict`` files, as DeepChem has them too, and published networks."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from mlxc.xc.checkpoint import save_checkpoint
from mlxc.xc.checkpoints.architectures import build_architecture
from mlxc.xc.checkpoints.record import LARGEST_FILE, SUFFIX, CheckpointRecord
from mlxc.xc.published.form import PublishedFunctional
from mlxc.xc.published.original import read_original, refused, with_numbered_layers

# As much of a name as an error shows.
LONGEST_NAME = 60
# What reading a file that somebody has altered may end in, beside the errors of the system.
_DAMAGED = (
    pickle.UnpicklingError, RuntimeError, EOFError, ValueError, SafetensorError, LookupError, TypeError, AttributeError,
    AssertionError, ArithmeticError, MemoryError,
)  # fmt: skip
# Where files keep their weights beside an optimiser's state and the like; the first is DeepChem's.
_NESTED = ("model_state_dict", "state_dict", "model")


def convert_checkpoint(
    source: str | Path, target: str | Path, architecture: str, config: dict[str, Any], **fields: Any
) -> CheckpointRecord:
    """Write the weights in a file as a checkpoint.

    The file is read without running anything in it: tensors and plain containers are all that it may hold.

    Args:
        source: A ``state_dict`` saved by torch, alone or under a usual name, or a safetensors file; for published forms
            also what their authors have published, see :mod:`mlxc.xc.published.original`.
        target: The checkpoint to write.
        architecture: The form of the functional, see :mod:`mlxc.xc.checkpoints.architectures`.
        config: The settings that build the functional.
        fields: Further entries of the record.

    Raises:
        InputError: the file holds anything else, or its weights are not those of the architecture.
    """
    source = Path(source)
    functional = build_architecture(architecture, config)
    expected = functional.state_dict()
    if isinstance(functional, PublishedFunctional):
        wanted = functional.layer_names()
        weights = read_original(source, functional) or with_numbered_layers(_read_weights(source))
    else:
        wanted, weights = list(expected), _read_weights(source)
    functional.load_state_dict(expected | {name: _find(name, weights, expected[name], source) for name in wanted})
    return save_checkpoint(functional, target, **({"name": source.stem} | fields))


def _read_weights(source: Path) -> dict[str, Tensor]:
    try:
        if source.stat().st_size > LARGEST_FILE:
            raise refused(source, f"is larger than {LARGEST_FILE >> 20} MiB.")
        content = _content(source)
    except OSError as error:
        raise refused(source, f"cannot be read: {(error.strerror or str(error)).lower()}.") from None
    for key in _NESTED:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    named = isinstance(content, dict) and all(isinstance(name, str) for name in content)
    if not named or not all(isinstance(value, Tensor) for value in content.values()):
        raise refused(source, "holds something else than weights by name.")
    weights: dict[str, Tensor] = content
    return weights


def _content(source: Path) -> Any:
    """What a file holds: tensors and plain containers, made without running anything in it."""
    try:
        if source.suffix == SUFFIX:
            return safetensors.torch.load_file(source)
        return torch.load(source, map_location="cpu", weights_only=True)
    except _DAMAGED:
        raise refused(source, "holds something else than weights, or is damaged; nothing of it was run.") from None


def _find(name: str, weights: dict[str, Tensor], expected: Tensor, source: Path) -> Tensor:
    """The weights of this name, which may be prefixed with those of the modules around."""
    matching = [key for key in weights if key == name or key.endswith(f".{name}")]
    if len(matching) != 1:
        what = "has no weights" if not matching else "has several weights"
        held = ", ".join(repr(key[:LONGEST_NAME]) for key in list(weights)[:6])
        raise refused(source, f"{what} {name}; it holds {held}.")
    found = weights[matching[0]]
    if found.shape != expected.shape:
        raise refused(source, f"has the weights {name} in the shape {tuple(found.shape)}, not {tuple(expected.shape)}.")
    return found.to(expected.dtype)
