"""What a run can compute. Imports no torch."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from mlxc.calculation.calculation import Calculation, EquationOfStateTask
from mlxc.errors import InputError
from mlxc.tasks.bands.task import BandsTask
from mlxc.tasks.diagnosis.task import DiagnosisTask
from mlxc.tasks.gradient.task import GradientTask

Task: TypeAlias = Calculation | EquationOfStateTask | BandsTask | GradientTask | DiagnosisTask
Kind = Literal["scf", "eos", "bands", "gradient", "diagnosis"]
TASKS: dict[Kind, type[Task]] = {
    "scf": Calculation,
    "eos": EquationOfStateTask,
    "bands": BandsTask,
    "gradient": GradientTask,
    "diagnosis": DiagnosisTask,
}


def kind_of(task: Task) -> Kind:
    """The name of this kind of task."""
    return next(kind for kind, form in TASKS.items() if type(task) is form)


def calculation_of(task: Task) -> Calculation:
    """The calculation that a task is about: of an equation of state, that at the given volume."""
    return task if isinstance(task, Calculation) else task.calculation


def task_from_dict(kind: Any, data: dict[str, Any]) -> Task:
    """Make a task from plain data.

    Raises:
        InputError: there is no such kind of task, or the data make none.
    """
    if kind not in TASKS:
        raise InputError(f"task: {kind!r} is nothing that a run computes; there are {', '.join(TASKS)}.")
    return TASKS[kind].from_dict(data)
