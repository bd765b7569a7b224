"""What a process has freed goes back to the machine."""

from __future__ import annotations

import platform

import psutil
import pytest

from mlxc.utils.memory import give_back


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep nothing that can be asked for")
def test_what_lies_free_below_something_that_is_used_is_given_back() -> None:
    process = psutil.Process()
    pieces = [bytes([number % 256]) * 4000 for number in range(20_000)]
    last, full = pieces[-1], process.memory_info().rss
    del pieces
    give_back()
    assert process.memory_info().rss < full - 60e6
    assert len(last) == 4000
