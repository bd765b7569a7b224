"""Does the functional answer from what it has learned? Its answer with features clamped to the training domain."""

from __future__ import annotations

from mlxc.tasks.diagnosis.finding import Finding
from mlxc.tasks.diagnosis.prediction import NO_ANSWER, TOLERABLE_SIZE_PERCENT, Prediction, size_in_words
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
        name: _says(tested, given),
        "clamped to the domain of its training": _says(tested, clamped),
        tested.baseline_name: _says(tested, baseline),
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


def _blame(tested: CalculationUnderTest) -> tuple[float, str]:
    given, clamped = tested.given, tested.clamped
    if not given.converged and clamped.converged:
        return NO_ANSWER, f"{_beyond(tested)} keeps the SCF from converging"
    if not given.converged and tested.baseline.converged:
        return NO_ANSWER, f"the SCF converges with {tested.baseline_name}, with the model not even when it is clamped"
    if not given.converged:
        return 0.0, "the SCF converges with no functional"
    if given.size is None and clamped.size is not None:
        return NO_ANSWER, f"{_beyond(tested)} leaves the energy without a minimum nearby"
    change = given.size_change_percent(clamped)
    if change is None:
        return 0.0, "no size to compare"
    return abs(change) / TOLERABLE_SIZE_PERCENT, f"{_beyond(tested)} changes the lattice constant by {change:+z.2f} %"


def _beyond(tested: CalculationUnderTest) -> str:
    """Where it extrapolates, in words."""
    highest, share = tested.domain.get("s", (None, None))[1], tested.outside_shares.get("volume", 0.0)
    edge = "" if highest is None else f" beyond s = {highest:.2g}"
    return f"extrapolation{edge}, in {100 * share:.0f} % of the volume,"


def _says(tested: CalculationUnderTest, answer: Prediction) -> str:
    return size_in_words(answer, tested.calculation) if answer.converged else "the SCF does not converge"


def _conclusion(tested: CalculationUnderTest) -> str:
    severity, _ = _blame(tested)
    off = tested.clamped.size_change_percent(tested.baseline)
    inside = off is not None and abs(off) > 5 * TOLERABLE_SIZE_PERCENT
    if severity < 1:
        return "Clamping changes nothing that matters: the answer does not rest on extrapolation."
    if not tested.clamped.converged or inside:
        return "Clamping changes the answer, but does not mend it: the model errs inside its domain as well."
    return "Clamped, it gives a sound answer: what it says outside its training domain is to blame."
