"""Asks the command line for what needs PyTorch, in a process of its own, while the page goes on."""

from __future__ import annotations

import asyncio
import sys

from mlxc.errors import MlxcError

# A large network on a slow machine is still answered; one that hangs is not waited for.
TIMEOUT_SECONDS = 120.0


class NoAnswerError(MlxcError):
    """A command gave no answer; the message is one sentence."""


async def answer_of(*arguments: str) -> str:
    """What ``mlxc`` prints when it is called with these arguments.

    Raises:
        NoAnswerError: with one sentence that says why there is no answer.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "mlxc.cli", *arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), TIMEOUT_SECONDS)
    except TimeoutError:
        raise NoAnswerError(f"The check gave no answer within {TIMEOUT_SECONDS:.0f} s.") from None
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode != 0:
        raise NoAnswerError(failure_sentence(errors.decode(errors="replace")))
    return output.decode()


def failure_sentence(errors: str) -> str:
    """The sentence in what a failed process has written to standard error."""
    lines = errors.strip().splitlines() or ["it said nothing"]
    said = [line.removeprefix("mlxc: ") for line in lines if line.startswith("mlxc: ")]
    return said[-1] if said else f"The check failed unexpectedly ({lines[-1].strip()})."
