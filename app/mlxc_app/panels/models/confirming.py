"""Cells that are computed self-consistently, as ordinary runs that wait and are watched like all others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from traitlets import Dict, HasTraits

from mlxc.errors import InputError, MlxcError
from mlxc.runs.folder import ENDED, RunFolder
from mlxc.runs.kept import kept_runs
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.tasks.kinds import required_calculation
from mlxc_app.choose.words import curves_estimate, functional_in_words
from mlxc_app.panels.models.columns import solid_label
from mlxc_app.run.model import RunModel

KIND = "eos"
# The settings by which a run is known again as one with those of the library.
COMPARED = ("basis", "ecut_ha", "kmesh", "smearing", "width_ha", "spin", "cutoff_smoothing_ha")


class Confirming(HasTraits):
    """Starts the runs, and finds what has come of them.

    Attributes:
        results: The result of each run that has ended, by functional and solid.
        waiting: The functionals and solids whose runs have not.
    """

    results: Dict[Any, Any] = Dict()
    waiting: Dict[Any, Any] = Dict()

    def __init__(self, run: RunModel) -> None:
        super().__init__()
        self._run = run
        run.observe(self.look, ["state", "waiting", "computing"])

    def estimate(self, functionals: Iterable[str], task: Mapping[str, Any]) -> str:
        """How long it takes to confirm a solid with several functionals, in a phrase; empty if it cannot be computed.

        Args:
            functionals: Their names.
            task: The equation of state as plain data, whatever functional it names.
        """
        with suppress(InputError):
            return curves_estimate(_task(name, task).calculation for name in functionals)
        return ""

    def start(self, functional: str, solid: str, task: Mapping[str, Any]) -> None:
        """Compute an equation of state with the settings of the library.

        Args:
            functional: The name of the functional.
            solid: The name of the solid.
            task: The equation of state as plain data, whatever functional it names.

        Raises:
            InputError: it cannot be computed.
        """
        title = f"{solid_label(solid)}, {functional_in_words(functional)}, confirmed"
        asked = _task(functional, task)
        folder = self._run.start(asked.model_copy(update={"calculation": asked.calculation.told_with_bars()}), title)
        self.waiting = {**self.waiting, (functional, solid): folder}

    def remember(self, solids: Iterable[Mapping[str, Any]]) -> None:
        """Find what was confirmed on an earlier page.

        Args:
            solids: The solids with ``name`` and the ``settings`` of their densities.
        """
        settings = {solid["name"]: solid["settings"] for solid in solids}
        for folder in kept_runs():
            if folder.kind == KIND and folder.owner == self._run.owner:
                with suppress(MlxcError):
                    key = _confirms(folder, settings)
                    if key is not None and key not in self.waiting and key not in self.results:
                        self.waiting = {**self.waiting, key: folder}
        self.look()

    def look(self, change: Any = None) -> None:
        """See which runs have ended."""
        ended = {key: folder for key, folder in self.waiting.items() if _has_ended(folder)}
        if ended:
            found = {key: folder.result for key, folder in ended.items() if folder.exists and folder.result}
            self.waiting = {key: folder for key, folder in self.waiting.items() if key not in ended}
            self.results = {**self.results, **found}


def _task(functional: str, task: Mapping[str, Any]) -> EquationOfStateTask:
    """The equation of state with a functional.

    Raises:
        InputError: it cannot be computed.
    """
    return EquationOfStateTask.from_dict({**task, "calculation": {**task["calculation"], "xc": functional}})


def _confirms(folder: RunFolder, settings: Mapping[str, Mapping[str, Any]]) -> tuple[str, str] | None:
    """The functional and the solid whose cell a run confirms; None if it has other settings.

    Raises:
        InputError: the folder holds no valid task.
    """
    calculation = required_calculation(folder.task)
    name = calculation.crystal.name
    wanted = settings.get(name, {})
    own = calculation.model_dump(mode="json", include=set(COMPARED))
    same = wanted and all(own[setting] == wanted[setting] for setting in COMPARED)
    return (calculation.xc, name) if same else None


def _has_ended(folder: RunFolder) -> bool:
    return not folder.exists or folder.status["state"] in ENDED
