"""The crystals that a person has brought to the page, as they were understood."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlxc.crystal.crystal import Crystal
from mlxc.errors import InputError
from mlxc.utils.replacing import replacing
from mlxc_app.choose.own.files import OwnFiles


@dataclass(frozen=True)
class OwnStructure:
    """A crystal that was read from a file or a text.

    Attributes:
        title: How it is called on the page.
        crystal: The crystal, before any edit.
        remarks: What a person should know of how it was read, a sentence each.
    """

    title: str
    crystal: Crystal
    remarks: tuple[str, ...]


def keep_structure(structure: OwnStructure, file_name: str, owner: str) -> str:
    """Store a structure; one that is there already is found again.

    Returns:
        the name by which it is found.
    """
    content = json.dumps(
        {"title": structure.title, "structure": structure.crystal.to_dict(), "remarks": structure.remarks}
    ).encode()
    path = _files(owner).free_path(file_name, content)
    with replacing(path) as temporary:
        temporary.write_bytes(content)
    return path.stem


def own_structure(name: str, owner: str) -> OwnStructure:
    """The structure of this name.

    Raises:
        InputError: it is not there any more, or its file is damaged.
    """
    found = [path for path in _files(owner).paths() if path.stem == name]
    data = _read(found[0]) if found else None
    if data is None:
        raise InputError(f"Your structure {name} is not there any more: bring its file again.")
    return OwnStructure(data["title"], Crystal.from_dict(data["structure"]), tuple(data["remarks"]))


def own_structures(owner: str) -> list[tuple[str, str]]:
    """The (title, name) of each, those of the same title numbered; a file that was damaged is left out."""
    read = [(path.stem, _read(path)) for path in _files(owner).paths()]
    seen: Counter[str] = Counter()
    entries = []
    for name, data in read:
        if data is not None:
            title = data["title"]
            seen[title] += 1
            entries.append((title if seen[title] == 1 else f"{title} ({seen[title]})", name))
    return sorted(entries, key=lambda entry: entry[0].lower())


def own_structure_like(crystal: Crystal, owner: str) -> str:
    """The name of the structure that is this crystal with these moments; empty if there is none."""
    for path in _files(owner).paths():
        data = _read(path)
        if data is not None and Crystal.from_dict(data["structure"]).same_as(crystal, with_moments=True):
            return path.stem
    return ""


def delete_structure(name: str, owner: str) -> None:
    """Remove a structure from the list; runs that were made of it keep theirs.

    Raises:
        InputError: it is not there any more.
    """
    files = _files(owner)
    files.delete(files.directory / f"{name}{files.suffix}")


def _files(owner: str) -> OwnFiles:
    return OwnFiles("structures", ".json", owner)


def _read(path: Path) -> dict[str, Any] | None:
    with suppress(OSError, ValueError):
        data = json.loads(path.read_bytes())
        if isinstance(data, dict) and {"title", "structure", "remarks"} <= data.keys():
            return data
    return None
