"""How much of a run's density lies where the functional was never trained, in one sentence."""

from __future__ import annotations

from typing import Any

# Below this share a person need not be told a number.
SMALLEST_PERCENT = 0.01


def training_sentence(result: dict[str, Any]) -> str:
    """The sentence for a result that says it; empty for functionals without a training domain."""
    outside = result.get("outside_training_domain")
    if not outside:
        return ""
    electrons, volume = 100 * outside["electrons"], 100 * outside["volume"]
    if max(electrons, volume) == 0:
        return "The whole density lies where this functional was trained."
    return (
        f"Outside the functional's training lie {_percent(electrons)} of the electrons, in {_percent(volume)} of the "
        "volume: there it guesses. The more electrons, the less the result can be trusted."
    )


def _percent(value: float) -> str:
    return f"less than {SMALLEST_PERCENT} %" if value < SMALLEST_PERCENT else f"{value:.2g} %"
