"""What a checkpoint says of itself, read without loading its weights. Imports no torch.

A checkpoint is a safetensors file: eight bytes with the length of a header, the header as JSON, and the bytes of the
tensors. Nothing in it can be executed. The header's metadata hold one entry, ``mlxc``: the record as JSON.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    model_serializer,
    model_validator,
)

from mlxc.errors import InputError

# The newest format that is read. A file without an ensemble is of format 1, so that older readers take it.
FORMAT, FIRST_FORMAT = 2, 1
SUFFIX = ".safetensors"
METADATA_KEY = "mlxc"
# The architecture of a sum of functionals with weights.
SUM = "sum"
LARGEST_FILE = 256 * 2**20
LARGEST_HEADER = 2**20
# What files begin with that run code when they are loaded.
_PICKLES = {b"PK\x03\x04": "a PyTorch archive (pickle or TorchScript)", b"\x80": "a pickle"}

Bound = float | None


class EnsembleRecord(BaseModel):
    """What the metadata of a checkpoint say of its ensemble, see :mod:`mlxc.xc.checkpoints.ensemble`.

    Attributes:
        parameters: The names of the parameters that differ between members, in the order of their vectors.
        members: The number of members in the file; zero where it has a covariance alone.
        method: How the ensemble was made, and which data calibrated it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    parameters: tuple[str, ...] = Field(min_length=1, max_length=1000)
    members: int = Field(default=0, ge=0, le=1000)
    method: str = Field(default="", max_length=2000)


class CheckpointRecord(BaseModel):
    """The metadata of a checkpoint.

    Attributes:
        format: The version of this record.
        name: The name of the model.
        description: One sentence that describes the model.
        architecture: The form of the functional, see :mod:`mlxc.xc.checkpoints.architectures`.
        config: The settings that build the functional.
        ingredients: The ingredients that the functional wants.
        baseline: The conventional functional that it starts from or imitates.
        training_data: The data that it has learned from.
        seed: The seed of the initial weights.
        metrics: The figures that tell how good it is, with units in their names.
        domain: The lowest and highest r_s, |zeta|, s and alpha seen in training; null for no bound.
        licence: The licence of the weights.
        mlxc_version: The version of mlxc that wrote the file.
        ensemble: What the file says of the uncertainty of its weights; None where it says nothing.
        content_hash: SHA-256 of everything else.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = FIRST_FORMAT
    name: str = Field(min_length=1, max_length=200)
    description: str = Field(default="", max_length=2000)
    architecture: str
    config: dict[str, Any] = Field(default_factory=dict)
    ingredients: tuple[Literal["rho", "grad", "tau"], ...]
    baseline: str | None = None
    training_data: str = ""
    seed: int | None = None
    metrics: dict[str, float] = Field(default_factory=dict)
    domain: dict[Literal["rs", "zeta", "s", "alpha"], tuple[Bound, Bound]] = Field(default_factory=dict)
    licence: str = ""
    mlxc_version: str = ""
    ensemble: EnsembleRecord | None = None
    content_hash: str = ""

    @model_validator(mode="after")
    def _format_knows_ensembles(self) -> CheckpointRecord:
        if self.ensemble is not None and self.format == FIRST_FORMAT:
            raise ValueError("format 1 has no ensembles")
        return self

    @model_serializer(mode="wrap")
    def _without_an_ensemble_where_there_is_none(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """What is written, and goes into the hash, of a file of format 1 is what that format has."""
        fields: dict[str, Any] = dump(self)
        return {name: value for name, value in fields.items() if name != "ensemble" or value is not None}


def refusal(path: Path, reason: str) -> InputError:
    """An error that says why a file is not taken."""
    return InputError(f"Checkpoint {str(path)!r}: {reason}")


def read_record(path: str | Path) -> CheckpointRecord:
    """The record of a checkpoint file.

    Raises:
        InputError: the file is not in order; a sentence says what is wrong with it.
    """
    path = Path(path)
    header = _read_header(path)
    metadata = header.get("__metadata__")
    text = metadata.get(METADATA_KEY) if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise refusal(path, "holds weights without a record of what they are; see convert.")
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise refusal(path, "its record is not JSON.") from None
    version = data.get("format") if isinstance(data, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise refusal(path, f"has format {version}, newer than this version of mlxc can read.")
    try:
        return CheckpointRecord.model_validate(data)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"])) or "record"
        raise refusal(path, f"the entry '{where}' of its record is not valid.") from None


def _read_header(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            start, size = file.read(8), path.stat().st_size
            _refuse_pickles(path, start)
            length = int.from_bytes(start, "little")
            if size < 8 or size < 8 + length <= 8 + LARGEST_HEADER:
                raise refusal(path, f"is cut off after {size} bytes.")
            if size > LARGEST_FILE:
                raise refusal(path, f"is larger than {LARGEST_FILE >> 20} MiB.")
            if length > LARGEST_HEADER:
                raise refusal(path, "is not a safetensors file.")
            text = file.read(length)
    except OSError as error:
        raise refusal(path, f"cannot be read: {(error.strerror or str(error)).lower()}.") from None
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        header = None
    if not isinstance(header, dict):
        raise refusal(path, "is damaged, its header is not a JSON object.")
    return header


def _refuse_pickles(path: Path, start: bytes) -> None:
    for magic, kind in _PICKLES.items():
        # The length of a header may begin like a pickle, with 128, but goes on with zeros.
        if start.startswith(magic) and start[3:] != bytes(5):
            raise refusal(
                path,
                f"is {kind}, which may run code when it is loaded; "
                "'mlxc checkpoint convert' takes the weights out of it safely.",
            )
