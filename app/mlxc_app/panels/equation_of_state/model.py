"""The equation of state: energies at several volumes or areas, the curves through them, and what others find."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from traitlets import HasTraits, Instance, Tuple, observe

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.resizing import Variation, natural_variation
from mlxc.errors import InputError
from mlxc.references.recognition import references_of
from mlxc.references.tables import ReferenceLine
from mlxc.runs.folder import RunFolder
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.equation_of_state.curve import (
    EquationOfStateCurve,
    Points,
    curve_of_result,
    fitted_curve,
    varied_of,
)
from mlxc_app.run.model import RunModel
from mlxc_app.run.past_runs import finished_runs_beside, name_of, same_structure

# As many other runs as can be told apart in one plot.
MOST_OVERLAID = 4


@dataclass(frozen=True)
class EquationOfStatePicture:
    """What the plot and the table show.

    Attributes:
        varied: ``volume`` or ``area``: what the sizes are.
        own: The curve of the run in hand; empty if that has no points.
        others: The curves of the earlier runs that are shown beside it.
        references: What references say of the same crystal: volumes, or areas of a sheet.
        awaited: The title of the run whose first point is still to come; empty if none is.
    """

    varied: Variation = "volume"
    own: EquationOfStateCurve = field(default_factory=EquationOfStateCurve)
    others: tuple[EquationOfStateCurve, ...] = ()
    references: tuple[ReferenceLine, ...] = ()
    awaited: str = ""


def size_of(reference: ReferenceLine, varied: Variation) -> float:
    """Volume, or area, per atom of a reference, cubic or square angstrom."""
    if varied == "volume":
        return reference.volume_per_atom_ang3
    assert reference.area_per_atom_ang2 is not None
    return reference.area_per_atom_ang2


class EquationOfStateModel(HasTraits):
    """Follows the points of a run, and the references of the crystal it computes; where there is no run to follow, or
    it has ended without a point, those of the chosen crystal.

    Attributes:
        picture: What to show.
        candidates: The (name, folder) of earlier runs of the same species.
        selected: The folders of the runs that are shown beside it; at most ``MOST_OVERLAID`` of them are.
    """

    picture = Instance(EquationOfStatePicture, args=())
    candidates = Tuple()
    selected = Tuple()

    def __init__(self, run: RunModel, choose: ChooseModel) -> None:
        super().__init__()
        self._run = run
        self._choose = choose
        self._of_this_visit: set[str] = set()
        self._curves: dict[str, EquationOfStateCurve] = {}
        self._look_for_others()
        self._redraw()
        run.observe(self._redraw, "result")
        run.observe_records(self._redraw, "point", "branch")
        run.observe(self._follow, "state")
        choose.observe(self._choice_changed, "structure")

    def _follow(self, change: Any) -> None:
        if change["new"] == "queued" and self._run.kind == "eos" and self._run.folder is not None:
            self._of_this_visit.add(str(self._run.folder.path))
        self._look_for_others()
        self._redraw()

    def _choice_changed(self, change: Any) -> None:
        self._look_for_others()
        self._redraw()

    @property
    def _task(self) -> EquationOfStateTask | None:
        """What the run in hand computes, if it is an equation of state of which something is to be seen, or will be."""
        is_seen = self._run.active or self._run.of_kind("point")
        return self._run.task if is_seen and isinstance(self._run.task, EquationOfStateTask) else None

    @property
    def _crystal(self) -> tuple[dict[str, Any], Variation]:
        """The crystal that all that is drawn is about, and what of it varies."""
        if self._task is not None:
            return self._task.calculation.structure, self._task.vary
        return self._choose.structure, natural_variation(Crystal.from_dict(self._choose.structure))

    def _look_for_others(self) -> None:
        """Earlier runs of the same species; those of this visit and the same structure are shown without asking."""
        structure, varied = self._crystal
        found = [
            run
            for run in finished_runs_beside(self._run.folder if self._task else None, self._run.owner)
            if run.kind == "eos"
            and run.structure["species"] == structure["species"]
            and varied_of(run.result or {}) == varied
        ]
        before = {path for _, path in self.candidates}
        self.candidates = tuple((name_of(run), str(run.path)) for run in found)
        paths = [path for _, path in self.candidates]
        kept = [path for path in self.selected if path in paths]
        new = [
            str(run.path)
            for run in found
            if str(run.path) in self._of_this_visit - before and same_structure(run.structure, structure)
        ]
        self.selected = (*kept, *new)

    @observe("selected")
    def _redraw(self, change: Any = None) -> None:
        """Points of a run are shown beside the references of its own crystal, whatever is chosen meanwhile."""
        task, points = self._task, self._run.of_kind("point")
        others = tuple(self._curve(path) for path in self.selected[:MOST_OVERLAID])
        structure, varied = self._crystal
        if not points or task is None:
            references, awaited = _references(structure, varied), "" if task is None else self._run.title
            self.picture = EquationOfStatePicture(varied, others=others, references=references, awaited=awaited)
            return
        # A run of an earlier version has varied the volume of a sheet too.
        varied = "volume" if points[0].get("area_ang2") is None else "area"
        if self._run.result:
            own = curve_of_result(self._run.title, self._run.result, len(structure["species"]))
        else:
            own = self._curve_so_far(varied, len(structure["species"]), task.points)
        unconverged = sum(not point.get("converged", True) for point in points)
        own = replace(own, unconverged=unconverged)
        self.picture = EquationOfStatePicture(varied, own, others, _references(structure, varied))

    def _curve_so_far(self, varied: Variation, natoms: int, all_points: int) -> EquationOfStateCurve:
        """The curve through the points that a run has told; what to think of it is said when the run has ended."""
        size = {"volume": "volume_ang3", "area": "area_ang2"}[varied]
        points, others = (
            Points(
                np.array([record[size] for record in records]) / natoms,
                np.array([record["energy_ev"] for record in records]) / natoms,
                tuple(record.get("moment_per_atom_bohr_magneton", 0.0) for record in records),
            )
            for records in (self._run.of_kind("point"), self._run.of_kind("branch"))
        )
        curve = fitted_curve(self._run.title, varied, points, others)
        if self._run.active:
            return replace(curve, note="", is_bad=False, missing=all_points - len(points.sizes))
        return curve

    def _curve(self, path: str) -> EquationOfStateCurve:
        if path not in self._curves:
            self._curves[path] = _saved_curve(RunFolder(Path(path)))
        return self._curves[path]


def _saved_curve(folder: RunFolder) -> EquationOfStateCurve:
    result = folder.result
    if result is None:
        raise InputError(f"The run '{folder.path.name}' is not there any more.")
    return curve_of_result(folder.title, result, len(folder.structure["species"]))


def _references(structure: dict[str, Any], varied: Variation) -> tuple[ReferenceLine, ...]:
    """What is known of a crystal in the quantity that varies."""
    lines = references_of(Crystal.from_dict(structure))
    return tuple(line for line in lines if (line.area_per_atom_ang2 is not None) == (varied == "area"))
