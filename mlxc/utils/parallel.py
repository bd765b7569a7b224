"""Independent parts of a computation in threads, each of which computes with one thread of torch.

Threads do not survive a fork: a child that asked for those of its parent, in OpenMP's pool or in the one here, would
wait for them forever. A child computes with one thread instead.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

# Torch's number of threads belongs to the process, so only one computation at a time may change it.
_lock = Lock()


def map_in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], work: Callable[[Item], float] | None = None
) -> list[Result]:
    """The values of ``function`` at each item, in order.

    Args:
        function: What is computed.
        items: What it is computed of.
        work: About how long each takes, in some unit: the longest are begun first, so that threads end together.
            R. L. Graham, SIAM J. Appl. Math. 17, 416 (1969).

    An operation of torch on small matrices gains little from several threads, and they all wait for the slowest one at
    its end, which is long where something else runs on the machine. Here threads meet only when all items are done.
    """
    items = list(items)
    threads = min(torch.get_num_threads(), len(items))
    if threads < 2:
        return [function(item) for item in items]
    with_gradients = torch.is_grad_enabled()

    def compute(item: Item) -> Result:
        # Each thread has a number of its own, too: until it is set, the first item of a thread would be computed with
        # several, and round differently from the same item later on.
        torch.set_num_threads(1)
        with torch.set_grad_enabled(with_gradients):
            return function(item)

    order = range(len(items)) if work is None else sorted(range(len(items)), key=lambda place: -work(items[place]))
    with single_thread():
        futures = {place: _pool(threads).submit(compute, items[place]) for place in order}
        try:
            return [futures[place].result() for place in range(len(items))]
        finally:
            # After an error, or an interrupt, nobody wants what has not begun.
            for future in futures.values():
                future.cancel()


@contextmanager
def single_thread() -> Iterator[None]:
    """Compute what is inside ``with`` with one thread of torch.

    Many operations on small tensors are faster so, and much faster where something else runs on the machine: each of
    them waits for the slowest of its threads.
    """
    with _lock:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="mlxc")


def _compute_alone() -> None:
    """Leave the threads, and a lock that one of them may have held, to the process that was forked."""
    global _lock
    _lock = Lock()
    _pool.cache_clear()
    torch.set_num_threads(1)


os.register_at_fork(after_in_child=_compute_alone)
