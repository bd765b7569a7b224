"""Serve the dashboard on this machine: ``mlxc app``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlxc.cli import SentenceParser
from mlxc.errors import InputError

APP_DIRECTORY = Path(__file__).resolve().parent.parent
NOTEBOOK = APP_DIRECTORY / "dashboard.ipynb"


def voila_arguments(port: int, open_browser: bool, token: bool) -> list[str]:
    """Arguments of Voila: the notebook, the settings of ``voila.json`` beside the sources, this machine only."""
    arguments = [
        str(NOTEBOOK),
        f"--port={port}",
        "--Voila.ip=127.0.0.1",
        f"--Voila.config_file_paths={APP_DIRECTORY.parent}",
    ]
    if not open_browser:
        arguments.append("--no-browser")
    if token:
        arguments.append("--token")
    return arguments


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line and serve until interrupted."""
    parser = SentenceParser(prog="mlxc app", description="Serve the dashboard on this machine.")
    parser.add_argument("--port", type=int, default=8866, help="port to serve on (default 8866)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--token", action="store_true", help="ask for a token that is printed at the start")
    options = parser.parse_args(argv)
    if not NOTEBOOK.exists():
        raise InputError(f"The dashboard is not here: {NOTEBOOK} is missing; run mlxc app from a checkout of mlxc.")
    from voila.app import main as serve

    serve(voila_arguments(options.port, not options.no_browser, options.token))
