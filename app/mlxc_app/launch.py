"""Serve the dashboard: ``mlxc app``."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from mlxc.console.parser import SentenceParser
from mlxc.errors import InputError
from mlxc.runs.cluster.address import SCHEDULER_VARIABLE, scheduler_address
from mlxc.runs.kept import SHARED_VARIABLE
from mlxc.runs.limits import ATOMS, ECUT, SECONDS, Limits
from mlxc.runs.locks import SLOTS_VARIABLE, slot_count
from mlxc.utils.job_pool import worker_count

PACKAGE = Path(__file__).resolve().parent
THIS_MACHINE = ("localhost", "127.0.0.1", "::1")


def page_files() -> tuple[Path, Path]:
    """The notebook, and the folder with ``voila.json``: in the installed package, or beside it in a checkout.

    Raises:
        InputError: the notebook is in neither place.
    """
    installed = PACKAGE / "served"
    checkout = PACKAGE.parent
    places = ((installed / "dashboard.ipynb", installed), (checkout / "dashboard.ipynb", checkout.parent))
    for notebook, settings in places:
        if notebook.is_file():
            return notebook, settings
    raise InputError(f"The dashboard is not here: {places[0][0]} is missing; install mlxc again.")


def voila_arguments(host: str, port: int, open_browser: bool, token: bool, base_url: str = "/") -> list[str]:
    """The arguments of Voila: the notebook, the settings of ``voila.json``, whom to answer and where."""
    notebook, settings = page_files()
    arguments = [
        str(notebook),
        f"--port={port}",
        f"--Voila.ip={host}",
        f"--Voila.base_url={base_url}",
        f"--Voila.config_file_paths={settings}",
    ]
    if not open_browser:
        arguments.append("--no-browser")
    if token:
        arguments.append("--token")
    return arguments


def page_environment(options: Namespace) -> dict[str, str]:
    """What the page's kernels and their workers learn through the environment."""
    given = {
        ECUT: options.max_ecut,
        ATOMS: options.max_atoms,
        SECONDS: options.max_seconds,
        SLOTS_VARIABLE: options.max_runs,
        SCHEDULER_VARIABLE: options.scheduler,
        SHARED_VARIABLE: None if options.host in THIS_MACHINE else "1",
    }
    return {name: value for name, value in given.items() if value is not None}


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line and serve until interrupted.

    Raises:
        InputError: something on the command line or in the environment is not allowed, the scheduler does not answer,
            or the page is not here.
    """
    options = make_parser().parse_args(argv)
    os.environ.update(page_environment(options))
    Limits.from_environment()
    if (address := scheduler_address()) is not None:
        # As many runs at once as there are workers, unless somebody has said another number.
        os.environ.setdefault(SLOTS_VARIABLE, str(max(1, worker_count(address))))
    slot_count()
    arguments = voila_arguments(options.host, options.port, not options.no_browser, options.token, options.base_url)
    from voila.app import main as serve

    serve(arguments)


def make_parser() -> SentenceParser:
    """The parser of ``mlxc app``."""
    parser = SentenceParser(prog="mlxc app", description="Serve the dashboard.", allow_abbrev=False)
    add = parser.add_argument
    add(
        "--host",
        default="localhost",
        help="address to answer on (localhost); 0.0.0.0 is everybody who reaches the port",
    )
    add("--port", type=int, default=8866, help="port to serve on (8866)")
    add("--base-url", default="/", metavar="PATH", help="path of the page, behind a proxy (/)")
    add("--no-browser", action="store_true", help="do not open a browser")
    add("--token", action="store_true", help="ask for a token that is printed at the start")
    add("--scheduler", metavar="ADDRESS", help=f"of Dask, whose workers compute the runs; or ${SCHEDULER_VARIABLE}")
    # Text, not numbers: the same sentences for these and for the variables of the environment.
    add("--max-ecut", metavar="HA", help=f"largest cutoff of a run, hartree; or ${ECUT}")
    add("--max-atoms", metavar="N", help=f"largest number of atoms in a cell; or ${ATOMS}")
    add("--max-seconds", metavar="S", help=f"longest time of a run; or ${SECONDS}")
    add(
        "--max-runs", metavar="N", help=f"runs that are computed at once (half of the processors); or ${SLOTS_VARIABLE}"
    )
    return parser
