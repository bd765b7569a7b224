"""What a diagnosis comes to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mlxc.kohn_sham.state import GroundState
from mlxc.tasks.diagnosis.finding import Finding
from mlxc.tasks.diagnosis.verdict import Verdict


@dataclass(frozen=True)
class Diagnosis:
    """What the battery found.

    Attributes:
        findings: of each test.
        verdict: who is to blame.
        converged: whether the calculation in question is.
        seconds: of all tests together.
        calculation: the settings, as plain data.
        state: of the calculation in question; None where nothing could be computed.
    """

    findings: tuple[Finding, ...]
    verdict: Verdict
    converged: bool
    seconds: float
    calculation: dict[str, Any]
    state: GroundState | None

    def summary(self) -> dict[str, Any]:
        """The result as plain data, the JSON object of the command line."""
        return {
            "converged": self.converged,
            **self.verdict.to_dict(),
            "findings": [finding.to_dict() for finding in self.findings],
            "seconds": self.seconds,
            "calculation": self.calculation,
        }
