"""The report on exact conditions says of conventional functionals what is known of them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mlxc.cli import main
from mlxc.xc.analysis.constraints import ConstraintResult, check_constraints, constraints_report
from mlxc.xc.analysis.domain import reduced_variables
from mlxc.xc.analysis.enhancement_curves import enhancement_curves
from mlxc.xc.analysis.probe import ingredients_at
from mlxc.xc.catalogue import functional
from mlxc.xc.functional import Functional
from mlxc.xc.gga import PBE
from mlxc.xc.hybrid import HybridXC
from mlxc.xc.lda import LDA
from mlxc.xc.unconstrained import NNPBE


@cache
def report(name: str) -> dict[str, ConstraintResult]:
    return {result.name: result for result in check_constraints(functional(name))}


def violated(results: dict[str, ConstraintResult]) -> set[str]:
    return {name for name, result in results.items() if result.satisfied is False}


@pytest.mark.parametrize("nspin", [1, 2])
def test_probes_have_the_reduced_variables_that_were_asked_for(nspin: int) -> None:
    rs, zeta, s, alpha = torch.tensor([[0.3, 4.0], [0.0, 0.7], [0.0, 2.5], [1.0, 0.2]], dtype=torch.float64)
    found = reduced_variables(**ingredients_at(rs, zeta if nspin == 2 else None, s, alpha))
    for name, asked in {"rs": rs, "zeta": zeta * (nspin - 1), "s": s, "alpha": alpha}.items():
        torch.testing.assert_close(found[name], asked, msg=name)


@pytest.mark.parametrize("name", ["lda", "pbe", "pbesol", "rpbe", "scan", "r2scan"])
def test_nonempirical_functionals_satisfy_what_they_were_built_to(name: str) -> None:
    assert violated(report(name)) <= {"non-uniform scaling"}


@pytest.mark.parametrize("name", ["pbe", "pbesol", "rpbe"])
def test_gradient_functionals_of_the_pbe_form_do_not_fall_with_the_gradient(name: str) -> None:
    # F_x tends to 1 + kappa, so the slope of its logarithm is off by a half.
    assert report(name)["non-uniform scaling"].deviation == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("name", ["scan", "r2scan"])
def test_scan_and_r2scan_fall_as_they_should(name: str) -> None:
    assert report(name)["non-uniform scaling"].satisfied


def test_the_local_density_knows_nothing_of_gradients() -> None:
    assert report("lda")["non-uniform scaling"].satisfied is None
    assert report("lda")["smoothness"].satisfied is None


def test_becke_exchange_and_lyp_correlation_violate_what_is_known_of_them() -> None:
    # B88 grows as s / ln s; LYP is not exact for the uniform gas and becomes positive at large gradients.
    expected = {"uniform gas", "Lieb-Oxford bound", "Lieb-Oxford bound of exchange", "negative correlation"}
    assert expected <= violated(report("gga_x_b88,gga_c_lyp"))


def test_too_large_a_kappa_violates_the_lieb_oxford_bound_by_as_much() -> None:
    results = {result.name: result for result in check_constraints(PBE(kappa=1.5))}
    assert results["Lieb-Oxford bound of exchange"].deviation == pytest.approx(1.5 - 0.804, abs=0.02)


def test_the_network_that_has_learned_pbe_passes_and_fails_as_pbe_does() -> None:
    assert violated(report("pbe-proxy")) == violated(report("pbe"))


def test_an_untrained_unconstrained_network_violates_the_uniform_gas_and_spin_symmetry() -> None:
    results = {result.name: result for result in check_constraints(NNPBE())}
    assert {"uniform gas", "spin symmetry"} <= violated(results)


def test_a_network_added_to_pbe_spoils_it_by_its_weight() -> None:
    untouched = {r.name: r for r in check_constraints(HybridXC("pbe", (4,), aweight0=0.0))}
    spoilt = {r.name: r for r in check_constraints(HybridXC("pbe", (4,), aweight0=1.0))}
    assert violated(untouched) == {"non-uniform scaling"}
    assert "uniform gas" in violated(spoilt)


class Wiggles(PBE):
    """PBE with a ripple along s."""

    def enhancement(self, s2: Tensor) -> Tensor:
        """F_x, and 2 % of a wave in s."""
        return super().enhancement(s2) + 0.02 * (torch.cos(30 * (s2 + 1e-12).sqrt()) - 1)


def test_a_ripple_in_the_enhancement_is_found() -> None:
    results = {result.name: result for result in check_constraints(Wiggles())}
    assert "smoothness" in violated(results)


class Undefined(Functional):
    """No number anywhere."""

    def forward(self, rho: Tensor) -> Tensor:
        """0 / 0."""
        return rho.sum(0) * 0 / 0


class OneSided(Functional):
    """Cares which spin is called up."""

    def forward(self, rho: Tensor) -> Tensor:
        """Uniform-gas energy, and a little more for the first spin."""
        return LDA()(rho) - 0.01 * rho[0]


def test_a_functional_that_gives_no_numbers_violates_everything_it_is_asked() -> None:
    for result in check_constraints(Undefined()):
        assert result.satisfied in (False, None)
        assert result.satisfied is None or "no finite number" in result.detail


def test_a_preference_for_one_spin_is_found() -> None:
    assert "spin symmetry" in violated({result.name: result for result in check_constraints(OneSided())})


def test_curves_begin_at_the_uniform_gas_and_the_report_is_a_table() -> None:
    for curve, gas in zip(enhancement_curves(functional("pbe")), enhancement_curves(functional("lda")), strict=True):
        assert curve.s[0] == 0
        assert curve.f_xc == curve.f_xc_pbe
        assert curve.f_xc[0] == pytest.approx(gas.f_xc[0], rel=1e-12)
        assert np.ptp(gas.f_xc) == pytest.approx(0, abs=1e-12)
    assert [curve.alpha for curve in enhancement_curves(functional("r2scan"))] == [0, 1, 5]
    assert len(constraints_report(check_constraints(functional("pbe"))).splitlines()) == len(report("pbe"))


@pytest.mark.thorough
def test_the_report_is_drawn_into_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "scan.svg"
    assert main(["checkpoint", "verify", "scan", "--plot", str(picture)]) == 0
    drawn = picture.read_text()
    assert drawn.startswith("<?xml")
    assert main(["checkpoint", "verify", "scan", "--plot", str(tmp_path / "scan.nonsense")]) == 2
    assert "cannot be written" in capsys.readouterr().err


def test_the_command_line_verifies_checkpoints_and_any_other_functional(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checkpoint", "verify", "pbe-proxy", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["record"]["baseline"] == "pbe"
    assert all(max(abs(np.subtract(curve["f_xc"], curve["f_xc_pbe"]))) < 1e-3 for curve in answer["curves"])
    assert main(["checkpoint", "verify", "pbesol"]) == 0
    assert "uniform gas" in capsys.readouterr().out
    assert main(["checkpoint", "verify", "nonsense"]) == 2
