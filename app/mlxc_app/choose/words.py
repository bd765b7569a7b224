"""Settings in words."""

from __future__ import annotations

from pathlib import PurePath

from mlxc.xc.checkpoints.record import SUFFIX


def functional_in_words(xc: str) -> str:
    """The functional without the folders of checkpoint files, which say nothing to a person."""
    return " ".join(PurePath(word).stem if word.endswith(SUFFIX) else word for word in xc.split())
