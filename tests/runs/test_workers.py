"""All pages share worker processes: they come when one is needed, are replaced when they die, and go when none is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from mlxc import Calculation
from mlxc.runs.client import FIRST, MODULE, Workers, stop_run
from mlxc.runs.code import code_name
from mlxc.runs.folder import ENDED, RunFolder
from mlxc.runs.line import Line, waiting_words
from mlxc.runs.locks import lock, slot
from mlxc.runs.worker import serve

QUICK = {"structure": "si", "ecut_ha": 5, "kmesh": [2, 2, 2]}
LONG = {"structure": "al", "ecut_ha": 60, "kmesh": [12, 12, 12], "tolerance": 1e-12}


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLXC_MAX_RUNS", "1")
    return tmp_path


@pytest.fixture
def workers(directory: Path) -> Iterator[Workers]:
    page = Workers(directory, directory / "log")
    yield page
    page.close()
    wait_for(lambda: not processes(directory))


def run_for(data: dict[str, object], directory: Path, owner: str = "") -> RunFolder:
    return RunFolder.create(Calculation.from_dict(data), "A test: 100 %", directory, owner)


def wait_for(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def wait_for_end(folder: RunFolder, *pages: Workers) -> str:
    """What became of a run, while the pages look after the workers."""

    def ended() -> bool:
        for page in pages:
            page.check()
        return folder.status["state"] in ENDED

    wait_for(ended)
    state: str = folder.status["state"]
    return state


def processes(directory: Path) -> list[psutil.Process]:
    """The workers of a runs directory; one that has just been started has no command line yet."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if MODULE in words and str(directory) in words and process.info["status"] != psutil.STATUS_ZOMBIE:
            found.append(process)
    return found


@pytest.mark.process
def test_two_pages_share_one_worker(directory: Path, workers: Workers) -> None:
    other = Workers(directory)
    mine, foreign = run_for(QUICK, directory, "ada"), run_for(QUICK, directory, "grace")
    workers.submit(mine)
    other.submit(foreign)
    assert wait_for_end(mine, workers, other) == wait_for_end(foreign, workers, other) == "finished"
    assert mine.status["pid"] == foreign.status["pid"]
    assert workers.ready
    assert other.ready
    other.close()
    workers.check()
    time.sleep(0.5)
    assert len(processes(directory)) == 1


@pytest.mark.process
def test_visitors_who_compute_at_once_have_a_worker_each_within_the_bound(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLXC_MAX_RUNS", "2")
    page = Workers(directory)
    wait_for(lambda: len(processes(directory)) == 1)
    runs = [run_for(LONG, directory, owner) for owner in ("ada", "grace", "emmy", "ada")]
    for folder in runs:
        page.submit(folder)
    for _ in range(3):
        page.check()
    wait_for(lambda: [folder.status["state"] for folder in runs] == ["running", "running", "queued", "queued"])
    assert len(processes(directory)) == 2
    assert page.waits_for(runs[2]) == "Number 1 in line on this machine; now computed: 2 other runs."
    for folder in reversed(runs):
        stop_run(folder)
    page.close()
    wait_for(lambda: not processes(directory))


@pytest.mark.process
@pytest.mark.timed
def test_stop_ends_a_run_within_two_seconds_and_keeps_its_steps(directory: Path, workers: Workers) -> None:
    folder = run_for(LONG, directory)
    workers.submit(folder)
    wait_for(lambda: len(folder.records()[0]) >= 1)
    started = time.monotonic()
    stop_run(folder)
    wait_for(lambda: folder.status["state"] in ENDED, seconds=10)
    assert time.monotonic() - started < 2
    assert folder.status["state"] == "stopped"
    assert len(folder.records()[0]) >= 1
    again = run_for(QUICK, directory)
    workers.submit(again)
    assert wait_for_end(again, workers) == "finished"


@pytest.mark.process
@pytest.mark.timed
def test_a_worker_that_is_killed_says_so_and_runs_that_wait_are_taken_over(directory: Path, workers: Workers) -> None:
    first, second = run_for(LONG, directory, "ada"), run_for(QUICK, directory, "grace")
    for folder in (first, second):
        workers.submit(folder)
    wait_for(lambda: first.status["state"] == "running")
    killed = time.monotonic()
    os.kill(first.status["pid"], signal.SIGKILL)
    wait_for(lambda: first.status["state"] == "failed")
    assert time.monotonic() - killed < 0.8
    assert "unexpectedly" in first.status["message"]
    assert wait_for_end(second, workers) == "finished"


@pytest.mark.process
def test_a_page_that_goes_away_takes_its_worker_with_it_but_no_run(directory: Path) -> None:
    runs = [run_for(QUICK, directory) for _ in range(2)]
    script = (
        "import sys, time; from pathlib import Path; from mlxc.runs.client import Workers;"
        "from mlxc.runs.folder import RunFolder; workers = Workers(Path(sys.argv[1]));"
        "[workers.submit(RunFolder(Path(path))) for path in sys.argv[2:]];"
        "print('handed over', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", script, str(directory), *(str(folder.path) for folder in runs)]
    page = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert page.stdout is not None
    page.stdout.readline()
    os.killpg(page.pid, signal.SIGKILL)
    page.wait()
    wait_for(lambda: bool(processes(directory)))
    wait_for(lambda: not processes(directory), seconds=60)
    assert [folder.status["state"] for folder in runs] == ["finished", "finished"]


@pytest.mark.process
def test_a_run_that_nobody_computes_any_more_is_computed_by_the_next_page(directory: Path) -> None:
    folder = run_for(QUICK, directory, "ada")
    Line(directory, "code of before").join(folder)
    page = Workers(directory)
    assert wait_for_end(folder, page) == "finished"
    page.close()
    wait_for(lambda: not processes(directory))


@pytest.mark.process
def test_a_worker_that_nobody_has_needed_for_long_ends_and_comes_back(directory: Path, workers: Workers) -> None:
    wait_for(lambda: workers.ready)
    os.utime(Line(directory, code_name()).home / "wanted", (0, 0))
    wait_for(lambda: not processes(directory))
    workers.check()
    assert workers.resting
    assert not processes(directory)
    workers.want()
    assert not workers.resting
    wait_for(lambda: workers.check() or workers.ready)
    folder = run_for(QUICK, directory)
    workers.submit(folder)
    assert wait_for_end(folder, workers) == "finished"


def test_only_the_first_worker_stays_for_those_who_do_not_compute(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlxc.runs.worker.IDLE_SECONDS", 0.0)
    monkeypatch.setattr("mlxc.runs.client.Workers.check", lambda workers: None)
    page = Workers(directory)
    line = Line(directory, code_name())
    first, second = (threading.Thread(target=serve, args=(line, spare), daemon=True) for spare in (False, True))
    with lock(line.home / FIRST) as is_there:
        assert is_there
        for worker in (first, second):
            worker.start()
        second.join(60)
        assert not second.is_alive()
        assert first.is_alive()
    page.close()
    first.join(60)
    assert not first.is_alive()


@pytest.mark.slow
@pytest.mark.process
def test_a_page_with_other_code_has_workers_of_its_own(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = Workers(directory)
    monkeypatch.setattr("mlxc.runs.client.code_name", lambda: "other code")
    after = Workers(directory)
    wait_for(lambda: len(processes(directory)) == 2)
    folder = run_for(QUICK, directory)
    after.submit(folder)
    assert wait_for_end(folder, before, after) == "finished"
    assert before.waits_for(folder) == ""
    before.close()
    after.close()
    wait_for(lambda: not processes(directory))


def test_a_changed_file_is_other_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "mlxc_stand_in"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("mlxc.runs.code.PACKAGE", package.name)
    before = code_name()
    assert code_name() == before
    (package / "functional.py").write_text("mu = 0.2195")
    assert code_name() != before


def test_each_owner_computes_one_run_at_a_time_and_nobody_waits_for_more(directory: Path) -> None:
    line = Line(directory, "code")
    runs = [run_for(QUICK, directory, owner) for owner in ("ada", "ada", "grace", "ada")]
    for folder in runs:
        line.join(folder)
    assert line.first() == [runs[0], runs[2]]
    runs[0].set_status("finished")
    line.clear()
    assert line.first() == [runs[1], runs[2]]
    for folder in runs:
        line.leave(folder)
    assert line.first() == []


def test_who_waits_for_others_is_told_his_number(directory: Path) -> None:
    line = Line(directory, "code")
    runs = [run_for(QUICK, directory, owner) for owner in ("ada", "grace", "emmy", "grace")]
    for folder in runs:
        line.join(folder)
    assert line.words(runs[0]) == ""
    with slot(directory / "slots", runs[0].path.name, lambda number, holders: None):
        runs[0].set_status("running")
        assert line.words(runs[1]) == "Number 1 in line on this machine; now computed: 1 other run."
        assert line.words(runs[2]) == "Number 2 in line on this machine; now computed: 1 other run."
        assert line.words(runs[3]) == "", "it waits for a run of its owner"


def test_who_waits_is_told_the_titles_of_his_own_runs_only(tmp_path: Path) -> None:
    calculation = Calculation.from_dict(QUICK)
    mine, waits, foreign = (RunFolder.create(calculation, owner, tmp_path, owner) for owner in ("ada", "ada", "grace"))
    words = waiting_words(waits, 2, [mine.path.name, foreign.path.name])
    assert words == "Number 2 in line on this machine; now computed: “ada”, 1 other run."
    assert "grace" not in words
