"""What other installed packages bring along, through entry points."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from importlib.metadata import entry_points
from typing import Any


def plugins(group: str, expected: type) -> Iterator[Any]:
    """What the entry points of a group name; one that cannot be loaded is left out with a warning.

    Args:
        group: The group of entry points.
        expected: The class of which all must be instances.
    """
    for point in entry_points(group=group):
        try:
            found = point.load()
        except Exception as error:  # whatever happens in a foreign package
            warnings.warn(f"{group}: {point.name} ({point.value}) cannot be loaded: {error}", stacklevel=2)
            continue
        if isinstance(found, expected):
            yield found
        else:
            warnings.warn(f"{group}: {point.name} ({point.value}) is no {expected.__name__}.", stacklevel=2)
