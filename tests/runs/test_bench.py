"""The bench answers many at once, each in turn, hears what is not wanted any more, and is replaced when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import os
import time
from base64 import b64decode
from collections.abc import Awaitable, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest

from mlxc.errors import InputError
from mlxc.runs.bench import server
from mlxc.runs.bench.client import MODULE, Bench
from mlxc.runs.bench.desk import Desk
from mlxc.runs.bench.protocol import SOCKET, bench_file, line_of
from mlxc.xc.checkpoint import save_checkpoint
from mlxc.xc.gga import PBE

SECONDS = 120.0
# Those that come with mlxc, two sheets among them.
SOLIDS = 30


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runs directory of its own, whose path is too long for a socket."""
    folder = tmp_path / ("long-" * 20)
    monkeypatch.setenv("MLXC_RUNS", str(folder))
    yield folder
    for process in benches(folder):
        process.kill()


def benches(folder: Path) -> list[psutil.Process]:
    """The benches of a runs directory; what the system does not say of a process that ends meanwhile is None."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if MODULE in " ".join(process.info["cmdline"] or [])
        and (process.info["environ"] or {}).get("MLXC_RUNS") == str(folder)
    ]


def counting(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Pieces that count, or a refusal."""
    for index in range(request["count"]):
        yield {"piece": index}
    if request.get("fails"):
        raise InputError("This cannot be.")


def given(desk: Desk) -> list[tuple[Any, ...]]:
    """All pieces in the order in which they are given: asker, slot, number, piece or error."""
    found = []
    while (job := desk.next()) is not None:
        message = job.piece()
        if desk.take_back(job, message["last"]):
            found.append((job.asker, message["slot"], message["number"], message.get("piece", message.get("error"))))
    return found


def test_nobody_waits_for_all_that_another_one_wants() -> None:
    desk = Desk(counting)
    desk.put("a", {"slot": "x", "number": 1, "ask": "count", "count": 3})
    desk.put("b", {"slot": "x", "number": 7, "ask": "count", "count": 1})
    order = [(asker, piece) for asker, _, _, piece in given(desk)]
    assert order == [("a", 0), ("b", 0), ("a", 1), ("b", None), ("a", 2), ("a", None)]


def test_what_is_quick_does_not_wait_for_what_is_slow() -> None:
    desk = Desk(counting)
    desk.put("a", {"slot": "slow", "number": 1, "ask": "count", "count": 9})
    desk.put("a", {"slot": "quick", "number": 2, "ask": "count", "count": 1})
    slots = [slot for _, slot, _, _ in given(desk)]
    assert slots[:4] == ["slow", "quick", "slow", "quick"]


def test_what_can_wait_does() -> None:
    desk = Desk(counting)
    desk.put("a", {"slot": "later", "number": 1, "ask": "count", "count": 1, "can_wait": True})
    desk.put("b", {"slot": "now", "number": 2, "ask": "count", "count": 1})
    assert [slot for _, slot, _, _ in given(desk)] == ["now", "now", "later", "later"]


def test_a_newer_request_takes_the_place_of_an_older_one() -> None:
    desk = Desk(counting)
    for number in range(5):
        desk.put("a", {"slot": "hand", "number": number, "ask": "count", "count": 1})
    desk.put("a", {"slot": "gone", "number": 9, "ask": "count", "count": 1})
    desk.put("a", {"slot": "gone", "number": 10, "ask": "nothing"})
    assert given(desk) == [("a", "hand", 4, 0), ("a", "hand", 4, None)]


def test_a_piece_that_is_computed_when_a_newer_request_comes_is_not_told() -> None:
    desk = Desk(counting)
    desk.put("a", {"slot": "hand", "number": 1, "ask": "count", "count": 1})
    job = desk.next()
    assert job is not None
    desk.put("a", {"slot": "hand", "number": 2, "ask": "count", "count": 1})
    assert not desk.take_back(job, last=False)
    desk.leave("a")
    assert desk.next() is None


def test_what_cannot_be_answered_is_said_and_others_are_answered() -> None:
    desk = Desk(counting)
    desk.put("a", {"slot": "x", "number": 1, "ask": "count", "count": 0, "fails": True})
    desk.put("a", {"slot": "y", "number": 2, "ask": "count", "count": 0})
    assert given(desk) == [("a", "x", 1, "This cannot be."), ("a", "y", 2, None)]


class Listener:
    """Somebody who asks the bench."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.heard: list[dict[str, Any]] = []

    def take(self, answer: dict[str, Any]) -> None:
        self.heard.append(answer | {"at": time.monotonic()})

    async def answer(self, slot: str) -> list[dict[str, Any]]:
        """The pieces for a slot, once the last one is there."""
        for _ in range(int(SECONDS / 0.01)):
            mine = [piece for piece in self.heard if piece["slot"] == slot]
            if mine and mine[-1]["last"]:
                return mine
            await asyncio.sleep(0.01)
        raise AssertionError(f"nothing was heard of {slot}")


def talking(*talks: Callable[[Listener], Awaitable[None]]) -> None:
    """Let some listeners talk to the bench side by side."""

    async def talk() -> None:
        listeners = [Listener() for _ in talks]
        following = [asyncio.create_task(one.bench.follow(one.take)) for one in listeners]
        await asyncio.gather(*(talk(one) for talk, one in zip(talks, listeners, strict=True)))
        for task in following:
            task.cancel()

    asyncio.run(talk())


def rows_of(pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for piece in pieces for row in piece.get("rows", [])]


@pytest.mark.process
def test_all_pages_of_a_server_are_answered_by_one_process(runs: Path) -> None:
    async def ask(listener: Listener) -> None:
        listener.bench.ask("about", "about")
        listener.bench.ask("pbe", "screen", functional="pbe")
        listener.bench.ask("wrong", "screen", functional="pbx")
        listener.bench.ask("file", "screen", functional="/etc/own.safetensors")
        about, *_ = await listener.answer("about")
        kinds = [solid["kind"] for solid in about["solids"]]
        assert len(kinds) == SOLIDS
        assert all(kinds.index(kind) + kinds.count(kind) == len(kinds) - kinds[::-1].index(kind) for kind in kinds)
        pieces = await listener.answer("pbe")
        assert len(rows_of(pieces)) == SOLIDS
        errors = [row["lattice_constant_error_percent"] for row in rows_of(pieces)]
        summary = next(piece["summary"] for piece in pieces if "summary" in piece)
        assert summary["lattice_constant"]["mean_absolute"] == pytest.approx(sum(map(abs, errors)) / SOLIDS)
        assert "pbx" in (await listener.answer("wrong"))[-1]["error"]
        assert "not among the checkpoints" in (await listener.answer("file"))[-1]["error"]

    talking(ask, ask, ask)
    assert len(benches(runs)) == 1


@pytest.mark.process
def test_a_checkpoint_is_taken_only_from_where_a_page_has_put_it(runs: Path) -> None:
    for folder in (runs / "checkpoints", runs):
        folder.mkdir(parents=True, exist_ok=True)
        save_checkpoint(PBE(trainable=True), folder / "own.safetensors", name="own", description="", licence="MIT")
    whole = (runs / "checkpoints" / "own.safetensors").read_bytes()
    (runs / "checkpoints" / "cut.safetensors").write_bytes(whole[:-4])

    async def ask(listener: Listener) -> None:
        listener.bench.ask("brought", "screen", functional=str(runs / "checkpoints" / "own.safetensors"))
        listener.bench.ask("other", "screen", functional=f"0.5*pbe + 0.5*{runs / 'own.safetensors'}")
        listener.bench.ask("good", "examine", functional=str(runs / "checkpoints" / "own.safetensors"))
        listener.bench.ask("bad", "examine", functional=str(runs / "checkpoints" / "cut.safetensors"))
        assert len(rows_of(await listener.answer("brought"))) == SOLIDS
        assert "error" not in (await listener.answer("good"))[-1]
        assert "cut.safetensors" in (await listener.answer("bad"))[-1]["error"]
        assert "not among the checkpoints" in (await listener.answer("other"))[-1]["error"]

    talking(ask)


@pytest.mark.process
def test_a_bench_that_dies_is_replaced_and_goes_on(runs: Path) -> None:
    async def ask(listener: Listener) -> None:
        listener.bench.ask("first", "about")
        await listener.answer("first")
        (process,) = benches(runs)
        listener.bench.ask("pbe", "screen", functional="pcnn")
        process.kill()
        listener.bench.ask("second", "about")
        assert "solids" in (await listener.answer("second"))[0]
        listener.bench.give_up("pbe")
        (successor,) = benches(runs)
        assert successor.pid != process.pid

    talking(ask)


@pytest.mark.process
def test_a_bench_that_does_not_start_is_told(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlxc.runs.bench.client.MODULE", "mlxc.no_such_module")
    monkeypatch.setattr("mlxc.runs.bench.client.START_SECONDS", 0.5)

    async def ask(listener: Listener) -> None:
        listener.bench.ask("pbe", "screen", functional="pbe")
        assert "does not start" in (await listener.answer("pbe"))[-1]["error"]

    talking(ask)


@pytest.mark.process
def test_a_cell_has_both_curves_and_says_which_densities_make_the_difference(runs: Path) -> None:
    async def ask(listener: Listener) -> None:
        listener.bench.ask("cell", "resolve", functional="r2scan", solid="Ag_fcc")
        cell, _ = await listener.answer("cell")
        assert set(cell["curves"]) == {"r2scan", "pbe"}
        for curve in cell["curves"].values():
            assert min(curve["energies_mev"]) > -0.5
            assert curve["lengths_ang"] == sorted(curve["lengths_ang"])
        by_map = sum(map(sum, cell["difference"]))
        assert by_map == pytest.approx(sum(cell["difference_by_alpha"]), rel=1e-6)
        assert cell["confirmation"]["calculation"]["xc"] == "r2scan"
        assert cell["confirmation"]["calculation"]["pseudo"] == "pseudodojo-pbe"
        listener.bench.ask("own", "resolve", functional="pbe", solid="Ag_fcc")
        cell, _ = await listener.answer("own")
        assert cell["against"] == "lda"
        # Where the local density has no minimum, its points are there without a curve.
        listener.bench.ask("soft", "resolve", functional="pbe", solid="Na_bcc")
        soft, _ = await listener.answer("soft")
        assert len(soft["curves"]["lda"]["energies_mev"]) == 7
        assert soft["curves"]["lda"]["fine_energies_mev"] == []
        assert cell["difference_by_alpha"] == []

    talking(ask)


@pytest.mark.process
def test_a_report_says_what_makes_it_again(runs: Path) -> None:
    async def ask(listener: Listener) -> None:
        confirmed = [{"functional": "PBE", "solid": "Si_diamond", "lattice_constant_ang": 5.47}]
        listener.bench.ask("report", "report", functionals={"pbe": "PBE", "lda": "lda"}, confirmed=confirmed)
        files = {name: b64decode(text) for name, text in (await listener.answer("report"))[0]["files"].items()}
        assert {Path(name).suffix for name in files} == {".csv", ".json", ".png"}
        (record,) = (content for name, content in files.items() if name.endswith("json"))
        for word in (b"sha256:", b"date", b"mlxc", b"mean_absolute", b'"functional": "PBE"'):
            assert word in record
        (table,) = (content for name, content in files.items() if name.endswith("csv"))
        rows = list(csv.DictReader(table.decode().splitlines()))
        assert len(rows) == 2 * SOLIDS
        assert all(row["functional_hash"].startswith("sha256:") and row["date"] and row["mlxc"] for row in rows)
        own = {(row["functional"], row["solid"]): row["self_consistent_lattice_constant_ang"] for row in rows}
        assert {key: value for key, value in own.items() if value} == {("PBE", "Si_diamond"): "5.47"}
        assert json.loads(record)["self_consistent"][0]["lattice_constant_error_percent"] == pytest.approx(0.9, abs=0.2)
        # LDA makes three of the solids smaller than the stored densities reach.
        assert rows[0]["lattice_constant_solids"] == "30 of 30"
        assert rows[-1]["lattice_constant_solids"] == "27 of 30"

    talking(ask)


def test_what_does_not_come_to_an_end_is_told_and_ends_the_bench_for_another_one(tmp_path: Path) -> None:
    def stuck(request: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        time.sleep(0.5)
        yield {}

    async def ask() -> dict[str, Any]:
        serving = asyncio.create_task(server.BenchServer(stuck, piece_seconds=0.05).serve(Path("bench.sock")))
        while not Path("bench.sock").exists():
            await asyncio.sleep(0.01)
        reader, writer = await asyncio.open_unix_connection("bench.sock")
        await reader.readline()
        writer.write(line_of({"slot": "x", "number": 1, "ask": "count"}))
        answer: dict[str, Any] = json.loads(await reader.readline())
        with pytest.raises(server.StuckError):
            await serving
        return answer

    # A path that is short enough for a socket.
    with contextlib.chdir(tmp_path):
        answer = asyncio.run(ask())
    assert answer["last"]
    assert "given up" in answer["error"]


@pytest.mark.process
def test_a_bench_without_anybody_ends(runs: Path) -> None:
    server.main(idle_seconds=0.2)
    assert not os.path.lexists(bench_file(SOCKET))
