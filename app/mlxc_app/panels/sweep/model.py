"""A sweep over cutoffs, k meshes or functionals: its points, from which value on they have converged, and taking it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from traitlets import Bool, HasTraits, Instance

from mlxc.calculation.calculation import Calculation
from mlxc.crystal.resizing import natural_variation
from mlxc.errors import InputError
from mlxc.tasks.sweep.presentation import convergence_in_words
from mlxc.tasks.sweep.result import SweepPoint, differences
from mlxc.tasks.sweep.task import SweepTask
from mlxc.tasks.sweep.varied import FUNCTIONAL, VARIED, Varied
from mlxc_app.choose.model import ChooseModel
from mlxc_app.run.model import RunModel


@dataclass(frozen=True)
class Converged:
    """A value from which on something has converged.

    Attributes:
        what: What has: ``energy``, or ``lattice constant``.
        value: The value as the task writes it.
        label: The value as a person reads it.
    """

    what: str
    value: str
    label: str


@dataclass(frozen=True)
class SweepPicture:
    """What the panel shows.

    Attributes:
        title: The title of the run; empty if the run in hand is no sweep.
        varied: What is varied.
        points: The values so far.
        energies: How far each energy is from that of the last value so far, meV per atom.
        tolerance_mev: What is tolerable of that.
        converged: The values from which on energy and lattice constant have converged, as far as there are any.
        words: What came out, or how far the run is.
        has_sizes: Whether each value gets an equation of state.
        settings: What is computed, in a sentence.
    """

    title: str = ""
    varied: Varied = VARIED["cutoff"]
    points: tuple[SweepPoint, ...] = ()
    energies: tuple[float, ...] = ()
    tolerance_mev: float = 1.0
    converged: tuple[Converged, ...] = ()
    words: str = ""
    has_sizes: bool = False
    settings: str = ""

    @property
    def places(self) -> list[Any]:
        """Where the values stand on the axis: cutoffs as numbers, others by their names."""
        if self.varied.is_number:
            return [self.varied.read(point.value) for point in self.points]
        return [point.label for point in self.points]

    def index_of(self, what: str) -> int | None:
        """The index of the value from which on something has converged; None if there is none."""
        found = [entry.value for entry in self.converged if entry.what == what]
        return [point.value for point in self.points].index(found[0]) if found else None


ENERGY, SIZE = "energy", "lattice constant"


class SweepModel(HasTraits):
    """Starts sweeps of what is chosen, follows them, and takes what they have found.

    Attributes:
        lattice_constant: Whether cutoffs and k meshes get an equation of state each; functionals always do.
        picture: What is to be seen.
    """

    lattice_constant = Bool(False)
    picture = Instance(SweepPicture, args=())

    def __init__(self, run: RunModel, choose: ChooseModel) -> None:
        super().__init__()
        self._run, self._choose = run, choose
        run.observe(self._redraw, ["result", "title", "kind"])
        run.observe_records(self._redraw, "value")
        self._redraw()

    def start(self, vary: str) -> None:
        """Sweep over the usual values around what is chosen.

        Args:
            vary: The name of what is varied, see :data:`mlxc.tasks.sweep.varied.VARIED`.

        Raises:
            InputError: it cannot be computed.
        """
        task = self.task(vary)
        self._run.start(task, f"{self._choose.run_title()}, {task.varied.title} varied")

    def plans(self) -> dict[str, str]:
        """What each sweep of what is chosen would compute, a sentence by the name of what is varied; nothing as long as
        it cannot be computed.
        """
        try:
            tasks = [self.task(vary) for vary in VARIED]
        except InputError:
            return {}
        return {task.vary: settings_in_words(task) for task in tasks}

    def task(self, vary: str) -> SweepTask:
        """The sweep of what is chosen over the usual values around it.

        Args:
            vary: The name of what is varied, see :data:`mlxc.tasks.sweep.varied.VARIED`.

        Raises:
            InputError: it cannot be computed.
        """
        return SweepTask.from_dict(
            {
                "calculation": self._choose.calculation().model_dump(),
                "vary": vary,
                "lattice_constant": self.lattice_constant or vary == FUNCTIONAL.name,
            }
        )

    def take(self, converged: Converged) -> None:
        """Choose what was computed, with the value that has converged.

        Raises:
            InputError: there is nothing to take, or the page cannot be set to it.
        """
        task = self._run.task
        if not isinstance(task, SweepTask):
            raise InputError("There is no sweep to take a value of: run one first.")
        settings = task.calculation.model_dump(exclude={"fft_grid"})
        value = task.varied.read(converged.value)
        self._choose.take_calculation(Calculation.from_dict(settings | {task.varied.setting: value}))

    def _redraw(self, change: Any = None) -> None:
        run = self._run
        if not isinstance(run.task, SweepTask):
            self.picture = SweepPicture()
            return
        records = run.of_kind("value")
        points = tuple(_point(record) for record in records)
        result = run.result if "points" in run.result else {}
        self.picture = SweepPicture(
            title=run.title,
            varied=run.task.varied,
            points=points,
            has_sizes=run.task.lattice_constant,
            settings=settings_in_words(run.task),
            energies=tuple(differences(points)[0]) if points else (),
            tolerance_mev=run.task.energy_tolerance_mev,
            converged=_converged(result, run.task.varied) if result else (),
            words=" ".join(convergence_in_words(result)) if result else self._progress(records),
        )

    def _progress(self, records: Sequence[Mapping[str, Any]]) -> str:
        task = self._run.task
        if not self._run.active or not isinstance(task, SweepTask):
            return ""
        return f"{len(records)} of {len(task.values)} values: {', '.join(task.labels)}."


def settings_in_words(task: SweepTask) -> str:
    """The values of a sweep, and at which volumes each has its equation of state."""
    told = f"{task.varied.title.capitalize()}: {', '.join(task.labels)}"
    if task.lowest_volume is None or task.highest_volume is None:
        return f"{told}; the volume as chosen."
    low, high = (f"{100 * ratio:g} %" for ratio in (task.lowest_volume, task.highest_volume))
    size = natural_variation(task.calculation.crystal)
    return f"{told}; each at {task.points} {size}s from {low} to {high} of the chosen {size}."


def _point(record: Mapping[str, Any]) -> SweepPoint:
    return SweepPoint(**{name: record[name] for name in SweepPoint.__dataclass_fields__})


def _converged(result: Mapping[str, Any], varied: Varied) -> tuple[Converged, ...]:
    found = ((ENERGY, result["energy_converged_from"]), (SIZE, result["size_converged_from"]))
    return tuple(Converged(what, value, varied.label(varied.read(value))) for what, value in found if value is not None)
