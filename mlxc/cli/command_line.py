"""The command line, ``mlxc``: a command for each kind of task, and those about checkpoints, training and runs.

Exit code 0 means converged, 2 bad input (one sentence on standard error), 3 not converged (the result is printed all
the same), 130 interrupted. With ``--json`` exactly one JSON object goes to standard output. The parser imports no
torch, so that help and mistakes answer at once.
"""

from __future__ import annotations

import argparse
import os
import warnings
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from typing import Any

from mlxc import __version__
from mlxc.cli.checkpoint import add_checkpoint_commands
from mlxc.cli.compute import add_computing_command
from mlxc.cli.runs import add_export_command, add_run_command
from mlxc.cli.screening import add_freezing_command, add_screening_command
from mlxc.cli.training import add_evaluation_command, add_training_command
from mlxc.console.options import BAD_INPUT, CONVERGED, INTERRUPTED, fail, tell
from mlxc.console.parser import SentenceParser
from mlxc.errors import InputError, MlxcError, MlxcWarning
from mlxc.tasks.kinds import KINDS
from mlxc.utils.full_disk import NO_ROOM, is_full_disk
from mlxc.utils.processes import are_several, distributed, is_first


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    with warnings.catch_warnings():
        warnings.showwarning = partial(_show_warning, warnings.showwarning)
        if is_first():
            return _run(arguments)
        # Of several processes the first one tells how it went, and a launcher ends all when one has failed.
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            _run(arguments)
        return CONVERGED


def _show_warning(
    show: Callable[..., None], message: Warning | str, category: type[Warning], *where: Any, **more: Any
) -> None:
    """Tell a warning of ours in one line, without the place in the code that it comes from; others as Python does."""
    if issubclass(category, MlxcWarning):
        tell(str(message))
    else:
        show(message, category, *where, **more)


def _run(arguments: Sequence[str] | None) -> int:
    try:
        options, unparsed = make_parser().parse_known_args(arguments)
        if unparsed and options.command is not _app:
            raise InputError(f"'{unparsed[0]}' is not understood; 'mlxc {options.name} --help' lists what there is.")
        command: Callable[[argparse.Namespace, list[str]], int] = options.command
        if not are_several():
            return command(options, unparsed)
        if not getattr(options, "divides", False):
            raise InputError(f"'mlxc {options.name}' is done by one process; start it without torchrun.")
        with distributed():
            return command(options, unparsed)
    except MlxcError as error:
        return fail(str(error), BAD_INPUT)
    except MemoryError:
        return fail("The machine ran out of memory; lower the cutoff or the k mesh.", BAD_INPUT)
    except OSError as error:
        if not is_full_disk(error):
            raise
        return fail(f"{NO_ROOM} What was written before is kept; make room, and run it again.", BAD_INPUT)
    except KeyboardInterrupt:
        return fail("Interrupted.", INTERRUPTED)


def make_parser() -> argparse.ArgumentParser:
    parser = SentenceParser(
        prog="mlxc", description="Differentiable density-functional theory for crystals.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"mlxc {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, dest="name", metavar="command")

    for kind in KINDS.values():
        if kind.command is not None:
            computing = commands.add_parser(kind.command.word, help=kind.command.help, allow_abbrev=False)
            add_computing_command(computing, kind, kind.command)

    checkpoint = commands.add_parser("checkpoint", help="files that hold trained functionals", allow_abbrev=False)
    add_checkpoint_commands(checkpoint, SentenceParser)

    train = commands.add_parser("train", help="train a functional on crystals", allow_abbrev=False)
    add_training_command(train)

    evaluate = commands.add_parser("evaluate", help="lattice constants of many solids", allow_abbrev=False)
    add_evaluation_command(evaluate)

    screen = commands.add_parser("screen", help="functionals compared on many solids in seconds", allow_abbrev=False)
    add_screening_command(screen)

    freeze = commands.add_parser("freeze", help="densities of solids of your own, for mlxc screen", allow_abbrev=False)
    add_freezing_command(freeze)

    run = commands.add_parser("run", help="compute the task in the folder of a run", allow_abbrev=False)
    add_run_command(run)

    export = commands.add_parser("export", help="files and scripts of a run in a folder", allow_abbrev=False)
    add_export_command(export)

    app = commands.add_parser("app", help="open the dashboard in a browser", allow_abbrev=False, add_help=False)
    app.set_defaults(command=_app)
    return parser


def _app(_: argparse.Namespace, arguments: list[str]) -> int:
    try:
        from mlxc_app.launch import main as launch
    except ModuleNotFoundError as error:
        raise InputError(f"The dashboard needs '{error.name}': install it with pip install 'mlxc[app]'.") from None
    launch(arguments)
    return CONVERGED
