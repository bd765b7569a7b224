"""What other installed packages bring along, through entry points."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any


def entry_points_of(group: str) -> Sequence[EntryPoint]:
    """The entry points of a group in all installed packages, whose files are read once for each search path."""
    return _by_group(tuple(sys.path)).get(group, ())


@lru_cache(maxsize=2)
def _by_group(search_path: tuple[str, ...]) -> dict[str, Sequence[EntryPoint]]:
    found = entry_points()
    return {group: tuple(found.select(group=group)) for group in found.groups}


def plugins(group: str, expected: type) -> Iterator[Any]:
    """What the entry points of a group name; one that cannot be loaded is left out with a warning.

    Args:
        group: The group of entry points.
        expected: The class of which all must be instances.
    """
    for point in entry_points_of(group):
        try:
            found = point.load()
        except Exception as error:  # whatever happens in a foreign package
            warnings.warn(f"{group}: {point.name} ({point.value}) cannot be loaded: {error}", stacklevel=2)
            continue
        if isinstance(found, expected):
            yield found
        else:
            warnings.warn(f"{group}: {point.name} ({point.value}) is no {expected.__name__}.", stacklevel=2)
