"""How long a run will still take, all of it, from what it has told so far.

Of a self-consistent field the density residual falls by about the same factor from step to step, whatever the
crystal, so that after a few steps it is known how many are left. The calculations of one task resemble each other, and
how long they take beside each other says the kind of the task.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import log10
from typing import Any

from mlxc.tasks.kind import ELAPSED, ITERATION
from mlxc.tasks.kinds import kind_named
from mlxc.tasks.parts import Parts

# Powers of ten by which the residual usually falls in a step, which counts as much as so many steps of this SCF.
USUAL_FALL, USUAL_WEIGHT = 0.85, 2
# The last step seldom ends just at the target.
HALF_A_STEP = 0.5
# Before so many steps of the first SCF nothing is said.
FIRST_STEPS = 3
# How many steps tell how long the next ones take.
RECENT = 3
FEW_SECONDS = 5
LONG_SECONDS = 90
# From here on minutes are enough.
VERY_LONG_SECONDS = 600
# In between it goes by in steps of so many.
STEP_SECONDS = 5

Record = dict[str, Any]


def seconds_left_of_task(records: Sequence[Record], kind: str, parts: Parts, target: float | None) -> float | None:
    """Seconds until a task is done, counted from its last record; None if that cannot be told.

    Args:
        records: What the task has told so far.
        kind: The name of its kind, which knows what its records say to be done.
        parts: What it consists of.
        target: The density residual at which a self-consistent calculation ends; None if it is about none.
    """

    def done(record: Record) -> float | None:
        """Which part of the task is done, or of what follows its self-consistent calculations."""
        table = kind_named(kind).records.get(record["kind"])
        return None if table is None or table.doing is None else table.doing(record)[1]

    if parts.steady:
        return seconds_left_of_steps(records, done)
    return seconds_left(records, parts, target, done(records[-1])) if target is not None and records else None


def seconds_left(records: Sequence[Record], parts: Parts, target: float, fraction: float | None = None) -> float | None:
    """Seconds until a task is done, counted from its last record; None if that cannot be told yet, or at all.

    Args:
        records: What the task has told so far.
        parts: What it consists of.
        target: The density residual at which a self-consistent calculation ends.
        fraction: Which part is done of what follows the self-consistent calculations; None if the last record does not
            say so.
    """
    steps = [record for record in records if record["kind"] == ITERATION]
    done = _calculations(steps)
    if not parts.lengths or not done or (len(done) == 1 and len(done[0]) < FIRST_STEPS):
        return None
    since_step = records[-1][ELAPSED] - steps[-1][ELAPSED]
    ends = [0.0, *(group[-1][ELAPSED] for group in done)]
    in_hand = _seconds_of_scf(done[-1], target)
    spent = [end - begin for begin, end in pairwise(ends)]
    spent[-1] += in_hand
    known = parts.lengths[: len(done)]
    unit = sum(spent[: len(known)]) / sum(known)
    after = unit * parts.after
    if len(done) > parts.count or (in_hand == 0 and len(done) == parts.count):
        since_parts = records[-1][ELAPSED] - ends[parts.count]
        if fraction:  # what follows has been measured, otherwise it is only compared
            return since_parts * (1 - fraction) / fraction
        return max(0.0, in_hand - since_step, after - since_parts)
    return max(0.0, in_hand + unit * sum(parts.lengths[len(done) :]) + after - since_step)


def seconds_left_of_steps(records: Sequence[Record], done: Callable[[Record], float | None]) -> float | None:
    """Seconds until a task is done whose steps take the same time each, counted from its last record; None if that
    cannot be told yet.

    Args:
        records: What the task has told so far.
        done: The function that says which part is done as of a record; None where the record does not say so.
    """
    begun = next((record for record in records if done(record)), None)
    if begun is None or records[-1] is begun or not (now := done(records[-1])):
        return None
    first = done(begun) or 0.0
    return float((records[-1][ELAPSED] - begun[ELAPSED]) * (1 - now) / (now - first)) if now > first else None


def _calculations(steps: Sequence[Record]) -> list[list[Record]]:
    """The steps of each self-consistent calculation; the same point may be computed again."""
    found: list[list[Record]] = []
    for step in steps:
        last = found[-1][-1] if found else None
        if last is None or step["point"] != last["point"] or step["iteration"] <= last["iteration"]:
            found.append([])
        found[-1].append(step)
    return found


def _seconds_of_scf(steps: Sequence[Record], target: float) -> float:
    """Seconds that one self-consistent calculation still takes."""
    steps = [step for step in steps if step.get("start", 1) == steps[-1].get("start", 1)]
    last = steps[-1]["density_residual"]
    if last <= target:
        return 0.0
    fallen = log10(steps[0]["density_residual"] / last)
    fall = (fallen + USUAL_FALL * USUAL_WEIGHT) / (len(steps) - 1 + USUAL_WEIGHT)
    # Of a field that does not settle, nobody knows.
    fall = max(fall, USUAL_FALL / 4)
    recent = [step["seconds"] for step in steps][-RECENT - 1 :]
    each = (recent[-1] - recent[0]) / (len(recent) - 1) if len(recent) > 1 else recent[0]
    return (log10(last / target) / fall + HALF_A_STEP) * each


def in_words(seconds: float) -> str:
    """A time that is left in words, such as ``about 23 s left``, with so many digits that one sees it go by."""
    if seconds < FEW_SECONDS:
        return "a few seconds left"
    if seconds < LONG_SECONDS:
        return f"about {round(seconds)} s left"
    if seconds < VERY_LONG_SECONDS:
        minutes, rest = divmod(STEP_SECONDS * round(seconds / STEP_SECONDS), 60)
        return f"about {minutes} min {rest} s left" if rest else f"about {minutes} min left"
    return f"about {round(seconds / 60)} min left"


def duration_in_words(seconds: int) -> str:
    """A time that has gone by in words, such as ``12 s`` or ``3 min 5 s``."""
    return f"{seconds} s" if seconds < LONG_SECONDS else f"{seconds // 60} min {seconds % 60} s"
