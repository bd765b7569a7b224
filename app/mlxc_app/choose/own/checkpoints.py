"""The checkpoints that a person has brought to the page."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

from mlxc.errors import InputError, MlxcError
from mlxc.runs.folder import ENDED, RunFolder
from mlxc.runs.kept import kept_runs
from mlxc.tasks.files import checkpoint_files
from mlxc.tasks.kinds import functionals_of
from mlxc.xc.checkpoints.record import SUFFIX, read_record
from mlxc_app.choose.own.command import answer_of
from mlxc_app.choose.own.files import OwnFiles


def own_checkpoints(owner: str) -> list[Path]:
    """The files of this and earlier visits; one that was damaged since is left out."""
    found = []
    for path in _files(owner).paths():
        with suppress(InputError):
            read_record(path)
            found.append(path)
    return found


async def examine_alone(path: Path) -> None:
    """Load the weights of a checkpoint and ask them, which needs PyTorch, in a process of its own.

    Raises:
        MlxcError: with one sentence that says what is wrong with the file.
    """
    await answer_of("checkpoint", "verify", str(path), "--json")


async def keep_checkpoint(
    file_name: str, content: bytes, owner: str, examine: Callable[[Path], Awaitable[None]] = examine_alone
) -> Path:
    """Examine an uploaded checkpoint and store it; a file that is there already is kept, never replaced.

    Args:
        file_name: What the file is called.
        content: What is in it.
        owner: The visitor who brings it.
        examine: A function that raises an MlxcError if something is wrong with a file, in its folder here.

    Raises:
        InputError: with one sentence that says what is wrong with the file; nothing is stored.
    """
    files, shown = _files(owner), PurePath(file_name).name
    files.directory.mkdir(parents=True, exist_ok=True)
    # Not in the list above before it is known to be in order.
    with TemporaryDirectory(dir=files.directory) as folder:
        temporary = Path(folder) / f"upload{SUFFIX}"
        temporary.write_bytes(content)
        try:
            read_record(temporary)
            await examine(temporary)
        except MlxcError as error:
            raise InputError(str(error).replace(str(temporary), shown)) from None
        return temporary.replace(files.free_path(shown, content))


def keep_trained(checkpoint: Path, name: str, owner: str) -> Path:
    """Store a checkpoint that a training here has written, under a name of the visitor's own.

    Raises:
        InputError: it is damaged, or there are too many of this name.
    """
    read_record(checkpoint)
    content = checkpoint.read_bytes()
    path = _files(owner).free_path(name, content)
    path.write_bytes(content)
    return path


def delete_checkpoint(path: Path, owner: str) -> None:
    """Remove a checkpoint from the list.

    Raises:
        InputError: it is not there any more, or a run that has not ended needs it.
    """
    needing = [run for run in kept_runs() if run.status["state"] not in ENDED and path in _needed_by(run)]
    if needing:
        raise InputError(f"{path.stem} is needed by “{needing[0].title}”: stop or remove that run first.")
    _files(owner).delete(path)


def _needed_by(run: RunFolder) -> list[Path]:
    try:
        return list(checkpoint_files(functionals_of(run.task)).values())
    except InputError:
        return []


def _files(owner: str) -> OwnFiles:
    return OwnFiles("checkpoints", SUFFIX, owner)
