"""How a self-consistent calculation converges, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from traitlets import HasTraits, Instance

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc_app.choose.model import ChooseModel
from mlxc_app.panels.convergence.advice import Advice, Suggestion, advise
from mlxc_app.panels.convergence.occupations import Fillings
from mlxc_app.run.model import RunModel

DEFAULT_TARGET: float = Calculation.model_fields["tolerance"].default


@dataclass(frozen=True)
class ConvergencePicture:
    """What the plots of convergence and the table of energies show.

    Attributes:
        caption: What is being converged.
        steps: The numbers of the SCF steps.
        residuals: The density residual of each step, electrons per electron.
        energy_changes: The change of the free energy from the step before, Ha; one shorter than ``steps``.
        target: The residual at which the run counts as converged; before a run, that which is chosen.
        energies: The terms of the free energy at the last step, Ha.
        free_energy: The sum of the terms at the last step, Ha; None before the first step.
        term_distances: How far each term, and ``free_energy``, was at each step from its value at the last one, Ha; one
            shorter than ``steps``. Terms that never change are left out.
        magnetisations: The magnetisation of each step, Bohr magneton per cell; empty without spin polarisation.
        absolute_magnetisations: The integral of |up minus down| of each step, likewise.
        second_start: The number of the first step of a second start; None where there is none.
        atomic_moments: The symbol and the moment of each atom, Bohr magneton, once a result has told them.
        spectra: The spectrum of the residual of each step, see :func:`mlxc.kohn_sham.residual.residual_spectrum`; empty
            for runs that do not say.
        advice: What is wrong with it, if anything.
    """

    caption: str = ""
    steps: tuple[int, ...] = ()
    residuals: tuple[float, ...] = ()
    energy_changes: tuple[float, ...] = ()
    target: float = DEFAULT_TARGET
    energies: Mapping[str, float] = field(default_factory=dict)
    free_energy: float | None = None
    term_distances: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    magnetisations: tuple[float, ...] = ()
    absolute_magnetisations: tuple[float, ...] = ()
    second_start: int | None = None
    atomic_moments: tuple[tuple[str, float], ...] = ()
    spectra: tuple[tuple[float, ...], ...] = ()
    advice: Advice = field(default_factory=Advice)


class ConvergenceModel(HasTraits):
    """Follows the iterations of a run; of an equation of state, or of several moments, those of the latest one.

    Attributes:
        picture: The picture of the steps so far.
        fillings: The fillings of the states near the Fermi level, once a run has ended that has a result.
    """

    picture = Instance(ConvergencePicture, args=())
    fillings = Instance(Fillings, allow_none=True)

    def __init__(self, run: RunModel, choose: ChooseModel) -> None:
        super().__init__()
        self._run, self._choose = run, choose
        self._redraw()
        self._read_fillings()
        run.observe(self._redraw, ["state", "result"])
        run.observe_records(self._redraw, "iteration")
        run.observe(self._read_fillings, "state")
        choose.observe(self._aim, "tolerance")

    def take(self, suggestion: Suggestion) -> None:
        """Fill a suggestion into the choices of the person, who may then run it.

        Raises:
            InputError: they are about another crystal by now.
        """
        calculation = self._run.calculation
        if calculation is None or calculation.structure != self._choose.structure:
            raise InputError("The form on the left holds another crystal than this run: choose that of the run first.")
        for name, value in suggestion.changes.items():
            setattr(self._choose, name, value)

    def _read_fillings(self, change: Any = None) -> None:
        path, calculation = self._run.ground_state_path, self._run.calculation
        self.fillings = Fillings.read(path, calculation.width_ha) if path and calculation else None

    def _aim(self, change: Any) -> None:
        """Another target is chosen, at which the next run ends."""
        if not self.picture.steps:
            self._redraw()

    def _target(self) -> float:
        """Where the steps that are drawn, or that come next, end."""
        calculation = self._run.calculation
        if self._run.active or self._run.of_kind("iteration"):
            return calculation.tolerance if calculation else DEFAULT_TARGET
        return self._choose.tolerance

    def _redraw(self, change: Any = None) -> None:
        records = list(self._run.of_kind("iteration"))
        if not records:
            self.picture = ConvergencePicture(target=self._target())
            return
        # Of several SCFs that belong to one run, the latest.
        first = max((index for index, record in enumerate(records) if record["iteration"] == 1), default=0)
        records, last = records[first:], records[-1]
        again = [record for record in records if record.get("start", 1) > 1]
        # Of two starts, the result is that of the one with the lower energy.
        told = self._run.result if self._run.kind == "scf" and self._run.result else last
        terms = [{**record["energies_ha"], "free_energy": record["free_energy_ha"]} for record in records]
        self.picture = ConvergencePicture(
            caption=self._caption(last.get("point")),
            steps=tuple(record["iteration"] for record in records),
            residuals=tuple(record["density_residual"] for record in records),
            energy_changes=tuple(abs(b["free_energy"] - a["free_energy"]) for a, b in pairwise(terms)),
            target=self._target(),
            energies=told["energies_ha"],
            free_energy=told["free_energy_ha"],
            term_distances=_distances(terms),
            magnetisations=_of_each(records, "magnetisation_bohr_magneton"),
            absolute_magnetisations=_of_each(records, "absolute_magnetisation_bohr_magneton"),
            second_start=again[0]["iteration"] if again else None,
            atomic_moments=_atomic_moments(self._run.result),
            spectra=tuple(tuple(record["residual_spectrum"]) for record in records if record.get("residual_spectrum")),
            advice=self._advice(again or records),
        )

    def _advice(self, records: list[dict[str, Any]]) -> Advice:
        """Advice on the steps; none for a diagnosis, which makes calculations worse on purpose."""
        calculation = self._run.calculation
        if calculation is None or self._run.kind == "diagnosis":
            return Advice()
        return advise(records, calculation, not self._run.active)

    def _caption(self, point: int | None) -> str:
        parts = self._run.parts
        if point is None or parts.count == 1:
            return self._run.title
        return f"{self._run.title}, {parts.name} {point + 1} of {parts.count}"


def _of_each(records: list[dict[str, Any]], key: str) -> tuple[float, ...]:
    """A quantity of every step; empty if a step does not have it."""
    values = [record.get(key) for record in records]
    return tuple(value for value in values if value is not None) if None not in values else ()


def _atomic_moments(result: dict[str, Any]) -> tuple[tuple[str, float], ...]:
    moments = result.get("atomic_moments_bohr_magneton") or ()
    return tuple(zip(result["calculation"]["structure"]["species"], moments, strict=True)) if moments else ()


def _distances(terms: list[dict[str, float]]) -> dict[str, tuple[float, ...]]:
    last = terms[-1]
    distances = {name: tuple(abs(step[name] - last[name]) for step in terms[:-1]) for name in last}
    return {name: values for name, values in distances.items() if any(values)}
