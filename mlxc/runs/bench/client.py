"""Asks the bench, and starts it where there is none. Imports no torch."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from mlxc.errors import MlxcError
from mlxc.runs.bench.protocol import GIVE_UP, LOG, LONGEST_LINE, SOCKET, bench_file, line_of

MODULE = "mlxc.runs.bench.server"
# A process that is there answers long before it has loaded torch.
START_SECONDS = 30.0
RETRY_SECONDS = 0.1
RETRIES_PER_START = 50
# What was asked for is asked again after the first death of the process.
MOST_DEATHS = 2
# What networks need at some thousand points, tens of megabytes, is wanted again a moment later: the C library keeps it,
# rather than have the system take it back and clear it each time, for up to a quarter of the time of a network.
KEEPS_MEMORY = {"MALLOC_MMAP_THRESHOLD_": str(2**25), "MALLOC_TRIM_THRESHOLD_": str(2**27)}
DIED = "The process that evaluates functionals ended twice while it was asked for this; its log is {log}."

Take = Callable[[dict[str, Any]], None]


class Bench:
    """One connection; nothing is started before something is asked.

    A process that dies is replaced, and asked again for what has not been answered.
    """

    def __init__(self) -> None:
        self._open: dict[str, dict[str, Any]] = {}
        self._deaths: dict[str, int] = {}
        self._count = 0
        self._writer: asyncio.StreamWriter | None = None
        self._asked = asyncio.Event()

    def ask(self, slot: str, ask: str, **request: Any) -> None:
        """Send a request; answers to an older one in this slot are not heard any more."""
        self._count += 1
        self._open[slot] = {"slot": slot, "number": self._count, "ask": ask, **request}
        self._deaths.pop(slot, None)
        self._send(self._open[slot])
        self._asked.set()

    def give_up(self, slot: str) -> None:
        """Want nothing of this slot any more."""
        if self._open.pop(slot, None) is not None:
            self._send({"slot": slot, "number": self._count, "ask": GIVE_UP})

    async def follow(self, take: Take) -> None:
        """Hand answers over as they come, for as long as the task lives.

        Args:
            take: A function that is given each answer to what is still wanted.
        """
        while True:
            await self._asked.wait()
            try:
                reader, self._writer = await _connected()
            except MlxcError as error:
                self._fail(take, str(error), list(self._open))
                continue
            try:
                await self._converse(reader, take)
            finally:
                self._writer.close()
                self._writer = None
            self._count_deaths(take)

    async def _converse(self, reader: asyncio.StreamReader, take: Take) -> None:
        for request in self._open.values():
            self._send(request)
        while line := await _line(reader):
            self._hear(json.loads(line), take)

    def _hear(self, answer: dict[str, Any], take: Take) -> None:
        slot = answer["slot"]
        if self._open.get(slot, {}).get("number") != answer["number"]:
            return
        if answer["last"]:
            del self._open[slot]
        take(answer)

    def _count_deaths(self, take: Take) -> None:
        """The process is gone: what it was asked for twice is given up, and without more to ask no other is needed."""
        for slot in self._open:
            self._deaths[slot] = self._deaths.get(slot, 0) + 1
        self._fail(take, DIED.format(log=bench_file(LOG)), [s for s in self._open if self._deaths[s] >= MOST_DEATHS])
        if not self._open:
            self._asked.clear()

    def _fail(self, take: Take, sentence: str, slots: list[str]) -> None:
        for slot in slots:
            request = self._open.pop(slot)
            take({"slot": slot, "number": request["number"], "last": True, "error": sentence})
        if not self._open:
            self._asked.clear()

    def _send(self, request: Mapping[str, Any]) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(line_of(dict(request)))


async def _line(reader: asyncio.StreamReader) -> bytes:
    """A line; nothing once the other end is gone."""
    try:
        line = await reader.readline()
    except OSError:
        return b""
    return line if line.endswith(b"\n") else b""


async def _connected() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to the bench, which is started if there is none.

    Raises:
        MlxcError: it does not start.
    """
    for attempt in range(int(START_SECONDS / RETRY_SECONDS)):
        try:
            return await _greeted()
        except OSError:
            # One that is about to end holds the lock for a moment longer than its socket.
            if attempt % RETRIES_PER_START == 0:
                _start()
        await asyncio.sleep(RETRY_SECONDS)
    raise MlxcError(f"The process that evaluates functionals does not start; see {bench_file(LOG)}.")


async def _greeted() -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection whose other end has said that it is there.

    Raises:
        OSError: there is no bench, or one that is just dying.
    """
    # The path that the link leads to is short enough for a socket.
    reader, writer = await asyncio.open_unix_connection(os.path.realpath(bench_file(SOCKET)), limit=LONGEST_LINE)
    if not await _line(reader):
        writer.close()
        raise ConnectionAbortedError
    return reader, writer


def _start() -> None:
    """Start the process in a session of its own: it serves other pages when this one is gone."""
    log = bench_file(LOG)
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "a") as errors:
        subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
            env=os.environ | KEEPS_MEMORY,
        )
