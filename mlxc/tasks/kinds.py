"""The kinds of tasks that there are. Imports no torch.

Another package adds a kind by an entry point of the group ``mlxc.kinds`` that names a
:class:`~mlxc.tasks.kind.Kind`.
"""

from __future__ import annotations

import warnings
from typing import Any

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.notes import basis_note
from mlxc.calculation.settings import GIVEN_CELL
from mlxc.crystal.summary import CrystalSummary
from mlxc.errors import InputError
from mlxc.tasks.bands.kind import BANDS
from mlxc.tasks.comparison.kind import COMPARISON
from mlxc.tasks.diagnosis.kind import DIAGNOSIS
from mlxc.tasks.eos.kind import EQUATION_OF_STATE
from mlxc.tasks.gradient.kind import GRADIENT
from mlxc.tasks.kind import Ending, Kind, Result
from mlxc.tasks.moments.kind import ENERGY_AGAINST_MOMENT
from mlxc.tasks.orders.kind import MAGNETIC_ORDERS
from mlxc.tasks.scf.kind import SCF
from mlxc.tasks.sweep.kind import SWEEP
from mlxc.tasks.task import AnyTask, CrystalTask, functionals_in, main_part
from mlxc.tasks.training.kind import TRAINING
from mlxc.utils.plugins import plugins

ENTRY_POINTS = "mlxc.kinds"
# The kinds that come with mlxc, in the order in which ``mlxc --help`` lists their commands.
OWN = (
    SCF, EQUATION_OF_STATE, BANDS, SWEEP, ENERGY_AGAINST_MOMENT, MAGNETIC_ORDERS, GRADIENT, DIAGNOSIS, COMPARISON,
    TRAINING,
)  # fmt: skip


def _by_name() -> dict[str, Kind]:
    """All kinds by their names; one of another package never takes the place of one that is there."""
    kinds = {kind.name: kind for kind in OWN}
    for kind in plugins(ENTRY_POINTS, Kind):
        if kind.name in kinds:
            warnings.warn(
                f"{ENTRY_POINTS}: there is a kind '{kind.name}' already; another one is left out.", stacklevel=2
            )
        else:
            kinds[kind.name] = kind
    return kinds


KINDS = _by_name()


def kind_of(task: AnyTask) -> Kind:
    """The kind of a task; of a task with further fields, which is of no kind itself, the one that it extends."""
    own = [kind for kind in KINDS.values() if type(task) is kind.task]
    return next(iter([*own, *(kind for kind in KINDS.values() if isinstance(task, kind.task))]))


def kind_named(name: Any) -> Kind:
    """The kind of this name.

    Raises:
        InputError: there is no such kind of task.
    """
    if name not in KINDS:
        raise InputError(f"task: {name!r} is nothing that a run computes; there are {', '.join(KINDS)}.")
    return KINDS[name]


def title_of(name: str) -> str:
    """The word for people for a kind of this name, which may be one that is not installed."""
    return KINDS[name].title if name in KINDS else name


def calculation_of(task: AnyTask) -> Calculation | None:
    """The calculation that a task is about: of an equation of state, that at the given volume; None if it is about
    none.
    """
    if isinstance(task, Calculation):
        return task
    return task.calculation if isinstance(task, CrystalTask) else None


def calculations_of(task: AnyTask) -> list[Calculation]:
    """The calculations that a task consists of, see :meth:`CrystalTask.calculations`; none where it is about none.

    Raises:
        InputError: one of them cannot be described.
    """
    if isinstance(task, CrystalTask):
        return task.calculations()
    return [task] if isinstance(task, Calculation) else []


def required_calculation(task: AnyTask) -> Calculation:
    """The calculation that a task is about, for what has no meaning without one.

    Raises:
        InputError: it is about none.
    """
    calculation = calculation_of(task)
    if calculation is None:
        raise InputError(f"This run, of the kind “{kind_of(task).title}”, is not about one crystal.")
    return calculation


def functionals_of(task: AnyTask) -> tuple[str, ...]:
    """The functionals that a task names."""
    return tuple(functionals_in(main_part(task.model_dump(mode="json"))).values())


def settings_of_its_kind(task: AnyTask) -> dict[str, Any]:
    """The settings that the calculation of a task has because its kind takes them where nobody chooses others."""
    if not isinstance(task, CrystalTask):
        return {}
    usual = type(task).defaults(task.model_dump())
    return {name: value for name, value in usual.items() if getattr(task.calculation, name) == value}


def told(task: AnyTask, result: Result) -> dict[str, Any]:
    """What is told of a result: its summary, and under ``crystal`` what was understood of the structure, if any."""
    calculation = calculation_of(task)
    if calculation is None:
        return result.summary()
    crystal = CrystalSummary.of(calculation.crystal).to_dict()
    if calculation.given_cell is not None:
        crystal[GIVEN_CELL] = calculation.given_cell.model_dump(mode="json")
    return result.summary() | {"crystal": crystal}


def message_of(task: AnyTask, ending: Ending) -> str:
    """What there is to say of a task that has ended, with what may be wrong with the basis that all of it rests on."""
    calculation = calculation_of(task)
    varies = isinstance(task, CrystalTask) and task.varies_basis
    note = "" if calculation is None or varies else basis_note(calculation)
    return ending.message if note in ending.message else f"{ending.message} {note}".strip()


def task_from_dict(kind: Any, data: dict[str, Any]) -> AnyTask:
    """Make a task from plain data.

    Args:
        kind: The name of its kind.
        data: Its fields.

    Raises:
        InputError: there is no such kind of task, or the data make none.
    """
    task: AnyTask = kind_named(kind).task.from_dict(data)
    return task
