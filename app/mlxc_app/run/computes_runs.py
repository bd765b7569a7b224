"""What the page needs of that which computes."""

from __future__ import annotations

from typing import Protocol

from mlxc.runs.folder import RunFolder


class ComputesRuns(Protocol):
    """The workers of a page, see :class:`mlxc.runs.client.Workers`."""

    @property
    def ready(self) -> bool:
        """Whether a run would start at once."""

    @property
    def words(self) -> str:
        """What a person should know of what computes, in a sentence; empty if that is this machine."""

    @property
    def resting(self) -> bool:
        """Whether nothing is ready since nobody has needed it for a while."""

    def want(self) -> None:
        """Be ready soon, or stay so."""

    def submit(self, folder: RunFolder) -> None:
        """Compute the run in ``folder``, after those that were submitted before."""

    def check(self) -> None:
        """Notice a worker that is missing."""

    def waits_for(self, folder: RunFolder) -> str:
        """What else than its process a run waits for, in a sentence."""
