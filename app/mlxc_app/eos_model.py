"""The equation of state: energies at several volumes, the curve through them, and what others find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from traitlets import HasTraits, Instance

from mlxc.calculation import EquationOfStateTask
from mlxc.properties.birch_murnaghan import BirchMurnaghan, FitError, fit_birch_murnaghan
from mlxc.references.tables import ReferenceLine, reference_lines
from mlxc.structures import shipped_names
from mlxc.units import EV_PER_ANG3_GPA
from mlxc_app.choose_model import ChooseModel
from mlxc_app.run_model import RunModel


@dataclass(frozen=True)
class EquationOfStatePicture:
    """What the plot and the table show; all volumes and energies are per atom.

    Attributes:
        title: name of the run.
        volumes: of the finished points, cubic angstrom.
        energies: of the finished points above the minimum of the curve, or the lowest of them, meV.
        curve_volumes, curve_energies: the fitted curve, empty if no curve can be fitted.
        volume0: volume of the minimum, cubic angstrom.
        bulk_modulus_gpa: of the fit.
        lattice_constant_ang: known when the run has ended, for cubic crystals.
        references: of the same crystal.
        note: a sentence about a fit that failed.
    """

    title: str = ""
    volumes: tuple[float, ...] = ()
    energies: tuple[float, ...] = ()
    curve_volumes: tuple[float, ...] = ()
    curve_energies: tuple[float, ...] = ()
    volume0: float | None = None
    bulk_modulus_gpa: float | None = None
    lattice_constant_ang: float | None = None
    references: tuple[ReferenceLine, ...] = ()
    note: str = ""


class EquationOfStateModel(HasTraits):
    """Follows the points of a run, and the references of the crystal it computes (before a run: that is chosen)."""

    picture = Instance(EquationOfStatePicture, args=())

    def __init__(self, run: RunModel, choose: ChooseModel) -> None:
        super().__init__()
        self._run = run
        self._choose = choose
        self._redraw()
        run.observe(self._redraw, ["points", "result"])
        choose.observe(self._redraw, "structure")

    def _redraw(self, change: Any = None) -> None:
        """Points of a run are shown beside the references of its own crystal, whatever is chosen meanwhile."""
        task = self._run.task
        if not self._run.points or not isinstance(task, EquationOfStateTask):
            self.picture = EquationOfStatePicture(references=_references(self._choose.shipped_name))
            return
        natoms = len(task.calculation.structure["species"])
        volumes = np.array([point["volume_ang3"] for point in self._run.points]) / natoms
        energies = np.array([point["energy_ev"] for point in self._run.points]) / natoms
        self.picture = self._fitted(volumes, energies, _references(task.calculation.structure["name"]))

    def _fitted(
        self, volumes: NDArray[np.float64], energies: NDArray[np.float64], references: tuple[ReferenceLine, ...]
    ) -> EquationOfStatePicture:
        fit: BirchMurnaghan | None = None
        note = ""
        if len(volumes) >= 4:
            try:
                fit = fit_birch_murnaghan(volumes, energies)
            except FitError as error:
                note = str(error)
        lowest = fit.energy0 if fit else energies.min()
        grid = np.linspace(volumes.min(), volumes.max(), 100) if fit else np.zeros(0)
        return EquationOfStatePicture(
            title=self._run.title,
            volumes=tuple(volumes.tolist()),
            energies=tuple((1000 * (energies - lowest)).tolist()),
            curve_volumes=tuple(grid.tolist()),
            curve_energies=tuple((1000 * (fit(grid) - lowest)).tolist()) if fit else (),
            volume0=fit.volume0 if fit else None,
            bulk_modulus_gpa=fit.bulk_modulus * EV_PER_ANG3_GPA if fit else None,
            lattice_constant_ang=self._run.result.get("lattice_constant_ang"),
            references=references,
            note=note,
        )


def _references(name: str) -> tuple[ReferenceLine, ...]:
    return tuple(reference_lines(name)) if name in shipped_names() else ()
