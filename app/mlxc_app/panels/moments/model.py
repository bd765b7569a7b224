"""The energy against the moment: points as they are computed, the curve through them, and its minima."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from traitlets import Bool, Float, HasTraits, Instance, Int

from mlxc.errors import MlxcError
from mlxc.properties.moment_curve import MomentCurve, MomentPoint, joined_sweeps
from mlxc.tasks.moments.presentation import moment_in_words
from mlxc.tasks.moments.range import USUAL_POINTS
from mlxc.tasks.moments.task import MomentsTask
from mlxc.units import HARTREE_EV
from mlxc_app.choose.model import ChooseModel
from mlxc_app.run.model import RunModel

# Places at which the curve is drawn.
DRAWN = 200


@dataclass(frozen=True)
class Line:
    """Points of a plot.

    Attributes:
        moments: Bohr magneton per cell.
        energies: meV per atom, above the lowest.
    """

    moments: tuple[float, ...] = ()
    energies: tuple[float, ...] = ()


@dataclass(frozen=True)
class MomentsPicture:
    """What the panel shows.

    Attributes:
        title: The title of the run; empty if the run in hand is of another kind.
        up: The points of the way up, or of both.
        down: The points of the way down that are others.
        curve: The curve through the lowest points.
        minima: The minima of the curve.
        words: What there is to say about them, or about how far the run has come.
    """

    title: str = ""
    up: Line = Line()
    down: Line = Line()
    curve: Line = Line()
    minima: Line = Line()
    words: str = ""


class MomentsModel(HasTraits):
    """Starts the energy against the moment of what is chosen, and follows it.

    Attributes:
        picture: What is to be seen.
        highest: The highest moment of the next run, Bohr magneton per cell.
        points: The number of its moments.
        both_ways: Whether it goes down again as well.
    """

    picture = Instance(MomentsPicture, args=())
    highest = Float(1.0)
    points = Int(USUAL_POINTS)
    both_ways = Bool(False)

    def __init__(self, run: RunModel, choose: ChooseModel) -> None:
        super().__init__()
        self._run, self._choose = run, choose
        self._suggested: dict[str, float] = {}
        self._suggest()
        self._redraw()
        choose.observe(self._suggest, ["structure", "pseudo", "smearing"])
        run.observe(self._redraw, ["result", "title", "kind", "state"])
        run.observe_records(self._redraw, "moment")

    def task(self) -> MomentsTask:
        """The curve of what is chosen.

        Raises:
            InputError: it cannot be computed.
        """
        chosen = {"highest_moment": self.highest, "points": self.points}
        task = self._task(both_ways=self.both_ways, **({} if chosen == self._suggested else chosen))
        task.check()
        return task

    def start(self) -> None:
        """Compute the curve of what is chosen.

        Raises:
            InputError: it cannot be computed.
        """
        self._run.start(self.task(), self._choose.run_title())

    def _task(self, **further: Any) -> MomentsTask:
        # A total moment that the form holds is for a single run.
        calculation = self._choose.calculation().model_dump(exclude={"total_moment"})
        return MomentsTask.from_dict({"calculation": calculation, **further})

    def _suggest(self, change: Any = None) -> None:
        """Propose the moments that a run would take by itself."""
        with suppress(MlxcError):  # what is chosen cannot be computed, and the page says why
            moments = self._task().curve
            self._suggested = {"highest_moment": moments[-1], "points": len(moments)}
            self.highest, self.points = moments[-1], len(moments)

    def _redraw(self, change: Any = None) -> None:
        task, records = self._run.task, self._run.of_kind("moment")
        if not isinstance(task, MomentsTask):
            self.picture = MomentsPicture()
            return
        natoms = len(task.calculation.crystal.species)
        curve = joined_sweeps((MomentPoint.from_dict(record) for record in records), natoms)
        self.picture = _drawn(curve, natoms, self._run.title, self._words(len(records), len(task.steps)))

    def _words(self, done: int, planned: int) -> str:
        if "minima" in self._run.result:
            words = moment_in_words(self._run.result)
            return " ".join(filter(None, [words, self._run.result["note"]]))
        return f"{done} of {planned} moments."


def _drawn(curve: MomentCurve, natoms: int, title: str, words: str) -> MomentsPicture:
    """A curve with its energies per atom, counted from the lowest."""
    if not curve.points:
        return MomentsPicture(title=title, words=words)
    minima = [(extremum.moment, extremum.free_energy_ha) for extremum in curve.minima]
    lowest = min(energy for _, energy in [*minima, *((p.moment, p.free_energy_ha) for p in curve.points)])

    def line(places: list[tuple[float, float]]) -> Line:
        return Line(
            tuple(moment for moment, _ in places),
            tuple(1000 * HARTREE_EV * (energy - lowest) / natoms for _, energy in places),
        )

    ways: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for point in curve.points:
        ways[point.branch == "down"].append((point.moment, point.free_energy_ha))
    moments = np.linspace(curve.lowest[0].moment, curve.lowest[-1].moment, DRAWN)
    drawn = list(zip(moments.tolist(), curve(moments).tolist(), strict=True)) if len(curve.lowest) > 1 else []
    return MomentsPicture(title, line(ways[False]), line(ways[True]), line(drawn), line(minima), words)
