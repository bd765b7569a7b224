"""The command ``mlxc compare``."""

from __future__ import annotations

import argparse

from mlxc.console.options import add_calculation, add_volumes, calculation_fields, finish, volume_fields
from mlxc.errors import InputError


def add_comparison_command(parser: argparse.ArgumentParser) -> None:
    """Define ``mlxc compare``."""
    parser.set_defaults(command=_compare)
    add_calculation(parser, basis="gaussian")  # which PySCF has as well
    parser.add_argument("--codes", nargs="+", metavar="CODE", help="pyscf, gpaw (those that are installed)")
    parser.add_argument("--eos", action="store_true", help="equations of state: lattice constant, bulk modulus")
    add_volumes(parser)


def _compare(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.calculation.calculation import Calculation, EquationOfStateTask
    from mlxc.codes.live import choose_codes
    from mlxc.console.progress import ComparisonProgress
    from mlxc.console.report import comparison_report

    codes = choose_codes(options.codes)
    fields, volumes = calculation_fields(options), volume_fields(options)
    if volumes and not options.eos:
        raise InputError("--points, --volume-range and --vary belong to an equation of state; give --eos as well.")
    task: Calculation | EquationOfStateTask
    if options.eos:
        task = EquationOfStateTask.from_dict({"calculation": fields} | volumes)
    else:
        task = Calculation.from_dict(fields)
    from mlxc.tasks.comparison.run import compare

    with ComparisonProgress() as progress:
        comparison = compare(task, codes, watcher=progress.record)
    return finish(options, comparison, comparison_report)
