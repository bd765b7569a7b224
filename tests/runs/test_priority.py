"""Leaving the processor to other sessions."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

AUTOGROUP = Path("/proc/self/autogroup")
TELLING = """
from pathlib import Path
from mlxc.runs.priority import giving_way
politeness = lambda: Path("/proc/self/autogroup").read_text().split()[-1]
told = [politeness()]
with giving_way():
    told.append(politeness())
print(*told, politeness())
"""


def politenesses(own_session: bool) -> list[str]:
    """Before, during and after it, as another process tells them."""
    command = [sys.executable, "-c", TELLING]
    done = subprocess.run(command, capture_output=True, text=True, check=True, start_new_session=own_session)
    return done.stdout.split()


@pytest.mark.skipif(
    not (os.access(AUTOGROUP, os.W_OK) and AUTOGROUP.read_text().strip()),
    reason="The system does not group processes by session.",
)
def test_a_session_comes_last_for_a_while_and_only_where_the_process_leads_it() -> None:
    # Linux refuses a change that comes soon after another process's.
    tries = (politenesses(own_session=True) for _ in range(5))
    before, during, after = next((told for told in tries if told[0] != told[1]), ("0", "0", "0"))
    assert int(during) > int(before) == int(after)
    assert len(set(politenesses(own_session=False))) == 1
