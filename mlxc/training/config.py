"""What a training run is: read from a YAML file, every mistake a sentence. Imports no torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mlxc.calculation.validation import build_model
from mlxc.errors import InputError
from mlxc.observables.catalogue import TARGETS
from mlxc.references.tables import SOL58LC

# What the name of a solid ends with that is another one with an atom out of its place.
MOVED = "_moved"
# How the words begin that say which solid's densities are computed.
CONVERGING = "Converging"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(_Part):
    """One kind of reference value.

    Attributes:
        quantity: The column of the table of solids, one of :data:`~mlxc.observables.catalogue.TARGETS`.
        weight: The weight of the error in the mean over solids and targets.
        scale: The error that counts as one, in percent for what is relative, else in the unit that the name ends with.
    """

    quantity: str
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    scale: float | None = Field(default=None, gt=0, allow_inf_nan=False)

    @field_validator("quantity")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in TARGETS:
            raise ValueError(f"{name!r} is not one of {', '.join(TARGETS)}")
        return name

    @property
    def error_unit(self) -> float:
        """The error that counts as one."""
        return TARGETS[self.quantity].scale if self.scale is None else self.scale


class Regularisation(_Part):
    """Physical penalties on F_xc, averaged over a grid of (r_s, s, alpha); see :mod:`mlxc.training.regularisers`.

    Attributes:
        stay_near: The weight of the squared distance from the starting functional.
        smooth: The weight of the squared curvature along s in excess of the starting functional's.
        bound: The weight of what exceeds the Lieb-Oxford bound.
    """

    stay_near: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    smooth: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    bound: float = Field(default=0.0, ge=0, allow_inf_nan=False)


class RateChange(_Part):
    """Another step size from some step on.

    Attributes:
        round: The round, counted from 0.
        step: The step of the round, counted from 0, before which the rate changes.
        rate: The new step size.
    """

    round: int = Field(default=0, ge=0)
    step: int = Field(ge=0)
    rate: float = Field(gt=0, allow_inf_nan=False)


class Optimiser(_Part):
    """How parameters are moved.

    Attributes:
        kind: The method: ``adam`` or ``lbfgs``.
        rate: The step size; for L-BFGS the first trial of the line search.
        rate_changes: Other step sizes for later steps; a round begins with ``rate``.
        steps: The largest number of steps in each round.
        patience: The number of steps without a better validation loss after which a round ends; None for no early end.
    """

    kind: Literal["adam", "lbfgs"] = "adam"
    rate: float = Field(default=1e-3, gt=0, allow_inf_nan=False)
    rate_changes: tuple[RateChange, ...] = ()
    steps: int = Field(default=500, ge=1)
    patience: int | None = Field(default=None, ge=1)

    def new_rate(self, round: int, step: int) -> float | None:
        """The step size that begins with a step; None where it stays as it is."""
        begins = [change.rate for change in self.rate_changes if (change.round, change.step) == (round, step)]
        return begins[-1] if begins else None


class FreshNetwork(_Part):
    """A network that has learned nothing yet; the configuration's seed makes its weights.

    Attributes:
        rung: ``gga`` or ``mgga``; both obey exact conditions, see :mod:`mlxc.xc.enhancement`.
        hidden: The width of each hidden layer.
    """

    rung: Literal["gga", "mgga"] = "gga"
    hidden: tuple[int, ...] = (16, 16)

    @field_validator("hidden")
    @classmethod
    def _can_be_built(cls, hidden: tuple[int, ...]) -> tuple[int, ...]:
        if not 1 <= len(hidden) <= 4 or not all(1 <= width <= 256 for width in hidden):
            raise ValueError("a network to train has 1 to 4 hidden layers of 1 to 256 units")
        return hidden

    @property
    def words(self) -> str:
        """What it is, for people."""
        widths = "×".join(map(str, self.hidden))
        return f"a fresh network, {self.rung.upper()}, of {widths} units"


class TrainingConfig(_Part):
    """A training run.

    Attributes:
        name: The name of the model that comes out.
        description: One sentence, which is recorded with the model.
        start: The functional whose parameters are trained: a name, a checkpoint, or a sum with weights of such, whose
            conventional parts stay what they are. Empty if a ``network`` is made.
        network: A network to begin with, instead of ``start``.
        solids: The table of solids, see :func:`~mlxc.solids.table.read_solids`.
        train: The names of solids to learn from. ``GaAs_b3_moved`` is ``GaAs_b3`` with one of its atoms out of its
            place, see :mod:`mlxc.training.subjects.moved_solids`: in most crystals there are no forces otherwise.
        validate_on: The names of solids that decide when to stop, never learned from.
        test: The names of solids that neither teach nor decide anything: what is found of them is told, no more.
        targets: The quantities that are to be right.
        errors: How errors count: ``squared``, or ``absolute``, which lets a functional be wrong for a few solids.
        regularisation: The penalties.
        optimiser: The optimiser of the parameters.
        rounds: How often all densities are converged anew with the functional of the round before. The first round
            learns at the densities of ``densities``; from the second on energies and gradients are self-consistent.
        densities: The functional that makes the first round's densities.
        teacher: The functional that is learned from where a solid has no reference of its own: its energies, at the
            densities of the round, for ``energy_curve_mev``; its self-consistent densities and forces for
            ``density_percent`` and ``forces_ha_bohr``. Empty for none.
        seed: The seed that is recorded with the model.
        licence: The licence of the weights.
    """

    name: str = Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    description: str = ""
    start: str = ""
    network: FreshNetwork | None = None
    solids: str = SOL58LC
    train: tuple[str, ...] = Field(min_length=1)
    validate_on: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    targets: tuple[Target, ...] = Field(default=(Target(quantity="lattice_constant_ang"),), min_length=1)
    errors: Literal["squared", "absolute"] = "squared"
    regularisation: Regularisation = Regularisation()
    optimiser: Optimiser = Optimiser()
    rounds: int = Field(default=2, ge=1, le=100)
    densities: str = "pbe"
    teacher: str = ""
    seed: int = Field(default=0, ge=0)
    licence: str = ""

    @model_validator(mode="after")
    def _solids_differ(self) -> TrainingConfig:
        names = self.solid_names
        if len(set(names)) < len(names):
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f"{twice} is named twice; a solid teaches, validates or tests, and does one of these")
        return self

    @model_validator(mode="after")
    def _starts_somewhere(self) -> TrainingConfig:
        if bool(self.start) == (self.network is not None):
            raise ValueError("give either start, a functional by name or file, or network, a fresh one")
        return self

    @model_validator(mode="after")
    def _teacher_is_asked(self) -> TrainingConfig:
        taught = [column for column, target in TARGETS.items() if target.is_distance]
        if self.teacher and not any(target.quantity in taught for target in self.targets):
            raise ValueError(f"a teacher has something to teach where {' or '.join(taught)} is a target")
        return self

    @property
    def solid_names(self) -> tuple[str, ...]:
        """The names of all solids: those to learn from, those that validate, and those that test."""
        return (*self.train, *self.validate_on, *self.test)

    @property
    def is_at_fixed_densities(self) -> bool:
        """Whether no step and no round converges a density anew."""
        return self.rounds == 1 and all(TARGETS[target.quantity].is_variational for target in self.targets)

    @property
    def start_in_words(self) -> str:
        """Where the training begins, for people."""
        return self.start if self.network is None else self.network.words


def read_config(path: Path) -> TrainingConfig:
    """Read a YAML file.

    Raises:
        InputError: the file is not in order; a sentence says what is wrong with it.
    """
    try:
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{str(path)!r} cannot be read: {error.strerror}.") from None
    except (yaml.YAMLError, ValueError, RecursionError):  # dates that are none, text that is none, endless nesting
        raise InputError(f"{path.name} is not YAML.") from None
    if not isinstance(data, dict):
        raise InputError(f"{path.name} holds no settings.")
    try:
        return build_model(TrainingConfig, data)
    except InputError as error:
        raise InputError(f"{path.name}: {error}") from None
