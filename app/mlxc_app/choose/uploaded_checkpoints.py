"""The checkpoints that a person has brought to the page; they stay beside the runs."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from mlxc.errors import InputError
from mlxc.runs.folder import runs_directory
from mlxc.structures.files import MAX_FILE_BYTES
from mlxc.xc.checkpoints.record import SUFFIX, read_record

LONGEST_NAME = 60
# As many files of one name as are kept side by side.
NAMESAKES = 100


def uploaded_checkpoints() -> list[Path]:
    """The files of this and earlier visits; one that was damaged since is left out."""
    found = []
    for path in sorted(_directory().glob(f"*{SUFFIX}")):
        with suppress(InputError):
            read_record(path)
            found.append(path)
    return found


def keep_checkpoint(file_name: str, content: bytes) -> Path:
    """Check an uploaded checkpoint and store it; a file that is there already is kept, never replaced.

    Raises:
        InputError: with one sentence that says what is wrong with the file; nothing is stored.
    """
    shown = PurePath(file_name).name
    if len(content) > MAX_FILE_BYTES:
        raise InputError(f"{shown}: the file is larger than {MAX_FILE_BYTES // 1024**2} MB, too large for this page.")
    _directory().mkdir(parents=True, exist_ok=True)
    # Not in the list above before it is known to be in order.
    with TemporaryDirectory(dir=_directory()) as folder:
        temporary = Path(folder) / "upload"
        temporary.write_bytes(content)
        _check(temporary, shown)
        return temporary.replace(_free_path(_safe_stem(shown), content))


def _check(path: Path, shown: str) -> None:
    try:
        read_record(path)
    except InputError as error:
        raise InputError(str(error).replace(str(path), shown)) from None


def _safe_stem(file_name: str) -> str:
    """The name without its suffix, in letters that mean nothing to a shell or to the notation of sums."""
    stem = file_name.removesuffix(SUFFIX)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip(".-")[:LONGEST_NAME] or "functional"


def _free_path(stem: str, content: bytes) -> Path:
    """A path of this name where there is nothing yet, or the same content."""
    for number in range(1, NAMESAKES + 1):
        path = _directory() / (f"{stem}{SUFFIX}" if number == 1 else f"{stem}-{number}{SUFFIX}")
        if not path.exists() or path.read_bytes() == content:
            return path
    raise InputError(f"{stem}{SUFFIX}: there are {NAMESAKES} other files of this name; give it another one.")


def _directory() -> Path:
    return runs_directory() / "checkpoints"
