"""Processes that compute one thing together: how many there are, and what they tell each other.

``torchrun`` starts them, on one machine or on many; :func:`distributed` lets them find each other. Without it there is
one process, which has nobody to talk to and pays nothing for it. What is told goes through the main memory, so that it
does not matter where the tensors are.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from mlxc.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

Value = TypeVar("Value")
# Set by torchrun, or by another launcher, for each process: how many there are, which one this is, and on its machine.
COUNT_VARIABLE, NUMBER_VARIABLE, LOCAL_NUMBER_VARIABLE = "WORLD_SIZE", "RANK", "LOCAL_RANK"


class Processes(Protocol):
    """Some processes that do the same at the same time, each with a part of its own.

    Attributes:
        count: How many there are.
        number: Which of them this one is, counted from 0.
    """

    count: int
    number: int

    @property
    def is_first(self) -> bool:
        """Whether this is the process that prints and writes for all of them."""
        ...

    def total(self, part: Tensor) -> Tensor:
        """The sum of what each process has, the same to the last bit in all of them."""
        ...

    def agreed(self, value: Tensor) -> Tensor:
        """What the first process has, for what is computed by all and may be rounded differently."""
        ...

    def largest(self, value: float) -> float:
        """The largest of the numbers that the processes have."""
        ...

    def each(self, part: Tensor, lengths: Sequence[int]) -> list[Tensor]:
        """What each process has, in their order: tensors that differ in the length of their second dimension alone."""
        ...

    def together(self, function: Callable[[], Value]) -> Value:
        """The value of a function; where it refuses its input in one process, all of them do.

        Raises:
            InputError: the function has raised one in any of the processes.
        """
        ...


class Alone:
    """The only process."""

    count, number, is_first = 1, 0, True

    def total(self, part: Tensor) -> Tensor:
        """See :class:`Processes`."""
        return part

    def agreed(self, value: Tensor) -> Tensor:
        """See :class:`Processes`."""
        return value

    def largest(self, value: float) -> float:
        """See :class:`Processes`."""
        return value

    def each(self, part: Tensor, lengths: Sequence[int]) -> list[Tensor]:
        """See :class:`Processes`."""
        return [part]

    def together(self, function: Callable[[], Value]) -> Value:
        """See :class:`Processes`."""
        return function()


class Several:
    """The processes of a group of :mod:`torch.distributed`.

    Args:
        group: The group, which carries tensors of the main memory.
    """

    def __init__(self, group: Any) -> None:
        import torch.distributed as channel

        self._channel, self._group = channel, group
        self.count, self.number = channel.get_world_size(group), channel.get_rank(group)

    @property
    def is_first(self) -> bool:
        """See :class:`Processes`."""
        return self.number == 0

    def total(self, part: Tensor) -> Tensor:
        """See :class:`Processes`."""
        carried = _carried(part)
        self._channel.all_reduce(carried, group=self._group)
        # Not every way of adding up rounds alike in all processes.
        return self._told(carried, part)

    def agreed(self, value: Tensor) -> Tensor:
        """See :class:`Processes`."""
        return self._told(_carried(value), value)

    def _told(self, carried: Tensor, like: Tensor) -> Tensor:
        self._channel.broadcast(carried, group=self._group, group_src=0)
        return _brought_back(carried, like)

    def largest(self, value: float) -> float:
        """See :class:`Processes`."""
        import torch

        carried = torch.tensor(value, dtype=torch.float64)
        self._channel.all_reduce(carried, self._channel.ReduceOp.MAX, group=self._group)
        return float(carried)

    def each(self, part: Tensor, lengths: Sequence[int]) -> list[Tensor]:
        """See :class:`Processes`."""
        import torch

        shape = (len(part), max(lengths), *part.shape[2:])
        # What is sent at once has to be of one size.
        padded = part.new_zeros(shape)
        padded[:, : part.shape[1]] = part
        carried = _carried(padded)
        found = [torch.empty_like(carried) for _ in lengths]
        self._channel.all_gather(found, carried, group=self._group)
        return [_brought_back(one, part)[:, :length] for one, length in zip(found, lengths, strict=True)]

    def together(self, function: Callable[[], Value]) -> Value:
        """See :class:`Processes`."""
        refusal: str | None = None
        try:
            value = function()
        except InputError as error:
            refusal = str(error)
        refusals: list[str | None] = [None] * self.count
        self._channel.all_gather_object(refusals, refusal, group=self._group)
        told = next((sentence for sentence in refusals if sentence is not None), None)
        if told is not None:
            raise InputError(told)
        return value


ALONE = Alone()
_processes: ContextVar[Processes] = ContextVar("processes", default=ALONE)


def processes() -> Processes:
    """The processes that compute together at the moment: those of :func:`distributed`, or this one alone."""
    return _processes.get()


def are_several() -> bool:
    """Whether a launcher has started this process as one of several; torch need not be loaded to know."""
    return int(os.environ.get(COUNT_VARIABLE, "1")) > 1


def is_first() -> bool:
    """Whether this is the process that prints and writes, of those that a launcher has started."""
    return os.environ.get(NUMBER_VARIABLE, "0") == "0"


@contextmanager
def distributed() -> Iterator[Processes]:
    """Divide the k points of each ground state inside ``with`` among the processes that ``torchrun`` has started.

    All of them have to run the same program, and each gets the whole result: ``processes.is_first`` says which one is
    to print and to write. A process that was not started as one of several computes as ever. Where there are graphics
    processors, each process of a machine takes one of its own.

    Yields:
        the processes.
    """
    import torch.distributed as channel

    is_there = channel.is_available() and channel.is_initialized()
    token = _processes.set(_several() if is_there or are_several() else ALONE)
    try:
        yield _processes.get()
    finally:
        _processes.reset(token)


@cache
def _several() -> Several:
    """The processes that were started together; they find each other once and for all."""
    import torch
    import torch.distributed as channel

    if not channel.is_initialized():
        channel.init_process_group("gloo")
        atexit.register(channel.destroy_process_group)
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get(LOCAL_NUMBER_VARIABLE, "0")) % torch.cuda.device_count())
    return Several(channel.new_group(backend="gloo"))


def _carried(tensor: Tensor) -> Tensor:
    """A copy in the main memory, as real numbers, which every channel carries."""
    import torch

    copy = tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
    return torch.view_as_real(copy) if copy.is_complex() else copy


def _brought_back(carried: Tensor, like: Tensor) -> Tensor:
    import torch

    return (torch.view_as_complex(carried) if like.is_complex() else carried).to(like.device)
