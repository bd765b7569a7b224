"""Does the functional answer from what it has learned? Its answer with features clamped to the training domain."""

from __future__ import annotations

from mlxc.crystal.vacuum import vacuum_directions
from mlxc.tasks.diagnosis.finding import Finding
from mlxc.tasks.diagnosis.prediction import size_in_words
from mlxc.tasks.diagnosis.tolerable import NO_ANSWER, TOLERABLE_SIZE_PERCENT
from mlxc.tasks.diagnosis.under_test import CalculationUnderTest

TITLE = "Does the answer snap back when the functional is held inside its training domain?"


def examine_extrapolation(tested: CalculationUnderTest) -> Finding:
    """Compare the functional with itself, clamped, and with its baseline."""
    name = tested.calculation.xc
    if not tested.is_learned:
        return Finding(
            "extrapolation",
            TITLE,
            f"{name} is a formula and has learned nothing, so there is nothing to clamp.",
            "model",
        )
    given, clamped, baseline = tested.given, tested.clamped, tested.baseline
    severity, effect = _blame(tested)
    words = {
        name: size_in_words(given, tested.calculation),
        "held inside the domain of its training": size_in_words(clamped, tested.calculation),
        tested.baseline_name: size_in_words(baseline, tested.calculation),
    }
    sentence = "; ".join(f"{who}: {what}" for who, what in words.items())
    return Finding(
        test="extrapolation",
        title=TITLE,
        sentence=f"{sentence}. {_conclusion(tested)}",
        cause="model",
        severity=severity,
        effect=effect,
        numbers={
            "lowest_rs": tested.domain.get("rs", (None, None))[0],
            "highest_rs": tested.domain.get("rs", (None, None))[1],
            "highest_s": tested.domain.get("s", (None, None))[1],
            "domain_is_recorded": tested.domain_is_recorded,
            "size_change_by_extrapolation_percent": given.size_change_percent(clamped),
            "size_change_from_baseline_percent": given.size_change_percent(baseline),
            "size_change_of_clamped_from_baseline_percent": clamped.size_change_percent(baseline),
            "energy_change_by_extrapolation_mha_per_atom": given.energy_change_mha(clamped),
            "converged": {"given": given.converged, "clamped": clamped.converged, "baseline": baseline.converged},
        },
    )


def _blame(tested: CalculationUnderTest) -> tuple[float | None, str]:
    given, clamped = tested.given, tested.clamped
    if not given.converged and clamped.converged:
        return NO_ANSWER, f"{_beyond(tested)} the SCF does not settle"
    if not given.converged and tested.baseline.converged:
        return NO_ANSWER, f"the SCF converges with {tested.baseline_name}, with the model not even when it is clamped"
    if not given.converged:
        return None, "the SCF converges with no functional"
    if given.size is None and clamped.size is not None:
        return NO_ANSWER, f"{_beyond(tested)} the energy has no minimum nearby"
    change = given.size_change_percent(clamped)
    if change is None:
        return None, "there are no two sizes to compare"
    return abs(change) / TOLERABLE_SIZE_PERCENT, f"{_beyond(tested)} the lattice constant is off by {change:+z.2f} %"


def _beyond(tested: CalculationUnderTest) -> str:
    """Where it extrapolates, in words that what comes of it follows."""
    share = 100 * tested.outside_shares.get("volume", 0.0)
    vacuum = ", above all the vacuum," if vacuum_directions(tested.calculation.crystal) else ""
    return f"{share:.0f} % of the cell{vacuum} is unlike all that it has learned from; it guesses there, and"


def clamping_mends(tested: CalculationUnderTest) -> bool | None:
    """Whether a learned functional held inside its domain comes near its baseline; None if that is not known."""
    if not tested.clamped.converged:
        return False
    off = tested.clamped.size_change_percent(tested.baseline)
    if off is None:
        return False if tested.clamped.has_no_minimum else None
    return abs(off) <= 5 * TOLERABLE_SIZE_PERCENT


def _conclusion(tested: CalculationUnderTest) -> str:
    severity, _ = _blame(tested)
    mends = clamping_mends(tested)
    if severity is None:
        return "So it is not known whether the answer rests on extrapolation."
    if severity < 1:
        return "Clamping changes nothing that matters: the answer does not rest on extrapolation."
    if mends:
        return "Clamped, it gives a sound answer: what it says outside its training domain is to blame."
    if mends is None:
        return "Clamped, its SCF settles; whether its answer is sound is not measured."
    if tested.clamped.has_no_minimum:
        return "Clamped, its SCF settles, but the size is wrong: the model errs inside its domain as well."
    return "Clamping changes the answer, but does not mend it: the model errs inside its domain as well."
