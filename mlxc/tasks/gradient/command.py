"""The command ``mlxc gradient``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from mlxc.console.options import add_calculation, add_save, calculation_fields, check_writable, finish
from mlxc.observables.catalogue import LOSSES


def add_gradient_command(parser: argparse.ArgumentParser) -> None:
    """Define ``mlxc gradient``."""
    parser.set_defaults(command=_gradient)
    add_calculation(parser)
    add_save(parser)
    parser.add_argument(
        "--loss",
        required=True,
        metavar="NAME",
        help=_listed(f"{loss.name} ({loss.hint})" if loss.hint else loss.name for loss in LOSSES.values()),
    )
    units = _listed(loss.unit for loss in LOSSES.values())
    parser.add_argument(
        "--target",
        type=float,
        metavar="X",
        help=f"whose squared deviation is the loss: {units} (of a lattice constant: measured)",
    )
    parser.add_argument("--unrolled", action="store_true", help="back through each step of the SCF, for small cells")
    parser.add_argument(
        "--step", type=float, metavar="S", help="descend by this part of the parameters' norm, and compute again"
    )


def _listed(words: Iterable[str]) -> str:
    *most, last = dict.fromkeys(words)
    return f"{', '.join(most)} or {last}"


def _gradient(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.console.progress import Progress
    from mlxc.console.report import gradient_report
    from mlxc.tasks.gradient.task import GradientTask

    check_writable(options.save)
    task: dict[str, Any] = {
        "calculation": calculation_fields(options),
        "loss": options.loss,
        "target": options.target,
        "mode": "unrolled" if options.unrolled else "implicit",
        "step": options.step,
    }
    with Progress() as progress:
        result = GradientTask.from_dict(task).run(monitor=progress.record, on_record=progress.gradient)
    if options.save is not None:
        result.save(options.save)
    return finish(options, result, gradient_report)
