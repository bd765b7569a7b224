"""The calculation under test, and the predictions that several tests share."""

from __future__ import annotations

import time
from functools import cached_property
from math import ceil

from torch import Tensor, nn

from mlxc.calculation.calculation import Calculation
from mlxc.errors import InputError
from mlxc.kohn_sham.monitor import Monitor
from mlxc.kohn_sham.state import GroundState
from mlxc.pseudo.library import named_family
from mlxc.tasks.diagnosis.checks.outside_domain import outside_shares, variables_of_state
from mlxc.tasks.diagnosis.prediction import NOT_MEASURED, Prediction, predict, to_compare
from mlxc.xc.analysis.clamped import Clamped
from mlxc.xc.analysis.domain import Domain, training_domains
from mlxc.xc.catalogue import check_name, functional
from mlxc.xc.checkpoints.files import checkpoint_of

# What a functional that has no record of its training is taken to have seen: the valence electrons of bulk crystals.
BULK_DOMAIN: Domain = {"rs": (None, 6.0), "s": (0.0, 3.0)}
BASELINE = "pbe"


# After so many seconds no further comparison is begun.
LONGEST_SECONDS = 150.0
# With smearing, what has nothing to do with the k mesh is asked on one that is so much coarser, down to so few points.
COARSER, FEWEST = 3, 3


class CalculationUnderTest:
    """A calculation, its functional, and predictions, each computed when it is first asked for.

    Args:
        calculation: The calculation whose answer is in doubt.
        monitor: A function that is told of every SCF step.

    Attributes:
        asked: The calculation whose answer is in doubt.
        calculation: The one on which most questions are asked: the same, or on a coarser k mesh, which hardly matters
            where two answers on the same mesh are compared.
    """

    def __init__(self, calculation: Calculation, monitor: Monitor | None) -> None:
        # Other functionals are compared with this one, and with the same pseudopotentials.
        table = named_family(calculation.pseudo, calculation.crystal.species, calculation.xc)
        self.asked = calculation.model_copy(update={"pseudo": table})
        self.calculation = on_coarser_mesh(self.asked)
        self._started = time.perf_counter()
        self.functional = functional(calculation.xc)
        self.monitor = monitor

    @property
    def seconds_left(self) -> float:
        """How long comparisons may still be begun."""
        return LONGEST_SECONDS - (time.perf_counter() - self._started)

    @property
    def is_learned(self) -> bool:
        """Whether the functional comes from training, and so from some domain."""
        has_layers = any(isinstance(module, nn.Linear) for module in self.functional.modules())
        return has_layers or bool(training_domains(self.functional))

    @cached_property
    def domain(self) -> Domain:
        """What the functional has been trained on; of a sum of functionals, the first domain that there is."""
        return next(iter(training_domains(self.functional)), BULK_DOMAIN)

    @property
    def domain_is_recorded(self) -> bool:
        """Whether the domain is the functional's own."""
        return bool(training_domains(self.functional))

    @cached_property
    def variables(self) -> tuple[dict[str, Tensor], Tensor, Tensor] | None:
        """What :func:`~mlxc.tasks.diagnosis.checks.outside_domain.variables_of_state` says of a converged density."""
        state = self.sound.state
        return None if state is None else variables_of_state(state)

    @property
    def outside_shares(self) -> dict[str, float]:
        """The shares of the ``electrons`` and the ``volume`` that lie outside the domain."""
        return {} if self.variables is None else outside_shares(*self.variables, self.domain)

    @cached_property
    def baseline_name(self) -> str:
        """The name of the functional whose predictions those of a learned one ought to come near."""
        record = checkpoint_of(self.calculation.xc)
        if record is None or record.baseline is None:
            return BASELINE
        try:
            check_name(record.baseline)
        except InputError:  # the model of a training that is no functional here
            return BASELINE
        return record.baseline

    @cached_property
    def given(self) -> Prediction:
        """The prediction of the calculation as it is."""
        return self.predict(self.calculation)

    @cached_property
    def clamped(self) -> Prediction:
        """The prediction of the functional held inside its domain."""
        return self.predict(to_compare(self.calculation), Clamped(self.functional, self.domain), self.similar_state)

    @cached_property
    def baseline(self) -> Prediction:
        """The prediction of the baseline."""
        return self.predict(to_compare(self.calculation), functional(self.baseline_name), self.similar_state)

    @property
    def stand_ins(self) -> dict[str, Prediction]:
        """The predictions of the functionals that are put in the place of a learned one, by what they are."""
        return {f"{self.calculation.xc} held inside its domain": self.clamped, self.baseline_name: self.baseline}

    @property
    def similar_state(self) -> GroundState | None:
        """A state to start from in the same basis and at the same k points; None where the SCF has not converged."""
        return self.given.state if self.given.converged else None

    @cached_property
    def sound_functional(self) -> tuple[nn.Module, str]:
        """The functional itself, or one that stands in for it if its SCF does not converge; and what it is.

        What changes with the basis, the k points and the vacuum can only be told of a calculation that converges.
        """
        if self.given.converged or not self.is_learned:
            return self.functional, self.calculation.xc
        if self.clamped.converged:
            return Clamped(self.functional, self.domain), f"{self.calculation.xc}, clamped to its training domain"
        return functional(self.baseline_name), self.baseline_name

    @property
    def sound(self) -> Prediction:
        """The prediction of the sound functional."""
        if self.given.converged or not self.is_learned:
            return self.given
        return self.clamped if self.clamped.converged else self.baseline

    def predict(
        self,
        calculation: Calculation,
        xc: nn.Module | None = None,
        start: GroundState | None = None,
        with_size: bool = True,
    ) -> Prediction:
        """Call :func:`~mlxc.tasks.diagnosis.prediction.predict`, by default with the calculation's own functional."""
        return predict(calculation, self.functional if xc is None else xc, self.monitor, start, with_size)

    def predict_soundly(
        self, calculation: Calculation, start: GroundState | None = None, with_size: bool = True
    ) -> Prediction:
        """Call :meth:`predict` with the functional that converges, if there is time left."""
        if self.seconds_left < 0:
            return NOT_MEASURED
        return self.predict(to_compare(calculation), self.sound_functional[0], start, with_size)


def on_coarser_mesh(calculation: Calculation) -> Calculation:
    """The same calculation with fewer k points; as it is where occupations are fixed, which they may not bear."""
    if calculation.smearing == "none":
        return calculation
    kmesh = tuple(max(min(n, FEWEST), ceil(n / COARSER)) for n in calculation.kmesh)
    return calculation.model_copy(update={"kmesh": kmesh})
