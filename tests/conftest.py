"""What several tests share: the command line run in this process, and patience with a busy machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from support import Outcome

from mlxc import cli

# How long an example takes says more about what else the machine does than about the code. Examples are the same in
# each run, so that whether tests pass depends on the code alone; the profile "explore" looks for others.
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True, max_examples=40)
settings.register_profile("patient", patient)
settings.register_profile("fast", patient, max_examples=20)
settings.register_profile("explore", patient, derandomize=False, max_examples=500)
settings.load_profile("patient")


@pytest.fixture
def mlxc_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Outcome]:
    """Runs ``mlxc`` with the given arguments, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = cli.main(list(arguments))
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run
