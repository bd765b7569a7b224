"""Runs of earlier visits: what a person computed stays, whatever happens to the page."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ipywidgets import Dropdown

from mlxc.runs.folder import ENDED, RunFolder, runs_directory
from mlxc_app.message import MessageArea
from mlxc_app.run_model import RunModel

SHOWN = 30
NONE = ""
# What is said of a run that is not a single SCF.
KINDS = {"eos": "equation of state, ", "diagnosis": "diagnosis, "}


def earlier_runs() -> list[tuple[str, str]]:
    """(label, folder) of the latest runs that have ended, the newest first."""
    directory = runs_directory()
    names = sorted((path.parent.name for path in directory.glob("*/task.json")), reverse=True)
    found = []
    for name in names[:SHOWN]:
        folder = RunFolder(directory / name)
        if folder.status["state"] in ENDED:
            found.append((run_label(folder), str(folder.path)))
    return found


def run_label(folder: RunFolder) -> str:
    """When a run ended, its title, kind and state."""
    status = folder.status
    when = time.strftime("%d %b %H:%M", time.localtime(status.get("ended", 0)))
    return f"{when}: {folder.title} ({KINDS.get(folder.kind, '')}{status['state']})"


class HistoryView:
    """A list of earlier runs; choosing one shows it."""

    def __init__(self, run: RunModel, messages: MessageArea) -> None:
        self._run = run
        self.widget = Dropdown()
        self._list()
        self.widget.observe(messages.guard(self._open), "value")
        run.observe(messages.guard(self._list), ["state", "worker_ready"])

    def _list(self, change: Any = None) -> None:
        self.widget.options = [("Earlier runs …", NONE), *earlier_runs()]
        self.widget.value = NONE

    def _open(self, change: Any) -> None:
        if change["new"] != NONE:
            self._run.open(RunFolder(Path(change["new"])))
