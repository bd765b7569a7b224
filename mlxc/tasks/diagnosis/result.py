"""What a diagnosis comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlxc.kohn_sham.state import GroundState
from mlxc.tasks.diagnosis.finding import Finding
from mlxc.tasks.diagnosis.mends import Mend
from mlxc.tasks.diagnosis.verdict import Verdict


@dataclass(frozen=True)
class Diagnosis:
    """What the tests of a diagnosis found.

    Attributes:
        findings: The finding of each test.
        verdict: Who is to blame.
        mends: What to try against it.
        converged: Whether the calculation in question has converged.
        seconds: The time of all tests together.
        calculation: The settings, as plain data.
        state: The state of the calculation in question; None where nothing could be computed.
    """

    findings: tuple[Finding, ...]
    verdict: Verdict
    mends: tuple[Mend, ...]
    converged: bool
    seconds: float
    calculation: dict[str, Any]
    state: GroundState | None

    def summary(self) -> dict[str, Any]:
        """The result as plain data, the JSON object of the command line."""
        return {
            "converged": self.converged,
            **self.verdict.to_dict(),
            "mends": [mend.to_dict() for mend in self.mends],
            "findings": [finding.to_dict() for finding in self.findings],
            "seconds": self.seconds,
            "calculation": self.calculation,
        }
