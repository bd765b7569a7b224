"""The command of a kind of task: its options, and which fields of the task they set. Imports no torch."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlxc.calculation.calculation import Calculation
from mlxc.calculation.setting import settings_table
from mlxc.console.options import add_calculation, add_save


@dataclass(frozen=True)
class Option:
    """One option, for what a task says beyond its calculation.

    Attributes:
        flag: The option as a person writes it, such as ``--points``.
        fields: The names of the task's fields that it sets; several for an option with as many values.
        help: What ``--help`` says.
        arguments: Further arguments of :meth:`argparse.ArgumentParser.add_argument`.
        value: What the field becomes when the option is given, if it is a switch; else None.
    """

    flag: str
    fields: tuple[str, ...]
    help: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    value: Any = None

    def add_to(self, parser: ArgumentParser) -> None:
        """Define the option."""
        switch = {} if self.value is None else {"action": "store_const", "const": self.value}
        parser.add_argument(self.flag, help=self.help, **switch, **self.arguments)

    def read(self, options: Namespace) -> dict[str, Any]:
        """The fields that it sets, by name; nothing where it is not given."""
        given = getattr(options, _destination(self.flag))
        if given is None:
            return {}
        return {self.fields[0]: given} if len(self.fields) == 1 else dict(zip(self.fields, given, strict=True))

    def argument(self, task: Any) -> Any:
        """What has to be given to make the task: True for a switch, else one value or a list of them."""
        values = [getattr(task, name) for name in self.fields]
        if len(values) > 1:
            return values
        return True if self.value is not None and values[0] == self.value else values[0]


UNCERTAINTY = Option(
    settings_table(Calculation)["uncertainty"].option,
    ("uncertainty",),
    settings_table(Calculation)["uncertainty"].help,
    value=True,
)


SCHEDULER = Option(
    "--scheduler",
    ("scheduler",),
    "of Dask, whose workers compute several parts at the same time",
    {"metavar": "ADDRESS"},
)


@dataclass(frozen=True)
class WrittenFile:
    """An option that names a file, which is written when the task is done.

    Attributes:
        flag: The option, such as ``--html``.
        metavar: How ``--help`` calls the file.
        help: What ``--help`` says.
        write: The function that writes the result, as ``--json`` prints it, to a path.
    """

    flag: str
    metavar: str
    help: str
    write: Callable[[dict[str, Any], Path], None]

    def add_to(self, parser: ArgumentParser) -> None:
        """Define the option."""
        parser.add_argument(self.flag, type=Path, metavar=self.metavar, help=self.help)

    def path(self, options: Namespace) -> Path | None:
        """The file that a person wants; None if he wants none."""
        path: Path | None = getattr(options, _destination(self.flag))
        return path


@dataclass(frozen=True)
class Command:
    """A command of ``mlxc``.

    Attributes:
        word: The word after ``mlxc``.
        help: What ``mlxc --help`` says.
        options: The options beyond those of a calculation, in the order in which exported commands give them.
        gives_uncertainty: Whether its results have standard deviations where a calculation asks for them.
        basis: The basis of the calculation where none is given.
        saves: Whether there is a state that ``--save`` keeps.
        files: What else the command writes.
        minds_time: Whether what it does depends on the time that it takes, so that several processes may not all do
            the same.
    """

    word: str
    help: str
    options: tuple[Option, ...] = ()
    gives_uncertainty: bool = False
    basis: str = "pw"
    saves: bool = True
    files: tuple[WrittenFile, ...] = ()
    minds_time: bool = False

    def add_to(self, parser: ArgumentParser) -> None:
        """Define all options."""
        add_calculation(parser, self.basis)
        if self.saves:
            add_save(parser)
        for option in (*self._settings, *self.options):
            option.add_to(parser)
        for file in self.files:
            file.add_to(parser)

    @property
    def _settings(self) -> tuple[Option, ...]:
        """Options that are settings of a calculation, and that not every command has."""
        return (UNCERTAINTY,) if self.gives_uncertainty else ()

    def settings(self, options: Namespace) -> dict[str, Any]:
        """What is said of the calculation by options that not every command has, by the names of its settings."""
        return {name: value for option in self._settings for name, value in option.read(options).items()}

    def fields(self, options: Namespace) -> dict[str, Any]:
        """What is said of the task beyond its calculation, by the names of its fields."""
        return {name: value for option in self.options for name, value in option.read(options).items()}


def _destination(flag: str) -> str:
    return flag.removeprefix("--").replace("-", "_")
