"""What a functional learns from in one round, and how it is judged there: solids at the densities of that round."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import nn

from mlxc.frozen.condensed import CondensedSnapshots
from mlxc.training.config import TrainingConfig
from mlxc.training.loss import MEASURES, Assessment, assess
from mlxc.training.subjects.subjects import Subject


@dataclass(frozen=True)
class Class:
    """Solids of one list, whose fixed densities are evaluated together.

    Attributes:
        subjects: What the solids are judged by.
        condensed: The densities of those that are judged at fixed ones.
    """

    subjects: tuple[Subject, ...]
    condensed: CondensedSnapshots

    @classmethod
    def of(cls, subjects: Sequence[Subject], start: nn.Module) -> Class:
        """Put the densities of subjects together, for functionals of the kind of the one that training starts from."""
        fixed = dict.fromkeys(one for subject in subjects if _is_fixed(subject) for one in subject.snapshots)
        return cls(tuple(subjects), CondensedSnapshots(list(fixed), start))

    @property
    def all_fixed(self) -> bool:
        """Whether a judgement needs no self-consistent field."""
        return all(map(_is_fixed, self.subjects))

    def assess(self, functional: nn.Module, config: TrainingConfig) -> Assessment:
        """Compare a functional's predictions with what is known, attached to its parameters."""
        known = self.condensed.energies(functional)
        return assess(functional, self.subjects, config.targets, MEASURES[config.errors], known)

    @torch.no_grad()
    def judge(self, functional: nn.Module, config: TrainingConfig) -> Assessment:
        """The same for whoever only wants to know."""
        return self.assess(functional, config)


@dataclass(frozen=True)
class Lesson:
    """The solids of one round.

    Attributes:
        training: The solids to learn from.
        validation: Those that decide when to stop.
        test: Those that are only told of.
    """

    training: Class
    validation: Class
    test: Class

    @property
    def is_short(self) -> bool:
        """Whether all that is asked of a functional is little work."""
        return all(solids.all_fixed and solids.condensed.are_on_nodes for solids in self.classes.values())

    @property
    def classes(self) -> dict[str, Class]:
        """The lists of which there are solids, by name."""
        named = {"training": self.training, "validation": self.validation, "test": self.test}
        return {name: solids for name, solids in named.items() if solids.subjects}


def _is_fixed(subject: Subject) -> bool:
    return subject.source != "state"
