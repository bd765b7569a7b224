"""The equation of state: energies at several volumes or areas, the curves through them, and what others find."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from traitlets import HasTraits, Instance, Tuple, observe

from mlxc.crystal.crystal import Crystal
from mlxc.crystal.resizing import Variation, natural_variation
from mlxc.errors import InputError
from mlxc.properties.birch_murnaghan import BirchMurnaghan, FitError, fit_birch_murnaghan
from mlxc.properties.fitted_curve import doubts_of_fit
from mlxc.references.tables import ReferenceLine, reference_lines
from mlxc.runs.folder import RunFolder
from mlxc.structures.shipped import shipped_names
from mlxc.tasks.eos.task import EquationOfStateTask
from mlxc.units import EV_PER_ANG2_N_PER_M, EV_PER_ANG3_GPA
from mlxc_app.choose.model import ChooseModel
from mlxc_app.run.model import RunModel
from mlxc_app.run.past_runs import finished_runs_beside, name_of, same_structure

# In GPa and N/m.
MODULUS_UNITS = {"volume": EV_PER_ANG3_GPA, "area": EV_PER_ANG2_N_PER_M}
# As many other runs as can be told apart in one plot.
MOST_OVERLAID = 4


@dataclass(frozen=True)
class EquationOfStateCurve:
    """One equation of state; all volumes, areas and energies are per atom.

    Attributes:
        title: The name of the run.
        sizes: The sizes of the finished points, cubic or square angstrom.
        energies: The energies of the finished points above the minimum of the curve, or the lowest of them, meV.
        residuals: How far the finished points lie above the curve, meV; empty if no curve can be fitted.
        curve_sizes, curve_energies: The fitted curve, likewise.
        size0: The size at which the curve has its minimum, cubic or square angstrom.
        modulus: The modulus of the fit: the bulk modulus in GPa, or the layer modulus in N/m.
        modulus_derivative: The derivative of the modulus with respect to pressure.
        lattice_constant_ang: The lattice constant, known when the run has ended, for cubic crystals and hexagonal or
            square sheets.
        branch_sizes, branch_energies: The points of other magnetic branches, likewise.
        branch_moments: The moments of these points, Bohr magneton per atom.
        note: What a person should know of a run that has ended: that a fit failed or is not to be trusted, or that
            there are several branches.
        is_bad: Whether something speaks against the fit of a run that has ended.
        missing: How many points a run that is computed has still to come.
        unconverged: How many points of the run in hand have not converged.
    """

    title: str = ""
    sizes: tuple[float, ...] = ()
    energies: tuple[float, ...] = ()
    residuals: tuple[float, ...] = ()
    curve_sizes: tuple[float, ...] = ()
    curve_energies: tuple[float, ...] = ()
    size0: float | None = None
    modulus: float | None = None
    modulus_derivative: float | None = None
    lattice_constant_ang: float | None = None
    branch_sizes: tuple[float, ...] = ()
    branch_energies: tuple[float, ...] = ()
    branch_moments: tuple[float, ...] = ()
    note: str = ""
    is_bad: bool = False
    missing: int = 0
    unconverged: int = 0

    @property
    def mark(self) -> str:
        """What is to be written on the figure; empty if there is nothing to doubt."""
        if self.unconverged:
            return f"{self.unconverged} of {len(self.sizes)} points not converged"
        if self.is_bad:
            return f"Bad fit: B₀′ = {self.modulus_derivative:.1f}, residual {self.rms_residual:.2g} meV/atom"
        return f"No fit through these {len(self.sizes)} points" if self.note and not self.curve_sizes else ""

    @property
    def rms_residual(self) -> float | None:
        """How far the points are from the curve, meV."""
        return float(np.sqrt(np.mean(np.square(self.residuals)))) if self.residuals else None


@dataclass(frozen=True)
class EquationOfStatePicture:
    """What the plot and the table show.

    Attributes:
        varied: ``volume`` or ``area``: what the sizes are.
        own: The curve of the run in hand; empty if that has no points.
        others: The curves of the earlier runs that are shown beside it.
        references: What references say of the same crystal: volumes, or areas of a sheet.
    """

    varied: Variation = "volume"
    own: EquationOfStateCurve = field(default_factory=EquationOfStateCurve)
    others: tuple[EquationOfStateCurve, ...] = ()
    references: tuple[ReferenceLine, ...] = ()


def size_of(reference: ReferenceLine, varied: Variation) -> float:
    """Volume, or area, per atom of a reference, cubic or square angstrom."""
    if varied == "volume":
        return reference.volume_per_atom_ang3
    assert reference.area_per_atom_ang2 is not None
    return reference.area_per_atom_ang2


class EquationOfStateModel(HasTraits):
    """Follows the points of a run, and the references of the crystal it computes, or before a run of the chosen one.

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
        """What the run in hand computes, if it is an equation of state."""
        return self._run.task if isinstance(self._run.task, EquationOfStateTask) else None

    def _look_for_others(self) -> None:
        """Earlier runs of the same species; those of this visit and the same structure are shown without asking."""
        structure = self._task.calculation.structure if self._task else self._choose.structure
        varied = self._task.vary if self._task else natural_variation(Crystal.from_dict(structure))
        found = [
            run
            for run in finished_runs_beside(self._run.folder if self._task else None, self._run.owner)
            if run.kind == "eos"
            and run.structure["species"] == structure["species"]
            and _varied(run.result or {}) == varied
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
        if not points or task is None:
            varied = natural_variation(Crystal.from_dict(self._choose.structure))
            references = _references(self._choose.structure["name"], varied)
            self.picture = EquationOfStatePicture(varied, others=others, references=references)
            return
        # A run of an earlier version has varied the volume of a sheet too.
        varied = "volume" if points[0].get("area_ang2") is None else "area"
        structure = task.calculation.structure
        if self._run.result:
            own = curve_of_result(self._run.title, self._run.result, len(structure["species"]))
        else:
            own = self._curve_so_far(varied, len(structure["species"]), task.points)
        unconverged = sum(not point.get("converged", True) for point in points)
        own = replace(own, unconverged=unconverged)
        self.picture = EquationOfStatePicture(varied, own, others, _references(structure["name"], varied))

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


@dataclass(frozen=True)
class Points:
    """Points of an equation of state, per atom.

    Attributes:
        sizes: The volumes, cubic angstrom, or areas, square angstrom.
        energies: The free energies, electronvolt.
        moments: The moments of those of other magnetic branches, Bohr magneton.
    """

    sizes: NDArray[np.float64]
    energies: NDArray[np.float64]
    moments: tuple[float, ...] = ()


NO_POINTS = Points(np.zeros(0), np.zeros(0))


def fitted_curve(
    title: str,
    varied: Variation,
    points: Points,
    others: Points = NO_POINTS,
    lattice_constant_ang: float | None = None,
    message: str = "",
) -> EquationOfStateCurve:
    """The curve through points, if there is one.

    Args:
        title: The name of the run.
        varied: What the sizes are.
        points: The points of the curve.
        others: Those of other magnetic branches.
        lattice_constant_ang: What the result says of it; None as long as there is none.
        message: What the result says of itself.
    """
    sizes, energies = points.sizes, points.energies
    fit: BirchMurnaghan | None = None
    note = message
    if len(sizes) >= 4:
        try:
            fit = fit_birch_murnaghan(sizes, energies)
        except FitError as error:
            note = message or str(error)
    lowest = fit.energy0 if fit else energies.min()
    grid = np.linspace(sizes.min(), sizes.max(), 100) if fit else np.zeros(0)
    return EquationOfStateCurve(
        title=title,
        sizes=tuple(sizes.tolist()),
        energies=tuple((1000 * (energies - lowest)).tolist()),
        residuals=tuple((1000 * (energies - fit(sizes))).tolist()) if fit else (),
        curve_sizes=tuple(grid.tolist()),
        curve_energies=tuple((1000 * (fit(grid) - lowest)).tolist()) if fit else (),
        size0=fit.volume0 if fit else None,
        modulus=fit.bulk_modulus * MODULUS_UNITS[varied] if fit else None,
        modulus_derivative=fit.bulk_modulus_derivative if fit else None,
        lattice_constant_ang=lattice_constant_ang,
        branch_sizes=tuple(others.sizes.tolist()),
        branch_energies=tuple((1000 * (others.energies - lowest)).tolist()),
        branch_moments=others.moments,
        note=note,
        is_bad=fit is not None and bool(doubts_of_fit(fit, sizes, energies, natoms=1)),
    )


def _saved_curve(folder: RunFolder) -> EquationOfStateCurve:
    result = folder.result
    if result is None:
        raise InputError(f"The run '{folder.path.name}' is not there any more.")
    return curve_of_result(folder.title, result, len(folder.structure["species"]))


def curve_of_result(title: str, result: dict[str, Any], natoms: int) -> EquationOfStateCurve:
    """The curve of a result, and those points of magnetic branches that are not on it."""
    varied = _varied(result)
    sizes = np.array(result["volumes_ang3" if varied == "volume" else "areas_ang2"]) / natoms
    points = Points(sizes, np.array(result["energies_ev"]) / natoms)
    # Of a sheet, whose branches tell their volumes as well, the height of the cell is the same everywhere.
    to_size = float(sizes[0] * natoms / result["volumes_ang3"][0])
    keys = ("volumes_ang3", "energies_ev", "moments_per_atom_bohr_magneton")
    found = [
        point
        for branch in result.get("magnetic_branches") or ()
        for point in zip(*(branch[key] for key in keys), strict=True)
        if point[1] not in result["energies_ev"]
    ]
    left = Points(
        np.array([volume * to_size for volume, _, _ in found]) / natoms,
        np.array([energy for _, energy, _ in found]) / natoms,
        tuple(moment for _, _, moment in found),
    )
    return fitted_curve(title, varied, points, left, result["lattice_constant_ang"], result.get("message", ""))


def _varied(result: dict[str, Any]) -> Variation:
    """What a run has varied: the volume, if it is of an earlier version, which does not say it."""
    return result.get("varied", "volume")


def _references(name: str, varied: Variation) -> tuple[ReferenceLine, ...]:
    """What is known of a shipped crystal in the quantity that varies."""
    lines = reference_lines(name) if name in shipped_names() else []
    return tuple(line for line in lines if (line.area_per_atom_ang2 is not None) == (varied == "area"))
