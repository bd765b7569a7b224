"""The bench: a process that has a library of frozen densities in memory and answers all pages of a server.

Started as ``python -m mlxc.runs.bench.server`` by whoever needs it first; a second one ends at once. It ends by itself
when nobody has been connected for some minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mlxc import __version__
from mlxc.errors import MlxcError
from mlxc.runs.bench.desk import Answering, Desk, Job
from mlxc.runs.bench.protocol import LOCK, LONGEST_LINE, SOCKET, bench_file, line_of
from mlxc.runs.locks import lock

IDLE_SECONDS = 300.0
# How often it looks whether it is idle.
LOOK_SECONDS = 5.0
# A page that does not read what it has asked for is not waited for.
MOST_UNREAD_BYTES = 2**26
# Of one solid; the largest networks need two seconds.
PIECE_SECONDS = 60.0
TOO_LONG = "The functional was given up: it took more than a minute for one solid."
FOLDER_PREFIX = "mlxc-bench-"


class StuckError(MlxcError):
    """A functional does not come to an end, and only the end of the process ends it."""


class BenchServer:
    """Answers through a socket; computes in one thread, so that it can hear meanwhile that something is not wanted.

    Args:
        answering: The function that answers a request.
        piece_seconds: The longest time that one piece of an answer may take.
    """

    def __init__(self, answering: Answering, piece_seconds: float = PIECE_SECONDS) -> None:
        self._desk = Desk(answering)
        self._piece_seconds = piece_seconds
        self._writers: set[asyncio.StreamWriter] = set()
        self._asked = asyncio.Event()

    async def serve(self, path: Path, idle_seconds: float = IDLE_SECONDS) -> None:
        """Answer until nobody has been connected for some time.

        Args:
            path: The path of the socket.
            idle_seconds: The time after which it ends without anybody.

        Raises:
            StuckError: a piece has taken too long; who asked for it has been told.
        """
        server = await asyncio.start_unix_server(self._visit, path, limit=LONGEST_LINE)
        computing = asyncio.create_task(self._compute())
        try:
            await self._until_idle(idle_seconds, computing)
        finally:
            server.close()
            computing.cancel()
        if computing.done() and not computing.cancelled():
            await computing

    async def _until_idle(self, idle_seconds: float, computing: asyncio.Task[None]) -> None:
        clock, step = asyncio.get_running_loop().time, min(LOOK_SECONDS, idle_seconds / 4)
        last_seen = clock()
        while clock() - last_seen < idle_seconds and not computing.done():
            await asyncio.wait([computing], timeout=step)
            if self._writers:
                last_seen = clock()

    async def _visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            writer.write(line_of({"mlxc": __version__}))
            while line := await reader.readline():
                self._desk.put(writer, json.loads(line))
                self._asked.set()
        except (OSError, ValueError, KeyError):  # one that breaks off, or does not speak the protocol
            pass
        finally:
            self._writers.discard(writer)
            self._desk.leave(writer)
            writer.close()

    async def _compute(self) -> None:
        loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(1)
        try:
            while True:
                self._asked.clear()
                job = self._desk.next()
                if job is None:
                    await self._asked.wait()
                    continue
                message = await self._within_limit(job, loop.run_in_executor(thread, job.piece))
                if self._desk.take_back(job, message["last"]):
                    self._send(job.asker, message)
        finally:
            thread.shutdown(wait=False)

    async def _within_limit(self, job: Job, piece: asyncio.Future[dict[str, Any]]) -> dict[str, Any]:
        done, _ = await asyncio.wait([piece], timeout=self._piece_seconds)
        if done:
            return piece.result()
        writer: Any = job.asker
        self._send(writer, {"slot": job.slot, "number": job.number, "last": True, "error": TOO_LONG})
        with suppress(OSError):
            await writer.drain()
        raise StuckError(TOO_LONG)

    def _send(self, writer: Any, message: dict[str, Any]) -> None:
        if writer.transport.get_write_buffer_size() > MOST_UNREAD_BYTES:
            writer.close()
            return
        with suppress(OSError):
            writer.write(line_of(message))


def _answers(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Loads torch and the library when the first request is answered, while others can already come in."""
    from mlxc.runs.bench.answers import answers

    yield from answers(request)


@contextmanager
def _linked_socket(link: Path) -> Iterator[Path]:
    """A path for a socket, short enough for one, to which a link leads; the link of a process that died is replaced."""
    _remove(link)
    folder = Path(tempfile.mkdtemp(prefix=FOLDER_PREFIX))
    try:
        link.symlink_to(folder / SOCKET)
        yield folder / SOCKET
    finally:
        _remove(link)


def _remove(link: Path) -> None:
    if link.is_symlink():
        folder = Path(os.readlink(link)).parent
        link.unlink()
        if folder.name.startswith(FOLDER_PREFIX):
            shutil.rmtree(folder, ignore_errors=True)


def main(idle_seconds: float = IDLE_SECONDS) -> None:
    """Serve, unless another process does."""
    # Asked once: files may change while the process lives, and then it is no longer the one with their name.
    folder = bench_file(LOCK).parent
    folder.mkdir(parents=True, exist_ok=True)
    with lock(folder / LOCK) as mine:
        if mine:
            with _linked_socket(folder / SOCKET) as path:
                try:
                    asyncio.run(BenchServer(_answers).serve(path, idle_seconds))
                except StuckError:
                    # The thread would be waited for.
                    os._exit(1)


if __name__ == "__main__":
    main()
