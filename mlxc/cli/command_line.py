"""The command line, ``mlxc``; each of its commands has a function here or in a file of its own.

Exit code 0 means converged, 2 bad input (one sentence on standard error), 3 not converged (the result is printed all
the same), 130 interrupted. With ``--json`` exactly one JSON object goes to standard output. The parser imports no
torch, so that help and mistakes answer at once.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from mlxc import __version__
from mlxc.cli.checkpoint import add_checkpoint_commands
from mlxc.cli.runs import add_export_command, add_run_command
from mlxc.cli.training import add_evaluation_command, add_training_command
from mlxc.console.options import (
    BAD_INPUT,
    CONVERGED,
    INTERRUPTED,
    add_calculation,
    add_save,
    add_volumes,
    calculation_fields,
    check_writable,
    fail,
    finish,
    volume_fields,
)
from mlxc.errors import InputError, MlxcError
from mlxc.tasks.comparison.command import add_comparison_command
from mlxc.tasks.gradient.command import add_gradient_command


class SentenceParser(argparse.ArgumentParser):
    """A parser whose mistakes are sentences, as all bad input is."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message[:1].upper()}{message[1:]}; '{self.prog} --help' lists what there is.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        options, unparsed = make_parser().parse_known_args(arguments)
        if unparsed and options.command is not _app:
            raise InputError(f"'{unparsed[0]}' is not understood; 'mlxc {options.name} --help' lists what there is.")
        command: Callable[[argparse.Namespace, list[str]], int] = options.command
        return command(options, unparsed)
    except MlxcError as error:
        return fail(str(error), BAD_INPUT)
    except MemoryError:
        return fail("The machine ran out of memory; lower the cutoff or the k mesh.", BAD_INPUT)
    except KeyboardInterrupt:
        return fail("Interrupted.", INTERRUPTED)


def make_parser() -> argparse.ArgumentParser:
    parser = SentenceParser(
        prog="mlxc", description="Differentiable density-functional theory for crystals.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=f"mlxc {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, dest="name", metavar="command")

    scf = commands.add_parser("scf", help="the ground state of a crystal", allow_abbrev=False)
    scf.set_defaults(command=_scf)
    add_calculation(scf)
    add_save(scf)

    eos = commands.add_parser("eos", help="equation of state: lattice constant, bulk modulus", allow_abbrev=False)
    eos.set_defaults(command=_eos)
    add_calculation(eos)
    add_save(eos)
    add_volumes(eos)

    bands = commands.add_parser("bands", help="bands, gap and density of states", allow_abbrev=False)
    bands.set_defaults(command=_bands)
    add_calculation(bands)
    add_save(bands)
    bands.add_argument("--points", type=int, default=60, metavar="N", help="k points along the path, up to 200 (60)")
    bands.add_argument("--dos-width", type=float, metavar="EV", help="of levels in the density of states, eV (0.2)")

    gradient = commands.add_parser("gradient", help="how a loss reaches a functional", allow_abbrev=False)
    add_gradient_command(gradient)

    diagnose = commands.add_parser("diagnose", help="why a calculation disagrees: a verdict", allow_abbrev=False)
    diagnose.set_defaults(command=_diagnose)
    add_calculation(diagnose)
    add_save(diagnose)
    diagnose.add_argument("--html", type=Path, metavar="FILE.html", help="write a report with plots, in one file")

    compare = commands.add_parser("compare", help="the same here and in PySCF and GPAW", allow_abbrev=False)
    add_comparison_command(compare)

    checkpoint = commands.add_parser("checkpoint", help="files that hold trained functionals", allow_abbrev=False)
    add_checkpoint_commands(checkpoint, SentenceParser)

    train = commands.add_parser("train", help="train a functional on crystals", allow_abbrev=False)
    add_training_command(train)

    evaluate = commands.add_parser("evaluate", help="lattice constants of many solids", allow_abbrev=False)
    add_evaluation_command(evaluate)

    run = commands.add_parser("run", help="compute the task in the folder of a run", allow_abbrev=False)
    add_run_command(run)

    export = commands.add_parser("export", help="files and scripts of a run in a folder", allow_abbrev=False)
    add_export_command(export)

    app = commands.add_parser("app", help="open the dashboard in a browser", allow_abbrev=False, add_help=False)
    app.set_defaults(command=_app)
    return parser


def _scf(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.calculation.calculation import Calculation
    from mlxc.console.progress import Progress
    from mlxc.console.report import ground_state_report

    check_writable(options.save)
    calculation = Calculation.from_dict(calculation_fields(options))
    with Progress() as progress:
        ground = calculation.run(monitor=progress.record, differentiate=None)
    if options.save is not None:
        ground.save(options.save)
    return finish(options, ground, ground_state_report)


def _eos(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.calculation.calculation import EquationOfStateTask
    from mlxc.console.progress import Progress
    from mlxc.console.report import equation_of_state_report

    check_writable(options.save)
    task = {"calculation": calculation_fields(options)} | volume_fields(options)
    with Progress() as progress:
        equation = EquationOfStateTask.from_dict(task).run(monitor=progress.record, on_point=progress.point)
    if options.save is not None:
        equation.reference.save(options.save)
    return finish(options, equation, equation_of_state_report)


def _bands(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.console.progress import Progress
    from mlxc.console.report import band_report
    from mlxc.tasks.bands.task import BandsTask

    check_writable(options.save)
    task: dict[str, Any] = {"calculation": calculation_fields(options), "points": options.points}
    if options.dos_width is not None:
        task["dos_width_ev"] = options.dos_width
    with Progress() as progress:
        bands = BandsTask.from_dict(task).run(monitor=progress.record, on_portion=progress.bands)
    if options.save is not None:
        bands.ground.save(options.save)
    return finish(options, bands, band_report)


def _diagnose(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.console.progress import Progress
    from mlxc.console.report import diagnosis_report
    from mlxc.tasks.diagnosis.task import DiagnosisTask

    check_writable(options.save)
    check_writable(options.html, "--html")
    task = DiagnosisTask.from_dict({"calculation": calculation_fields(options)})
    with Progress() as progress:
        diagnosis = task.run(monitor=progress.record, on_finding=progress.finding)
    if options.save is not None and diagnosis.state is not None:
        diagnosis.state.save(options.save)
    if options.html is not None:
        from mlxc.tasks.diagnosis.html_report import write_html_report

        write_html_report(diagnosis.summary(), options.html)
    print(json.dumps(diagnosis.summary(), indent=1) if options.json else diagnosis_report(diagnosis.summary()))
    return CONVERGED


def _app(_: argparse.Namespace, arguments: list[str]) -> int:
    try:
        from mlxc_app.launch import main as launch
    except ModuleNotFoundError as error:
        raise InputError(f"The dashboard needs '{error.name}': install it with pip install 'mlxc[app]'.") from None
    launch(arguments)
    return CONVERGED
