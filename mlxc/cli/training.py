"""The commands ``mlxc train`` and ``mlxc evaluate``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from mlxc.console.options import CONVERGED, NOT_CONVERGED, fail
from mlxc.errors import InputError
from mlxc.utils.job_pool import Where
from mlxc.utils.writable import obstacle_to_writing


def add_training_command(parser: argparse.ArgumentParser) -> None:
    """Define ``mlxc train``."""
    parser.set_defaults(command=_train)
    parser.add_argument("config", type=Path, help="YAML file, see mlxc.training.config")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="for the model and its log; a run there goes on")
    add_job_options(parser)


def add_evaluation_command(parser: argparse.ArgumentParser) -> None:
    """Define ``mlxc evaluate``."""
    parser.set_defaults(command=_evaluate)
    tables = "'sol58lc', a table of solids (JSON, CSV, extended XYZ), or mp: and identifiers of the Materials Project"
    parser.add_argument("suite", help=tables)
    parser.add_argument("--xc", nargs="+", default=["pbe"], metavar="NAME", help="functionals to compare (pbe)")
    parser.add_argument("--solids", nargs="+", metavar="NAME", help="some of the table's solids")
    parser.add_argument(
        "--out", type=Path, default=Path("evaluation"), metavar="FOLDER", help="for results (evaluation)"
    )
    add_job_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object to standard output")


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """Add where independent computations go."""
    parser.add_argument("--processes", type=int, default=1, metavar="N", help="local ones (1)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="of Dask, whose workers compute instead")


def check_processes(options: argparse.Namespace) -> None:
    """Say that there must be a process.

    Raises:
        InputError: there is none.
    """
    if options.processes < 1:
        raise InputError(f"--processes: there must be at least one, not {options.processes}.")


def _train(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.console.checkpoint_report import checkpoint_report
    from mlxc.tasks.training.presentation import overfitted_in_words
    from mlxc.training.config import read_config
    from mlxc.training.trainer import MODEL, Trainer
    from mlxc.xc.catalogue import functional

    check_processes(options)
    config = read_config(options.config)
    folder = options.out or Path(config.name)
    trainer = Trainer(config, folder, on_step=_show_step, where=Where(options.processes, options.scheduler))
    check_writable(folder)
    record = trainer.run()
    report = checkpoint_report(record.model_dump(mode="json"))
    # A network's many parameters tell a person nothing.
    parameters = functional(str(folder / MODEL)).named_parameters()
    fitted = ", ".join(f"{name} = {value.item():.4g}" for name, value in parameters if value.numel() == 1)
    doubt = overfitted_in_words(record.metrics)
    print("\n\n".join(filter(None, [report, fitted, doubt, f"written to {folder / MODEL}"])))
    return fail(trainer.message, NOT_CONVERGED) if trainer.message else CONVERGED


def check_writable(folder: Path) -> None:
    """Make a folder, and find out before the calculations, not after them, that nothing can be written there.

    Raises:
        InputError: it cannot be made or written to.
    """
    obstacle = obstacle_to_writing(folder)
    if obstacle is not None:
        raise InputError(f"--out: there can be no folder {str(folder)!r}: {obstacle}.")


def _show_step(record: dict[str, Any]) -> None:
    if record["step"] % 10 == 0:
        losses = {"loss": record["loss"], "validation": record["validation_loss"], "test": record.get("test_loss")}
        told = [f"{name} {loss:.5f}" for name, loss in losses.items() if loss is not None]
        print("  ".join([f"round {record['round']}  step {record['step']:5}", *told]), file=sys.stderr)


def _evaluate(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.solids.table import chosen_solids, read_solids
    from mlxc.training.evaluation import evaluate
    from mlxc.training.evaluation_report import markdown_tables, summary, write_report

    check_processes(options)
    solids = chosen_solids(read_solids(options.suite), options.solids)
    check_writable(options.out)
    records = evaluate(
        solids,
        options.xc,
        options.out,
        processes=options.processes,
        scheduler=options.scheduler,
        on_result=_show_result,
    )
    write_report(records, options.out)
    print(json.dumps(summary(records), indent=1) if options.json else markdown_tables(records))
    return 0 if all(not record["message"] for record in records) else 3


def _show_result(record: dict[str, Any]) -> None:
    from mlxc.training.evaluation_report import result_line

    said = result_line(record)
    print(f"{record['solid']:14} {record['xc']:20} {said}  ({record['seconds']:.0f} s)", file=sys.stderr)
