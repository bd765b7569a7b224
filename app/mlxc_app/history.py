"""Runs of earlier visits: what a person computed stays, whatever happens to the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ipywidgets import Dropdown

from mlxc.runs.folder import RunFolder
from mlxc_app.message import MessageArea
from mlxc_app.past_runs import ended_runs, name_of
from mlxc_app.run_model import RunModel

NONE = ""
# What is said of a run that is not a single SCF.
KINDS = {"eos": "equation of state, ", "diagnosis": "diagnosis, "}


def earlier_runs() -> list[tuple[str, str]]:
    """(label, folder) of the latest runs that have ended, the newest first."""
    return [(_label(folder), str(folder.path)) for folder in ended_runs()]


def _label(folder: RunFolder) -> str:
    return f"{name_of(folder)}: {KINDS.get(folder.kind, '')}{folder.status['state']}"


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
