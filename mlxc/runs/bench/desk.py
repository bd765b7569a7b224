"""Many ask at once, each is answered in turn, and nobody waits for all that another one wants."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlxc.errors import MlxcError
from mlxc.runs.bench.protocol import GIVE_UP

# What answers a request, a piece at a time.
Answering = Callable[[Mapping[str, Any]], Iterator[dict[str, Any]]]


@dataclass(frozen=True, eq=False)
class Job:
    """A request that is being answered.

    Attributes:
        asker: Who asks.
        slot: The slot in which the request belongs.
        number: The number that the asker has given it.
        pieces: The pieces of the answer.
        can_wait: Whether it is answered only while nothing else is wanted.
    """

    asker: Hashable
    slot: str
    number: int
    pieces: Iterator[dict[str, Any]]
    can_wait: bool

    def piece(self) -> dict[str, Any]:
        """The next piece, or why there is none, as a message to the asker."""
        head = {"slot": self.slot, "number": self.number}
        try:
            return {"last": False} | next(self.pieces) | head
        except StopIteration:
            return {"last": True} | head
        except MlxcError as error:
            return {"last": True, "error": str(error)} | head
        except Exception as error:  # one request must not end the process that serves all
            return {"last": True, "error": f"This met an unexpected problem ({type(error).__name__}: {error})."} | head


class Desk:
    """The requests of all askers, of whom each gets one piece in turn, as do the requests of one asker.

    Args:
        answering: The function that answers a request.
    """

    def __init__(self, answering: Answering) -> None:
        self._answering = answering
        self._jobs: OrderedDict[Hashable, OrderedDict[str, Job]] = OrderedDict()

    def put(self, asker: Hashable, request: Mapping[str, Any]) -> None:
        """Take a request; an older one of the same slot is dropped."""
        slot, jobs = str(request["slot"]), self._jobs.setdefault(asker, OrderedDict())
        jobs.pop(slot, None)
        if request["ask"] != GIVE_UP:
            can_wait = bool(request.get("can_wait"))
            jobs[slot] = Job(asker, slot, int(request["number"]), self._answering(request), can_wait)

    def leave(self, asker: Hashable) -> None:
        """Drop all that somebody has asked for."""
        self._jobs.pop(asker, None)

    def next(self) -> Job | None:
        """The job whose turn it is, among those of the asker who has waited longest; None if there is none."""
        for can_wait in (False, True):
            for asker, jobs in self._jobs.items():
                slot = next((slot for slot, job in jobs.items() if job.can_wait == can_wait), None)
                if slot is not None:
                    self._jobs.move_to_end(asker)
                    jobs.move_to_end(slot)
                    return jobs[slot]
        return None

    def take_back(self, job: Job, last: bool) -> bool:
        """Say that a job has given a piece, and hear whether it is still wanted."""
        jobs = self._jobs.get(job.asker, OrderedDict())
        wanted = jobs.get(job.slot) is job
        if wanted and last:
            del jobs[job.slot]
        return wanted
