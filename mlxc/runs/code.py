"""Which code a process would compute with that is started now. Imports no torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from hashlib import sha256
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from mlxc.runs.cluster.address import scheduler_address

PACKAGE = "mlxc"


def code_name() -> str:
    """A name that changes with any file of mlxc, or of a package that adds to it, and with what runs them: the Python,
    and the cluster if there is one.

    Pages of the same runs directory share processes only if they would compute with the same code: a functional that
    its author has just changed is computed as it is now.
    """
    digest = sha256(f"{sys.executable} {scheduler_address() or ''}".encode())
    for path in _files():
        digest.update(f"{path} {path.stat().st_mtime_ns}\n".encode())
    return digest.hexdigest()[:16]


def _files() -> Iterator[Path]:
    points = entry_points()
    groups = [group for group in points.groups if group.startswith(PACKAGE)]
    added = {entry.module.split(".")[0] for group in groups for entry in points.select(group=group)}
    for name in sorted({PACKAGE, *added}):
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations:
            for folder in spec.submodule_search_locations:
                yield from sorted(Path(folder).rglob("*.py"))
        elif spec is not None and spec.origin is not None:
            yield Path(spec.origin)
