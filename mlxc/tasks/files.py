"""The files that a task reads, and how they are named where they lie beside it: in an archive, on another machine.

Imports no torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlxc.tasks.kinds import calculation_of, functionals_of
from mlxc.tasks.task import AnyTask, functionals_in
from mlxc.xc.checkpoints.files import checkpoint_path, named_checkpoints, split_member, unclamped, with_files_renamed
from mlxc.xc.sums.expression import split_sum


def checkpoint_files(functionals: Sequence[str]) -> dict[str, Path]:
    """The checkpoint files in functionals, by the names that they have beside an exported file.

    Those that have a name have no files here. Files of the same name in different folders are numbered.
    """
    names = dict.fromkeys(split_member(unclamped(name))[0] for xc in functionals for _, name in split_sum(xc))
    paths = [checkpoint_path(name) for name in names if name.lower() not in named_checkpoints()]
    found: dict[str, Path] = {}
    for path in filter(None, paths):
        namesakes = sum(other.name == path.name for other in found.values())
        found[f"{namesakes + 1}-{path.name}" if namesakes else path.name] = path
    return found


def term_files(terms: Mapping[str, str]) -> dict[str, Path]:
    """The files that define further terms of the energy, by the names that they have in an archive."""
    files = {name: Path(text) for name, text in terms.items()}
    return {_name_beside(name, path): path for name, path in files.items() if path.is_file()}


def files_of(task: AnyTask) -> dict[str, Path]:
    """The files that a task reads, by the names that they have beside an exported file, as far as they are there."""
    calculation = calculation_of(task)
    files = checkpoint_files(functionals_of(task))
    if calculation is not None:
        files |= term_files(calculation.terms)
    return {name: path for name, path in files.items() if path.is_file()}


def _name_beside(term: str, path: Path) -> str:
    """A name that no other file of an archive has."""
    return f"{term}-{path.name}"


def with_files_beside(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings of a calculation or a training, with checkpoints and files of terms named as if they lay in the same
    folder.
    """
    terms, functionals = settings.get("terms", {}), functionals_in(settings)
    names = {str(path): name for name, path in checkpoint_files(list(functionals.values())).items()}
    renamed = {field: with_files_renamed(xc, names) for field, xc in functionals.items()}
    beside = {name: _name_beside(name, Path(text)) for name, text in terms.items()}
    return settings | renamed | ({"terms": beside} if terms else {})
