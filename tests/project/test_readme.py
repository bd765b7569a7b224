"""What README shows in Python runs as it is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from markdown_files import code_blocks

BLOCKS = code_blocks(Path(__file__).parents[2] / "README.md", "python")


@pytest.mark.thorough
@pytest.mark.parametrize("block", BLOCKS, ids=[block.splitlines()[-1][:40] for block in BLOCKS])
def test_a_block_of_readme_runs(block: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    exec(block, {})
