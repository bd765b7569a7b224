"""Who is to blame: the findings put together. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlxc.tasks.diagnosis.finding import CAUSES, Cause, Finding

# A cause with less than this share of the largest severity is not worth naming.
WORTH_NAMING = 0.2


@dataclass(frozen=True)
class Blame:
    """One cause and its part of the error.

    Attributes:
        cause: What is to blame.
        severity: The largest severity of its findings, see :class:`~mlxc.tasks.diagnosis.finding.Finding`.
        share: The share of the sum of all severities.
        effect: The effect of the worst finding.
    """

    cause: Cause
    severity: float
    share: float
    effect: str


@dataclass(frozen=True)
class Verdict:
    """What a diagnosis concludes.

    Attributes:
        culprit: The worst cause; None where nothing is as bad as to matter.
        sentence: The verdict in words.
        blames: All causes that were tested, the worst first.
    """

    culprit: Cause | None
    sentence: str
    blames: tuple[Blame, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "culprit": self.culprit,
            "verdict": self.sentence,
            "causes": [
                {"cause": blame.cause, "severity": blame.severity, "share": blame.share, "effect": blame.effect}
                for blame in self.blames
            ],
        }


def judge(findings: Sequence[Finding]) -> Verdict:
    """The verdict on some findings.

    Each cause counts as its worst finding does, in units of what is tolerable, which stand in
    :mod:`mlxc.tasks.diagnosis.prediction`. These units make an error of the lattice constant and a gap that should not
    be there comparable; the shares are shares of their sum.
    """
    worst = [
        max((f for f in findings if f.cause == cause), key=lambda f: f.severity)
        for cause in CAUSES
        if any(f.cause == cause for f in findings)
    ]
    total = sum(finding.severity for finding in worst)
    blames = []
    for finding in sorted(worst, key=lambda finding: -finding.severity):
        assert finding.cause is not None
        share = finding.severity / total if total else 0.0
        blames.append(Blame(finding.cause, finding.severity, share, finding.effect))
    culprit = blames[0].cause if blames and blames[0].severity >= 1 else None
    return Verdict(culprit, _sentence(blames, culprit), tuple(blames))


def _sentence(blames: Sequence[Blame], culprit: Cause | None) -> str:
    if culprit is None:
        tested = ", ".join(blame.cause for blame in blames)
        largest = f" The largest effect is that of the {blames[0].cause}: {blames[0].effect}." if blames else ""
        return f"Nothing is to blame: {tested} are all good enough.{largest}"
    named = [b for b in blames if b.severity >= 1 and b.severity >= WORTH_NAMING * blames[0].severity]
    parts = [f"{blame.cause}: {100 * blame.share:.0f} % of the error ({blame.effect})" for blame in named]
    text = "; ".join(parts)
    return f"{text[:1].upper()}{text[1:]}."
