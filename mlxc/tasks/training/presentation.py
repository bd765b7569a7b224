"""How a training is told to a person. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlxc.console.checkpoint_report import checkpoint_report
from mlxc.console.record_table import RecordTable
from mlxc.console.text import remark
from mlxc.observables.catalogue import TARGETS

START, STEP, PAUSED = "training_start", "training_step", "training_paused"
ADJOINT = "training_adjoint"
_MEAN = "_mean_absolute_error_"
_OF_LISTS = {
    "training": "on the solids it has learned from",
    "validation": "on those that validate",
    "test": "on new ones",
}

# How many times worse than what it has learned what is new must come out to be told, if its error counts at all: an
# error of so many of its unit is within what experiments and codes differ by.
_OVERFITTED, _NOTABLE = 4.0, 0.1


def training_report(summary: dict[str, Any]) -> str:
    """The result as text; ``summary`` is the object that ``--json`` prints."""
    lines = [checkpoint_report(summary["record"]), "", training_sentence(summary)]
    return "\n".join([*lines, *remark(summary)])


def training_sentence(summary: Mapping[str, Any]) -> str:
    """What came out: the parameters if they are few, and the mean errors of each list of solids."""
    fitted = parameters_in_words(summary["parameters"])
    done = f"{summary['name']}: {summary['steps']} steps in {summary['seconds']:.1f} s"
    told = ", ".join(filter(None, [done, kept_in_words(summary.get("kept_step"), summary.get("last_step", 0)), fitted]))
    return f"{told}. {errors_in_words(summary['metrics'], summary.get('metrics_before', {}))}"


def kept_in_words(kept_step: int | None, last_step: int) -> str:
    """The step whose functional is kept, such as ``kept: step 37``; empty where that is not known.

    Args:
        kept_step: The number of the step, see :class:`~mlxc.training.progress.Progress`.
        last_step: The number of the last step of the same round.
    """
    if kept_step is None:
        return ""
    return f"kept: step {kept_step}" if kept_step <= last_step else "kept: the last"


def overfitted_in_words(metrics: Mapping[str, float]) -> str:
    """A sentence on solids that come out far worse than those it has learned from, and what to do; empty if none do.

    Args:
        metrics: The mean absolute errors in a checkpoint's record.
    """
    learned = {key.split(_MEAN)[1]: error for key, error in metrics.items() if key.startswith(f"training{_MEAN}")}
    worse = 0.0
    for key, error in metrics.items():
        list_name, _, quantity = key.partition(_MEAN)
        if list_name not in ("validation", "test") or quantity not in learned:
            continue
        negligible = _NOTABLE * _scale(quantity)
        if error > negligible:
            # What is learned to many digits is no better than what is learned to two.
            worse = max(worse, error / max(learned[quantity], negligible))
    if worse < _OVERFITTED:
        return ""
    more = "" if any(key.startswith("validation") for key in metrics) else "give some to validate on, "
    return (
        f"Solids that it has not learned from come out {worse:.0f} times worse: it is overfitted. "
        f"Learn from more solids, {more}or let it stay near its start (“Stay near”)."
    )


def _scale(quantity: str) -> float:
    """The error that counts as one, of a quantity as a checkpoint's record names it."""
    return TARGETS[quantity.removeprefix("percent_of_")].scale


def parameters_in_words(parameters: Mapping[str, float]) -> str:
    """Named parameters, such as ``kappa = 0.5227, mu = 0.2297``."""
    return ", ".join(f"{name} = {value:.4f}" for name, value in parameters.items())


def errors_in_words(metrics: Mapping[str, float], before: Mapping[str, float]) -> str:
    """The mean absolute errors in a checkpoint's record, list by list.

    Args:
        metrics: The errors.
        before: Those before the first step, by the same names, as far as they are known.
    """
    parts = []
    for name, words in _OF_LISTS.items():
        found = [
            _error(key, value, before.get(key)) for key, value in metrics.items() if key.startswith(f"{name}{_MEAN}")
        ]
        if found:
            parts.append(f"{words} {' and '.join(found)}")
    return f"Mean errors: {'; '.join(parts)}." if parts else ""


def _error(key: str, value: float, before: float | None = None) -> str:
    quantity = key.split(_MEAN)[1]
    relative = quantity.startswith("percent_of_")
    target = TARGETS[quantity.removeprefix("percent_of_")]
    title = target.title.removesuffix(" a0")
    style, unit = (".2f", "%") if relative else (".3g", target.unit)
    was = "" if before is None else f" (before: {before:{style}} {unit})"
    return f"{value:{style}} {unit}{was} of the {title}"


def training_outcome(summary: Mapping[str, Any]) -> str:
    """The mean error on the solids that matter most, for the list of runs; empty if there is none."""
    metrics = summary.get("metrics", {})
    for name in reversed(_OF_LISTS):
        for key, value in metrics.items():
            if key.startswith(f"{name}{_MEAN}"):
                return f"{name}: {_error(key, value)}"
    return ""


def _step_line(record: Mapping[str, Any]) -> str | None:
    if record["step"] % 10:
        return None
    losses = {"loss": record["loss"], "validation": record["validation_loss"], "test": record.get("test_loss")}
    told = [f"{name} {loss:.5f}" for name, loss in losses.items() if loss is not None]
    return "  ".join([f"round {record['round']}  step {record['step']:5}", *told])


def _doing_step(record: Mapping[str, Any]) -> tuple[str, float | None]:
    loss = record["loss"]
    most = f" of at most {record['most_steps']}" if "most_steps" in record else ""
    round_ = f", round {record['round'] + 1}" if record["round"] else ""
    told = "" if loss is None else f": loss {loss:.4g}"
    return f"Step {record['step']}{most}{round_}{told}", record.get("done")


def _doing_pause(record: Mapping[str, Any]) -> tuple[str, float | None]:
    return f"Paused before step {record['step']} of round {record['round'] + 1}", None


STEPS = RecordTable(
    "training_steps",
    "one row per step of the training: losses, errors of solids, gradients",
    _step_line,
    doing=_doing_step,
)
STARTS = RecordTable("training_start", "what the functional was when the training began")
PAUSES = RecordTable("training_pauses", "one row per pause", doing=_doing_pause)
ADJOINTS = RecordTable("training_adjoints", "one row per step of each adjoint: the solid, and the residual")
