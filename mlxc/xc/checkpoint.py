"""Functionals in files that can be shared: weights and a record of what they are, nothing that runs."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from mlxc import __version__
from mlxc.errors import InputError
from mlxc.utils.replacing import replacing
from mlxc.xc.checkpoints.architectures import build_architecture, describe_architecture
from mlxc.xc.checkpoints.ensemble import TENSORS, Ensemble
from mlxc.xc.checkpoints.record import FORMAT, METADATA_KEY, CheckpointRecord, read_record, refusal
from mlxc.xc.functional import declared_ingredients
from mlxc.xc.identity import name_functional

# As many names of weights, and as much of each, as an error shows.
SHOWN_NAMES, SHOWN_LENGTH = 3, 60


def save_checkpoint(
    functional: nn.Module, path: str | Path, *, name: str, ensemble: Ensemble | None = None, **fields: Any
) -> CheckpointRecord:
    """Write a functional, replacing the file at once when it is complete.

    Args:
        functional: A functional of a form that checkpoints know.
        path: The path of the file, ``.safetensors``.
        name: The name of the model.
        ensemble: What its parameters might be as well; None where that is not known.
        fields: The rest of :class:`CheckpointRecord` that only the author knows.

    Returns:
        the record as it was written.

    Raises:
        InputError: checkpoints know no such form, a weight is not a finite number, or the file cannot be written.
    """
    path = Path(path)
    architecture, config = describe_architecture(functional)
    weights = {key: value.detach().cpu().contiguous() for key, value in functional.state_dict().items()}
    _check_finite(weights, path)
    own: dict[str, Any] = {
        "architecture": architecture,
        "config": config,
        "ingredients": declared_ingredients(functional),
    }
    if ensemble is not None:
        own |= {"format": FORMAT, "ensemble": ensemble.record()}
        weights |= {key: value.contiguous() for key, value in ensemble.tensors().items()}
    record = CheckpointRecord.model_validate({"name": name, **own, "mlxc_version": __version__, **fields})
    record = record.model_copy(update={"content_hash": content_hash(record, weights)})
    try:
        with replacing(path) as temporary:
            # Not save_file, whose files nobody but their owner may read.
            temporary.write_bytes(safetensors.torch.save(weights, {METADATA_KEY: record.model_dump_json()}))
    except OSError as error:
        raise refusal(path, f"cannot be written: {(error.strerror or str(error)).lower()}.") from None
    return record


def load_checkpoint(path: str | Path) -> nn.Module:
    """The functional in a file; its attribute ``checkpoint`` is the record, its name that of the record.

    Its attribute ``ensemble`` is the :class:`~mlxc.xc.checkpoints.ensemble.Ensemble` in the file, None where it has
    none.

    Raises:
        InputError: the file is not in order; a sentence says what is wrong with it.
    """
    path = Path(path)
    record = read_record(path)
    try:
        tensors = safetensors.torch.load_file(path)
    except (SafetensorError, OSError):
        raise refusal(path, "is damaged, its tensors do not fit its header.") from None
    try:
        functional = build_architecture(record.architecture, record.config)
    except InputError as error:
        raise refusal(path, f"{error}") from None
    further = {} if record.ensemble is None else {key: tensors[key] for key in TENSORS if key in tensors}
    weights = {key: value for key, value in tensors.items() if key not in further}
    _check_shapes(weights, functional.state_dict(), path)
    _check_finite(weights, path)
    if declared_ingredients(functional) != record.ingredients:
        raise refusal(path, "the ingredients in its record are not those of its architecture.")
    functional.load_state_dict(weights)
    ensemble = _ensemble(functional, record, further, path)
    if record.content_hash != content_hash(record, tensors):
        raise refusal(path, "was altered or damaged, its content is not what its hash says.")
    functional.checkpoint = record  # type: ignore[assignment]
    functional.ensemble = ensemble  # type: ignore[assignment]
    name_functional(functional, record.name, record.content_hash)
    return functional


def _ensemble(
    functional: nn.Module, record: CheckpointRecord, tensors: dict[str, Tensor], path: Path
) -> Ensemble | None:
    if record.ensemble is None:
        return None
    try:
        return Ensemble.of_file(functional, record.ensemble, tensors)
    except InputError as error:
        raise refusal(path, f"{error}") from None


def content_hash(record: CheckpointRecord, tensors: dict[str, Tensor]) -> str:
    """SHA-256 of the record without its hash, and of names, types, shapes and bytes of all tensors."""
    digest = hashlib.sha256(record.model_dump_json(exclude={"content_hash"}).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return f"sha256:{digest.hexdigest()}"


def _check_shapes(weights: dict[str, Tensor], expected: dict[str, Tensor], path: Path) -> None:
    if missing := sorted(expected.keys() - weights.keys()):
        raise refusal(path, f"lacks the weights {_shown(missing)}.")
    if unknown := sorted(weights.keys() - expected.keys()):
        raise refusal(path, f"its architecture has no weights {_shown(unknown)}.")
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape or tensor.dtype != expected[name].dtype:
            raise refusal(
                path, f"the weights {name} are {_kind(tensor)}, where its architecture has {_kind(expected[name])}."
            )


def _shown(names: list[str]) -> str:
    return ", ".join(repr(name[:SHOWN_LENGTH]) for name in names[:SHOWN_NAMES])


def _kind(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def _check_finite(weights: dict[str, Tensor], path: Path) -> None:
    for name, tensor in weights.items():
        if not bool(torch.isfinite(tensor).all()):
            raise refusal(path, f"the weights {name} are not all finite numbers.")
