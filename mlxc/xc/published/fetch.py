"""Published networks that do not come with mlxc, since their authors state no licence: downloaded, then converted."""

from __future__ import annotations

import hashlib
from http.client import HTTPException
from pathlib import Path, PurePath
from urllib.request import urlopen

from mlxc.errors import InputError
from mlxc.utils.replacing import replacing
from mlxc.utils.spelling import did_you_mean
from mlxc.xc.checkpoints.files import checkpoints_directory, fetched_path
from mlxc.xc.checkpoints.record import LARGEST_FILE
from mlxc.xc.published.sources import SOURCES, PublishedSource

SECONDS = 30


def fetch_checkpoint(name: str) -> Path:
    """Bring a published network onto this computer, where its name is a functional from then on.

    A file that lies in :func:`downloads_directory` already is not downloaded again.

    Args:
        name: The name of a network in :data:`~mlxc.xc.published.sources.SOURCES`, in upper or lower case.

    Returns:
        The path of the checkpoint.

    Raises:
        InputError: there is no such network, it is here already by itself, the file cannot be downloaded or stored, or
            is not the published one.
    """
    name = name.lower()
    if name not in SOURCES:
        known = [other for other, source in SOURCES.items() if not source.may_be_passed_on]
        raise InputError(
            f"{name[:60]!r} is none of {', '.join(known)}, which can be fetched{did_you_mean(name, known)}."
        )
    source = SOURCES[name]
    if source.may_be_passed_on:
        raise InputError(f"{name!r} comes with mlxc; there is nothing to fetch.")
    from mlxc.xc.published.conversion import convert_published

    ((file, sha256),) = source.files.items()
    original = downloads_directory() / PurePath(file).name
    try:
        if not original.is_file():
            content = _downloaded(source, file, original)
            original.parent.mkdir(parents=True, exist_ok=True)
            with replacing(original) as temporary:
                temporary.write_bytes(_checked(content, sha256, source.address(file)))
        _checked(original.read_bytes(), sha256, str(original))
    except OSError as error:
        raise InputError(f"{str(original)!r} cannot be written or read: {_reason(error)}.") from None
    convert_published(name, original, fetched_path(name))
    return fetched_path(name)


def downloads_directory() -> Path:
    """Where the authors' files are kept, and where a person puts one that cannot be downloaded."""
    return checkpoints_directory() / "downloads"


def _downloaded(source: PublishedSource, file: str, target: Path) -> bytes:
    try:
        with urlopen(source.address(file), timeout=SECONDS) as answer:
            content: bytes = answer.read(LARGEST_FILE + 1)
    except (OSError, HTTPException, ValueError) as error:
        raise InputError(
            f"{source.address(file)} cannot be downloaded ({_reason(error)}); download it elsewhere, put it here as "
            f"{str(target)!r}, and give the command again."
        ) from None
    return content


def _checked(content: bytes, sha256: str, where: str) -> bytes:
    """The content, if it is what was published."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise InputError(f"{where} is not the published file: its SHA-256 is {found}, not {sha256}.")
    return content


def _reason(error: Exception) -> str:
    """What went wrong, without the wrappers of urllib, on one line."""
    inner = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
    return " ".join(str(inner).split())[:200] or type(error).__name__
