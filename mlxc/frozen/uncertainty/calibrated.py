"""Whether the error bars of a functional hold for the solids of a library, those apart that it has not seen."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from mlxc.frozen.screening_row import ScreeningRow
from mlxc.solids.calibration import NOMINAL, calibration_curve, fraction_inside
from mlxc.xc.checkpoints.files import checkpoint_of
from mlxc.xc.sums.expression import split_sum

# What rows have a score of.
SCORED = ("lattice_constant", "bulk_modulus")


def seen_solids(functional: str, names: Iterable[str]) -> set[str]:
    """The solids that a functional has learned from, or that the size of its bars was fitted to.

    They are those that its record names, in its training data and in how its ensemble was made; of a sum those of all
    parts.

    Args:
        functional: The name of the functional, or the file of its checkpoint.
        names: The names of the solids of a library.
    """
    records = [checkpoint_of(name) for _, name in split_sum(functional)]
    words = {
        word
        for record in records
        if record is not None
        for text in (record.training_data, record.ensemble.method if record.ensemble else "")
        for word in re.findall(r"\w+", text)
    }
    return words.intersection(names)


def calibration(rows: Sequence[ScreeningRow], seen: Collection[str]) -> dict[str, Any]:
    """How many errors lie within the bars that should hold a share of them.

    Args:
        rows: The rows of one functional.
        seen: The solids that it has seen.

    Returns:
        the shares as ``nominal``, and for each of ``SCORED``, of ``all`` solids and of the ``unseen`` ones, ``inside``
        at each share, ``within_one``, the fraction within one standard deviation, and ``count``; null for none.
    """
    told: dict[str, Any] = {"nominal": list(NOMINAL)}
    for quantity in SCORED:
        scores = {row.solid: row.score(quantity) for row in rows}
        known = {solid: score for solid, score in scores.items() if score is not None}
        unseen = [score for solid, score in known.items() if solid not in seen]
        told[quantity] = {"all": _of(list(known.values())), "unseen": _of(unseen)}
    return told


def _of(scores: list[float]) -> dict[str, Any] | None:
    if not scores:
        return None
    return {"inside": calibration_curve(scores), "within_one": fraction_inside(scores), "count": len(scores)}
