"""A diagnosis names what is wrong, blames nothing where nothing is, and says the same in words, numbers and plots."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlxc import Calculation, Crystal
from mlxc.cli import main
from mlxc.crystal.brillouin import special_points
from mlxc.properties.birch_murnaghan import fit_birch_murnaghan
from mlxc.tasks.diagnosis.checks.exact_conditions import examine_exact_conditions
from mlxc.tasks.diagnosis.checks.extrapolation import clamping_mends, examine_extrapolation
from mlxc.tasks.diagnosis.checks.kpoints import denser_calculation, mesh_holds
from mlxc.tasks.diagnosis.checks.vacuum import examine_vacuum, in_higher_cell
from mlxc.tasks.diagnosis.finding import CAUSES, Curve, Finding, Plot
from mlxc.tasks.diagnosis.html_report import html_report
from mlxc.tasks.diagnosis.mends import mends_of
from mlxc.tasks.diagnosis.prediction import RATIOS, Prediction, size_at_minimum
from mlxc.tasks.diagnosis.presentation import diagnosis_outcome
from mlxc.tasks.diagnosis.task import DiagnosisTask
from mlxc.tasks.diagnosis.tolerable import NO_ANSWER, error_in_words, severity_of
from mlxc.tasks.diagnosis.under_test import on_coarser_mesh
from mlxc.tasks.diagnosis.verdict import judge
from mlxc.xc.catalogue import functional

QUICK = {"structure": "si", "ecut_ha": 5, "kmesh": (2, 2, 2), "xc": "lda"}


def blame(cause: Any, severity: float | None, effect: str = "this") -> Finding:
    return Finding(cause, "?", "!", cause, severity, effect)


@given(st.lists(st.tuples(st.sampled_from(CAUSES), st.floats(0, 100)), min_size=1, max_size=8))
def test_shares_of_the_error_add_up_and_the_worst_cause_comes_first(causes: list[tuple[Any, float]]) -> None:
    verdict = judge([blame(cause, severity) for cause, severity in causes])
    shares = [found.share for found in verdict.blames]
    assert sum(shares) == pytest.approx(1.0 if any(severity > 0 for _, severity in causes) else 0.0)
    assert shares == sorted(shares, reverse=True)
    assert (verdict.culprit is None) == (max(severity for _, severity in causes) < 1)


def test_the_verdict_names_each_cause_that_matters_with_its_share() -> None:
    verdict = judge([blame("basis", 7.1, "a larger cell"), blame("model", 2.9, "a wiggle"), blame("vacuum", 0.01)])
    assert verdict.culprit == "basis"
    assert verdict.sentence == "Basis: 71 % of the error (a larger cell); model: 29 % of the error (a wiggle)."


def test_what_leaves_no_answer_is_told_in_words_and_not_as_a_number() -> None:
    verdict = judge([blame("model", NO_ANSWER, "it guesses, and the SCF does not settle"), blame("basis", 2.4, "off")])
    assert verdict.sentence == "Model: there is no answer. It guesses, and the SCF does not settle."
    page = html_report(
        {"findings": [], "seconds": 1.0, "calculation": _calculation(), "mends": [], **verdict.to_dict()}
    )
    assert ">no answer</td>" in page
    assert ">2.4</td>" in page
    assert f"{NO_ANSWER:g}" not in verdict.sentence
    assert "the error" not in verdict.sentence


@given(st.one_of(st.none(), st.floats(-9, 9)), st.one_of(st.none(), st.floats(-99, 99)))
def test_all_causes_are_compared_by_the_lattice_constant_where_it_is_known(
    size: float | None, energy: float | None
) -> None:
    severity, words = severity_of(size, energy), error_in_words(size, energy)
    assert (severity is None) == (words == "") == (size is None and energy is None)
    if size is not None:
        assert severity == pytest.approx(abs(size) / 0.2)
        assert words.startswith(f"the lattice constant is off by {size:+z.2f} %")
    elif energy is not None:
        assert severity == pytest.approx(abs(energy) / 2)
    assert (energy is not None) == ("mHa" in words)


class _Sound:
    """A calculation whose answer, and that of a better one, are known."""

    def __init__(self, given: Prediction, better: Prediction) -> None:
        self.asked = self.calculation = Calculation.from_dict({"structure": "graphene"})
        self.given = self.sound = given
        self.seconds_left, self._better = 150.0, better

    def predict_soundly(self, calculation: Calculation, start: Any = None, with_size: bool = True) -> Prediction:
        assert calculation != self.calculation
        return self._better


def test_sentence_and_verdict_tell_an_error_with_the_same_sign_and_the_same_digits() -> None:
    better = Prediction(True, "", STATE, -1.002, 1.01, STATE)
    finding = examine_vacuum(_Sound(sized(1.0), better))  # type: ignore[arg-type]
    assert finding.effect == "the lattice constant is off by -0.99 %, the energy by +2.00 mHa per atom"
    assert finding.sentence.endswith(f", {finding.effect}.")
    assert finding.severity == pytest.approx(0.99 / 0.2, rel=1e-2)
    assert finding.numbers["energy_change_mha_per_atom"] == pytest.approx(2.0)


def test_violated_conditions_are_named_and_what_they_ask_is_in_a_table() -> None:
    tested: Any = _Answers(sized(1.0), sized(1.0), sized(1.0))
    tested.functional = functional("bulk-unconstrained")
    finding = examine_exact_conditions(tested)
    assert finding.table is not None
    assert len(finding.sentence) < 300
    for name, statement, worst in finding.table.rows:
        assert name in finding.sentence
        assert statement not in finding.sentence
        assert worst.startswith(("off by", "no finite number"))
    assert Finding.from_dict(json.loads(json.dumps(finding.to_dict()))).to_dict() == json.loads(
        json.dumps(finding.to_dict())
    )
    for name in ("pbe", "lda"):
        tested.functional = functional(name)
        found = examine_exact_conditions(tested)
        violated = [held for held in found.numbers["conditions"].values() if held["satisfied"] is False]
        assert (found.table is None) == (not violated)
        assert found.table is None or len(found.table.rows) == len(violated)


def test_nothing_is_blamed_for_errors_that_do_not_matter() -> None:
    verdict = judge([blame("basis", 0.3), blame("k points", 0.2)])
    assert verdict.culprit is None
    assert "Nothing is to blame" in verdict.sentence


def test_what_could_not_be_measured_is_neither_good_nor_bad_and_has_no_share() -> None:
    verdict = judge([blame("basis", None, "it would take too long"), blame("vacuum", 0.1), blame("model", 3.0)])
    assert verdict.culprit == "model"
    assert verdict.sentence.endswith(" Not measured: basis.")
    assert [(b.cause, b.share) for b in verdict.blames[-1:]] == [("basis", None)]
    assert sum(b.share for b in verdict.blames[:-1] if b.share is not None) == pytest.approx(1)
    sound = judge([blame("basis", None), blame("vacuum", 0.1)])
    assert sound.culprit is None
    assert "basis" not in sound.sentence.split("Not measured")[0]
    assert judge([blame("basis", None), blame("model", None)]).sentence == (
        "Nothing can be said. Not measured: basis, model."
    )


def test_the_list_of_runs_says_what_is_to_blame() -> None:
    def outcome(*findings: Finding) -> str:
        return diagnosis_outcome(judge(findings).to_dict())

    assert outcome(blame("k points", 3.0), blame("basis", 1.0)) == "to blame: k points"
    assert outcome(blame("k points", 0.1), blame("basis", None)) == "nothing to blame"
    assert outcome(blame("basis", None)) == "not measured"
    assert diagnosis_outcome({}) == ""


def test_a_cause_counts_as_measured_if_one_of_its_findings_is() -> None:
    (found,) = judge([blame("basis", None), blame("basis", 0.4, "a little")]).blames
    assert (found.severity, found.effect) == (0.4, "a little")


@given(st.lists(st.one_of(st.none(), st.floats(0, 100)), min_size=1, max_size=5))
def test_a_verdict_says_not_measured_of_exactly_what_is_not(severities: list[float | None]) -> None:
    findings = [blame(cause, severity) for cause, severity in zip(CAUSES, severities, strict=False)]
    verdict = judge(findings)
    unmeasured = [finding.cause for finding in findings if finding.severity is None]
    told = verdict.sentence.partition("Not measured: ")[2].rstrip(".")
    assert sorted(filter(None, told.split(", "))) == sorted(map(str, unmeasured))
    assert [b.cause for b in verdict.blames if b.share is None] == unmeasured
    if unmeasured:
        page = html_report(
            {"findings": [], "seconds": 1.0, "calculation": _calculation(), "mends": [], **verdict.to_dict()}
        )
        assert page.count("not measured") == len(unmeasured)
        assert 'class="verdict sound"' not in page


def _calculation() -> dict[str, Any]:
    return Calculation.from_dict(QUICK).model_dump(mode="json")


class _Answers:
    """A calculation under test whose answers are known."""

    def __init__(self, given: Prediction, clamped: Prediction, baseline: Prediction) -> None:
        self.given, self.clamped, self.baseline = given, clamped, baseline
        self.calculation = self.asked = Calculation.from_dict({"structure": "al", "xc": "bulk-unconstrained"})
        self.domain, self.domain_is_recorded, self.is_learned = {"s": (0.0, 1.4)}, True, True
        self.outside_shares, self.baseline_name = {"volume": 0.7}, "pbe"


STATE: Any = object()
FAILS = Prediction(False, "after 12 steps the density residual is 2.0e+00")
WITHOUT_STRAINED = Prediction(True, "", STATE, -1.0, without_size="no size, since the SCF does not settle")
WITHOUT_MINIMUM = Prediction(True, "", STATE, -1.0, larger=STATE, without_size="no equilibrium size nearby")


def sized(size: float) -> Prediction:
    return Prediction(True, "", STATE, -1.0, size, STATE)


@pytest.mark.parametrize(
    ("given", "clamped", "baseline", "severity", "mends", "words"),
    [
        (FAILS, sized(1.001), sized(1.0), 50, True, "it gives a sound answer"),
        (FAILS, sized(1.05), sized(1.0), 50, False, "errs inside its domain"),
        (FAILS, WITHOUT_MINIMUM, sized(1.0), 50, False, "errs inside its domain"),
        (FAILS, WITHOUT_STRAINED, sized(1.0), 50, None, "is not measured"),
        (FAILS, sized(1.0), WITHOUT_STRAINED, 50, None, "is not measured"),
        (FAILS, FAILS, sized(1.0), 50, False, "errs inside its domain"),
        (FAILS, FAILS, FAILS, None, False, "it is not known"),
        (WITHOUT_MINIMUM, sized(1.0), sized(1.0), 50, True, "it gives a sound answer"),
        (WITHOUT_STRAINED, WITHOUT_STRAINED, sized(1.0), None, None, "it is not known"),
        (sized(1.0), WITHOUT_STRAINED, sized(1.0), None, None, "it is not known"),
        (sized(1.0), sized(1.0), sized(1.0), 0, True, "does not rest on extrapolation"),
        (sized(1.03), sized(1.0), sized(1.0), 15, True, "it gives a sound answer"),
    ],
)
def test_a_conclusion_on_extrapolation_says_what_its_rows_say(
    given: Prediction, clamped: Prediction, baseline: Prediction, severity: float | None, mends: Any, words: str
) -> None:
    tested: Any = _Answers(given, clamped, baseline)
    finding = examine_extrapolation(tested)
    assert finding.severity == (None if severity is None else pytest.approx(severity))
    assert clamping_mends(tested) is mends
    assert words in finding.sentence
    # A sound answer has a size.
    assert ("sound answer" in finding.sentence) <= ("no equilibrium size" not in finding.sentence.split(":")[2])
    found = mends_of("model", tested)
    assert [mend.changes["xc"] for mend in found] == ["clamped:bulk-unconstrained", "bulk-constrained", "pbe"]
    assert ("comes near" in found[0].why) is (mends is True)


def test_each_cause_has_something_that_mends_it_and_that_can_be_computed() -> None:
    tested: Any = _Answers(sized(1.0), sized(1.0), sized(1.0))
    tested.asked = Calculation.from_dict({"structure": "graphene", "xc": "bulk-unconstrained"})
    for cause in CAUSES:
        for mend in mends_of(cause, tested):
            mended = Calculation.from_dict({**tested.asked.model_dump(mode="json"), **mend.changes})
            assert mended != tested.asked
    assert all(mends_of(cause, tested) for cause in CAUSES)
    assert mends_of(None, tested) == ()


@pytest.mark.parametrize(
    ("structure", "kmesh", "smearing", "coarse"),
    [
        ("graphene", (9, 9, 1), "fermi-dirac", (3, 3, 1)),
        ("graphene", (3, 3, 1), "fermi-dirac", (3, 3, 1)),
        ("al", (8, 8, 8), "gaussian", (3, 3, 3)),
        ("al", (15, 15, 15), "gaussian", (5, 5, 5)),
        ("si", (2, 2, 2), "gaussian", (2, 2, 2)),
        ("graphene", (8, 8, 1), "none", (8, 8, 1)),
    ],
)  # fmt: skip
def test_what_the_mesh_does_not_matter_for_is_asked_on_a_coarser_one(
    structure: str, kmesh: Any, smearing: str, coarse: Any
) -> None:
    calculation = Calculation.from_dict({"structure": structure, "kmesh": kmesh, "smearing": smearing})
    assert on_coarser_mesh(calculation).kmesh == coarse


@given(st.floats(0.9, 1.1), st.floats(0.1, 10), st.integers(2, 3))
def test_the_size_is_where_a_curve_of_birchs_form_has_its_minimum(ratio: float, modulus: float, dims: int) -> None:
    variable = np.array(RATIOS) ** (-2 / 3)
    energies = modulus * (variable - ratio ** (-2 / 3)) ** 2 - 5
    assert size_at_minimum(energies.tolist(), dims) == pytest.approx(ratio ** (1 / dims), rel=1e-6)


def test_the_size_is_near_that_of_a_fit_to_many_points() -> None:
    volumes = np.linspace(0.94, 1.06, 7)

    def energy(volume: Any) -> Any:  # Murnaghan's curve with a modulus of 1 and a derivative of 4.5
        return volume / 4.5 * ((1.01 / volume) ** 4.5 / 3.5 + 1) - 1.01 / 3.5

    fitted = fit_birch_murnaghan(volumes, energy(volumes)).volume0
    found = size_at_minimum([energy(ratio) for ratio in RATIOS], 3)
    assert found == pytest.approx(fitted ** (1 / 3), rel=2e-4)


def test_energies_without_a_minimum_give_no_size() -> None:
    assert size_at_minimum([0.0, 1.0, 0.0], 2) is None
    assert size_at_minimum([3.0, 2.0, 1.0], 2) is None


@pytest.mark.parametrize(("mesh", "holds"), [((9, 9, 1), True), ((8, 8, 1), False), ((6, 6, 1), True)])
def test_only_meshes_that_are_multiples_of_three_hold_graphenes_point_k(mesh: Any, holds: bool) -> None:
    calculation = Calculation.from_dict({"structure": "graphene", "kmesh": mesh, "smearing": "none"})
    points = special_points(calculation.crystal)
    assert set(points) == {"G", "K", "M"}
    assert mesh_holds(mesh, points["K"]) is holds
    denser = denser_calculation(calculation)
    assert all(mesh_holds(denser.kmesh, point) for point in points.values())
    assert denser.smearing == "fermi-dirac"


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5])
def test_a_sheet_in_a_higher_cell_keeps_its_bonds_and_its_thickness(shift: float) -> None:
    lattice = np.array([[4.7, 0, 0], [0, 4.7, 0], [0, 0, 20.0]])
    positions = np.array([[0, 0, 0.97 + shift], [0.5, 0, 0.05 + shift], [0, 0.5, 0.1 + shift]])
    sheet = Crystal(lattice, ["C", "C", "C"], positions)
    higher = in_higher_cell(sheet, 1.5)
    assert higher.lattice[2, 2] == pytest.approx(30.0)

    def distances(crystal: Crystal) -> Any:
        return crystal.to_ase().get_all_distances(mic=True)

    np.testing.assert_allclose(distances(higher), distances(sheet), atol=1e-9)


class _Tags(HTMLParser):
    """Checks that a page needs nothing from elsewhere and runs no script."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        values = dict(attrs)
        assert not (values.get("src") or "").startswith("http")
        assert not (values.get("href") or "").startswith("http")


def _assert_is_self_contained(page: str) -> None:
    tags = _Tags()
    tags.feed(page)
    assert not {"script", "link", "img", "iframe"} & set(tags.names)


@pytest.mark.thorough
def test_a_battery_on_a_cheap_crystal_says_what_is_too_small_and_writes_it_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.html"
    command = "diagnose si --xc lda --ecut 5 --kmesh 2 2 2 --json --html"
    assert main([*command.split(), str(report)]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["converged"]
    assert summary["culprit"] in ("basis", "k points")  # both are too small by far
    severities = {cause["cause"]: cause["severity"] for cause in summary["causes"]}
    assert severities["basis"] > 1
    assert severities["k points"] > 1
    assert severities["self-consistency"] < 1
    assert severities["model"] == 0  # a formula has learned nothing
    findings = [Finding.from_dict(found) for found in summary["findings"]]
    assert [found.to_dict() for found in findings] == summary["findings"]
    above = next(f for f in findings if f.test == "basis").numbers["gaussian_sets"]
    energies = [row["energy_above_plane_waves_mha_per_atom"] for row in above.values()]
    assert energies == sorted(energies, reverse=True)  # the larger the set, the lower its energy
    assert energies[-1] > 0
    page = report.read_text()
    _assert_is_self_contained(page)
    assert summary["verdict"] in page
    assert page.count("<svg") == sum(len(found.plots) for found in findings)


def test_a_report_escapes_what_comes_from_a_person() -> None:
    calculation = Calculation.from_dict(QUICK).model_dump(mode="json")
    calculation["structure"]["name"] = "<script>alert(1)</script>"
    plot = Plot("<b>", "x", "y", [Curve("<i>", [1.0, 2.0], [1.0, 2.0])], shaded=(None, 1.5), shaded_name="here")
    finding = Finding("basis", "<img src=x>", "a < b", "basis", 2.0, "<u>", plots=[plot])
    verdict = judge([finding])
    summary = {"findings": [finding.to_dict()], "seconds": 1.0, "calculation": calculation, **verdict.to_dict()}
    page = html_report(summary)
    _assert_is_self_contained(page)
    for tag in ("<b>", "<i>", "<u>"):
        assert tag not in page


def test_bad_input_to_a_diagnosis_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diagnose", "si", "--ecut", "-5"]) == 2
    assert main(["diagnose", "si", "--html", "/nowhere/report.html"]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 2
    assert "ecut_ha" in lines[0]
    assert "--html" in lines[1]


@pytest.mark.thorough
def test_a_diagnosis_runs_in_a_folder_like_any_other_run(tmp_path: Path) -> None:
    from mlxc.runs.folder import RunFolder

    task = DiagnosisTask.from_dict({"calculation": QUICK})
    folder = RunFolder.create(task, "why", tmp_path)
    assert folder.kind == "diagnosis"
    assert folder.task == task


CULPRITS = {
    "small basis": ({"xc": "pbe", "basis": "gaussian", "gaussian_basis": "gth-szv"}, "basis"),
    "unconstrained network": ({"xc": "bulk-unconstrained"}, "model"),
    "k mesh without K": ({"xc": "pbe", "kmesh": (8, 8, 1), "smearing": "none"}, "k points"),
    "everything right": ({"xc": "pbe"}, None),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CULPRITS)
def test_the_culprit_of_graphene_is_found(case: str) -> None:
    settings, culprit = CULPRITS[case]
    diagnosis = DiagnosisTask.from_dict({"calculation": {"structure": "graphene", **settings}}).run()
    assert diagnosis.verdict.culprit == culprit, diagnosis.verdict.sentence
