"""Where checkpoints lie, by name. Imports no torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from mlxc.utils.assets import asset_path
from mlxc.utils.user_data import user_data_directory
from mlxc.xc.checkpoints.record import SUFFIX, CheckpointRecord, read_record
from mlxc.xc.published.sources import SOURCES

# Before the name of a checkpoint: the functional held inside the domain of its training.
CLAMPED = "clamped:"
# Behind the name of a checkpoint: a member of its ensemble, counted from one.
_MEMBER = re.compile(r"(.+)#(\d{1,6})", re.DOTALL)


def unclamped(name: str) -> str:
    """The name of the checkpoint itself, or of its member."""
    return name.removeprefix(CLAMPED)


def split_member(name: str) -> tuple[str, int | None]:
    """The name of a checkpoint, and the number of the member of its ensemble that ``NAME#NUMBER`` names, else None."""
    found = _MEMBER.fullmatch(name)
    return (name, None) if found is None else (found[1], int(found[2]))


def shipped_checkpoints() -> dict[str, Path]:
    """The checkpoint files that come with mlxc, by name."""
    return {path.stem: path for path in sorted(asset_path("checkpoints").glob(f"*{SUFFIX}"))}


def checkpoints_directory() -> Path:
    """Where fetched checkpoints are: ``$MLXC_CHECKPOINTS``, or ``mlxc/checkpoints`` in the user's data directory."""
    return user_data_directory("checkpoints", "MLXC_CHECKPOINTS")


def fetched_path(name: str) -> Path:
    """Where the published network of this name lies once it has been fetched."""
    return checkpoints_directory() / f"{name}{SUFFIX}"


def to_be_fetched() -> list[str]:
    """The published networks that do not come with mlxc, and are not on this computer."""
    return [name for name, source in SOURCES.items() if not source.may_be_passed_on and not fetched_path(name).exists()]


def named_checkpoints() -> dict[str, Path]:
    """The checkpoint files that have a name: those that come with mlxc, and those that were fetched."""
    fetched = {name: fetched_path(name) for name, source in SOURCES.items() if not source.may_be_passed_on}
    return shipped_checkpoints() | {name: path for name, path in fetched.items() if path.exists()}


def checkpoint_path(name: str) -> Path | None:
    """Where the checkpoint of this name lies, or would lie; None for the names of other functionals.

    Names are understood in upper or lower case. ``clamped:NAME`` and ``NAME#3`` are the same file.
    """
    name, _ = split_member(unclamped(name))
    if (named := named_checkpoints().get(name.lower())) is not None:
        return named
    path = Path(name)
    # A file may be called like a functional, but not with a folder or an extension.
    is_file = ("/" in name or path.suffix != "") and path.is_file()
    return path if name.endswith(SUFFIX) or is_file else None


def with_files_renamed(expression: str, names: Mapping[str, str]) -> str:
    """A functional, or a sum of some, with other names for checkpoint files.

    Args:
        expression: What the names are in.
        names: The new name for each that is to be replaced.
    """
    if not names:
        return expression
    longest_first = sorted(names, key=len, reverse=True)
    found = re.compile(rf"(?<![^\s:*])(?:{'|'.join(map(re.escape, longest_first))})(?=#\d|\s|\Z)")
    return found.sub(lambda match: names[match[0]], expression)


def checkpoint_of(name: str) -> CheckpointRecord | None:
    """The record of a checkpoint that has a name or of a checkpoint file, None for other functionals."""
    path = checkpoint_path(name)
    return None if path is None else read_record(path)
