"""What makes a kind of task: all that command line, worker, run folders, exports and page ask about it.

Each kind is a folder of :mod:`mlxc.tasks` with its task as plain data, what computes it, how it is told, and the one
:class:`Kind` that puts these together; :mod:`mlxc.tasks.kinds` lists them. Imports no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from mlxc.calculation.calculation import Calculation
from mlxc.console.progress import Progress, iteration_line
from mlxc.console.record_table import Record, RecordTable, ResultTable, Tell
from mlxc.kohn_sham.monitor import Monitor, SCFRecord
from mlxc.tasks.command import Command
from mlxc.tasks.parts import Parts
from mlxc.tasks.task import AnyTask, CrystalTask

if TYPE_CHECKING:
    from torch import Tensor

    from mlxc.kohn_sham.solved_state import SolvedState

ITERATION = "iteration"
# Told by every SCF, through the monitor, and so among the records of every kind.
ITERATIONS = RecordTable("iterations", "one row per SCF step", iteration_line)
# What a run begins between the steps, ``words`` for a person; told by whatever computes, see mlxc.utils.stages.
STAGE = "stage"
# In each record of a run's folder: the seconds since the run began.
ELAPSED = "elapsed_seconds"


class Result(Protocol):
    """What a task comes to."""

    @property
    def converged(self) -> bool:
        """Whether the numbers are to be believed."""

    @property
    def message(self) -> str:
        """One sentence when they are not."""

    def summary(self) -> dict[str, Any]:
        """The result as plain data, the JSON object of the command line."""


# Computes a task. The monitor is told of every SCF step, and ``tell`` of whatever else happens.
Runner: TypeAlias = Callable[[Any, Monitor | None, Tell], Any]


@dataclass(frozen=True)
class Ending:
    """How a task has ended, and what is kept of it beside its summary.

    Attributes:
        converged: Whether it has come to its end.
        message: One sentence when it has not.
        state: The state to keep; None where there is none.
        fields: Fields on the grid of that state, which are kept beside it, by name.
    """

    converged: bool
    message: str
    state: SolvedState | None = None
    fields: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True)
class Figure:
    """A number, or a sentence, that a result is asked for.

    Attributes:
        key: Its key in the summary.
        label: How a person says it.
        unit: The unit, with a blank before it; empty where there is none.
        form: How it is written, see :func:`format`.
    """

    key: str
    label: str
    unit: str = ""
    form: str = ""


def nothing(_: Any) -> str:
    """The words of a kind that has none."""
    return ""


def one_part(_: Any) -> Parts:
    """The parts of a task that is a single self-consistent calculation."""
    return Parts()


@dataclass(frozen=True)
class Kind:
    """A kind of task. A summary is what ``--json`` prints.

    Attributes:
        name: The word in ``task.json``.
        title: The word for people, such as "equation of state".
        task: The class of its tasks: :class:`mlxc.Calculation`, one that extends
            :class:`~mlxc.tasks.task.CrystalTask`, or, if it is about no calculation, :class:`~mlxc.tasks.task.Task`.
        run: The function that computes a task; torch may be loaded in it and not before.
        ending: How what ``run`` returns has ended, and what of it is to be kept.
        records: How each kind of record that a run tells is shown; the SCF steps, ``iteration``, are among them.
        tables: What of a result is a table of its own.
        report: The result as text, made from its summary.
        headline: The result in one sentence, which follows the title of a run on the page.
        outcome: The number that a run was made for, with its unit, for the list of runs; empty if there is none. It is
            also asked for summaries that are empty.
        figures: What exported scripts print of a summary; those that it lacks, or that are None, are left out.
        run_arguments: What exported scripts write between the parentheses of ``run()``.
        command: The command that computes it; None if it is computed in run folders only.
        advice: What to do after a run that has not converged, made from its records; empty for the usual advice.
        parts: The SCF calculations that a task consists of, and how long they take beside each other.
        progress: What shows records while a command computes.
        is_quick: Whether the records of a task come as fast as a browser draws them, or faster: who looks then comes
            before who computes.
    """

    name: str
    title: str
    task: type[Any]
    run: Runner
    ending: Callable[[Any], Ending]
    records: Mapping[str, RecordTable]
    report: Callable[[dict[str, Any]], str]
    headline: Callable[[Mapping[str, Any]], str]
    tables: tuple[ResultTable, ...] = ()
    outcome: Callable[[Mapping[str, Any]], str] = nothing
    figures: tuple[Figure, ...] = ()
    run_arguments: str = ""
    command: Command | None = None
    advice: Callable[[Sequence[Record]], str] = nothing
    parts: Callable[[Any], Parts] = one_part
    progress: Callable[[Mapping[str, RecordTable]], Progress] = Progress
    is_quick: Callable[[Any], bool] = lambda task: False

    def make(self, calculation: dict[str, Any], further: dict[str, Any]) -> AnyTask:
        """A task of this kind.

        Args:
            calculation: The settings of its calculation; left alone where it is about none.
            further: What it says beyond that, by the names of its fields.

        Raises:
            InputError: these make no task.
        """
        about_one = {"calculation": calculation} if issubclass(self.task, CrystalTask) else {}
        own = calculation if self.task is Calculation else about_one
        task: AnyTask = self.task.from_dict(own | further)
        return task


def monitor_telling(tell: Tell) -> Monitor:
    """A monitor that tells SCF steps as records."""

    def monitor(record: SCFRecord) -> None:
        tell({"kind": ITERATION, **record.to_dict()})

    return monitor
