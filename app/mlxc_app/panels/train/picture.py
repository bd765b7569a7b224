"""What is to be seen of a training at one of its steps, as plain data made of the run's records."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlxc.observables.catalogue import TARGETS
from mlxc.tasks.training.presentation import kept_in_words
from mlxc.training.config import TrainingConfig
from mlxc_app.panels.train.solids import TEST, TRAINING, VALIDATION, formula_of

Record = Mapping[str, Any]
# As many steps as a screen has room for.
MOST_POINTS = 300
MOST_LAYERS = 8


@dataclass(frozen=True)
class Curve:
    """F_xc along s at one alpha.

    Attributes:
        alpha: The iso-orbital indicator.
        now: The functional at the step that is shown.
        start: The functional where the training began.
        known: Functionals that people know, by name.
    """

    alpha: float
    now: Sequence[float]
    start: Sequence[float]
    known: Mapping[str, Sequence[float]]


@dataclass(frozen=True)
class SolidError:
    """The error of one solid, in percent, or of a gap in electronvolt.

    Attributes:
        label: Its formula.
        which: The list that it is in.
        now: The error at the step that is shown; None where the functional gives none.
        start: The error where the training began.
    """

    label: str
    which: str
    now: float | None
    start: float | None


@dataclass(frozen=True)
class TrainPicture:
    """What the panel shows.

    Attributes:
        title: The title of the run; empty if the run in hand is no training.
        last: The number of the last step so far, counted over all rounds; -1 before the first.
        shown: The number of the step that is shown.
        kept: The number of the step whose functional is kept, the last one if it has led to it; -1 if none is known.
        kept_words: The same in words.
        loss_words: What the loss is, in a sentence.
        steps: Some steps, at most :data:`MOST_POINTS`.
        losses: The losses at these steps, by list; None where there is no number.
        s: The reduced gradients of the curves.
        curves: The curves, one for each alpha.
        errors: The errors of lattice constants, or else of the first quantity that is learned.
        quantity: What the errors are of.
        layers: The norms of the gradients at these steps, by layer.
        parameters: Named parameters of the step that is shown, and where they began.
        rate: The step size at the step that is shown.
        words: How far the training is, or what came of it.
        adjoints: The residuals of the last adjoint of each solid whose loss needs a response, by its formula.
    """

    title: str = ""
    last: int = -1
    shown: int = -1
    kept: int = -1
    kept_words: str = ""
    loss_words: str = ""
    steps: Sequence[int] = ()
    losses: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    s: Sequence[float] = ()
    curves: tuple[Curve, ...] = ()
    errors: tuple[SolidError, ...] = ()
    quantity: str = ""
    layers: Mapping[str, Sequence[float]] = field(default_factory=dict)
    parameters: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    rate: float | None = None
    words: str = ""
    adjoints: Mapping[str, Sequence[float]] = field(default_factory=dict)


def picture_of(
    title: str,
    config: TrainingConfig,
    start: Record | None,
    steps: Sequence[Record],
    shown: int | None,
    words: str,
    result: Record,
) -> TrainPicture:
    """The picture of a training.

    Args:
        title: The title of its run.
        config: Its configuration.
        start: The record of its beginning; None before there is one.
        steps: The records of its steps.
        shown: The number of the step to show; None for the last.
        words: What to say of it.
        result: What the training has come to; empty as long as that is nothing.
    """
    if start is None:
        return TrainPicture(title=title, words=words)
    index = len(steps) - 1 if shown is None else min(shown, len(steps) - 1)
    step = steps[index] if steps else start
    kept, kept_words = kept_step(steps, result)
    if kept == index and result.get("kept_step", 0) > result.get("last_step", 0):
        # The last step has led to what is kept.
        step = {**step, "enhancement": result["enhancement"], "parameters": result["parameters"]}
    some = _thinned(len(steps))
    return TrainPicture(
        title=title,
        last=len(steps) - 1,
        shown=index,
        kept=kept,
        kept_words=kept_words,
        loss_words=loss_in_words(config),
        steps=some,
        losses=_losses([steps[i] for i in some], config),
        s=start["s"],
        curves=tuple(
            Curve(alpha, step["enhancement"][i], start["enhancement"][i], {k: v[i] for k, v in start["known"].items()})
            for i, alpha in enumerate(start["alphas"])
        ),
        errors=_errors(config, steps[0] if steps else {}, step),
        quantity=config.targets[0].quantity,
        layers=_layers([steps[i] for i in some]),
        parameters={name: (value, start["parameters"][name]) for name, value in step["parameters"].items()},
        rate=step.get("rate"),
        words=words,
    )


def kept_step(steps: Sequence[Record], result: Record) -> tuple[int, str]:
    """The number of the step, counted over all rounds, whose functional is kept, or best so far, and what to call it.

    Args:
        steps: The records of all steps.
        result: What the training has come to; empty as long as that is nothing.

    Returns:
        -1 and nothing if that is not known.
    """
    if not steps:
        return -1, ""
    best = result.get("kept_step")
    best = steps[-1].get("best_step") if best is None else best
    if best is None:
        return -1, ""
    begun = len(steps) - sum(step["round"] == steps[-1]["round"] for step in steps)
    return min(begun + best, len(steps) - 1), kept_in_words(best, steps[-1]["step"])


def unit_of_errors(quantity: str) -> str:
    """The unit of the errors of a quantity, for people."""
    known = TARGETS[quantity]
    return "%" if known.relative or known.unit == "percent" else known.unit


def loss_in_words(config: TrainingConfig) -> str:
    """What the loss of a training is, with its units."""
    counted = []
    for target in config.targets:
        known = TARGETS[target.quantity]
        unit = unit_of_errors(target.quantity)
        weight = f", weighted with {target.weight:g}," if len(config.targets) > 1 else ""
        counted.append(f"{target.error_unit:g} {unit} of the {known.title}{weight}")
    errors = "the squared errors" if config.errors == "squared" else "the absolute errors"
    counts = "counts" if len(counted) == 1 else "count"
    return f"The loss is the mean of {errors}, in units in which {' and '.join(counted)} {counts} as one."


def _thinned(count: int) -> list[int]:
    """Indices of at most so many steps, the last among them."""
    stride = max(1, math.ceil(count / MOST_POINTS))
    return sorted({*range(0, count, stride), *([count - 1] if count else [])})


def _losses(steps: Sequence[Record], config: TrainingConfig) -> dict[str, list[float | None]]:
    keys = {TRAINING: "loss"}
    if config.validate_on:
        keys[VALIDATION] = "validation_loss"
    if config.test:
        keys[TEST] = "test_loss"
    return {which: [step.get(key) for step in steps] for which, key in keys.items()}


def _errors(config: TrainingConfig, first: Record, step: Record) -> tuple[SolidError, ...]:
    lists = {TRAINING: config.train, VALIDATION: config.validate_on, TEST: config.test}
    quantity = config.targets[0].quantity

    def error(record: Record, name: str) -> float | None:
        found: float | None = record.get("errors", {}).get(name, {}).get(quantity)
        return found

    return tuple(
        SolidError(formula_of(name), which, error(step, name), error(first, name))
        for which, names in lists.items()
        for name in names
    )


def _layers(steps: Sequence[Record]) -> dict[str, list[float]]:
    """The norm of the gradient of each layer, its weights and biases together."""
    if not steps:
        return {}
    names: dict[str, list[str]] = {}
    for name in steps[-1]["gradient_norms"]:
        names.setdefault(name.rsplit(".", 1)[0], []).append(name)
    chosen = list(names.items())[:MOST_LAYERS]
    return {
        _layer_name(layer, list(names)): [
            math.hypot(*(step["gradient_norms"].get(name, 0.0) for name in parts)) for step in steps
        ]
        for layer, parts in chosen
    }


def _layer_name(layer: str, layers: Sequence[str]) -> str:
    """What a layer is called, such as ``exchange 2`` for the second one of its network; a parameter by its name."""
    network, dot, _ = layer.rpartition(".")
    if not dot:
        return layer
    of_network = [other for other in layers if other.rpartition(".")[0] == network]
    return f"{network.replace('_network', '').replace('.', ' ')} {of_network.index(layer) + 1}"
