"""The commands ``mlxc screen`` and ``mlxc freeze``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mlxc.cli.training import add_job_options, check_processes, check_writable
from mlxc.console.options import CONVERGED, NOT_CONVERGED
from mlxc.errors import InputError
from mlxc.utils.job_pool import Where

if TYPE_CHECKING:
    from mlxc.frozen.freeze import Frozen


def add_screening_command(parser: argparse.ArgumentParser) -> None:
    """Define ``mlxc screen``."""
    parser.set_defaults(command=_screen)
    parser.add_argument("--xc", nargs="+", default=["pbe"], metavar="NAME", help="functionals to compare (pbe)")
    parser.add_argument("--solids", nargs="+", metavar="NAME", help="some of the library's solids (all)")
    parser.add_argument("--library", type=Path, metavar="FOLDER", help="made by mlxc freeze (the one of mlxc)")
    parser.add_argument("--uncertainty", action="store_true", help="standard deviations, from a functional's ensemble")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write all rows")
    parser.add_argument("--latex", type=Path, metavar="FILE", help="write tables of errors")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the errors: .png, .pdf or .svg")
    parser.add_argument(
        "--calibration", type=Path, metavar="FILE", help="draw how many errors lie within their standard deviations"
    )
    add_job_options(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object to standard output")


def add_freezing_command(parser: argparse.ArgumentParser) -> None:
    """Define ``mlxc freeze``."""
    parser.set_defaults(command=_freeze)
    parser.add_argument(
        "table", help="'sol58lc', 'shipped' (sheets as well), or a table of solids: JSON, CSV or extended XYZ"
    )
    parser.add_argument("--xc", default="pbe", metavar="NAME", help="the functional of the densities (pbe)")
    parser.add_argument("--solids", nargs="+", metavar="NAME", help="some of the table's solids (all)")
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="for the library; one there goes on")
    add_job_options(parser)


def _screen(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.frozen.library import FrozenLibrary
    from mlxc.frozen.screening import screen
    from mlxc.frozen.screening_report import markdown_report, write_csv, write_latex, write_plot
    from mlxc.frozen.uncertainty.report import write_calibration

    check_processes(options)
    library = FrozenLibrary(options.library)
    uncertainty = options.uncertainty or options.calibration is not None
    where = Where(options.processes, options.scheduler)
    screening = screen(options.xc, library, solids=options.solids, uncertainty=uncertainty, where=where)
    _write("--csv", options.csv, lambda path: write_csv(screening, path))
    _write("--latex", options.latex, lambda path: write_latex(screening, library, path))
    _write("--plot", options.plot, lambda path: write_plot(screening, path))
    _write("--calibration", options.calibration, lambda path: write_calibration(screening, path))
    print(json.dumps(screening.to_dict(), indent=1) if options.json else markdown_report(screening, library))
    return CONVERGED if all(not row.message for row in screening.rows) else NOT_CONVERGED


def _write(option: str, path: Path | None, write: Callable[[Path], None]) -> None:
    if path is None:
        return
    try:
        write(path)
    except (OSError, ValueError) as error:  # matplotlib raises the second for an ending that it does not know
        raise InputError(f"{option}: {str(path)!r} cannot be written: {error}.") from None


def _freeze(options: argparse.Namespace, _: list[str]) -> int:
    from mlxc.frozen.freeze import freeze
    from mlxc.solids.table import chosen_solids, read_solids

    check_processes(options)
    solids = chosen_solids(read_solids(options.table), options.solids)
    check_writable(options.out)
    results = freeze(
        solids,
        options.out,
        xc=options.xc,
        processes=options.processes,
        scheduler=options.scheduler,
        on_result=_show_frozen,
    )
    failed = [result.name for result in results if result.message]
    done = len(solids) - len(failed)
    print(f"{done} of {len(solids)} solids are in {options.out}; compare functionals with --library {options.out}.")
    return NOT_CONVERGED if failed else CONVERGED


def _show_frozen(result: Frozen) -> None:
    size = f"{len(result.content) / 1e3:.0f} kB"
    print(f"{result.name:14} {result.message or size}  ({result.seconds:.0f} s)", file=sys.stderr)
