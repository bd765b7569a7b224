"""The lectures run from top to bottom, and say what lectures should."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).resolve().parents[2] / "notebooks").glob("*.ipynb"))
SECONDS = 180
# The quickest of them runs with every change, the others with the slow tests.
CASES = [pytest.param(path, marks=() if path.name.startswith("01") else pytest.mark.slow) for path in NOTEBOOKS]


def test_there_are_ten_lectures() -> None:
    assert [path.name[:2] for path in NOTEBOOKS] == [f"{number:02}" for number in range(1, 12)]


@pytest.mark.process
@pytest.mark.timeout(0)
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_a_lecture_runs_in_time(path: Path, tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    before = os.times().children_user
    client = NotebookClient(notebook, timeout=4 * SECONDS, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    # Of the kernel, which has ended and been waited for: a busy machine does not change it as it does the clock.
    assert os.times().children_user - before < 2 * SECONDS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_lecture_has_a_title_aims_exercises_and_solutions_and_no_output(path: Path) -> None:
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.cells[0].source.startswith("# ")
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert "## What to remember" in text
    exercises, solutions = text.split("\n## Exercises")[1].split("\n## Solutions")
    asked = re.findall(r"^(\d+)\. \*\*", exercises, re.MULTILINE)
    assert len(asked) >= 2
    assert set(asked) <= set(re.findall(r"\*\*(\d+)\.", solutions))
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not cell.outputs
            assert cell.execution_count is None
