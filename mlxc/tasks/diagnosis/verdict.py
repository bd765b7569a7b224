"""Who is to blame: the findings put together. Imports no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mlxc.tasks.diagnosis.finding import CAUSES, Cause, Finding
from mlxc.tasks.diagnosis.tolerable import NO_ANSWER

# A cause with less than this share of the largest severity is not worth naming.
WORTH_NAMING = 0.2


@dataclass(frozen=True)
class Blame:
    """One cause and its part of the error.

    Attributes:
        cause: What is to blame.
        severity: The largest severity of its findings, see :class:`~mlxc.tasks.diagnosis.finding.Finding`; None if
            none of them could be measured.
        share: The share of the sum of all severities; None if it could not be measured.
        effect: The effect of the worst finding.
    """

    cause: Cause
    severity: float | None
    share: float | None
    effect: str

    @property
    def leaves_no_answer(self) -> bool:
        """Whether it is no error of an answer, but the reason why there is none."""
        return self.severity is not None and self.severity >= NO_ANSWER


@dataclass(frozen=True)
class Verdict:
    """What a diagnosis concludes.

    Attributes:
        culprit: The worst cause; None where nothing is as bad as to matter.
        sentence: The verdict in words.
        blames: All causes that were tested, the worst first, and those that could not be measured last.
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
    :mod:`mlxc.tasks.diagnosis.tolerable`. These units make an error of the lattice constant and a gap that should not
    be there comparable; the shares are shares of their sum.
    """
    worst = [
        max((f for f in findings if f.cause == cause), key=_severity) for cause in CAUSES if _is_tested(cause, findings)
    ]
    total = sum(finding.severity or 0.0 for finding in worst)
    blames = []
    for finding in sorted(worst, key=_severity, reverse=True):
        assert finding.cause is not None
        share = finding.severity and finding.severity / total
        blames.append(Blame(finding.cause, finding.severity, share, finding.effect))
    measured = [blame for blame in blames if blame.severity is not None]
    culprit = measured[0].cause if measured and (measured[0].severity or 0) >= 1 else None
    words = [_sentence(measured, culprit), _unmeasured(blames)]
    return Verdict(culprit, " ".join(filter(None, words)), tuple(blames))


def _is_tested(cause: Cause, findings: Sequence[Finding]) -> bool:
    return any(finding.cause == cause for finding in findings)


def _severity(finding: Finding) -> float:
    """For an order in which what could not be measured is last."""
    return -1.0 if finding.severity is None else finding.severity


def _sentence(measured: Sequence[Blame], culprit: Cause | None) -> str:
    if not measured:
        return "Nothing can be said."
    if culprit is None:
        tested = ", ".join(blame.cause for blame in measured)
        good = "are all good enough" if len(measured) > 1 else "is good enough"
        largest = f"The largest effect is that of the {measured[0].cause}: {measured[0].effect}."
        return f"Nothing is to blame: {tested} {good}. {largest}"
    least = max(1.0, WORTH_NAMING * (measured[0].severity or 0.0))
    named = [blame for blame in measured if (blame.severity or 0.0) >= least]
    failing = [blame for blame in named if blame.leaves_no_answer]
    if failing:
        return " ".join(f"{_begun(blame.cause)}: there is no answer. {_begun(blame.effect)}." for blame in failing)
    parts = [f"{blame.cause}: {100 * (blame.share or 0.0):.0f} % of the error ({blame.effect})" for blame in named]
    return f"{_begun('; '.join(parts))}."


def _begun(text: str) -> str:
    """The text as a sentence begins."""
    return f"{text[:1].upper()}{text[1:]}"


def _unmeasured(blames: Sequence[Blame]) -> str:
    causes = [blame.cause for blame in blames if blame.severity is None]
    return f"Not measured: {', '.join(causes)}." if causes else ""
