"""How a functional is to be trained: what a person may choose, and the configuration that it makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from traitlets import Bool, Float, HasTraits, Instance, Int, Unicode, default, observe

from mlxc.errors import InputError
from mlxc.references.tables import measured_solids
from mlxc.tasks.training.task import TrainingTask
from mlxc.training.config import MOVED
from mlxc_app.panels.train.solids import TEST, TRAINING, VALIDATION, SolidLists, can_have_forces, formula_of
from mlxc_app.panels.train.starts import KAPPA_MU, Start


@dataclass(frozen=True)
class Learnable:
    """A quantity that a person may give a weight.

    Attributes:
        column: Its name in tables of solids.
        trait: The trait of :class:`TrainingSettings` that is its weight.
        words: Its name for people.
        axis: The title of an axis of its errors.
        scale: The error that counts as one, in the unit of this axis; None for the usual one.
        needs_response: Whether it needs self-consistent states, and the response of their densities.
        is_taught: Whether it is not measured but another functional's, the teacher's.
    """

    column: str
    trait: str
    words: str
    axis: str
    scale: float | None = None
    needs_response: bool = False
    is_taught: bool = False


FORCES = Learnable(
    "forces_ha_bohr", "force_weight", "forces", "distance of the forces (Ha/bohr)", needs_response=True, is_taught=True
)
LEARNABLE = (
    Learnable("lattice_constant_ang", "lattice_weight", "lattice constants", "error of a₀ (%)"),
    # A bulk modulus is measured to some percent, a lattice constant to some hundredths of one.
    Learnable("bulk_modulus_gpa", "bulk_weight", "bulk moduli", "error of B₀ (%)", scale=10.0),
    Learnable("cohesive_energy_ev", "cohesive_weight", "cohesive energies", "error of E₀ per atom (eV)"),
    Learnable("energy_curve_mev", "curve_weight", "equations of state", "distance of E(V) (meV)", is_taught=True),
    Learnable("gap_ev", "gap_weight", "gaps", "error of the gap (eV)", needs_response=True),
    Learnable("magnetisation_bohr_magneton", "moment_weight", "moments", "error of M (μB)", needs_response=True),
    Learnable(
        "density_percent", "density_weight", "densities", "distance of the density (%)",
        needs_response=True, is_taught=True,
    ),
    FORCES,
)  # fmt: skip
# Functionals that another one may learn from.
TEACHERS = ("r2scan", "scan", "pbesol", "lda")
# Each step is then a self-consistent field and an adjoint of each solid.
STEPS_WITH_RESPONSE = 8
# The smallest and the largest whole number of each setting that is one.
LIMITS = {"width": (1, 256), "steps": (1, 100_000), "patience": (0, 100_000), "seed": (0, 2**31 - 1)}


class TrainingSettings(HasTraits):
    """What is chosen.

    Attributes:
        start: Where the training begins.
        width: The width of a fresh network's layers.
        lattice_weight: How much lattice constants count.
        bulk_weight: How much bulk moduli count, whose error is counted in tens of percent.
        cohesive_weight: How much cohesive energies count, whose error is counted in tenths of an electronvolt per atom.
        curve_weight: How much the distance from the teacher's E(V) counts, which is counted in millielectronvolts.
        gap_weight: How much gaps count, whose error is counted in tenths of an electronvolt.
        moment_weight: How much magnetisations count, whose error is counted in tenths of a Bohr magneton.
        density_weight: How much the distance from the teacher's density counts, which is counted in percent.
        force_weight: How much the distance from the teacher's forces counts, which is counted in mHa/bohr.
        teacher: The functional whose equations of state, densities and forces are learned.
        kind: The optimiser: ``adam`` or ``lbfgs``.
        rate: The step size.
        steps: The most steps of a round.
        patience: How many steps without a better validation end it; zero for never.
        absolute: Whether errors count as they are and not squared, which lets a functional be wrong for a few solids.
        stay_near: The weight of the distance from the start.
        smooth: The weight of the curvature that is new.
        bound: The weight of what exceeds the Lieb-Oxford bound.
        seed: The seed of a fresh network's weights.
    """

    start = Instance(Start)
    width = Int(16)
    lattice_weight = Float(1.0)
    bulk_weight = Float(0.0)
    cohesive_weight = Float(0.0)
    curve_weight = Float(0.0)
    gap_weight = Float(0.0)
    moment_weight = Float(0.0)
    density_weight = Float(0.0)
    force_weight = Float(0.0)
    teacher = Unicode(TEACHERS[0])
    kind = Unicode("adam")
    rate = Float(KAPPA_MU.rate)
    steps = Int(200)
    patience = Int(0)
    absolute = Bool(False)
    stay_near = Float(0.0)
    smooth = Float(0.0)
    bound = Float(0.0)
    seed = Int(0)

    def __init__(self) -> None:
        super().__init__()
        self.solids = SolidLists()
        self._suited = self.suitable_rate

    @default("start")
    def _usual_start(self) -> Start:
        return KAPPA_MU

    @property
    def suitable_rate(self) -> float:
        """A step size that suits what is trained; L-BFGS finds its own, from one on."""
        return 1.0 if self.kind == "lbfgs" else self.start.rate

    @observe("start", "kind")
    def _suit_rate(self, change: Any) -> None:
        """A step size that a person has typed stays, except that each optimiser means something else by it."""
        if change["name"] == "kind" or self.rate == self._suited:
            self.rate = self.suitable_rate
        self._suited = self.suitable_rate

    @observe(*(one.trait for one in LEARNABLE if one.needs_response))
    def _suit_steps(self, change: Any) -> None:
        """What needs the response takes seconds for what takes milliseconds at stored densities."""
        if change["old"] == 0 and change["new"] != 0:
            self.steps = min(self.steps, STEPS_WITH_RESPONSE)

    @property
    def learned(self) -> list[Learnable]:
        """The quantities that have a weight."""
        return [one for one in LEARNABLE if getattr(self, one.trait) != 0]

    @property
    def needs_response(self) -> bool:
        """Whether something is learned that needs self-consistent states."""
        return any(one.needs_response for one in self.learned)

    @property
    def needs_teacher(self) -> bool:
        """Whether something is learned that is another functional's."""
        return any(one.is_taught for one in self.learned)

    def names(self, which: str) -> list[str]:
        """The solids of a list as a configuration names them: where forces are learned, with an atom moved as well."""
        plain = self.solids.names(which)
        as_they_are = plain if any(one is not FORCES for one in self.learned) else []
        moved = [f"{name}{MOVED}" for name in plain if can_have_forces(name)] if FORCES in self.learned else []
        return [*as_they_are, *moved]

    def check(self) -> None:
        """Say why there is nothing to train.

        Raises:
            InputError: no solid, or nothing to learn of the solids.
        """
        names = self.solids.names(TRAINING)
        if not names:
            raise InputError("There is no solid to learn from: click one in the picture, or take a preset.")
        if not self.learned:
            raise InputError(f"There is nothing to learn: give {in_words(LEARNABLE, 'or')} a weight.")
        for one in self.learned:
            having = [name for name in measured_solids() if _is_known(one, name)]
            if not set(names).intersection(having):
                what, others = one.words if one.is_taught else f"measured {one.words}", map(formula_of, having)
                raise InputError(f"None of the solids to learn from has {what}. These have: {', '.join(others)}.")

    def task(self) -> TrainingTask:
        """The training that is chosen.

        Raises:
            InputError: it is none; one sentence says why.
        """
        targets = [
            {"quantity": one.column, "weight": getattr(self, one.trait), "scale": one.scale} for one in self.learned
        ]
        optimiser = {
            "kind": self.kind, "rate": self.rate, "steps": self.steps, "patience": self.patience or None,
        }  # fmt: skip
        config = {
            "name": self.start.short.replace(" ", "-") + "-trained",
            "description": f"{self.start.short}, trained on {len(self.solids.names(TRAINING))} solids",
            **self.start.settings(self.width),
            "train": self.names(TRAINING),
            "validate_on": self.names(VALIDATION),
            "test": self.names(TEST),
            "targets": targets,
            "teacher": self.teacher if self.needs_teacher else "",
            "errors": "absolute" if self.absolute else "squared",
            "regularisation": {"stay_near": self.stay_near, "smooth": self.smooth, "bound": self.bound},
            "optimiser": optimiser,
            "rounds": 1,
            "seed": self.seed,
        }
        return TrainingTask.from_dict({"config": config})


def in_words(quantities: Sequence[Learnable], joined_by: str = "and") -> str:
    """Quantities as a person lists them."""
    *others, last = (one.words for one in quantities)
    return f"{', '.join(others)} {joined_by} {last}" if others else last


def _is_known(learnable: Learnable, name: str) -> bool:
    """Whether there is something to learn of a solid."""
    if learnable.is_taught:
        return learnable is not FORCES or can_have_forces(name)
    return learnable.column in measured_solids()[name]
