"""Something to compute beyond one ground state, as plain data. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Self, TypeAlias

from pydantic import BaseModel, ConfigDict

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.validation import build_model
from mlxc.console.record_table import Record, Tell
from mlxc.kohn_sham.monitor import Monitor

# What the settings of a task stand under that are not the task itself, and which of them name a functional.
PARTS = ("calculation", "config")
FUNCTIONALS = ("xc", "start", "densities")


class Task(BaseModel):
    """What all kinds of tasks share: a run computes them.

    Attributes:
        always_told: The settings that scripts and commands name even where they are the default.
    """

    always_told: ClassVar[tuple[str, ...]] = ()
    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Make the task from plain data.

        Raises:
            InputError: the data make no task; one sentence names the field, the value and what is allowed.
        """
        return build_model(cls, data)

    def run(self, monitor: Monitor | None = None) -> Any:
        """Compute the task.

        Args:
            monitor: A function that is called with one record per SCF step; it may stop the run.

        Raises:
            InputError: the task cannot be done.
        """
        return self._compute(monitor)

    def _compute(self, monitor: Monitor | None, tell: Tell | None = None) -> Any:
        """The result, computed by the runner that is registered for this kind of task."""
        from mlxc.tasks.kinds import kind_of

        return kind_of(self).run(self, monitor, tell or handing())


class CrystalTask(Task):
    """What tasks share that are about one calculation.

    Attributes:
        calculation: The crystal, and the settings with which it is computed.
    """

    calculation: Calculation

    @classmethod
    def defaults(cls, data: Mapping[str, Any]) -> dict[str, Any]:
        """The settings that the calculation takes where ``data``, of which a task is made, tell none.

        Whatever is in neither comes from the defaults that suit the structure, see :meth:`Calculation.from_dict`.
        """
        return {}

    def calculations(self) -> list[Calculation]:
        """The calculations that the task consists of, as far as they differ in size; the first one is done first.

        Raises:
            InputError: one of them cannot be described.
        """
        return [self.calculation]

    @property
    def is_about_one_state(self) -> bool:
        """Whether the state that the task keeps is the ground state of the calculation, and the task may start from it;
        others vary something, or keep no state.
        """
        return False

    @property
    def varies_basis(self) -> bool:
        """Whether the basis of the calculation is only one among several that the task compares."""
        return False

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Make the task from plain data; the key ``calculation`` is filled with :meth:`defaults` and then as in
        :meth:`Calculation.from_dict`.

        Raises:
            InputError: the data make no task; one sentence names the field, the value and what is allowed.
        """
        calculation = Calculation.from_dict(cls.defaults(data) | data.get("calculation", {}))
        return build_model(cls, {**data, "calculation": calculation})


AnyTask: TypeAlias = Calculation | Task


def main_part(data: dict[str, Any]) -> dict[str, Any]:
    """The part of a task's plain data that holds what it names: that of its calculation or configuration, or all."""
    part: dict[str, Any] = next((data[name] for name in PARTS if name in data), data)
    return part


def functionals_in(part: Mapping[str, Any]) -> dict[str, str]:
    """The functionals that the main part of a task names, by field; a field that is empty names none."""
    return {name: part[name] for name in FUNCTIONALS if isinstance(part.get(name), str) and part[name]}


def handing(**watchers: Callable[[dict[str, Any]], None] | None) -> Tell:
    """A channel that hands each record, without its kind, to the watcher of that kind, if there is one."""

    def tell(record: Record) -> None:
        watcher = watchers.get(record["kind"])
        if watcher is not None:
            watcher({name: value for name, value in record.items() if name != "kind"})

    return tell
