"""How a functional is to be trained: what a person may choose, and the configuration that it makes."""

from __future__ import annotations

from typing import Any

from traitlets import Bool, Float, HasTraits, Instance, Int, Unicode, default, observe

from mlxc.tasks.training.task import TrainingTask
from mlxc_app.panels.train.solids import TEST, TRAINING, VALIDATION, SolidLists
from mlxc_app.panels.train.starts import KAPPA_MU, Start

LATTICE, BULK, GAP = "lattice_constant_ang", "bulk_modulus_gpa", "gap_ev"
# A bulk modulus is measured to some percent, a lattice constant to some hundredths of one.
BULK_SCALE_PERCENT = 10.0
# Each step of a gap is a self-consistent field and an adjoint of each solid.
STEPS_OF_GAPS = 8
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

    @observe("gap_weight")
    def _suit_steps(self, change: Any) -> None:
        """Gaps take seconds for what takes milliseconds at stored densities."""
        if change["old"] == 0 and change["new"] != 0:
            self.steps = min(self.steps, STEPS_OF_GAPS)

    @property
    def learns_something(self) -> bool:
        """Whether a quantity has a weight."""
        return any((self.lattice_weight, self.bulk_weight, self.gap_weight))

    def task(self) -> TrainingTask:
        """The training that is chosen.

        Raises:
            InputError: it is none; one sentence says why.
        """
        weights = {
            LATTICE: (self.lattice_weight, None),
            BULK: (self.bulk_weight, BULK_SCALE_PERCENT),
            GAP: (self.gap_weight, None),
        }
        targets = [
            {"quantity": quantity, "weight": weight, "scale": scale}
            for quantity, (weight, scale) in weights.items()
            if weight != 0
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
            "errors": "absolute" if self.absolute else "squared",
            "regularisation": {"stay_near": self.stay_near, "smooth": self.smooth, "bound": self.bound},
            "optimiser": optimiser,
            "rounds": 1,
            "seed": self.seed,
        }
        return TrainingTask.from_dict({"config": config})
