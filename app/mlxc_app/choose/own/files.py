"""The folders with what a person has brought to the page; they stay beside the runs."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from mlxc.errors import InputError
from mlxc.runs.folder import runs_directory
from mlxc.runs.kept import is_shared

LONGEST_NAME = 60
# As many files of one name as are kept side by side.
NAMESAKES = 100


@dataclass(frozen=True)
class OwnFiles:
    """The files of one kind that a visitor has brought; on a shared server nobody else sees them.

    Attributes:
        kind: The name of their folder.
        suffix: How their names end.
        owner: The visitor.
    """

    kind: str
    suffix: str
    owner: str

    @property
    def directory(self) -> Path:
        """Where they lie; it is there once a file is."""
        folder = runs_directory() / self.kind
        return folder / hashlib.sha256(self.owner.encode()).hexdigest()[:16] if is_shared() else folder

    def paths(self) -> list[Path]:
        """The files of this and earlier visits, by name."""
        return sorted(self.directory.glob(f"*{self.suffix}"))

    def free_path(self, name: str, content: bytes) -> Path:
        """A path of this name where there is nothing yet, or the same content.

        Args:
            name: How a person calls it; letters that mean something to a shell or in a sum are replaced.
            content: What is to be written there.

        Raises:
            InputError: there are too many files of this name.
        """
        self.directory.mkdir(parents=True, exist_ok=True)
        stem = _safe_stem(name, self.suffix)
        for number in range(1, NAMESAKES + 1):
            path = self.directory / (f"{stem}{self.suffix}" if number == 1 else f"{stem}-{number}{self.suffix}")
            if not path.exists() or path.read_bytes() == content:
                return path
        raise InputError(f"{stem}{self.suffix}: there are {NAMESAKES} other files of this name; give it another one.")

    def delete(self, path: Path) -> None:
        """Remove one of these files.

        Raises:
            InputError: it is none of them, or not there any more.
        """
        if path not in self.paths():
            raise InputError(f"{path.name} is not there any more, or not yours to delete.")
        path.unlink()


def _safe_stem(name: str, suffix: str) -> str:
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", name.removesuffix(suffix))
    return stem.strip(".-")[:LONGEST_NAME] or "unnamed"
