"""Markdown tables for the terminal, printed row by row, and the numbers that sum them up."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import geometric_mean, median

__all__ = ["cell", "geometric_mean", "median", "print_header", "print_row"]


def print_header(*names: str) -> None:
    """Names of the columns."""
    print_row(names)
    print_row(["---"] * len(names))


def print_row(values: Iterable[object]) -> None:
    """One row, at once on the terminal."""
    print("| " + " | ".join(map(str, values)) + " |", flush=True)


def cell(value: float | None, form: str) -> str:
    """A number formatted, or a dash where there is none."""
    return "-" if value is None else format(value, form)
