"""The time that is left of a run, beside runs whose end is known."""

from __future__ import annotations

from typing import Any

import pytest
from mlxc_app.run.time_left import duration_in_words, in_words, seconds_left

from mlxc.tasks.parts import Parts

# Residuals and times of runs on two cores, and when they ended: aluminium, magnesium oxide, nickel with spin and
# barium titanate, whose charge comes to rest slowly.
MEASURED: dict[str, tuple[float, list[tuple[float, float]]]] = {
    "al": (3.9, [(1e-1, 1.43), (5.5e-2, 1.66), (5.8e-4, 1.93), (8.6e-5, 2.34), (1.6e-5, 2.63), (1.5e-6, 2.92)]),
    "mgo": (7.4, [(1.1e-1, 1.56), (3.9e-2, 2.4), (5.1e-3, 3.16), (4.8e-4, 3.98), (1e-4, 4.78), (5.8e-6, 5.63)]),
    "ni": (
        18.6,
        [
            (6.4e-2, 2.23), (1.5e-2, 3.81), (4.1e-3, 5.62), (1.2e-3, 7.58), (7.2e-4, 9.87), (7.5e-5, 12.02),
            (2.1e-5, 14.17), (3e-6, 16.1),
        ],
    ),
    "batio3": (
        82.7,
        [
            (1.4e-1, 8.85), (1.2e-1, 15.84), (4.5e-2, 23.39), (2.7e-2, 30.3), (4.3e-3, 37.23), (1.7e-3, 44.37),
            (3e-4, 51.16), (7.6e-5, 58.22), (8.8e-6, 65.37), (2.6e-6, 72.46),
        ],
    ),
}  # fmt: skip
TARGET = 1e-6
# What nobody minds.
SHORT_SECONDS = 5


def step(number: int, residual: float, elapsed: float, point: int | None = None) -> dict[str, Any]:
    return {
        "kind": "iteration",
        "iteration": number,
        "point": point,
        "density_residual": residual,
        "seconds": elapsed,
        "elapsed_seconds": elapsed,
    }


@pytest.mark.parametrize("name", MEASURED)
def test_from_the_third_step_on_the_time_left_is_true_within_a_factor_of_two(name: str) -> None:
    end, steps = MEASURED[name]
    records = [step(n, residual, elapsed) for n, (residual, elapsed) in enumerate(steps, start=1)]
    assert seconds_left(records[:2], Parts(after=0.05), TARGET) is None
    for count in range(3, len(records) + 1):
        left, true = seconds_left(records[:count], Parts(after=0.05), TARGET), end - records[count - 1]["seconds"]
        assert left is not None
        assert true / 2 < left < 2 * true or (true < SHORT_SECONDS and left < 2 * SHORT_SECONDS)


def test_the_time_left_is_that_of_the_whole_task() -> None:
    """Seven volumes: the first takes 10 s, each of the others 6 s, as is usual for those that go on from another."""
    first = [step(n, 10.0**-n, 10 * n / 6, 0) for n in range(1, 7)]
    parts = Parts.continued(7, "volume")
    left = seconds_left(first, parts, TARGET)
    assert left == pytest.approx(36)
    assert seconds_left(first[:3], parts, TARGET) == pytest.approx(36 + 5, rel=0.3)
    second = [step(n, 10.0 ** (-3 - n), 10 + 2 * n, 1) for n in (1, 2, 3)]
    assert seconds_left([*first, *second], parts, TARGET) == pytest.approx(30)


def test_what_follows_the_field_counts_as_well() -> None:
    field = [step(n, 10.0**-n, float(n)) for n in range(1, 7)]
    parts = Parts(after=10.0)
    assert seconds_left(field, parts, TARGET) == pytest.approx(60)
    quarter = {"kind": "bands", "elapsed_seconds": 6 + 20.0}
    assert seconds_left([*field, quarter], parts, TARGET, fraction=0.25) == pytest.approx(60)
    saving = {"kind": "stage", "elapsed_seconds": 6 + 70.0}
    assert seconds_left([*field, saving], parts, TARGET) == 0


def test_a_second_start_begins_anew() -> None:
    first = [step(n, 10.0**-n, float(n)) | {"start": 1} for n in range(1, 6)]
    again = [step(5 + n, 10.0**-n, 5.0 + n) | {"start": 2} for n in (1, 2)]
    left = seconds_left([*first, *again], Parts(), TARGET)
    assert left is not None
    assert 2 < left < 8


def test_nothing_is_said_where_nobody_knows_how_much_there_is_to_do() -> None:
    field = [step(n, 10.0**-n, float(n)) for n in range(1, 7)]
    assert seconds_left(field, Parts.unknown(), TARGET) is None
    assert seconds_left([], Parts(), TARGET) is None


def test_times_are_told_as_people_do() -> None:
    assert in_words(34) == "about 34 s left"
    assert in_words(4) == "a few seconds left"
    assert in_words(200) == "about 3 min 20 s left"
    assert in_words(179) == "about 3 min left"
    assert in_words(1000) == "about 17 min left"
    assert duration_in_words(7) == "7 s"
    assert duration_in_words(185) == "3 min 5 s"
