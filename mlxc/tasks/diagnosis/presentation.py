"""How a diagnosis is told to a person. The same findings as the JSON."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any

from mlxc.console.record_table import RecordTable
from mlxc.console.text import headline
from mlxc.tasks.diagnosis.finding import TESTS


def diagnosis_report(summary: dict[str, Any]) -> str:
    """The result of ``mlxc diagnose``; ``summary`` is the object that ``--json`` prints."""
    lines = [headline(summary["calculation"]), ""]
    for finding in summary["findings"]:
        lines.append(f"  {finding['title']}")
        lines += [f"    {line}" for line in wrap(finding["sentence"], 110)]
        lines += [f"      {': '.join(row)}" for row in (finding.get("table") or {}).get("rows", ())]
        lines.append("")
    lines += wrap(f"Verdict. {summary['verdict']}", 114)
    if summary["mends"]:
        lines += ["", "What mends it:"]
        for mend in summary["mends"]:
            lines += [f"  {line}" for line in wrap(f"{mend['label']}. {mend['why']}", 112)]
    return "\n".join([*lines, f"({summary['seconds']:.0f} s)"])


def diagnosis_sentence(summary: Mapping[str, Any]) -> str:
    """The verdict."""
    return f"Diagnosis: {summary['verdict']}"


def diagnosis_outcome(summary: Mapping[str, Any]) -> str:
    """What is to blame, in a few words; empty as long as there is no verdict."""
    if "verdict" not in summary:
        return ""
    if summary["culprit"] is not None:
        return f"to blame: {summary['culprit']}"
    is_known = any(row["severity"] is not None for row in summary["causes"])
    return "nothing to blame" if is_known else "not measured"


def _next_test_in_words(finding: Mapping[str, Any]) -> tuple[str, float]:
    """Which test comes after the one that has just been done."""
    done = TESTS.index(finding["test"]) + 1
    words = f"Test {done + 1} of {len(TESTS)}, {TESTS[done]}." if done < len(TESTS) else "All tests are done."
    return words, done / len(TESTS)


FINDINGS = RecordTable(
    "findings", "one row per test of a diagnosis", "{test}: {sentence}".format_map, doing=_next_test_in_words
)
