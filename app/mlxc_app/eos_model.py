"""The equation of state: energies at several volumes or areas, the curve through them, and what others find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from traitlets import HasTraits, Instance

from mlxc.calculation import EquationOfStateTask
from mlxc.crystal import Crystal
from mlxc.properties.birch_murnaghan import BirchMurnaghan, FitError, fit_birch_murnaghan
from mlxc.references.tables import ReferenceLine, reference_lines
from mlxc.structures import shipped_names
from mlxc.units import EV_PER_ANG2_N_PER_M, EV_PER_ANG3_GPA
from mlxc.variation import Variation, natural_variation
from mlxc_app.choose_model import ChooseModel
from mlxc_app.run_model import RunModel

# In GPa and N/m.
MODULUS_UNITS = {"volume": EV_PER_ANG3_GPA, "area": EV_PER_ANG2_N_PER_M}


@dataclass(frozen=True)
class EquationOfStatePicture:
    """What the plot and the table show; all volumes, areas and energies are per atom.

    Attributes:
        title: name of the run.
        varied: ``volume`` or ``area``: what ``sizes`` are.
        sizes: of the finished points, cubic or square angstrom.
        energies: of the finished points above the minimum of the curve, or the lowest of them, meV.
        curve_sizes, curve_energies: the fitted curve, empty if no curve can be fitted.
        size0: where the curve has its minimum, cubic or square angstrom.
        modulus: of the fit: the bulk modulus in GPa, or the layer modulus in N/m.
        lattice_constant_ang: known when the run has ended, for cubic crystals and hexagonal or square sheets.
        references: volumes of the same crystal; none where the area varies.
        note: a sentence about a fit that failed.
    """

    title: str = ""
    varied: Variation = "volume"
    sizes: tuple[float, ...] = ()
    energies: tuple[float, ...] = ()
    curve_sizes: tuple[float, ...] = ()
    curve_energies: tuple[float, ...] = ()
    size0: float | None = None
    modulus: float | None = None
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
            self.picture = self._before_a_run()
            return
        # A run of an earlier version has varied the volume of a sheet too.
        varied: Variation = "volume" if self._run.points[0].get("area_ang2") is None else "area"
        natoms = len(task.calculation.structure["species"])
        size = {"volume": "volume_ang3", "area": "area_ang2"}[varied]
        sizes = np.array([point[size] for point in self._run.points]) / natoms
        energies = np.array([point["energy_ev"] for point in self._run.points]) / natoms
        self.picture = self._fitted(varied, sizes, energies, _references(task.calculation.structure["name"], varied))

    def _before_a_run(self) -> EquationOfStatePicture:
        varied = natural_variation(Crystal.from_dict(self._choose.structure))
        return EquationOfStatePicture(varied=varied, references=_references(self._choose.structure["name"], varied))

    def _fitted(
        self,
        varied: Variation,
        sizes: NDArray[np.float64],
        energies: NDArray[np.float64],
        references: tuple[ReferenceLine, ...],
    ) -> EquationOfStatePicture:
        fit: BirchMurnaghan | None = None
        note = ""
        if len(sizes) >= 4:
            try:
                fit = fit_birch_murnaghan(sizes, energies)
            except FitError as error:
                note = str(error)
        lowest = fit.energy0 if fit else energies.min()
        grid = np.linspace(sizes.min(), sizes.max(), 100) if fit else np.zeros(0)
        return EquationOfStatePicture(
            title=self._run.title,
            varied=varied,
            sizes=tuple(sizes.tolist()),
            energies=tuple((1000 * (energies - lowest)).tolist()),
            curve_sizes=tuple(grid.tolist()),
            curve_energies=tuple((1000 * (fit(grid) - lowest)).tolist()) if fit else (),
            size0=fit.volume0 if fit else None,
            modulus=fit.bulk_modulus * MODULUS_UNITS[varied] if fit else None,
            lattice_constant_ang=self._run.result.get("lattice_constant_ang"),
            references=references,
            note=note,
        )


def _references(name: str, varied: Variation) -> tuple[ReferenceLine, ...]:
    return tuple(reference_lines(name)) if varied == "volume" and name in shipped_names() else ()
