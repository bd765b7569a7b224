"""How a functional is to be trained: what a person may choose, and the configuration that it makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from traitlets import Bool, Float, HasTraits, Instance, Int, Unicode, default, observe

from mlxc.tasks.training.task import TrainingTask
from mlxc_app.panels.train.solids import TEST, TRAINING, VALIDATION, SolidLists
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
    """

    column: str
    trait: str
    words: str
    axis: str
    scale: float | None = None
    needs_response: bool = False


DENSITY = Learnable(
    "density_percent", "density_weight", "densities", "distance of the density (%)", needs_response=True
)
LEARNABLE = (
    Learnable("lattice_constant_ang", "lattice_weight", "lattice constants", "error of a₀ (%)"),
    # A bulk modulus is measured to some percent, a lattice constant to some hundredths of one.
    Learnable("bulk_modulus_gpa", "bulk_weight", "bulk moduli", "error of B₀ (%)", scale=10.0),
    Learnable("gap_ev", "gap_weight", "gaps", "error of the gap (eV)", needs_response=True),
    DENSITY,
)
# Functionals whose densities another one may learn.
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
        gap_weight: How much gaps count, whose error is counted in tenths of an electronvolt.
        density_weight: How much the distance from the teacher's density counts, which is counted in percent.
        teacher: The functional whose densities are learned.
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
    gap_weight = Float(0.0)
    density_weight = Float(0.0)
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
            "train": self.solids.names(TRAINING),
            "validate_on": self.solids.names(VALIDATION),
            "test": self.solids.names(TEST),
            "targets": targets,
            "teacher": self.teacher if DENSITY in self.learned else "",
            "errors": "absolute" if self.absolute else "squared",
            "regularisation": {"stay_near": self.stay_near, "smooth": self.smooth, "bound": self.bound},
            "optimiser": optimiser,
            "rounds": 1,
            "seed": self.seed,
        }
        return TrainingTask.from_dict({"config": config})
